// A SIP message as an index over one buffer, RFC 3261 section 7: where each header is, and the
// typed values of those that every endpoint acts on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/sip/cseq.hpp>
#include <trunkline/sip/field_index.hpp>
#include <trunkline/sip/first_error.hpp>
#include <trunkline/sip/header.hpp>
#include <trunkline/sip/method.hpp>
#include <trunkline/sip/name_addr.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/sip/via.hpp>

namespace trunkline::sip {

/// Borrows the buffer that was parsed. Everything an endpoint acts on was checked by parse(), so
/// the accessors cannot fail; what is mandatory is there. A header that the message can do without
/// (RFC 3261 section 8.2.2) and that cannot be read is as good as absent: see ignored().
class TRUNKLINE_EXPORT message_view {
public:
    using field = field_index::field;

    message_view() noexcept {}
    message_view& operator=(const message_view&) = delete;

    /// Parses one message. Folded lines are unfolded in place, which is why the bytes are mutable.
    /// `stream` demands a Content-Length and that the message ends with the body; a datagram may go
    /// on after it. When it fails, the reason is that of the first field that is wrong, in the
    /// order of the message, and what could be indexed is there for the one answer that it may
    /// deserve: see answerable().
    [[nodiscard]] result<void> parse(std::span<char> text, bool stream = false) noexcept;

    [[nodiscard]] bool is_request() const noexcept { return status_ == 0; }
    [[nodiscard]] sip::method method() const noexcept { return method_; }
    [[nodiscard]] std::string_view method_text() const noexcept { return method_text_; }
    [[nodiscard]] const uri_view& request_uri() const noexcept { return request_uri_; }
    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }

    [[nodiscard]] const via_view& top_via() const noexcept { return via_; }
    [[nodiscard]] const name_addr_view& from() const noexcept { return from_; }
    [[nodiscard]] const name_addr_view& to() const noexcept { return to_; }
    [[nodiscard]] std::string_view call_id() const noexcept { return value(header::call_id); }
    [[nodiscard]] const cseq_view& cseq() const noexcept { return cseq_; }
    [[nodiscard]] std::optional<std::uint8_t> max_forwards() const noexcept { return hops_; }
    /// The first Contact, if there is one and it is not "*".
    [[nodiscard]] const name_addr_view* contact() const noexcept {
        return has_contact_ ? &contact_ : nullptr;
    }
    [[nodiscard]] std::string_view content_type() const noexcept; ///< Without its parameters.
    [[nodiscard]] std::string_view body() const noexcept { return body_; }
    /// The first header that could not be read and was not needed: with its error, the header and
    /// the place. What was read of that header alone is as if it were not there.
    [[nodiscard]] std::optional<error> ignored() const noexcept {
        return ignored_.noted() ? std::optional{ignored_.reason()} : std::nullopt;
    }
    /// Whether a header of that name is among those.
    [[nodiscard]] bool unreadable(header which) const noexcept {
        return (unreadable_ >> static_cast<unsigned>(which) & 1U) != 0;
    }
    /// What Privacy asks for (RFC 3323 section 4.2); `id` where it asks in words that nobody reads,
    /// because it asked for something.
    [[nodiscard]] std::string_view privacy() const noexcept {
        return unreadable(header::privacy) ? std::string_view{"id"} : value(header::privacy);
    }
    /// Delta seconds of Expires, Retry-After, Min-SE, Session-Expires and the like.
    [[nodiscard]] std::optional<std::uint32_t> seconds(header which) const noexcept;

    [[nodiscard]] bool has(header which) const noexcept { return index_.has(which); }
    /// The value of the first field of that name; empty when there is none.
    [[nodiscard]] std::string_view value(header which) const noexcept {
        return index_.value(which);
    }
    [[nodiscard]] std::span<const field> fields() const noexcept { return index_.fields(); }
    /// Calls `visit(value)` for each field of that name, in order.
    template <class Visit>
    void each(header which, Visit visit) const {
        index_.each(which, visit);
    }
    /// The same for each element of comma-separated lists.
    template <class Visit>
    void each_element(header which, Visit visit) const {
        each(which, [&](std::string_view list) {
            while (!list.empty()) visit(grammar_next(list));
        });
    }
    /// Whether a list such as Supported, Require or Allow names it; options are tokens (section
    /// 20).
    [[nodiscard]] bool lists(header which, std::string_view option) const noexcept;

    /// After a failed parse: a request with a Via to answer to.
    [[nodiscard]] bool answerable() const noexcept { return answerable_; }
    /// How many bytes of the input the message took, leading line breaks included.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    friend class message;
    friend class relocation;
    // The index of fields is large: a view is passed by reference, and sip::message alone copies
    // it.
    message_view(const message_view&) = default;
    [[nodiscard]] static std::string_view grammar_next(std::string_view& rest) noexcept;
    void reset() noexcept;
    void refuse(errc code, std::size_t at) noexcept { wrong_.note(code, header::other, at); }
    /// Refuses the message if it needs this header, and else the header.
    void fail(errc code, header which, std::size_t at) noexcept;
    void ignore(errc code, header which, std::size_t at) noexcept;
    void read_start_line(std::string_view line, std::size_t at) noexcept;
    void read_status_line(std::string_view line, std::size_t at) noexcept;
    [[nodiscard]] bool read_request_line(std::string_view line, std::size_t at) noexcept;
    void check(std::string_view whole) noexcept;
    void check_parties(std::string_view whole) noexcept;
    void check_party(header which, std::string_view whole, name_addr_view& into) noexcept;
    void check_vias(std::string_view whole) noexcept;
    [[nodiscard]] bool check_via(std::string_view element, bool top, via_view& into) noexcept;
    /// `other` is room for those that nobody keeps.
    void check_addresses(header which, std::string_view whole, name_addr_view& other) noexcept;
    void check_numbers(std::string_view whole) noexcept;
    void check_words(std::string_view whole) noexcept;
    void judge_lines(std::string_view whole) noexcept;
    void frame(std::span<char> text, std::size_t at, bool stream) noexcept;

    sip::method method_ = method::other;
    int status_ = 0;
    std::string_view method_text_;
    std::string_view reason_;
    uri_view request_uri_;
    via_view via_;
    name_addr_view from_;
    name_addr_view to_;
    name_addr_view contact_;
    cseq_view cseq_;
    std::optional<std::uint8_t> hops_;
    bool has_contact_ = false;
    bool answerable_ = false;
    std::string_view body_;
    std::size_t size_ = 0;
    bool within_ = false;
    bool stream_ = false;
    std::uint64_t unreadable_ = 0; ///< One bit for each header.
    static_assert(header_count <= 64);
    first_error wrong_;
    first_error ignored_;
    field_index index_;
};

/// A message that owns its bytes.
class TRUNKLINE_EXPORT message {
public:
    /// Copies, then parses the copy.
    [[nodiscard]] static result<message> parse(std::string_view text);
    /// Copies the bytes and the views of a message that parse() has accepted, and parses nothing. A
    /// view whose parse() failed has no whole text to copy: that is a bug, and asserted.
    explicit message(const message_view& parsed);

    [[nodiscard]] const message_view& operator*() const noexcept { return held_->view; }
    [[nodiscard]] const message_view* operator->() const noexcept { return &held_->view; }

private:
    struct block {
        block() = default;
        explicit block(const message_view& parsed) noexcept : view{parsed} {}
        std::unique_ptr<char[]> bytes;
        message_view view;
    };
    explicit message(std::unique_ptr<block> held) noexcept : held_{std::move(held)} {}

    std::unique_ptr<block> held_;
};

} // namespace trunkline::sip
