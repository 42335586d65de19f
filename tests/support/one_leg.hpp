// One leg with everything around it that a trunk would be, and a peer that speaks literal SIP text.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/call/leg.hpp>
#include <trunkline/core/text.hpp>

#include "support/sip_text.hpp"

namespace trunkline::support {

using namespace std::chrono_literals;

/// Plays the driver and as much of a trunk as finds the leg that a message is for.
struct one_leg {
    struct media_sent {
        bool rtcp;
        endpoint to;
        time_point at;
        std::vector<std::byte> bytes;
    };
    struct event_told {
        calls::event code;
        std::array<std::int64_t, 2> values;
        std::vector<std::byte> bytes;
    };
    struct text_sent {
        std::string text;
        flow_id flow;
        time_point at;
    };

    sip::timers timers;
    timer_wheel wheel;
    seeded_entropy random{42};
    sip::transaction_layer transactions{timers, wheel, random, 0};
    std::vector<calls::notice> notices;
    calls::environment around{transactions, wheel, random, timers, notices, {}};
    std::shared_ptr<calls::leg_settings> settings = std::make_shared<calls::leg_settings>();
    calls::signalling_path path{.flow = {1, 1},
                                .over = transport::udp,
                                .peer = {address::v4(192, 0, 2, 10), 5060},
                                .trusted = true,
                                .sent_by = "198.51.100.1:5060",
                                .media_at = address::v4(198, 51, 100, 1),
                                .media_advertised = address::v4(198, 51, 100, 1)};
    outbox out;
    time_point now{1h};
    std::unique_ptr<calls::leg> leg;

    std::vector<text_sent> sent;
    std::vector<media_sent> media;
    std::vector<event_told> events;
    std::vector<diagnostic> notes;
    bool open_at_once = true;
    bool media_refused = false;
    std::vector<token> asked;
    int opened = 0;
    int closed = 0;
    result<void> incoming{};

    one_leg() = default;
    one_leg(const one_leg&) = delete;
    one_leg& operator=(const one_leg&) = delete;
    ~one_leg() { leg.reset(); }

    void make(direction which) {
        leg = std::make_unique<calls::leg>(around, sip::identity{0, 3, 7}, owner_id{9}, which,
                                           settings, path);
    }
    void settle() {
        while (!out.empty()) {
            std::vector<effect> effects(out.begin(), out.end());
            for (const auto& one : effects) take(one);
            out.clear();
            for (const auto& one : std::exchange(asked_now_, {})) answer_media(one);
        }
    }
    void answer_media(token one) {
        if (media_refused) {
            leg->media_failed({one, cause::table_full}, now, out);
        } else {
            ++opened;
            const auto slot = static_cast<std::uint32_t>(opened);
            leg->media_opened({one, {slot, 1}, 40'000, 40'001}, now, out);
        }
        settle();
    }
    void take(const effect& one) {
        if (const auto* bytes = std::get_if<effects::send>(&one)) {
            sent.push_back({std::string{as_text(bytes->bytes)}, bytes->flow, now});
        } else if (const auto* packet = std::get_if<effects::send_media>(&one)) {
            media.push_back(
                {packet->rtcp, packet->to, now, {packet->bytes.begin(), packet->bytes.end()}});
        } else if (const auto* told = std::get_if<effects::event>(&one)) {
            // Of a transfer it is told in the packet that ends the call, too: before the end.
            if (told->code != static_cast<std::uint16_t>(calls::event::transfer)) {
                CHECK_FALSE(finished());
            }
            events.push_back({static_cast<calls::event>(told->code),
                              told->values,
                              {told->bytes.begin(), told->bytes.end()}});
        } else if (const auto* asks = std::get_if<effects::open_media>(&one)) {
            (open_at_once ? asked_now_ : asked).push_back(asks->asked);
        } else if (std::holds_alternative<effects::close_media>(one)) {
            ++closed;
        } else if (const auto* note = std::get_if<effects::note>(&one)) {
            notes.push_back(note->code);
        }
    }

