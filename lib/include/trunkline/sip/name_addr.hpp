// From, To, Contact, Route, Record-Route, Refer-To, P-Asserted-Identity: a name, a URI, parameters.
#pragma once

#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/sip/parameters.hpp>
#include <trunkline/sip/uri.hpp>

namespace trunkline::sip {

class relocation;
class value_reader;

/// name-addr / addr-spec with its header parameters. Borrows.
struct TRUNKLINE_EXPORT name_addr_view {
    // Written out because g++ 12 clears a defaulted one by an instruction that costs more than to
    // read what goes in.
    // NOLINTNEXTLINE(modernize-use-equals-default)
    name_addr_view() noexcept {}

    std::string_view display; ///< As written, quotes included; may be empty.
    uri_view uri;
    parameters_view parameters;
    bool bracketed = false; ///< Parameters after a bare addr-spec are the header's (section 20.10).

    /// Takes an unquoted display name with anything but control characters and an open quote in it.
    [[nodiscard]] static result<name_addr_view> parse(std::string_view text) noexcept;

    [[nodiscard]] std::string_view tag() const noexcept { return tag_; }
    /// Of two tags nobody can tell which dialog is meant: From and To have one.
    [[nodiscard]] bool has_two_tags() const noexcept { return two_tags_; }

private:
    friend class relocation;
    friend class value_reader;
    std::string_view tag_; ///< Every message in a dialog is asked for it, more than once.
    bool two_tags_ = false;
};

} // namespace trunkline::sip
