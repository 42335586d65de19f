// The trunks of a manager as the engines read them: checked, compiled, immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/call/leg.hpp>
#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/trunk/call_rate.hpp>
#include <trunkline/trunk/channels.hpp>
#include <trunkline/trunk/config.hpp>

namespace trunkline::trunks {

/// Certificates and rules as the driver knows them, as long as they are held.
struct tls_lease {
    std::uint32_t profile = 0;
    std::shared_ptr<const void> held{};
};

/// A call keeps the trunk it began with, whatever the operator does meanwhile.
struct TRUNKLINE_EXPORT trunk {
    trunk_id id{};
    tls_lease tls{};
    trunk_config config{};
    std::vector<cidr> allow_from{};
    std::vector<cidr> media_from{};
    std::vector<gateway> gateways{}; ///< By priority, each with its transport or the trunk's.
    std::shared_ptr<const calls::leg_settings> settings{};
    std::optional<address> media_at{};
    std::optional<address> media_advertise{};
    std::shared_ptr<trunkline::channels> channels{};
    std::shared_ptr<call_rate> rate{};
    /// Streams of more than two seconds to peers that have not shown that they read them.
    std::shared_ptr<trunkline::channels> unproved{};
    /// The user part of the Contact that it registers; empty when it does not. It follows from the
    /// configuration alone, so that all shards know it, and the next process, too: what it
    /// registers takes the place of what this one has.
    std::string contact_user{};

    std::vector<const did*> numbers{}; ///< Of `config`, sorted by their digits.
    const did* any_number = nullptr;   ///< The "*" of `config`.

    void index_numbers();
    /// The number that a called user part means, with and without "+".
    [[nodiscard]] const did* find(std::string_view user) const;
};

/// Checks everything that can be wrong, names the first field that is.
[[nodiscard]] TRUNKLINE_EXPORT result<std::shared_ptr<const trunk>, config_error>
compile(trunk_id id, trunk_config config, std::string_view user_agent,
        std::shared_ptr<trunkline::channels> channels, std::shared_ptr<call_rate> rate,
        tls_lease tls = {}, std::shared_ptr<trunkline::channels> unproved = {});

/// As many streams of a trunk go on to peers that have not shown that they read them.
inline constexpr unsigned unproved_streams = 10;

/// Whether a source is in a network that identifies the addresses in it.
[[nodiscard]] TRUNKLINE_EXPORT bool identifies(const std::vector<cidr>& networks,
                                               const address& source) noexcept;

/// Whether a header of an INVITE is the application's to write: no line break is in it, and the
/// library does not write it itself.
[[nodiscard]] TRUNKLINE_EXPORT bool may_be_sent(std::string_view name, std::string_view value);

using directory = std::vector<std::shared_ptr<const trunk>>;

} // namespace trunkline::trunks