    /// From the wire: what a trunk's dispatcher does, and nothing more.
    void receive(const std::string& text, flow_id flow = {1, 1}) {
        const auto parsed = sip::message::parse(text);
        REQUIRE_MESSAGE(parsed.has_value(), text);
        const sip::message_view& view = **parsed;
        using fate = sip::transaction_layer::fate;
        const auto found = transactions.receive(view, flow, now, out);
        if (found.what == fate::response && leg && found.owner == leg->owner()) {
            leg->receive_response(view, found.id, now, out);
        } else if (found.what == fate::ack && leg) {
            leg->receive_request(view, info(), flow, now, out);
        } else if (found.what == fate::fresh) {
            fresh(view, flow);
        }
        settle();
    }
    [[nodiscard]] flow_info info() const { return {transport::udp, {}, {}, path.peer}; }
    void fresh(const sip::message_view& view, flow_id flow) {
        if (view.method() == sip::method::cancel) {
            if (transactions.cancelled(view))
                leg->cancelled(view.value(sip::header::reason), now, out);
        } else if (view.method() == sip::method::invite && view.to().tag().empty()) {
            make(direction::inbound);
            incoming = leg->incoming(view, transactions.accept(view, flow, false, leg->owner()));
        } else if (leg) {
            leg->receive_request(view, info(), flow, now, out);
        }
    }
    /// Every timer at its own moment.
    void pass(duration time) {
        const auto until = now + time;
        std::size_t fired = 0;
        while (const auto due = wheel.next_deadline()) {
            if (*due > until) break;
            now = std::max(now, *due);
            wheel.advance(now, [&](timer_node& node) {
                REQUIRE(++fired < 100'000); // A timer that is due for ever.
                fire(node);
            });
            settle();
        }
        now = until;
    }
    void fire(timer_node& node) {
        if (node.kind != sip::transaction_layer::timer_kind) {
            REQUIRE(leg);
            return leg->fire(static_cast<calls::leg::timer>(node.kind), now, out);
        }
        const auto ended = transactions.fire(node, now, out);
        if (leg && ended.owner == leg->owner()) leg->transaction_ended(ended, now, out);
    }
    void flow_failed() {
        std::vector<sip::transaction_layer::ended> ended;
        transactions.flow_failed(path.flow, now, ended);
        for (const auto& one : ended) {
            if (one.owner == leg->owner()) leg->transaction_ended(one, now, out);
        }
        settle();
    }
    template <class Command>
    void command(Command what) {
        what(*leg);
        settle();
    }
    void hang_up() {
        command([&](calls::leg& one) { one.hang_up(ended_by::application, 0, "bye", now, out); });
    }
    void answer() {
        command([&](calls::leg& one) { CHECK(one.answer(true, now, out).has_value()); });
    }
    void invite() {
        make(direction::outbound);
        leg->invite({.request_uri = "sip:+14155550100@192.0.2.10",
                     .from = "<sip:+12125550199@198.51.100.1>",
                     .to = "<sip:+14155550100@192.0.2.10>",
                     .contact_user = "trunk",
                     .headers = {{"P-Asserted-Identity", "<sip:+12125550199@198.51.100.1>"}}},
                    now, out);
        settle();
    }

    [[nodiscard]] std::vector<std::string> all(std::string_view start) const {
        std::vector<std::string> found;
        for (const auto& one : sent) {
            if (one.text.starts_with(start)) found.push_back(one.text);
        }
        return found;
    }
    [[nodiscard]] std::size_t count(std::string_view start) const { return all(start).size(); }
    [[nodiscard]] std::string last(std::string_view start) const {
        const auto found = all(start);
        REQUIRE_MESSAGE(!found.empty(), std::string{start});
        return found.back();
    }
    [[nodiscard]] int told(calls::notice::what kind) const {
        return static_cast<int>(std::ranges::count(notices, kind, &calls::notice::kind));
    }
    [[nodiscard]] const calls::notice& notice(calls::notice::what kind) const {
        const auto found = std::ranges::find(notices, kind, &calls::notice::kind);
        REQUIRE(found != notices.end());
        return *found;
    }
    [[nodiscard]] bool finished() const { return told(calls::notice::what::finished) > 0; }

    /// A call that is over leaves nothing behind, whatever it went through.
    void check_over() {
        using what = calls::notice::what;
        CHECK(told(what::finished) == 1);
        CHECK(told(what::ended) + told(what::refused) == 1);
        CHECK(opened == closed);
        leg.reset();
        pass(70s);
        CHECK(transactions.size() == 0);
        CHECK(wheel.size() == 0);
    }

private:
    std::vector<token> asked_now_;
};

/// A caller on the other side: its INVITE and what it says in the dialog afterwards.
struct caller {
    one_leg& world;
    std::string our_tag{};
    std::string route{};
    unsigned branches = 0;

    [[nodiscard]] std::string invite(std::string_view sdp = their_sdp,
                                     std::string_view fields = {}) {
        return message("INVITE sip:+14155550100@198.51.100.1:5060 SIP/2.0\n"
                       "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-first\n"
                       "Max-Forwards: 70\n"
                       "From: <sip:+12125550199@192.0.2.10>;tag=caller1\n"
                       "To: <sip:+14155550100@198.51.100.1>\n"
                       "Call-ID: abc@192.0.2.10\n"
                       "CSeq: 100 INVITE\n"
                       "Contact: <sip:gw@192.0.2.10:5060>\n" +
                           std::string{fields},
                       sdp);
    }
    [[nodiscard]] std::string request(std::string_view method, unsigned cseq,
                                      std::string_view sdp = {}, std::string_view fields = {},
                                      std::string_view type = "application/sdp") {
        if (our_tag.empty()) our_tag = tag(world.sent.back().text, "To");
        return message(std::string{method} +
                           " sip:+14155550100@198.51.100.1:5060 SIP/2.0\n"
                           "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-in" +
                           std::to_string(++branches) +
                           "\nMax-Forwards: 70\n"
                           "From: <sip:+12125550199@192.0.2.10>;tag=caller1\n"
                           "To: <sip:+14155550100@198.51.100.1>;tag=" +
                           our_tag +
                           "\nCall-ID: abc@192.0.2.10\n"
                           "CSeq: " +
                           std::to_string(cseq) + " " + std::string{method} + "\n" +
                           std::string{fields},
                       sdp, type);
    }
    /// An answered call.
    void established() {
        world.receive(invite());
        world.answer();
        world.receive(request("ACK", 100));
    }
};

} // namespace trunkline::support
