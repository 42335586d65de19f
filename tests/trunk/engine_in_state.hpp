// An engine that was brought into a state from outside, with a call of its own or without one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

struct engine_in_state : driver {
    /// What becomes of the next call that comes in; all later ones ring.
    enum class decision { none, ring, answer } next = decision::ring;

    trunk_config wanted = carrier();
    request_text request; ///< The INVITE of the call that came in.
    bool called = false;
    std::string invite; ///< Ours, of a call that went out.
    std::string tagged; ///< Our last response to theirs that has a tag.
    std::optional<call_handle> handle;
    std::vector<std::string> told;
    int agents = 0;
    std::size_t before = 0; ///< What was sent and told until something happens.
    std::size_t told_before = 0;
    unsigned others = 0;

    struct listener final : agent {
        explicit listener(engine_in_state& around) : of{&around} { ++of->agents; }
        ~listener() override { --of->agents; }
        void on_initiated(call& c) override { of->handle = c.handle(); }
        void on_ringing(call&) override { of->told.push_back("ringing"); }
        void on_early_media(call&) override { of->told.push_back("early"); }
        void on_answered(call&) override { of->told.push_back("answered"); }
        void on_digit(call&, char digit) override {
            of->told.push_back(std::string{"digit "} + digit);
        }
        engine_in_state* of;
    };

    engine_in_state() {
        wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
        wanted.caller_id = "+493012345";
        config.on_incoming = [this](incoming_call& call) {
            told.push_back("incoming");
            if (!handle) handle = call.handle();
            const auto what = std::exchange(next, decision::ring);
            if (what == decision::ring) CHECK(call.ringing());
            // Without media: whatever the engine does with a call, no frame has a part in it.
            if (what == decision::answer)
                CHECK(call.answer(std::make_unique<listener>(*this), {.media = false}));
        };
        config.on_record = [this](const call_record& record) {
            told.push_back((record.refused == diagnostic::none ? "ended " : "refused ") +
                           (record.refused == diagnostic::none
                                ? std::string{name(record.ended_by)} + ' '
                                : std::string{}) +
                           std::to_string(record.sip_code));
        };
    }

    void is_called(decision what) {
        if (trunks.empty()) add(wanted);
        next = what;
        called = true;
        receive(request.text());
        next = decision::ring;
        note();
    }
    void up() {
        is_called(decision::answer);
        receive(request.ack(tagged));
    }
    void note() {
        for (const auto& one : sent) {
            if (one.text.starts_with("INVITE ")) invite = one.text;
            const bool ours = support::branch(one.text) == request.branch &&
                              support::header(one.text, "CSeq") == "1 INVITE";
            if (one.text.starts_with("SIP/2.0 ") && ours && !support::tag(one.text, "To").empty()) {
                tagged = one.text;
            }
        }
    }
    void dials() {
        if (trunks.empty()) add(wanted);
        dial_request made;
        made.to = "+4930999";
        made.agent = std::make_unique<listener>(*this);
        running().dial(std::move(made), now, out());
        settle();
        note();
    }
    void says(std::string_view status) {
        note();
        receive(support::answer_to(invite, status, "peer1", "Contact: <sip:gw@198.51.100.1:5060>\n",
                                   status.starts_with("2") ? std::string_view{support::their_sdp}
                                                           : std::string_view{}));
    }
    void talks() {
        dials();
        says("200 OK");
    }
    void hang_up() {
        REQUIRE(handle->post([](call& c) { c.hang_up("done"); }));
        settle();
    }
    /// The operator takes it away, or changes it.
    void remove_trunk() {
        trunks.clear();
        publish();
    }
    void change_trunk() {
        const auto old = trunks.front();
        auto made = trunks::compile(old->id, wanted, config.user_agent, old->channels, old->rate);
        REQUIRE(made.has_value());
        trunks = {*made};
        publish();
    }

    /// A request in the dialog of the call, or in one that nobody knows.
    [[nodiscard]] request_text within(std::string method) {
        note();
        request_text made = request;
        made.method = std::move(method);
        made.branch = "z9hG4bKwithin" + std::to_string(++others);
        made.cseq = 10 + others;
        made.to += ";tag=nobody";
        if (!invite.empty()) {
            made.from = support::header(invite, "To") + ";tag=peer1";
            made.to = support::header(invite, "From");
            made.call_id = support::header(invite, "Call-ID");
        } else if (called && !tagged.empty()) {
            made.to = support::header(tagged, "To");
        }
        return made;
    }
    /// A call of its own, beside the one that there is.
    [[nodiscard]] request_text another() {
        request_text made = request;
        made.call_id = "another-" + std::to_string(++others);
        made.branch = "z9hG4bKanother" + std::to_string(others);
        made.from = "<sip:+49171@198.51.100.1>;tag=other" + std::to_string(others);
        return made;
    }
    void begin() {
        before = sent.size();
        told_before = told.size();
    }
};

} // namespace trunkline
