#include <trunkline/call/session_timer.hpp>

#include <array>
#include <string>

#include <doctest/doctest.h>

#include <trunkline/core/text.hpp>

#include "support/sip_text.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace std::chrono_literals;
using support::message;
using due = session_timer::due;

constexpr time_point start{1h};

[[nodiscard]] sip::message request(const std::string& fields) {
    return *sip::message::parse(
        message("UPDATE sip:a@192.0.2.1 SIP/2.0\n"
                "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\n"
                "From: <sip:b@192.0.2.10>;tag=b\nTo: <sip:a@192.0.2.1>;tag=a\n"
                "Call-ID: c\nCSeq: 2 UPDATE\n" +
                fields));
}
[[nodiscard]] sip::message response(const std::string& status, const std::string& fields) {
    return *sip::message::parse(
        message("SIP/2.0 " + status +
                "\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\n"
                "From: <sip:b@192.0.2.10>;tag=b\nTo: <sip:a@192.0.2.1>;tag=a\n"
                "Call-ID: c\nCSeq: 2 UPDATE\n" +
                fields));
}
template <class Write>
[[nodiscard]] std::string written(Write write) {
    std::array<std::byte, 256> room{};
    sip::writer to{room};
    write(to);
    return std::string{as_text(std::span{room}.first(to.size()))};
}
[[nodiscard]] std::string asked(const session_timer& timer) {
    return written([&](sip::writer& to) { timer.write_request(to); });
}
[[nodiscard]] std::string answered(const session_timer& timer) {
    return written([&](sip::writer& to) { timer.write_response(to); });
}

TEST_CASE("calls::session_timer: as caller it asks, and takes what the answer says") {
    session_timer timer{{}};
    CHECK(asked(timer) == "Session-Expires: 1800\r\n");
    CHECK_FALSE(timer.next_deadline());
    timer.accepted(*response("200 OK", "Session-Expires: 600;refresher=uac\n"), start);
    CHECK(timer.next_deadline() == start + 300s);
    CHECK(timer.check(start + 299s) == due::nothing);
    CHECK(timer.check(start + 300s) == due::refresh);
    CHECK(asked(timer) == "Session-Expires: 600;refresher=uac\r\n");
    // Nobody answers the refresh: BYE, 32 s before the other side gives up.
    CHECK(timer.next_deadline() == start + 568s);
    CHECK(timer.check(start + 568s) == due::expired);
    CHECK_FALSE(timer.next_deadline());
}

TEST_CASE("calls::session_timer: a refresh that is answered begins the interval anew") {
    session_timer timer{{}};
    timer.accepted(*response("200 OK", "Session-Expires: 600;refresher=uac\n"), start);
    CHECK(timer.check(start + 300s) == due::refresh);
    timer.accepted(*response("200 OK", "Session-Expires: 600;refresher=uac\n"), start + 301s);
    CHECK(timer.check(start + 568s) == due::nothing);
    CHECK(timer.check(start + 601s) == due::refresh);
}

