// Outbound calls: gateways in their order, one attempt after the other.
#include <algorithm>
#include <utility>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/trunk/dialling_guard.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

namespace {

/// Another gateway may do better: it timed out, it cannot be reached, it is broken or overloaded.
/// Busy, declined and every other 4xx and 6xx are the callee's or the carrier's last word.
[[nodiscard]] bool may_fail_over(const calls::ending& how) noexcept {
    if (!how.by_wire) return true; // Only what happened before the gateway said a final word.
    const int status = how.sip_code;
    return status == 408 || status == 478 || (status >= 500 && status < 600);
}

[[nodiscard]] std::string with_policy(std::string number, bool plus) {
    if (number.empty() || number.find_first_not_of("+0123456789") != std::string::npos) {
        return number; // A SIP user name, or a code such as *97: dialled as it stands.
    }
    if (is_short_code(number)) return number; // It has no country: +911 would be another number.
    const bool has = number.front() == '+';
    if (plus && !has) return '+' + number;
    if (!plus && has) return number.substr(1);
    return number;
}

/// A tel URI (RFC 3966) is the number that it is about; all else is dialled as it stands.
[[nodiscard]] std::string number_of(std::string dialled) {
    if (!iequals(dialled.substr(0, 4), "tel:")) return dialled;
    const auto uri = sip::uri_view::parse(dialled);
    return uri ? sip::telephone_number(sip::subscriber(*uri)) : std::string{};
}

} // namespace

void engine::dial(dial_request what, time_point now, outbox& out) {
    const entry here{*this, now, out};
    const auto as_given = what.to;
    what.to = number_of(std::move(what.to));
    std::shared_ptr<const trunk> on;
    for (const auto& one : *directory_) {
        const bool wanted = what.trunk.empty() ? one->config.outbound && !one->gateways.empty()
                                               : one->config.name == what.trunk;
        if (wanted) {
            on = one;
            break;
        }
    }
    auto& made = make_call(on, direction::outbound, now);
    made.who = std::move(what.agent);
    made.decided = true;
    made.record.agent = std::move(what.agent_name);
    made.record.from = what.from.empty() && on ? on->config.caller_id : std::move(what.from);
    made.record.to = on ? with_policy(what.to, on->config.leading_plus) : what.to;
    out.tell(made.id.owner(), static_cast<std::uint16_t>(calls::event::initiated));
    const auto fail = [&](call_failure why, std::string reason) {
        end_call(made, {.reason = std::move(reason), .failure = why}, now, out);
    };
    using enum call_failure;
    if (!on) {
        return fail(no_route, what.trunk.empty() ? "no trunk takes outbound calls"
                                                 : "there is no trunk '" + what.trunk + "'");
    }
    if (!on->config.outbound) return fail(no_route, "the trunk takes no outbound calls");
    if (on->gateways.empty()) return fail(no_route, "the trunk has no gateway");
    if (auto bad = forbidden(on->config, as_given))
        return fail(not_dialable, std::move(bad->message));
    if (what.to.empty() || what.to.find_first_of(" \t\r\n<>@;,\"") != std::string::npos) {
        return fail(not_dialable, "'" + what.to + "' cannot be dialled");
    }
    for (const auto& [name, value] : what.headers) {
        if (!may_be_sent(name, value))
            return fail(not_dialable, "'" + name + "' is no header to be set");
    }
    if (what.ringing_timeout && (*what.ringing_timeout < std::chrono::seconds{1} ||
                                 *what.ringing_timeout > longest_ringing)) {
        return fail(not_dialable, "ringing_timeout has to be between 1 and 86400 seconds, and is " +
                                      std::to_string(what.ringing_timeout->count()));
    }
    made.anonymous = what.anonymous;
    made.headers = std::move(what.headers);
    if (draining_) return fail(call_failure::draining, "shutting down");
    if (!what.token.empty()) {
        if (!on->channels->take_for(what.token, on->config.calls_per_token)) {
            return fail(no_channel, "calls_per_token of the trunk is reached by this token");
        }
        made.token = std::move(what.token);
    }
    if (!on->channels->take()) {
        made.record.refused = diagnostic::refused_channels_full;
        out.note(severity::warning, diagnostic::refused_channels_full, made.id.owner(),
                 {0, 0, 1, static_cast<std::int64_t>(on->id)});
        return fail(no_channel, "all channels of the trunk are in use");
    }
    made.channel_taken = true;
    made.ringing_timeout = what.ringing_timeout.value_or(on->config.ringing_timeout);
    // The rate is kept by waiting, not by failing, as long as the call would wait for its callee.
    const auto turn = on->rate->turn(now, made.ringing_timeout);
    if (!turn) return fail(no_turn, "too many calls wait for their turn: see calls_per_second");
    for (const auto& gateway : on->gateways) {
        made.candidates.push_back({in_uri(gateway.host, gateway.port),
                                   gateway_name::of(gateway),
                                   {},
                                   false,
                                   gateway.transport.has_value()});
    }
    out.note(severity::info, diagnostic::call_started, made.id.owner());
    arm(made.ring_timer, ring_timer, made, now + made.ringing_timeout);
    if (*turn > now) return arm(made.attempt_timer, turn_timer, made, *turn);
    next_attempt(made, now, out);
}

