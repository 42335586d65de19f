#include <trunkline/sip/identity.hpp>

#include <algorithm>
#include <charconv>

#include <trunkline/core/siphash.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/header.hpp>

namespace trunkline::sip {

namespace {

constexpr std::string_view prefix = "tl";
constexpr std::size_t numbers = 20;

template <class Number>
[[nodiscard]] bool read_hex(std::string_view text, Number& into) noexcept {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into, 16);
    return failed == std::errc{} && end == text.data() + text.size();
}

/// The value of the first header of that name, found line by line; a folded one with its folds.
[[nodiscard]] std::string_view find(std::string_view text, header wanted) noexcept {
    auto at = text.find("\r\n");
    while (at != std::string_view::npos && at + 2 < text.size()) {
        const auto start = at + 2;
        at = text.find("\r\n", start);
        if (at == start) break;
        while (at < text.size() - 2 && (text[at + 2] == ' ' || text[at + 2] == '\t')) {
            at = text.find("\r\n", at + 2);
        }
        const auto line = text.substr(start, at == std::string_view::npos ? at : at - start);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        if (header_of(trimmed(line.substr(0, colon))) == wanted) {
            return trimmed(line.substr(colon + 1));
        }
    }
    return {};
}

/// The value of a parameter, up to whatever can end a token. A URI's own, between angle brackets,
/// and what is quoted do not count.
[[nodiscard]] std::string_view parameter(std::string_view value, std::string_view name) noexcept {
    for (std::size_t at = 0; at < value.size(); ++at) {
        if (value[at] == '"') {
            for (++at; at < value.size() && value[at] != '"'; ++at) {
                if (value[at] == '\\') ++at;
            }
        } else if (value[at] == '<') {
            at = std::min(value.find('>', at), value.size());
        } else if (value[at] == ';') {
            auto rest = trimmed(value.substr(at + 1));
            if (!iequals(rest.substr(0, name.size()), name)) continue;
            rest = trimmed(rest.substr(name.size()));
            if (rest.empty() || rest.front() != '=') continue;
            rest = trimmed(rest.substr(1));
            return rest.substr(0, rest.find_first_of(";, \t\r\n"));
        }
    }
    return {};
}

} // namespace

identity_text::identity_text(const identity& what, entropy& random) {
    std::ranges::copy(prefix, text_.begin());
    write_hex(what.shard, 4, text_.data() + 2);
    write_hex(what.slot, 8, text_.data() + 6);
    write_hex(what.generation, 8, text_.data() + 14);
    random.token(std::span{text_}.subspan(prefix.size() + numbers));
}

std::optional<identity> read_identity(std::string_view text) noexcept {
    if (text.size() != identity_text::size || !iequals(text.substr(0, prefix.size()), prefix)) {
        return std::nullopt;
    }
    identity read;
    if (!read_hex(text.substr(2, 4), read.shard) || !read_hex(text.substr(6, 8), read.slot) ||
        !read_hex(text.substr(14, 8), read.generation)) {
        return std::nullopt;
    }
    return read;
}

std::optional<std::uint16_t> owner_of(std::span<const std::byte> datagram,
                                      std::uint16_t shards) noexcept {
    auto text = as_text(datagram);
    while (text.starts_with("\r\n")) text.remove_prefix(2); // As section 7.5 has it.
    const auto bearer = [&](std::optional<identity> found) -> std::optional<std::uint16_t> {
        if (!found || found->shard >= shards) return std::nullopt;
        return found->shard;
    };
    if (iequals(text.substr(0, 8), "SIP/2.0 ")) {
        const auto owner = bearer(branch_identity(parameter(find(text, header::via), "branch")));
        return owner ? owner : 0;
    }
    if (const auto owner = bearer(read_identity(parameter(find(text, header::to), "tag")))) {
        return owner;
    }
    const auto call_id = find(text, header::call_id);
    if (call_id.empty()) return std::nullopt;
    // Every shard has to agree on it, so the key is fixed; it spreads load and guards nothing.
    return static_cast<std::uint16_t>(siphash({1, 2}, call_id) % shards);
}

} // namespace trunkline::sip
