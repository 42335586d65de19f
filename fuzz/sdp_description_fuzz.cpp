#include <trunkline/sdp/description.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <trunkline/sdp/writer.hpp>

namespace {

using namespace trunkline;
using namespace trunkline::sdp;

void check(bool holds) {
    if (!holds) std::abort();
}

/// The index says all that counts: a description made of nothing but its answers reads the same.
result<std::size_t> print(const description& read, std::span<char> into) {
    writer out{into};
    out.origin(read.origin()).line('s', read.session_name()).line('t', read.timing());
    if (const auto connection = read.connection()) out.connection(connection->host);
    for (std::size_t i = 0; i < read.attribute_count(); ++i) {
        const auto each = read.attribute(i);
        out.attribute(each.name, each.value);
    }
    for (std::size_t i = 0; i < read.media_count(); ++i) {
        const auto media = read.media(i);
        out.media(media.kind_text(), media.port(), media.transport_text());
        for (std::size_t k = 0; k < media.format_count(); ++k) out.format(media.format(k).text);
        out.end_of_formats();
        if (const auto connection = media.connection()) out.connection(connection->host);
        for (std::size_t k = 0; k < media.attribute_count(); ++k) {
            const auto each = media.attribute(k);
            out.attribute(each.name, each.value);
        }
        out.attribute(to_text(media.direction()));
    }
    return out.size();
}

void compare(const media_view& a, const media_view& b) {
    check(a.kind() == b.kind() && a.kind_text() == b.kind_text() && a.port() == b.port());
    check(a.transport() == b.transport() && a.direction() == b.direction());
    check(a.ptime() == b.ptime() && a.maxptime() == b.maxptime() && a.mid() == b.mid());
    check(a.rtcp_mux() == b.rtcp_mux() && a.rtcp().has_value() == b.rtcp().has_value());
    if (a.rtcp()) check(a.rtcp()->port == b.rtcp()->port);
    check(a.connection().has_value() == b.connection().has_value());
    if (a.connection()) check(a.connection()->host == b.connection()->host);
    if (a.connection()) check(a.connection()->literal == b.connection()->literal);
    check(a.format_count() == b.format_count() && a.format_count() > 0);
    for (std::size_t i = 0; i < a.format_count(); ++i) check(a.format(i) == b.format(i));
}

} // namespace

/// Oracles: a reason never points past the input; no accessor fails; printed from the index alone
/// and parsed again, a description says the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    static description first;
    static description second;
    const auto parsed = parse(text, first);
    if (!parsed) {
        check(parsed.reason().offset <= size && first.media_count() == 0);
        return 0;
    }
    static std::array<char, 262'144> memory;
    const auto printed = print(first, memory);
    check(printed.has_value());
    const auto again = parse({memory.data(), *printed}, second);
    if (!again) {
        // A direction is added to each section, and a mapped line may be longer: nothing else.
        check(again.reason().code == errc::limit_exceeded);
        return 0;
    }
    check(first.origin() == second.origin() && first.session_name() == second.session_name());
    check(first.timing() == second.timing() && first.media_count() == second.media_count());
    for (std::size_t i = 0; i < first.media_count(); ++i) compare(first.media(i), second.media(i));
    return 0;
}
