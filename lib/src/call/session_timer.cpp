#include <trunkline/call/session_timer.hpp>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/parameters.hpp>

namespace trunkline::calls {

namespace {

using namespace std::chrono_literals;

/// No session lives a day without a sign of life, and none gets one a second: whatever a peer asks.
constexpr std::chrono::seconds longest = 24h;
constexpr std::chrono::seconds shortest = 20s;
/// No proxy may ask for less (section 5), so a lower figure that no peer stands for is nonsense.
constexpr std::chrono::seconds least_of_all = 90s;

/// "uac" or "uas" of Session-Expires; empty when it leaves the choice to us.
[[nodiscard]] std::string_view named_refresher(const sip::message_view& message) noexcept {
    const auto value = message.value(sip::header::session_expires);
    const auto at = value.find(';');
    if (at == std::string_view::npos) return {};
    const auto parameters = sip::parameters_view::parse(value.substr(at));
    return parameters ? parameters->find("refresher").value_or(std::string_view{})
                      : std::string_view{};
}

/// Section 10: the BYE goes out before the peer's own timer would, a third of the interval at most.
[[nodiscard]] std::chrono::seconds margin(std::chrono::seconds interval) noexcept {
    return std::min(32s, interval / 3);
}

} // namespace

void session_timer::run(refresher who, std::chrono::seconds interval, time_point now) noexcept {
    who_ = who;
    interval_ = std::clamp(interval, shortest, longest);
    refreshing_ = false;
    began_ = now;
}

void session_timer::write_request(sip::writer& to) const {
    if (wanted_.expires == 0s && !running()) return;
    const auto interval = running() ? interval_ : wanted_.expires;
    to.name(sip::header::session_expires).number(std::max(interval, least_).count());
    if (running()) to.raw(who_ == refresher::us ? ";refresher=uac" : ";refresher=uas");
    to.line();
    // Section 7.1: without a word, 90 s is what everybody reads.
    if (least_ != least_of_all) to.field(sip::header::min_se, least_.count());
}

bool session_timer::raise(const sip::message_view& too_small) noexcept {
    const auto asked = too_small.seconds(sip::header::min_se);
    if (!asked || wanted_.expires == 0s) return false;
    const std::chrono::seconds least{*asked};
    const auto now_sent = std::max(running() ? interval_ : wanted_.expires, least_);
    constexpr int most = 2; // A peer that raises it a second at a time would go on for a day.
    if (least <= now_sent || least > longest || raised_ == most) return false;
    ++raised_;
    least_ = least;
    return true;
}

void session_timer::accepted(const sip::message_view& response, time_point now) noexcept {
    raised_ = 0;
    const auto interval = response.seconds(sip::header::session_expires);
    if (!interval || *interval == 0) {
        who_ = refresher::none;
        return;
    }
    // We were the UAC of this exchange; section 7.2 has the answer always name one of the two.
    const bool theirs = iequals(named_refresher(response), "uas");
    run(theirs ? refresher::them : refresher::us, std::chrono::seconds{*interval}, now);
}

bool session_timer::too_small(const sip::message_view& request,
                              const session_intervals& ours) noexcept {
    const auto interval = request.seconds(sip::header::session_expires);
    return interval && std::chrono::seconds{*interval} < ours.least &&
           request.lists(sip::header::supported, "timer");
}

void session_timer::requested(const sip::message_view& request, time_point now) noexcept {
    peer_knows_ = request.lists(sip::header::supported, "timer") ||
                  request.lists(sip::header::require, "timer");
    const auto asked = request.seconds(sip::header::session_expires);
    const auto floor = request.seconds(sip::header::min_se);
    // A call that nobody wants to be watched is not, and neither is one that only we could watch.
    const bool wanted = asked ? peer_knows_ || std::chrono::seconds{*asked} >= least_of_all
                              : peer_knows_ && wanted_.expires != 0s;
    if (!wanted) {
        who_ = refresher::none;
        return;
    }
    auto interval = asked ? std::chrono::seconds{*asked} : wanted_.expires;
    if (floor) interval = std::max(interval, std::chrono::seconds{*floor});
    // Section 9, table 2: a peer that knows no timers cannot refresh; one that does may say who,
    // and if it does not, whoever wanted the timer keeps it going.
    const bool ours = !peer_knows_ || iequals(named_refresher(request), "uas");
    run(ours ? refresher::us : refresher::them, interval, now);
}

void session_timer::write_response(sip::writer& to) const {
    if (!running()) return;
    if (peer_knows_ && who_ == refresher::them) to.field(sip::header::require, "timer");
    to.name(sip::header::session_expires).number(interval_.count());
    to.raw(who_ == refresher::us ? ";refresher=uas" : ";refresher=uac").line();
}

std::optional<time_point> session_timer::next_deadline() const noexcept {
    switch (who_) {
    case refresher::none: return std::nullopt;
    case refresher::us:
        if (!refreshing_) return began_ + interval_ / 2;
        [[fallthrough]];
    case refresher::them: return began_ + interval_ - margin(interval_);
    }
    return std::nullopt;
}

session_timer::due session_timer::check(time_point now) noexcept {
    const auto at = next_deadline();
    if (!at || now < *at) return due::nothing;
    if (who_ == refresher::us && !refreshing_) {
        refreshing_ = true;
        return due::refresh;
    }
    who_ = refresher::none;
    return due::expired;
}

} // namespace trunkline::calls
