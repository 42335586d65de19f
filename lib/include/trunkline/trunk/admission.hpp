// Who is let in, who is told to come back later, and who is not answered: in memory of fixed size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/siphash.hpp>
#include <trunkline/core/token_bucket.hpp>
#include <trunkline/sip/message.hpp>

namespace trunkline::trunks {

/// Guards an engine from more than it can do. It is asked about requests outside of dialogs only;
/// what belongs to a call passes, however full the house is.
class TRUNKLINE_EXPORT admission {
public:
    explicit admission(entropy& random);

    enum class reception : std::uint8_t {
        answer, ///< Tell it no, once.
        ignore, ///< Told so lately.
        ban,    ///< From now on it is not even told no: the moment to note it.
        banned,
    };
    /// A request of a source that no trunk knows. Sources share buckets by a keyed hash: IPv4 by
    /// address, IPv6 by its /64, because whoever has one address there has all of them. Sources of
    /// trunks are never asked about, so no flood in a carrier's name shuts it out.
    [[nodiscard]] reception receive(const address& source, time_point now) noexcept;
    /// Whether one more answer goes to a network, an IPv4 /24 or an IPv6 /48, that has shown
    /// nothing: its hosts may be somebody's who has asked for nothing at all.
    [[nodiscard]] bool paces(const address& source, time_point now) noexcept;

    /// Refusals that cost their sender nothing, and of which there may be any number.
    enum class tally : std::uint8_t { shed, malformed, stranger, unauthorized, ignored };
    /// Counts one of them. Now and then it is to be told: then how many were since the last time,
    /// this one included, and 0 otherwise. A flood is not to fill anybody's disk.
    [[nodiscard]] std::uint64_t tell(tally kind, time_point now) noexcept;

    /// What makes a stateless answer the same each time (RFC 3261 section 8.2.7): a To tag derived
    /// from the branch under a key, which its ACK brings back, and 1 to 5 seconds of Retry-After,
    /// so that those who were sent away together do not return together.
    struct reply {
        std::array<char, 13> text{};
        unsigned retry_after = 0;

        [[nodiscard]] std::string_view tag() const noexcept { return {text.data(), text.size()}; }
    };
    [[nodiscard]] reply reply_to(const sip::message_view& request) const noexcept;

    /// Whether `source` was answered so within 64*T1: the same request came again, as its sender
    /// has a timer (RFC 3261 section 17.1.1.2).
    [[nodiscard]] bool answered_before(const reply& how, const endpoint& source,
                                       time_point now) noexcept;

private:
    struct bucket {
        token_bucket answers;
        token_bucket patience;
        time_point banned_until{};
    };
    struct telling {
        token_bucket turns;
        std::uint64_t untold = 0;
    };

    siphash_key source_key_;
    siphash_key reply_key_;
    std::vector<bucket> buckets_;
    std::vector<token_bucket> networks_;
    std::array<telling, 5> tellings_{}; ///< By tally.
    struct answer_given {
        reply how;
        endpoint to;
        time_point at;
    };
    std::array<answer_given, 64> given_{}; ///< The latest, in a ring.
    std::size_t next_given_ = 0;
};

} // namespace trunkline::trunks