void engine::next_attempt(live_call& of, time_point now, outbox& out) {
    if (of.next_candidate == of.candidates.size()) {
        return end_call(of,
                        {.reason = "no gateway took the call", .failure = call_failure::no_route},
                        now, out);
    }
    auto& next = of.candidates[of.next_candidate];
    if (!next.resolved) {
        if (!names_.settled(next.name)) {
            waiting_for_names_.push_back(of.id);
            return;
        }
        const auto found = names_.find(next.name);
        if (found.empty()) {
            of.attempt_started = now;
            of.record.gateway = next.gateway;
            return attempt_failed(of,
                                  {.reason = "'" + next.name.host + "' cannot be resolved",
                                   .failure = call_failure::name_unresolved},
                                  now, out);
        }
        // Every address of every target is a gateway of its own, tried in turn (RFC 3263
        // section 4.3).
        const auto pattern = next;
        std::vector<candidate> each;
        for (const auto& one : found) {
            auto made = pattern;
            made.to = one;
            made.resolved = true;
            each.push_back(std::move(made));
        }
        const auto at = of.candidates.erase(of.candidates.begin() +
                                            static_cast<std::ptrdiff_t>(of.next_candidate));
        of.candidates.insert(at, each.begin(), each.end());
    }
    const auto& chosen = of.candidates[of.next_candidate];
    of.record.gateway = chosen.gateway;
    of.attempt_started = now;
    if (rests(chosen.to, of.next_candidate + 1 == of.candidates.size(), now)) {
        return attempt_failed(of,
                              {.reason = "it was overloaded a moment ago, and said for how long",
                               .failure = call_failure::gateway_resting},
                              now, out);
    }
    connect({.call = of.id}, {.over = chosen.name.over, .to = chosen.to, .secure = secure_for(of)},
            of.trunk->config.gateway_timeout, now, out);
}

void engine::let_rest(const endpoint& gateway, std::uint32_t seconds, time_point now) {
    // A gateway cannot close a trunk for longer than that, nor fill a table.
    constexpr std::chrono::seconds longest{60};
    constexpr std::size_t most = 256;
    std::erase_if(resting_,
                  [&](const resting& one) { return one.until <= now || one.gateway == gateway; });
    if (seconds == 0 || resting_.size() == most) return;
    resting_.push_back({gateway, now + std::min(std::chrono::seconds{seconds}, longest),
                        now + std::chrono::seconds{1}});
}

/// Where nothing else is left, a call a second finds out whether it is still overloaded: a trunk of
/// one gateway is not to be dead for as long as that gateway once said.
bool engine::rests(const endpoint& gateway, bool last, time_point now) {
    constexpr duration pace = std::chrono::seconds{1};
    const auto found = std::ranges::find(resting_, gateway, &resting::gateway);
    if (found == resting_.end() || found->until <= now) return false;
    if (!last || found->next > now) return true;
    found->next = now + pace;
    return false;
}

