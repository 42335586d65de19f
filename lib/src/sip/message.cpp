#include <trunkline/sip/message.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

namespace {

constexpr std::string_view version = "SIP/2.0";

/// Digits only. Over 32 bits it counts as the largest value, as section 20.19 has it for Expires.
[[nodiscard]] std::optional<std::uint32_t> delta_seconds(std::string_view text) noexcept {
    const auto digits = run(text, 0, set::digit);
    if (digits == 0) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        value =
            std::min<std::uint64_t>(value * 10 + static_cast<unsigned>(text[i] - '0'), 0xffff'ffff);
    }
    return static_cast<std::uint32_t>(value);
}

[[nodiscard]] bool is_call_id(std::string_view text) noexcept {
    value_reader in{text};
    const auto local = in.run_end(0, text.size(), set::word);
    if (local == 0 || local == text.size()) return local != 0;
    const auto host = local + 1;
    return text[local] == '@' && host < text.size() &&
           in.run_end(host, text.size(), set::word) == text.size();
}

/// m-type SLASH m-subtype *( SEMI m-parameter ), white space around the slash allowed.
[[nodiscard]] std::optional<std::size_t> bad_media_type(std::string_view value) noexcept {
    value_reader in{value};
    const auto size = value.size();
    const auto type = in.run_end(0, size, set::token);
    if (type == 0) return 0;
    const auto slash = skip_blank(value, type);
    if (slash == size || value[slash] != '/') return slash;
    const auto subtype = skip_blank(value, slash + 1);
    const auto end = in.run_end(subtype, size, set::token);
    if (end == subtype) return subtype;
    parameters_view parameters;
    if (!in.parameters(end, size, parameters)) return in.reason().offset;
    return std::nullopt;
}

} // namespace

/// What parse() does not set in any case. Views of a message before this one are not touched as
/// long as the bytes turn out to be a message too: they are filled anew then.
void message_view::reset() noexcept {
    method_ = method::other;
    status_ = 0;
    method_text_ = reason_ = body_ = {};
    cseq_ = {};
    hops_.reset();
    has_contact_ = answerable_ = false;
    size_ = 0;
    wrong_ = {};
}

result<void> message_view::parse(std::span<char> text, bool stream) noexcept {
    reset();
    const auto indexed = index_.read(text, wrong_);
    if (!indexed) {
        request_uri_ = {};
        via_ = {};
        from_ = to_ = {};
        return indexed.reason();
    }
    const std::string_view whole{text.data(), text.size()};
    const auto line = index_.start_line();
    read_start_line(line, static_cast<std::size_t>(line.data() - whole.data()));
    check(whole);
    frame(text, *indexed, stream);
    answerable_ =
        is_request() && method_ != method::ack && !method_text_.empty() && !via_.sent_by.empty();
    if (wrong_.noted()) return wrong_.reason();
    return {};
}

void message_view::read_start_line(std::string_view line, std::size_t at) noexcept {
    const auto first = line.substr(0, version.size());
    const bool is_response = line.size() > version.size() && line[version.size()] == ' ' &&
                             (first == version || iequals(first, version));
    if (is_response) {
        read_status_line(line, at);
    } else if (read_request_line(line, at)) {
        return;
    }
    request_uri_ = {};
}

