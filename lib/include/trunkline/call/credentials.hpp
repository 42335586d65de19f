// What a leg answers challenges with, RFC 3261 section 22: each realm on the way has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/call/leg_settings.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/sip/digest.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline::calls {

/// A proxy may challenge, and then the server behind it: what the proxy has accepted is sent again
/// beside what the server asks for (section 22.3).
class TRUNKLINE_EXPORT credentials {
public:
    /// Whether the request is worth sending again, or why it is not.
    enum class verdict : std::uint8_t {
        answered,
        no_account,  ///< The trunk has none,
        other_realm, ///< or it is for another realm than the one that asks.
        repeated,    ///< It was answered already: the password is wrong. Or it is asked too often.
        not_understood, ///< No algorithm or scheme of ours.
        not_a_gateway   ///< Who asks is nobody whom the account is for.
    };

    /// Reads all challenges of a 401 or 407; of each realm the first that can be answered.
    [[nodiscard]] verdict take(const sip::message_view& response, const leg_settings& account);
    /// A nonce that served one request may be spent for the next: what follows is a first
    /// challenge.
    void forget() noexcept { realms_.clear(); }

    /// Whole header lines for a request.
    void write(sip::writer& to, std::string_view method, std::string_view uri,
               const leg_settings& account, entropy& random);
    /// Section 22.1: the ACK of a 2xx repeats its INVITE's, byte for byte, and is never challenged.
    void write_ack(sip::writer& to) const { to.raw(of_invite_); }

private:
    static constexpr std::size_t most_realms = 4; ///< Nobody's call passes five that ask.
    struct realm {
        std::string name;
        bool proxy = false;
        int rounds = 0;
        sip::digest_client client{};
    };
    [[nodiscard]] realm* known(std::string_view name, bool proxy);

    std::vector<realm> realms_;
    std::string of_invite_;
};

} // namespace trunkline::calls
