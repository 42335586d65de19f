#include <trunkline/sip/message.hpp>

#include <algorithm>

#include <trunkline/core/assert.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "delta_seconds.hpp"
#include "needed.hpp"
#include "relocation.hpp"
#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

namespace {

constexpr std::string_view version = "SIP/2.0";

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
    within_ = false;
    unreadable_ = 0;
    wrong_ = ignored_ = {};
}

void message_view::fail(errc code, header which, std::size_t at) noexcept {
    const message_kind kind{.response = !is_request(),
                            .what = method_,
                            .within = within_,
                            .has_body = !body_.empty(),
                            .stream = stream_};
    if (needs(kind, which)) return wrong_.note(code, which, at);
    ignore(code, which, at);
}

void message_view::ignore(errc code, header which, std::size_t at) noexcept {
    ignored_.note(code, which, at);
    unreadable_ |= std::uint64_t{1} << static_cast<unsigned>(which);
}

result<void> message_view::parse(std::span<char> text, bool stream) noexcept {
    reset();
    stream_ = stream;
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
    frame(text, *indexed, stream);
    check(whole);
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
        return refuse(errc::bad_number, at + version.size() + 1);
    }
    const auto begin = std::min(line.size(), version.size() + 5);
    reason_ = line.substr(begin);
    if (const auto bad = bad_text(reason_)) {
        ignore(errc::bad_token, header::other, at + begin + *bad); // The code says it all.
        reason_ = {};
    }
}

/// Request-Line = Method SP Request-URI SP SIP-Version, spaces as there. Whether the URI could be
/// read.
bool message_view::read_request_line(std::string_view line, std::size_t at) noexcept {
    const auto method_end = run(line, 0, set::token);
    if (method_end == 0 || method_end == line.size() || line[method_end] != ' ') {
        refuse(errc::bad_token, at + method_end);
        return false;
    }
    method_text_ = line.substr(0, method_end);
    method_ = method_of(method_text_);
    const auto begin = method_end + 1;
    auto end = line.find(' ', begin);
    if (end == std::string_view::npos) {
        refuse(errc::need_more, at + line.size());
        return false;
    }
    auto spoken = line.substr(end + 1);
    // A space in the user part makes four words of three: the last one is the version all the same.
    if (end > begin && spoken.size() > version.size() && spoken.ends_with(version) &&
        spoken[spoken.size() - version.size() - 1] == ' ' && line.find('@', end) != line.npos) {
        end = line.size() - version.size() - 1;
        spoken = version;
    }
    value_reader in{line.substr(0, end)};
    const bool read = in.uri(begin, end, request_uri_);
    if (!read) {
        refuse(in.reason().code, at + in.reason().offset);
    } else if (request_uri_.is_sip() && request_uri_.headers.data() != nullptr) {
        // Escaped headers have no place in a Request-URI (section 19.1.1, table).
        const auto headers = static_cast<std::size_t>(request_uri_.headers.data() - line.data());
        refuse(errc::bad_token, at + headers);
    }
    if (spoken == version || iequals(spoken, version)) return read;
    const bool other_version = spoken.size() > 4 && iequals(spoken.substr(0, 4), "SIP/") &&
                               all(spoken.substr(4), set::host);
    refuse(other_version ? errc::bad_version : errc::bad_token, at + end + 1);
    return read;
}

/// Section 18.3: a datagram may hold less than it says never, more always; without Content-Length
/// its body goes to its end. A stream needs the header.
void message_view::frame(std::span<char> text, std::size_t at, bool stream) noexcept {
    const auto available = text.size() - std::min(at, text.size());
    auto length = available;
    const auto wrong = [&](errc code, std::size_t where) {
        // A response that ends before it says is discarded (section 18.3).
        if (!is_request() && code == errc::bad_length)
            return wrong_.note(code, header::content_length, where);
        fail(code, header::content_length, where);
        if (!unreadable(header::content_length)) return;
        // Nobody needs that body, or can tell what is of it.
        length = 0;
        index_.drop(header::content_length);
    };
    if (has(header::content_length)) {
        const auto declared = value(header::content_length);
        const auto number = delta_seconds(declared);
        const auto where = static_cast<std::size_t>(declared.data() - text.data());
        if (!number || run(declared, 0, set::digit) != declared.size()) {
            wrong(errc::bad_number, where);
        } else if (*number > available) {
            wrong(errc::bad_length, where);
        } else {
            length = *number;
        }
        for (const auto& each : index_.faults()) {
            if (static_cast<header>(each.field) == header::content_length) {
                wrong(each.code, each.offset);
            }
        }
    } else if (stream) {
        fail(errc::missing, header::content_length, at);
    }
    if (length > limits::body) wrong_.note(errc::limit_exceeded, header::content_length, at);
    body_ = std::string_view{text.data(), text.size()}.substr(std::min(at, text.size()), length);
    size_ = std::min(at + length, text.size());
}

std::string_view message_view::content_type() const noexcept {
    const auto type = value(header::content_type);
    const auto ends = [](char c) { return c == ';' || is_blank(c); };
    const auto end = std::ranges::find_if(type, ends) - type.begin();
    return type.substr(0, static_cast<std::size_t>(end));
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

message::message(const message_view& parsed) : held_{std::make_unique<block>(parsed)} {
    TRUNKLINE_ASSERT(!parsed.index_.start_line().empty() && !parsed.wrong_.noted());
    const auto* begin = parsed.index_.start_line().data();
    const auto* end = parsed.body_.data() + parsed.body_.size();
    const std::string_view text{begin, static_cast<std::size_t>(end - begin)};
    held_->bytes = std::make_unique_for_overwrite<char[]>(text.size());
    std::ranges::copy(text, held_->bytes.get());
    relocation{text, held_->bytes.get()}(held_->view);
}

} // namespace trunkline::sip