/// Status-Line = SIP-Version SP 3DIGIT SP Reason-Phrase. One space each, and none around.
void message_view::read_status_line(std::string_view line, std::size_t at) noexcept {
    const auto code = line.substr(version.size() + 1, 3);
    const bool three = code.size() == 3 && all(code, set::digit) &&
                       (line.size() == version.size() + 4 || line[version.size() + 4] == ' ');
    status_ = three ? (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0') : 1;
    if (status_ < 100 || status_ > 699) {
        status_ = 1; // Still a response, so that nobody answers it.
        return fail(errc::bad_number, header::other, at + version.size() + 1);
    }
    const auto begin = std::min(line.size(), version.size() + 5);
    reason_ = line.substr(begin);
    if (const auto bad = bad_text(reason_)) {
        fail(errc::bad_token, header::other, at + begin + *bad);
    }
}

/// Request-Line = Method SP Request-URI SP SIP-Version, spaces as there. Whether the URI could be
/// read.
bool message_view::read_request_line(std::string_view line, std::size_t at) noexcept {
    const auto method_end = run(line, 0, set::token);
    if (method_end == 0 || method_end == line.size() || line[method_end] != ' ') {
        fail(errc::bad_token, header::other, at + method_end);
        return false;
    }
    method_text_ = line.substr(0, method_end);
    method_ = method_of(method_text_);
    const auto begin = method_end + 1;
    const auto end = line.find(' ', begin);
    if (end == std::string_view::npos) {
        fail(errc::need_more, header::other, at + line.size());
        return false;
    }
    value_reader in{line.substr(0, end)};
    const bool read = in.uri(begin, end, request_uri_);
    if (!read) {
        fail(in.reason().code, header::other, at + in.reason().offset);
    } else if (request_uri_.is_sip() && request_uri_.headers.data() != nullptr) {
        // Escaped headers have no place in a Request-URI (section 19.1.1, table).
        const auto headers = static_cast<std::size_t>(request_uri_.headers.data() - line.data());
        fail(errc::bad_token, header::other, at + headers);
    }
    const auto spoken = line.substr(end + 1);
    if (spoken == version || iequals(spoken, version)) return read;
    const bool other_version = spoken.size() > 4 && iequals(spoken.substr(0, 4), "SIP/") &&
                               all(spoken.substr(4), set::host);
    fail(other_version ? errc::bad_version : errc::bad_token, header::other, at + end + 1);
    return read;
}

void message_view::check(std::string_view whole) noexcept {
    const auto offset = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - whole.data());
    };
    for (const auto which :
         {header::via, header::from, header::to, header::call_id, header::cseq}) {
        if (!has(which)) fail(errc::missing, which, whole.size());
    }
    check_vias(whole);
    name_addr_view other;
    for (const auto which : {header::contact, header::route, header::record_route}) {
        if (has(which)) check_addresses(which, whole, other);
    }
    const auto take = [&](header which, name_addr_view& into) {
        const auto text = value(which);
        value_reader in{text};
        if (in.name_addr(0, text.size(), into)) return;
        into = {};
        if (!has(which)) return;
        fail(in.reason().code, which, offset(text) + in.reason().offset);
    };
    take(header::from, from_);
    take(header::to, to_);
    if (has(header::call_id) && (!is_call_id(call_id()) || call_id().size() > limits::call_id)) {
        fail(call_id().size() > limits::call_id ? errc::limit_exceeded : errc::bad_token,
             header::call_id, offset(call_id()));
    }
    if (has(header::cseq)) {
        const auto text = value(header::cseq);
        const auto read = cseq_view::parse(text);
        if (read) {
            cseq_ = *read;
        } else {
            fail(read.reason().code, header::cseq, offset(text) + read.reason().offset);
        }
        if (is_request() && !cseq_.method.empty() && cseq_.method != method_text_) {
            fail(errc::mismatch, header::cseq, offset(cseq_.method));
        }
    }
    check_numbers(whole);
    if (const auto type = value(header::content_type); has(header::content_type)) {
        if (const auto bad = bad_media_type(type)) {
            fail(errc::bad_token, header::content_type, offset(type) + *bad);
        }
    }
}

void message_view::check_numbers(std::string_view whole) noexcept {
    const auto offset = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - whole.data());
    };
    if (const auto hops = value(header::max_forwards); has(header::max_forwards)) {
        const auto number = delta_seconds(hops);
        if (!number || run(hops, 0, set::digit) != hops.size()) {
            fail(errc::bad_number, header::max_forwards, offset(hops));
        } else {
            hops_ = static_cast<std::uint8_t>(std::min(*number, 255U));
        }
    }
    for (const auto which : {header::expires, header::min_expires, header::min_se, header::rseq,
                             header::session_expires, header::retry_after}) {
        if (has(which) && !delta_seconds(value(which))) {
            fail(errc::bad_number, which, offset(value(which)));
        }
    }
}

