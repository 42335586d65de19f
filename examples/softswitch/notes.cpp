#include "notes.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <trunkline/core/address.hpp>
#include <trunkline/sip/header.hpp>

#include "text.hpp"

namespace softswitch {

namespace {

using trunkline::diagnostic;

/// {0} to {3} are the values, as docs/diagnostics.md numbers them.
constexpr auto sentences = std::to_array<std::pair<diagnostic, std::string_view>>({
    {diagnostic::datagram_malformed, "bad SIP at byte {2} from a known source, answered {0}"},
    {diagnostic::datagram_noise, "{0} bytes that are no SIP"},
    {diagnostic::header_ignored, "a header that the message can do without was not readable at "
                                 "byte {2}, and ignored: {3} since "
                                 "it was told last"},
    {diagnostic::response_unmatched, "a {0} that answers nothing we asked"},
    {diagnostic::ack_unmatched, "an ACK for no call of ours"},
    {diagnostic::transport_failed, "bytes could not be sent: check the route to the gateway"},
    {diagnostic::resolve_failed, "a gateway's name was not resolved in time: check DNS"},
    {diagnostic::stream_broken, "a connection was closed: its next message cannot be found"},
    {diagnostic::stream_dropped,
     "a connection was closed: a stranger's, unused, or dead (why: {0})"},
    {diagnostic::request_unmatched, "a request in no call of ours: answered 481"},
    {diagnostic::refused_malformed,
     "a malformed INVITE was refused: answered {1}, {2} since it was told last"},
    {diagnostic::refused_version, "not SIP/2.0: answered {1}, {2} since it was told last"},
    {diagnostic::refused_unknown_source,
     "no trunk knows the source: answered {0} (0 is silence), {2} since it was told last; if it is "
     "the carrier's, add it to allow_from"},
    {diagnostic::refused_unauthorized,
     "wrong or missing inbound_auth ({0}: 1 wrong password, 2 stale, 3 none given, 4 for another "
     "URI, 5 too soon after wrong ones, 6 banned): answered {1}, {2} since it was told last"},
    {diagnostic::refused_method, "a method that we do not take"},
    {diagnostic::refused_uri_scheme, "neither sip, sips nor tel: answered 416"},
    {diagnostic::refused_merged, "the same request came by two paths: answered 482"},
    {diagnostic::refused_extension, "an extension is required that we lack: answered 420"},
    {diagnostic::refused_content_type, "the body is not SDP: answered 415"},
    {diagnostic::refused_accept, "the caller accepts no SDP: answered 406"},
    {diagnostic::refused_trunk_disabled, "inbound = false: answered 403"},
    {diagnostic::refused_number_unknown, "no number of the trunk matches: answered 404"},
    {diagnostic::refused_no_agent, "neither the number nor the trunk has an agent: answered 404"},
    {diagnostic::refused_channels_full, "all channels of the trunk are in use: answered 486"},
    {diagnostic::refused_offer, "no codec in common: answered 488"},
    {diagnostic::refused_draining, "shutting down: answered 503"},
    {diagnostic::refused_overload,
     "out of calls or transactions: answered 503, {2} since it was told last; raise max_calls if "
     "the machine can do more"},
    {diagnostic::refused_by_application, "refused by us"},
    {diagnostic::refused_session_interval,
     "a session interval below ours: answered 422, and asked again with ours as a rule"},
    {diagnostic::refused_unreliable,
     "the trunk requires PRACK, and the caller lacks it: answered 421"},
    {diagnostic::refused_rate,
     "over the trunk's cps: answered 503, {2} since it was told last; if they are wanted, raise "
     "cps"},
    {diagnostic::source_banned,
     "a source that no trunk knows goes on: it is not answered until ten minutes after it stops"},
    {diagnostic::call_started, "begins"},
    {diagnostic::call_answered, "answered"},
    {diagnostic::call_ended, "ended with {0}"},
    {diagnostic::attempt_failed, "attempt {1} ended with {0}"},
    {diagnostic::connection_refused, "TLS with a peer that connected came to nothing"},
    {diagnostic::ack_missing, "no ACK for our 200: can the carrier reach what we advertise?"},
    {diagnostic::media_refused, "no media ports could be opened: widen media.ports"},
    {diagnostic::rtp_foreign, "{0} packets of RTP were not the call's and were dropped"},
    {diagnostic::agent_failed, "the agent threw"},
    {diagnostic::callback_slow, "the agent held its shard for {0} us"},
    {diagnostic::challenge_ignored,
     "a challenge was not answered ({0}: 1 no credentials, 2 another realm, 3 repeated, 4 "
     "algorithm, 5 not by a gateway)"},
    {diagnostic::session_expired, "nobody refreshed the session: is the far end still there?"},
    {diagnostic::prack_missing,
     "no PRACK for our provisional response: can the carrier reach what we advertise?"},
    {diagnostic::media_source_changed, "media comes from another source, of rank {3}, at port {2}"},
    {diagnostic::media_unproved, "no more is sent until the caller shows that it hears us: ten "
                                 "calls of the trunk wait for that"},
    {diagnostic::dialog_stranger,
     "a request in the call from an address that is not its peer's was refused; if it is the "
     "carrier's, add it to allow_from; a call that began by TLS goes on by TLS"},
});

[[nodiscard]] spdlog::level::level_enum level_of(trunkline::severity what) {
    switch (what) {
    case trunkline::severity::trace: return spdlog::level::trace;
    case trunkline::severity::info: return spdlog::level::info;
    case trunkline::severity::warning: return spdlog::level::warn;
    case trunkline::severity::failure: break;
    }
    return spdlog::level::err;
}

/// An address stands in two values, as its bytes do.
[[nodiscard]] trunkline::address address_in(const trunkline::effects::note& what,
                                            std::size_t first) {
    trunkline::address read;
    static_assert(sizeof read.bytes == 2 * sizeof what.values[0]);
    std::memcpy(read.bytes.data(), what.values.data() + first, sizeof read.bytes);
    return read;
}

} // namespace

std::string in_words(const trunkline::effects::note& what) {
    auto text = std::string{trunkline::name(what.code)};
    const auto known =
        std::ranges::find(sentences, what.code, &decltype(sentences)::value_type::first);
    if (known != sentences.end()) {
        const auto& values = what.values;
        text += ": ";
        text +=
            fmt::format(fmt::runtime(known->second), values[0], values[1], values[2], values[3]);
    } else {
        for (std::size_t i = 0; i < what.count; ++i) text += fmt::format(" {}", what.values[i]);
    }
    if (what.code == diagnostic::source_banned || what.code == diagnostic::media_source_changed ||
        what.code == diagnostic::dialog_stranger) {
        text += fmt::format(" ({})", trunkline::to_text(address_in(what, 0)));
    }
    if (what.code == diagnostic::rtp_foreign && what.values[3] != 0) {
        text += fmt::format("; RTP from {}: set media_from",
                            trunkline::to_text(trunkline::endpoint{
                                address_in(what, 1), static_cast<std::uint16_t>(what.values[3])}));
    }
    const bool ignored = what.code == diagnostic::header_ignored;
    if (ignored || what.code == diagnostic::datagram_malformed) {
        const auto which = static_cast<std::size_t>(what.values[ignored ? 0 : 3]);
        if (which > 0 && which < trunkline::sip::header_count) {
            text += fmt::format(" ({})", name(static_cast<trunkline::sip::header>(which)));
        }
    }
    if (!what.text.empty()) text += " (" + printable(what.text) + ")";
    if (what.owner != trunkline::owner_id::none) {
        text = fmt::format("call {}: {}", static_cast<std::uint64_t>(what.owner), text);
    }
    return text;
}

std::string in_words(const trunkline::login_refusal& what) {
    return fmt::format("login refused: source={} trunk=\"{}\"{} user=\"{}\"",
                       trunkline::to_text(what.source.address), printable(what.trunk),
                       what.banned ? " banned" : "", printable(what.user));
}

std::string of_its_trunk(const trunkline::call_record& what) {
    if (what.refused != diagnostic::refused_channels_full) return {};
    const bool in = what.direction == trunkline::direction::inbound;
    return fmt::format("trunk \"{}\" is full: all its channels are in use, and a call {} was "
                       "refused; raise channels",
                       printable(what.trunk), in ? "in" : "out");
}

void note_log::write(const trunkline::call_record& what, clock::time_point now) {
    const auto text = of_its_trunk(what);
    if (text.empty()) return;
    {
        const std::lock_guard held{guard_};
        const auto [last, fresh] = full_.try_emplace(what.trunk, now);
        if (!fresh && now - last->second < std::chrono::seconds{1}) return;
        last->second = now;
    }
    spdlog::warn("{}", text);
}

void note_log::write(const trunkline::effects::note& what, clock::time_point now) {
    const auto level = level_of(what.level);
    if (!spdlog::should_log(level)) return;
    std::uint64_t left_out = 0;
    {
        const std::lock_guard held{guard_};
        auto& count = counts_[what.code];
        if (now - count.since >= std::chrono::seconds{1}) {
            left_out = count.left_out;
            count = {now, 0, 0};
        }
        if (count.written == most_a_second) {
            ++count.left_out;
            return;
        }
        ++count.written;
    }
    if (left_out != 0) {
        spdlog::warn("{}: {} more were not logged", trunkline::name(what.code), left_out);
    }
    spdlog::log(level, "{}", in_words(what));
}

} // namespace softswitch