void engine::names_settled(time_point now, outbox& out) {
    std::vector<slot_id> ready;
    ready.swap(waiting_for_names_);
    for (const auto id : ready) {
        if (auto* of = calls_.find(id); of && !of->ended) next_attempt(*of, now, out);
    }
    registrations_.each([&](registration& each) { each.names_settled(now, out); });
}

void engine::attempt_flow(live_call& of, flow_id flow, time_point now, outbox& out) {
    if (of.ended) return;
    auto& held = make_leg(of, flow, out);
    const auto& chosen = of.candidates[of.next_candidate];
    if (!chosen.pinned && takes_streams(chosen.to, now)) held.machine.large_by_stream();
    held.machine.invite(invitation_of(of, held.machine.path()), now, out);
    of.record.call_id = held.machine.call_id();
    arm(of.attempt_timer, attempt_timer, of, now + of.trunk->config.gateway_timeout);
}

calls::invitation engine::invitation_of(const live_call& of,
                                        const calls::signalling_path& path) const {
    const auto& at = of.candidates[of.next_candidate];
    const auto host = in_uri(at.name.host, at.name.port == 5060 ? std::uint16_t{0} : at.name.port);
    const auto ours = path.sent_by.substr(0, path.sent_by.rfind(':'));
    const auto from = sip::escape_user(of.record.from);
    calls::invitation made;
    made.request_uri = "sip:" + sip::escape_user(of.record.to) + '@' + host;
    made.to = '<' + made.request_uri + '>';
    // Carriers know a trunk by the From's user, and its host had better be theirs or ours.
    made.from = from.empty() ? "<sip:" + ours + '>' : "<sip:" + from + '@' + ours + '>';
    made.contact_user = from;
    made.headers = of.trunk->config.headers;
    made.headers.insert(made.headers.end(), of.headers.begin(), of.headers.end());
    if (of.anonymous) {
        // Section 4.1.1.3 of RFC 3323 and section 9.1 of RFC 3325: the carrier still knows who
        // calls.
        const auto has = [&](sip::header which) {
            return std::ranges::any_of(made.headers, [which](const auto& one) {
                return sip::header_of(one.first) == which;
            });
        };
        if (!has(sip::header::privacy)) made.headers.emplace_back("Privacy", "id");
        if (!has(sip::header::p_asserted_identity))
            made.headers.emplace_back("P-Asserted-Identity", made.from);
        made.contact_user = "anonymous";
        made.from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
    }
    return made;
}

void engine::note_attempt(live_call& of, const calls::ending& how, time_point now) {
    of.record.attempts.push_back(
        {.gateway = of.record.gateway,
         .sip_code = how.by_wire ? how.sip_code : 0,
         .reason = how.carrier_words.empty() ? how.reason : how.carrier_words,
         .took = now - of.attempt_started,
         .failure = how.failure,
         .targets = how.targets});
}

/// Each status once, the first time: a carrier that repeats its 183 for an hour says it once.
void engine::note_progress(live_call& of, int status, duration since) {
    constexpr std::size_t most = 8;
    auto& all = of.record.progress;
    if (all.size() == most || std::ranges::count(all, status, &call_progress::sip_code) != 0)
        return;
    all.push_back({status, since});
}

void engine::attempt_failed(live_call& of, const calls::ending& how, time_point now, outbox& out) {
    if (of.ended) return;
    wheel_.disarm(of.attempt_timer);
    note_attempt(of, how, now);
    const auto& told = of.record.attempts.back();
    out.note(severity::warning, diagnostic::attempt_failed, of.id.owner(),
             {told.sip_code, static_cast<std::int64_t>(of.record.attempts.size()),
              static_cast<std::int64_t>(told.failure)},
             told.gateway + ": " + told.reason);
    // Whoever has heard early media would hear it start again.
    const bool again =
        may_fail_over(how) && !of.early_media && of.next_candidate + 1 < of.candidates.size();
    if (!again) return end_call(of, how, now, out);
    ++of.next_candidate;
    next_attempt(of, now, out);
}

} // namespace trunkline::trunks