/// Every one, because a response copies them all.
void message_view::check_vias(std::string_view whole) noexcept {
    std::size_t vias = 0;
    via_view other;
    each(header::via, [&](std::string_view text) {
        value_reader in{text};
        // Most fields are one value: what can be read as one has no comma between two.
        if (in.via(0, text.size(), vias == 0 ? via_ : other)) {
            ++vias;
            return;
        }
        const auto begin = static_cast<std::size_t>(text.data() - whole.data());
        if (text.ends_with(',')) fail(errc::bad_token, header::via, begin + text.size());
        auto list = text;
        do {
            const auto element = next_element(list);
            const auto at = static_cast<std::size_t>(element.data() - text.data());
            auto& into = vias == 0 ? via_ : other;
            ++vias; // A bad one counts: what stands behind it is not the top.
            if (in.via(at, at + element.size(), into)) continue;
            into = {};
            // Its sender is told all the same, if it can be read where he is; of parameters that
            // make no sense none is repeated.
            const auto head = via_view::parse(element.substr(0, element.find(';')));
            if (vias == 1 && head) {
                via_ = *head;
                via_.parameters = {};
            }
            return fail(in.reason().code, header::via, begin + in.reason().offset);
        } while (!list.empty());
    });
    if (vias == 0) via_ = {};
    // A bare cookie would be the key of everybody's transaction (RFC 4475 3.2.1).
    if (via_.branch == magic_cookie) {
        const auto branch = static_cast<std::size_t>(via_.branch.data() - whole.data());
        fail(errc::bad_token, header::via, branch);
    }
    if (vias > limits::vias) {
        const auto first = static_cast<std::size_t>(value(header::via).data() - whole.data());
        fail(errc::limit_exceeded, header::via, first);
    }
}

/// Contact, Route and Record-Route: every element, because a dialog keeps them.
void message_view::check_addresses(header which, std::string_view whole,
                                   name_addr_view& other) noexcept {
    std::size_t count = 0;
    each(which, [&](std::string_view text) {
        if (which == header::contact && text == "*") return;
        const auto place = [&]() -> name_addr_view& {
            return which == header::contact && count == 0 ? contact_ : other;
        };
        value_reader in{text};
        if (in.name_addr(0, text.size(), place())) {
            ++count;
            return;
        }
        const auto begin = static_cast<std::size_t>(text.data() - whole.data());
        if (text.ends_with(',')) fail(errc::bad_token, which, begin + text.size());
        auto list = text;
        do {
            const auto element = next_element(list);
            const auto at = static_cast<std::size_t>(element.data() - text.data());
            if (!in.name_addr(at, at + element.size(), place())) {
                return fail(in.reason().code, which, begin + in.reason().offset);
            }
            ++count;
        } while (!list.empty());
    });
    if (which == header::contact) has_contact_ = count > 0;
    if (count > limits::routes) {
        const auto first = static_cast<std::size_t>(value(which).data() - whole.data());
        fail(errc::limit_exceeded, which, first);
    }
}

/// Section 18.3: a datagram may hold less than it says never, more always; without Content-Length
/// its body goes to its end. A stream needs the header.
void message_view::frame(std::span<char> text, std::size_t at, bool stream) noexcept {
    const auto available = text.size() - std::min(at, text.size());
    auto length = available;
    if (has(header::content_length)) {
        const auto declared = value(header::content_length);
        const auto number = delta_seconds(declared);
        const auto where = static_cast<std::size_t>(declared.data() - text.data());
        if (!number || run(declared, 0, set::digit) != declared.size()) {
            fail(errc::bad_number, header::content_length, where);
        } else if (*number > available) {
            fail(errc::bad_length, header::content_length, where);
        } else {
            length = *number;
        }
    } else if (stream) {
        fail(errc::missing, header::content_length, at);
    }
    if (length > limits::body) fail(errc::limit_exceeded, header::content_length, at);
    body_ = std::string_view{text.data(), text.size()}.substr(std::min(at, text.size()), length);
    size_ = std::min(at + length, text.size());
}

std::string_view message_view::content_type() const noexcept {
    const auto type = value(header::content_type);
    const auto end = type.find_first_of("; \t");
    return type.substr(0, end);
}

std::optional<std::uint32_t> message_view::seconds(header which) const noexcept {
    return delta_seconds(value(which));
}

std::string_view message_view::grammar_next(std::string_view& rest) noexcept {
    return next_element(rest);
}

bool message_view::lists(header which, std::string_view option) const noexcept {
    bool found = false;
    each_element(which, [&](std::string_view one) { found = found || iequals(one, option); });
    return found;
}

result<message> message::parse(std::string_view text) {
    auto held = std::make_unique<block>();
    held->bytes = std::make_unique_for_overwrite<char[]>(text.size());
    std::ranges::copy(text, held->bytes.get());
    if (const auto parsed = held->view.parse({held->bytes.get(), text.size()}); !parsed) {
        return parsed.reason();
    }
    return message{std::move(held)};
}

} // namespace trunkline::sip