TEST_CASE("calls::session_timer: when the peer refreshes, its silence ends the call") {
    session_timer timer{{}};
    timer.accepted(*response("200 OK", "Session-Expires: 90;refresher=uas\n"), start);
    CHECK(timer.next_deadline() == start + 60s);
    timer.requested(*request("Supported: timer\nSession-Expires: 90;refresher=uac\n"), start + 50s);
    CHECK(answered(timer) == "Require: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    CHECK(timer.check(start + 60s) == due::nothing);
    CHECK(timer.check(start + 110s) == due::expired);
}

TEST_CASE("calls::session_timer: an answer without Session-Expires ends it, and nobody refreshes") {
    session_timer timer{{}};
    timer.accepted(*response("200 OK", ""), start);
    CHECK_FALSE(timer.running());
    CHECK(answered(timer).empty());
}

TEST_CASE("calls::session_timer: a 422 is obeyed once, and never by less than was sent") {
    session_timer timer{{.expires = 100s}};
    CHECK(timer.raise(*response("422 Session Interval Too Small", "Min-SE: 1200\n")));
    CHECK(asked(timer) == "Session-Expires: 1200\r\nMin-SE: 1200\r\n");
    CHECK_FALSE(timer.raise(*response("422 Session Interval Too Small", "Min-SE: 1200\n")));
    CHECK_FALSE(timer.raise(*response("422 Session Interval Too Small", "")));
    CHECK_FALSE(timer.raise(*response("422 Session Interval Too Small", "Min-SE: 4000000000\n")));
}

TEST_CASE(
    "calls::session_timer: two 422 are obeyed, each by its own interval, and a third is not") {
    session_timer timer{{.expires = 100s}};
    const auto raise = [&](const char* field) {
        return timer.raise(*response("422 Session Interval Too Small", field));
    };
    CHECK(raise("Min-SE: 200\n"));
    CHECK(raise("Min-SE: 300\n"));
    CHECK_FALSE(raise("Min-SE: 400\n"));
    CHECK(asked(timer) == "Session-Expires: 300\r\nMin-SE: 300\r\n");
    // A success begins another count.
    timer.accepted(*response("200 OK", "Session-Expires: 300;refresher=uac\n"), start);
    CHECK(raise("Min-SE: 400\n"));
}

// RFC 4028 section 9: what a UAS chooses is no less than the Min-SE of the request.
TEST_CASE(
    "calls::session_timer: our own interval is raised to the caller's Min-SE, to the second") {
    for (const auto& [floor, answer] :
         {std::pair{"1801", "1801"}, {"1800", "1800"}, {"90", "1800"}}) {
        session_timer timer{{.expires = 1800s}};
        timer.requested(*request("Supported: timer\nMin-SE: " + std::string{floor} + "\n"), start);
        CHECK(answered(timer) ==
              "Require: timer\r\nSession-Expires: " + std::string{answer} + ";refresher=uac\r\n");
    }
}

TEST_CASE("calls::session_timer: as callee, section 9's table says who refreshes") {
    struct row {
        const char* fields;
        const char* answer;
    };
    for (const auto& [fields, answer] : {
             row{"Supported: timer\nSession-Expires: 600\n",
                 "Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"},
             row{"Supported: timer\nSession-Expires: 600;refresher=uac\n",
                 "Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"},
             row{"Supported: timer\nSession-Expires: 600;refresher=uas\n",
                 "Session-Expires: 600;refresher=uas\r\n"},
             row{"x: 600\n", "Session-Expires: 600;refresher=uas\r\n"}, // A proxy's.
             row{"x: 10\n", ""}, // No proxy may ask for that.
             row{"Supported: timer\n", "Require: timer\r\nSession-Expires: 1800;refresher=uac\r\n"},
             row{"Supported: timer\nMin-SE: 3600\n",
                 "Require: timer\r\nSession-Expires: 3600;refresher=uac\r\n"},
             row{"", ""},
         }) {
        CAPTURE(fields);
        session_timer timer{{}};
        timer.requested(*request(fields), start);
        CHECK(answered(timer) == answer);
    }
}

TEST_CASE("calls::session_timer: without a wish of our own only the peer's counts") {
    session_timer timer{{.expires = 0s}};
    CHECK(asked(timer).empty());
    timer.requested(*request("Supported: timer\n"), start);
    CHECK_FALSE(timer.running());
    timer.requested(*request("Supported: timer\nSession-Expires: 90\n"), start);
    CHECK(timer.running());
}

TEST_CASE(
    "calls::session_timer: too small is what we may refuse, and only to a peer that knows why") {
    CHECK(session_timer::too_small(*request("Supported: timer\nSession-Expires: 89\n"), {}));
    CHECK_FALSE(session_timer::too_small(*request("Supported: timer\nSession-Expires: 90\n"), {}));
    CHECK_FALSE(session_timer::too_small(*request("Session-Expires: 10\n"), {}));
    CHECK_FALSE(session_timer::too_small(*request("Supported: timer\n"), {}));
}

TEST_CASE(
    "calls::session_timer: no peer makes us refresh every second, or forget a call for ever") {
    session_timer timer{{}};
    timer.accepted(*response("200 OK", "Session-Expires: 1;refresher=uac\n"), start);
    CHECK(timer.next_deadline() == start + 10s);
    timer.accepted(*response("200 OK", "Session-Expires: 4294967295;refresher=uas\n"), start);
    CHECK(*timer.next_deadline() <= start + 24h);
}

} // namespace
} // namespace trunkline::calls
