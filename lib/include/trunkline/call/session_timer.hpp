// Session timers, RFC 4028: a call whose end nobody could tell is found out by refreshes that stop.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include <trunkline/call/leg_settings.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline::calls {

/// Agrees on an interval with the peer and says when to refresh, and when to give up. Knows no
/// dialog: whoever holds it sends the UPDATE or the re-INVITE, and the BYE.
class TRUNKLINE_EXPORT session_timer {
public:
    explicit session_timer(const session_intervals& wanted) noexcept
        : wanted_{wanted},
          least_{wanted.least} {}

    // A request of ours: the INVITE, or a refresh.

    /// Session-Expires, and Min-SE once somebody has raised it (section 7.1). A refresh names who
    /// refreshes, so that the roles stay (section 7.4).
    void write_request(sip::writer& to) const;
    /// A 422: true when the request is worth sending again, with what it asks for (section 7.3).
    [[nodiscard]] bool raise(const sip::message_view& too_small) noexcept;
    /// A 2xx. Without Session-Expires the peer has no timer, and nobody refreshes.
    void accepted(const sip::message_view& response, time_point now) noexcept;

    // A request of theirs.

    /// What a 422 says: the peer knows of session timers, and its interval is below our Min-SE.
    [[nodiscard]] static bool too_small(const sip::message_view& request,
                                        const session_intervals& ours) noexcept;
    void requested(const sip::message_view& request, time_point now) noexcept;
    /// Of the 2xx to that request.
    void write_response(sip::writer& to) const;

    enum class due : std::uint8_t {
        nothing,
        refresh,
        expired, ///< Neither side has refreshed it: BYE.
    };
    [[nodiscard]] due check(time_point now) noexcept;
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
    [[nodiscard]] bool running() const noexcept { return who_ != refresher::none; }

private:
    enum class refresher : std::uint8_t { none, us, them };

    void run(refresher who, std::chrono::seconds interval, time_point now) noexcept;

    session_intervals wanted_;
    std::chrono::seconds least_;
    std::chrono::seconds interval_{}; ///< As agreed last.
    refresher who_ = refresher::none;
    bool peer_knows_ = false; ///< The request that we answer said so: Require is understood.
    int raised_ = 0;          ///< By 422, since the last success.
    bool refreshing_ = false; ///< A refresh is under way, or failed.
    time_point began_{};
};

} // namespace trunkline::calls
