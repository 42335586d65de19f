// ;name=value lists of headers, RFC 3261 section 25.1 generic-param.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::sip {

/// A list that was checked by parse(), so that looking something up cannot fail. Borrows.
class TRUNKLINE_EXPORT parameters_view {
public:
    constexpr parameters_view() noexcept = default;

    /// *( SEMI generic-param ), white space around ";" and "=" allowed; all of `text` is the list.
    [[nodiscard]] static result<parameters_view> parse(std::string_view text) noexcept;

    /// The value as written, quotes included; empty for a flag. Names are compared without case.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name).has_value(); }

    [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

    struct item {
        std::string_view name;
        std::string_view value;
    };
    /// Cuts the next parameter off `rest`, which starts at a ";" or is empty.
    [[nodiscard]] static std::optional<item> next(std::string_view& rest) noexcept;

private:
    friend class relocation;
    friend class value_reader;
    constexpr explicit parameters_view(std::string_view text) noexcept : text_{text} {}

    std::string_view text_;
};

/// Takes the quotes and the backslashes of a quoted string away, into `into`; other text is copied.
/// What does not fit is cut off.
TRUNKLINE_EXPORT std::string_view unquoted(std::string_view value, char* into,
                                           std::size_t room) noexcept;

} // namespace trunkline::sip
