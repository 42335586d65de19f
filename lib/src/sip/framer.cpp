#include <trunkline/sip/framer.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include <trunkline/sip/grammar.hpp>
#include <trunkline/sip/header.hpp>

namespace trunkline::sip {

using namespace grammar;

void framer::feed(std::span<const std::byte> bytes) {
    if (is_broken_) return;
    if (start_ > 0) {
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(start_));
        scanned_ -= start_;
        start_ = 0;
    }
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    bytes_.insert(bytes_.end(), text, text + bytes.size());
}

framer::frame framer::next() {
    const auto broken = [this](error reason, std::size_t heads) {
        is_broken_ = true;
        broken_ = reason;
        const std::span<char> section{bytes_.data() + start_, heads};
        start_ = bytes_.size(); // Nothing is waited for any more.
        return frame{kind::broken, section, reason};
    };
    if (is_broken_) {
        std::vector<char>{}.swap(bytes_);
        start_ = 0;
        return {kind::broken, {}, broken_};
    }
    while (total_ == 0) {
        const std::string_view rest{bytes_.data() + start_, bytes_.size() - start_};
        // Between messages: two line breaks ask whether we live, a single one says that they do.
        if (rest.starts_with("\r\n\r\n")) {
            start_ += 4;
            scanned_ = start_;
            return {kind::ping, {}, {}};
        }
        if (rest == "\r" || rest == "\r\n" || rest == "\r\n\r") return {};
        if (rest.starts_with("\r\n")) {
            start_ += 2;
            scanned_ = start_;
            continue;
        }
        // The end may straddle what was there and what came.
        const auto from = std::max(scanned_, start_ + 3) - 3;
        const std::string_view whole{bytes_.data(), bytes_.size()};
        const auto end = whole.find("\r\n\r\n", from);
        const auto seen = std::min(end, whole.size()) - start_;
        if (seen > limits::header_section) return broken(wrong(errc::limit_exceeded, seen), 0);
        if (end == std::string_view::npos) {
            scanned_ = bytes_.size();
            return {};
        }
        const auto body = body_length(end + 2);
        if (!body) return broken(body.reason(), end + 4 - start_);
        total_ = end + 4 - start_ + *body;
    }
    if (bytes_.size() - start_ < total_) return {};
    const std::span<char> message{bytes_.data() + start_, total_};
    start_ += total_;
    scanned_ = start_;
    total_ = 0;
    return {kind::message, message, {}};
}

/// The one Content-Length of the header section that ends at `end`; folded and compact ones count.
result<std::size_t> framer::body_length(std::size_t end) const noexcept {
    const std::string_view head{bytes_.data() + start_, end - start_};
    std::optional<std::size_t> length;
    auto at = head.find("\r\n");
    while (at != std::string_view::npos && at + 2 < head.size()) {
        const auto line = at + 2;
        at = head.find("\r\n", line);
        if (head[line] == ' ' || head[line] == '\t') continue;
        const auto name_end = line + run(head, line, set::token);
        const auto colon = skip_blank(head, name_end);
        if (colon >= head.size() || head[colon] != ':') continue;
        if (header_of(head.substr(line, name_end - line)) != header::content_length) continue;
        if (length) return wrong(errc::duplicate, line);
        // The value may begin on the next line.
        auto value = skip_blank(head, colon + 1);
        while (head.substr(value, 2) == "\r\n" && value + 2 < head.size() &&
               (head[value + 2] == ' ' || head[value + 2] == '\t')) {
            value = skip_blank(head, value + 2);
        }
        const auto digits = run(head, value, set::digit);
        std::size_t number = 0;
        for (std::size_t i = 0; i < digits && number <= limits::body; ++i) {
            number = number * 10 + static_cast<std::size_t>(head[value + i] - '0');
        }
        auto after = skip_blank(head, value + digits);
        while (head.substr(after, 2) == "\r\n" && after + 2 < head.size() &&
               (head[after + 2] == ' ' || head[after + 2] == '\t')) {
            after = skip_blank(head, after + 2);
        }
        if (digits == 0 || head.substr(after, 2) != "\r\n") return wrong(errc::bad_number, value);
        if (number > limits::body) return wrong(errc::limit_exceeded, value);
        length = number;
    }
    // Section 18.3: over a stream it is mandatory, or nobody knows where the next message begins.
    if (!length) return wrong(errc::missing, head.size());
    return *length;
}

} // namespace trunkline::sip
