// Where the header fields of a message are, RFC 3261 section 7.3, and what their names mean.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/limits.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/sip/first_error.hpp>
#include <trunkline/sip/header.hpp>

namespace trunkline::sip {

/// The lines of one message, cut and named; no value is understood. Borrows the buffer.
class TRUNKLINE_EXPORT field_index {
public:
    struct field {
        header id = header::other;
        std::uint8_t next = none; ///< The next field of the same name.
        std::string_view name;    ///< As written.
        std::string_view value;   ///< Unfolded and trimmed.
    };
    static constexpr std::uint8_t none = 0xff;

    field_index() noexcept { first_.fill(none); }

    /// Reads up to the empty line and returns the position after it. Folded lines are unfolded in
    /// place. An error here is that of bytes that hold no start line; what the message cannot be
    /// read with at all is noted in `wrong`, and all that could be cut is there.
    [[nodiscard]] result<std::size_t> read(std::span<char> text, first_error& wrong) noexcept;

    /// Lines that cost no more than themselves unless the message needs their header: without a
    /// name, with a control character, or of a header that stands twice. Of more than there is room
    /// for one is noted in `wrong`.
    [[nodiscard]] std::span<const error> faults() const noexcept {
        return {faults_.data(), fault_count_};
    }
    /// Reads as if it had not been there.
    void drop(header which) noexcept { first_[static_cast<std::size_t>(which)] = none; }
    /// The value that holds this place of the message reads as empty.
    void blank(std::string_view whole, std::size_t at) noexcept;

    /// Of the message that was read; without its line break.
    [[nodiscard]] std::string_view start_line() const noexcept { return start_line_; }

    [[nodiscard]] bool has(header which) const noexcept { return first(which) != none; }
    /// The value of the first field of that name; empty when there is none.
    [[nodiscard]] std::string_view value(header which) const noexcept {
        const auto at = first(which);
        return at == none ? std::string_view{} : fields_[at].value;
    }
    [[nodiscard]] std::span<const field> fields() const noexcept {
        return {fields_.data(), count_};
    }
    /// Calls `visit(value)` for each field of that name, in order.
    template <class Visit>
    void each(header which, Visit visit) const {
        for (auto at = first(which); at != none; at = fields_[at].next) visit(fields_[at].value);
    }

private:
    friend class relocation;
    [[nodiscard]] std::uint8_t first(header which) const noexcept {
        return first_[static_cast<std::size_t>(which)];
    }
    void add(std::string_view rest, std::size_t size, std::size_t at, bool has_controls,
             first_error& wrong) noexcept;
    void fault(errc code, header which, std::size_t at, first_error& wrong) noexcept;

    std::string_view start_line_;
    std::size_t count_ = 0;
    std::size_t fault_count_ = 0;
    std::array<error, 8> faults_; // Uninitialised but for the first fault_count_.
    std::array<std::uint8_t, header_count> first_;
    std::array<std::uint8_t, header_count> last_;
    std::array<field, limits::headers> fields_; // Uninitialised but for the first count_.
};

} // namespace trunkline::sip
