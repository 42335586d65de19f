#include <trunkline/sip/message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/sip/grammar.hpp>
#include <trunkline/sip/identity.hpp>
#include <trunkline/sip/writer.hpp>

namespace {

using namespace trunkline;
using namespace trunkline::sip;

void require(bool holds) {
    if (!holds) std::abort();
}

/// Its own block, exactly as long, so that AddressSanitizer sees one byte too far.
struct exact {
    explicit exact(std::string_view text) : bytes(text.begin(), text.end()) {}
    [[nodiscard]] std::span<char> span() { return bytes; }

    std::vector<char> bytes;
};

/// Asks for all there is; every answer has to lie in the buffer.
void touch(const message_view& read, std::span<const char> whole) {
    const auto inside = [&](std::string_view part) {
        require(part.empty() || (part.data() >= whole.data() &&
                                 part.data() + part.size() <= whole.data() + whole.size()));
    };
    for (const auto& field : read.fields()) {
        inside(field.name);
        inside(field.value);
    }
    for (std::size_t i = 0; i < header_count; ++i) {
        const auto which = static_cast<header>(i);
        std::size_t count = 0;
        read.each(which, [&](std::string_view value) {
            inside(value);
            ++count;
        });
        require((count != 0) == read.has(which));
        read.each_element(which, inside);
        static_cast<void>(read.seconds(which));
        static_cast<void>(read.lists(which, "100rel"));
    }
    for (const auto part :
         {read.method_text(), read.reason(), read.request_uri().text, read.top_via().branch,
          read.top_via().sent_by, read.from().uri.text, read.from().tag(), read.to().tag(),
          read.call_id(), read.cseq().method, read.content_type(), read.body()}) {
        inside(part);
    }
    if (const auto* contact = read.contact()) inside(contact->uri.text);
    require(read.size() <= whole.size());
}

/// The lines of a message that was accepted, cut one character after the other.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (text.starts_with("\r\n")) text.remove_prefix(2);
    while (true) {
        const auto end = text.find("\r\n");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 2);
        if (line.empty()) return lines;
        // A start line is not folded: what follows it with a blank is a field without a name.
        if (lines.size() > 1 && (line.front() == ' ' || line.front() == '\t')) {
            lines.back() += "  ";
            lines.back() += line;
        } else {
            lines.emplace_back(line);
        }
    }
}

/// The index, which looks at many characters at once, says what a look at each says.
void cut_one_by_one(const message_view& read, std::string_view text) {
    const auto lines = lines_of(text);
    require(lines.size() == read.fields().size() + 1);
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto& field = read.fields()[i - 1];
        const auto colon = lines[i].find(':');
        constexpr std::string_view blank = " \t";
        const auto name = lines[i].substr(0, std::min(colon, lines[i].find_first_of(blank)));
        const auto first = lines[i].find_first_not_of(blank, colon + 1);
        const auto last = lines[i].find_last_not_of(blank);
        require(field.name == name && field.id == header_of(name));
        require(field.value ==
                (first == std::string::npos ? "" : lines[i].substr(first, last - first + 1)));
    }
}

/// Start line and fields, one a line: reads as the same message.
void print_and_parse(const message_view& read) {
    std::string text = read.is_request() ? std::string{read.method_text()} + ' ' +
                                               std::string{read.request_uri().text} + " SIP/2.0\r\n"
                                         : "SIP/2.0 " + std::to_string(read.status()) + ' ' +
                                               std::string{read.reason()} + "\r\n";
    for (const auto& field : read.fields()) {
        text += std::string{field.name} + ": " + std::string{field.value} + "\r\n";
    }
    text += "\r\n" + std::string{read.body()};
    exact copy{text};
    message_view again;
    // Only a header section that was folded close to the limit may have grown over it.
    if (!again.parse(copy.span())) {
        require(text.size() > limits::header_section);
        return;
    }
    require(again.fields().size() == read.fields().size() && again.body() == read.body());
    for (std::size_t i = 0; i < read.fields().size(); ++i) {
        require(again.fields()[i].id == read.fields()[i].id &&
                again.fields()[i].name == read.fields()[i].name &&
                again.fields()[i].value == read.fields()[i].value);
    }
    require(again.status() == read.status() && again.cseq() == read.cseq());
    require(again.from().tag() == read.from().tag() && again.to().tag() == read.to().tag());
    require(again.size() == text.size());
}

/// What we accept or may have to refuse with an answer can be answered; the answer is a response
/// that matches.
void answer(const message_view& read, bool good) {
    static std::array<std::byte, 131'072> room;
    writer to{room};
    to.response_head(read, good ? 200 : 400, "x", "tag", endpoint{address::v4(192, 0, 2, 1), 5060});
    to.no_body();
    if (!good) return;
    require(!to.failed());
    message_view response;
    const std::span<char> text{reinterpret_cast<char*>(room.data()), to.size()};
    if (!response.parse(text)) {
        // received= and rport= may take it over a limit, and nothing else may go wrong.
        require(text.size() > limits::header_section);
        return;
    }
    require(!response.is_request() && response.cseq() == read.cseq() &&
            response.call_id() == read.call_id() && response.from().tag() == read.from().tag() &&
            response.top_via().branch == read.top_via().branch && !response.to().tag().empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto owner = owner_of(std::as_bytes(std::span{data, size}), 4);
    require(!owner || *owner < 4);

    exact datagram{text};
    exact stream{text};
    message_view read;
    message_view streamed;
    const auto outcome = read.parse(datagram.span());
    const auto as_stream = streamed.parse(stream.span(), true);
    touch(read, datagram.span());
    touch(streamed, stream.span());
    if (read.answerable()) answer(read, outcome.has_value());
    if (!outcome) {
        require(outcome.reason().offset <= size);
        require(!as_stream.has_value());
        return 0;
    }
    require(as_stream.has_value() == read.has(header::content_length));
    if (as_stream) {
        require(streamed.size() == read.size() && streamed.body() == read.body() &&
                streamed.fields().size() == read.fields().size());
        // The message alone says the same as the message in its datagram.
        exact alone{text.substr(0, read.size())};
        require(streamed.parse(alone.span(), true).has_value());
    }
    for (const auto& field : read.fields()) require(!grammar::bad_text(field.value));
    if (read.ignored()) {
        require(read.ignored()->offset <= size);
        return 0; // Lines that nobody could read are in no index.
    }
    cut_one_by_one(read, text);
    print_and_parse(read);
    return 0;
}
