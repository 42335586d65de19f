// /etc/hosts: what the operator said a name means, which counts before what the DNS says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>

namespace trunkline::net {

class TRUNKLINE_EXPORT hosts_file {
public:
    static constexpr std::size_t max_names =
        65'536; // Block lists are this long; call routes are not.

    struct line {
        trunkline::address address;
        std::string name; ///< In lower case, without final dots.

        friend bool operator==(const line&, const line&) = default;
    };

    /// Never fails: a line that names no address is skipped, as every resolver does.
    [[nodiscard]] static hosts_file parse(std::string_view text);

    /// Appends the addresses of `name` that are of the family.
    void find(std::string_view name, bool ipv4, std::vector<address>& into) const;

    [[nodiscard]] const std::vector<line>& lines() const noexcept { return lines_; }

private:
    std::vector<line> lines_; ///< By name; of one name, in the order of the file.
};

} // namespace trunkline::net
