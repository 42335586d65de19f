// What POST, GET and DELETE of /calls come to on the wire.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "softswitch/support/switch_on_sim.hpp"

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using json = nlohmann::json;
using testing::office_on_sim;
namespace sip_text = trunkline::support;

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: POST /calls rings whom it names, by its trunk") {
    trunk("198.51.100.1:5060", {{"caller_id", "+4930123"}});
    const auto id = place({{"to", "+4930999"}});
    const auto invite = carrier.last("INVITE");
    CHECK(sip_text::start_line(invite) == "INVITE sip:+4930999@198.51.100.1 SIP/2.0");
    CHECK(sip_text::header(invite, "From").starts_with("<sip:+4930123@"));
    CHECK(state(id) == "initiated");
    carrier.answer(invite, "180 Ringing");
    run_for(100ms);
    CHECK(state(id) == "ringing");
    CHECK(carrier.requests("ACK").empty());
    carrier.answer(invite, "200 OK");
    run_for(100ms);
    CHECK(state(id) == "answered");
    CHECK(carrier.requests("ACK").size() == 1);
    CHECK(carrier.requests("INVITE").size() == 1);
    std::string told;
    const auto listed = done("GET", "/calls");
    for (const auto& one : listed["calls"]) told += one["id"].get<std::string>();
    CHECK(told == id);
}

TEST_CASE_FIXTURE(office_on_sim, "softswitch::control: a call says who calls, or its trunk does") {
    const auto of = trunk("198.51.100.1:5060", {{"caller_id", "+4930123"}});
    const auto from = [&] { return sip_text::header(carrier.last("INVITE"), "From"); };
    place({{"from", "+4930777"}});
    CHECK(from().starts_with("<sip:+4930777@"));
    carrier.forget();
    place({{"from", nullptr}});
    CHECK(from().starts_with("<sip:+4930123@"));
    done("PATCH", "/trunks/" + of, {{"caller_id", "+4930124"}});
    carrier.forget();
    const auto id = place({});
    CHECK(from().starts_with("<sip:+4930124@"));
    CHECK(done("GET", "/calls/" + id)["from"] == "+4930124");
}

TEST_CASE_FIXTURE(office_on_sim, "softswitch::control: a call goes by the trunk that it names") {
    trunk("198.51.100.1:5060", {{"name", "one"}});
    const auto second = trunk("198.51.100.2:5060", {{"name", "two"}});
    place({});
    CHECK(carrier.requests("INVITE").size() == 1);
    CHECK(other.requests("INVITE").empty());
    place({{"route", "two"}});
    CHECK(other.requests("INVITE").size() == 1);
    place({{"route", second}});
    CHECK(other.requests("INVITE").size() == 2);
    CHECK(carrier.requests("INVITE").size() == 1);
    CHECK(refusal("POST", "/calls", {{"to", "+4930999"}, {"agent", "hold"}, {"route", "three"}})
              .starts_with("400 route: "));
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: DELETE of a call is BYE, or CANCEL before the answer") {
    trunk("198.51.100.1:5060");
    const auto talking = answered();
    CHECK(carrier.requests("BYE").empty());
    CHECK(send("DELETE", "/calls/" + talking).status == 204);
    CHECK(carrier.requests("BYE").size() == 1);
    CHECK(done("GET", "/calls/" + talking)["cdr"]["ended_by"] == "application");
    CHECK(send("DELETE", "/calls/" + talking).status == 409);

    carrier.forget();
    const auto ringing = place({});
    const auto invite = carrier.last("INVITE");
    carrier.answer(invite, "180 Ringing");
    run_for(100ms);
    CHECK(send("DELETE", "/calls/" + ringing).status == 204);
    CHECK(carrier.requests("CANCEL").size() == 1);
    CHECK(carrier.requests("BYE").empty());
    carrier.answer(invite, "487 Request Terminated");
    run_for(100ms);
    CHECK(state(ringing) == "ended");
}

TEST_CASE_FIXTURE(office_on_sim, "softswitch::control: DELETE ends a call that came in, too") {
    trunk("198.51.100.1:5060",
          {{"default_inbound_agent_id", "hold"}, {"numbers", {{{"e164", "*"}}}}});
    carrier.call("+14155550100");
    run_for(200ms);
    carrier.acknowledge();
    run_for(200ms);
    const auto calls = done("GET", "/calls")["calls"];
    REQUIRE(calls.size() == 1);
    CHECK(calls[0]["state"] == "answered");
    CHECK(calls[0]["direction"] == "inbound");
    CHECK(send("DELETE", "/calls/" + calls[0]["id"].get<std::string>()).status == 204);
    CHECK(carrier.requests("BYE").size() == 1);
    CHECK(done("GET", "/calls")["calls"].empty());
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: ringing_timeout cancels, and not before its time") {
    trunk("198.51.100.1:5060");
    const auto id = place({{"ringing_timeout", 7}}); // 200 ms of it are over.
    carrier.answer(carrier.last("INVITE"), "180 Ringing");
    run_for(6'700ms);
    CHECK(carrier.requests("CANCEL").empty());
    run_for(200ms);
    REQUIRE(carrier.requests("CANCEL").size() == 1);
    carrier.answer(carrier.last("INVITE"), "487 Request Terminated");
    run_for(100ms);
    CHECK(done("GET", "/calls/" + id)["cdr"]["ended_by"] == "timeout");
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: max_duration ends a call, counted from its answer") {
    trunk("198.51.100.1:5060");
    const auto id = place({{"max_duration", 5}});
    const auto invite = carrier.last("INVITE");
    carrier.answer(invite, "180 Ringing");
    run_for(20s);
    CHECK(state(id) == "ringing");
    carrier.answer(invite, "200 OK");
    run_for(4'900ms);
    CHECK(carrier.requests("BYE").empty());
    run_for(300ms);
    REQUIRE(carrier.requests("BYE").size() == 1);
    CHECK(carrier.last("BYE").find("max_duration") != std::string::npos);
    CHECK(done("GET", "/calls/" + id)["cdr"]["reason"] == "max_duration is over");
    // Without it, and for another call, nothing ends.
    carrier.forget();
    const auto endless = answered();
    run_for(60s);
    CHECK(state(endless) == "answered");
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: a transfer is a REFER, and hangs up when it was taken") {
    trunk("198.51.100.1:5060");
    const auto id = answered();
    const auto path = "/calls/" + id;
    CHECK(send("POST", path + "/transfer", {{"to", "+4930777"}}).status == 202);
    REQUIRE(carrier.requests("REFER").size() == 1);
    CHECK(sip_text::header(carrier.last("REFER"), "Refer-To") == "<sip:+4930777@198.51.100.1>");
    CHECK(done("GET", path)["transfer"]["state"] == "accepted");
    CHECK(send("POST", path + "/transfer", {{"to", "+4930778"}}).status == 409);
    carrier.notify("180 Ringing");
    run_for(100ms);
    CHECK(done("GET", path)["transfer"]["state"] == "trying");
    CHECK(done("GET", path)["transfer"]["status"] == 180);
    CHECK(carrier.requests("BYE").empty());
    carrier.notify("200 OK");
    run_for(100ms);
    CHECK(carrier.requests("BYE").size() == 1);
    CHECK(done("GET", path)["transfer"]["state"] == "succeeded");
    CHECK(done("GET", path)["cdr"]["reason"] == "transferred");
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: after a transfer that failed the call is as it was") {
    trunk("198.51.100.1:5060");
    const auto id = answered();
    const auto path = "/calls/" + id;
    CHECK(send("POST", path + "/transfer", {{"to", "sip:desk@example.net"}}).status == 202);
    CHECK(sip_text::header(carrier.last("REFER"), "Refer-To") == "<sip:desk@example.net>");
    carrier.notify("486 Busy Here");
    run_for(100ms);
    CHECK(carrier.requests("BYE").empty());
    CHECK(state(id) == "answered");
    CHECK(done("GET", path)["transfer"]["state"] == "failed");
    CHECK(done("GET", path)["transfer"]["status"] == 486);
    // And may be tried again.
    CHECK(send("POST", path + "/transfer", {{"to", "tel:+4930778"}}).status == 202);
    CHECK(carrier.requests("REFER").size() == 2);
}

TEST_CASE_FIXTURE(office_on_sim, "softswitch::control: what cannot be transferred sends no REFER") {
    trunk("198.51.100.1:5060");
    const auto ringing = place({});
    CHECK(send("POST", "/calls/" + ringing + "/transfer", {{"to", "+4930777"}}).status == 409);
    const auto talking = answered();
    const auto path = "/calls/" + talking + "/transfer";
    for (const auto* to : {"+19005551234", "tel:+1-900-555-1234", "sip:%2B1900%35551234@a.example",
                           "911", "sip:911@a.example", "00870773111632"}) {
        CAPTURE(to);
        CHECK(refusal("POST", path, {{"to", to}}).starts_with("400 to: "));
    }
    CHECK(refusal("POST", path, {{"to", "911"}}).find("allow_emergency") != std::string::npos);
    CHECK(refusal("POST", path, {{"to", "mailto:a@b"}}).starts_with("400 to: "));
    CHECK(carrier.requests("REFER").empty());
    CHECK(send("DELETE", "/calls/" + talking).status == 204);
    CHECK(send("POST", path, {{"to", "+4930777"}}).status == 409);
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: what a trunk does not dial is refused, and rings nobody") {
    const auto of = trunk("198.51.100.1:5060");
    const auto refused = [&](const char* to) {
        return refusal("POST", "/calls", {{"to", to}, {"agent", "hold"}});
    };
    CHECK(refused("+19005551234").find("deny_prefixes") != std::string::npos);
    CHECK(refused("011870773111632").find("deny_prefixes") != std::string::npos);
    CHECK(refused("911").find("allow_emergency") != std::string::npos);
    done("PATCH", "/trunks/" + of, {{"allow_prefixes", {"+49"}}});
    CHECK(refused("+33612345678").find("allow_prefixes") != std::string::npos);
    CHECK(carrier.requests("INVITE").empty());
    place({});
    CHECK(carrier.requests("INVITE").size() == 1);
    done("PATCH", "/trunks/" + of,
         {{"allow_prefixes", json::array()},
          {"deny_prefixes", json::array()},
          {"allow_emergency", true}});
    place({{"to", "+19005551234"}});
    place({{"to", "911"}});
    CHECK(sip_text::start_line(carrier.last("INVITE")) == "INVITE sip:911@198.51.100.1 SIP/2.0");
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: a token has its calls, and one that ends makes room") {
    trunk("198.51.100.1:5060", {{"calls_per_token", 2}});
    const auto first = answered();
    place({{"to", "+4930998"}});
    const auto busy = refusal("POST", "/calls", {{"to", "+4930997"}, {"agent", "hold"}});
    CHECK(busy.starts_with("429 "));
    CHECK(busy.find("calls_per_token") != std::string::npos);
    CHECK(carrier.requests("INVITE").size() == 2);
    CHECK(send("DELETE", "/calls/" + first).status == 204);
    place({{"to", "+4930997"}});
    CHECK(carrier.requests("INVITE").size() == 3);
}

TEST_CASE_FIXTURE(office_on_sim, "softswitch::control: the same Idempotency-Key rings once") {
    trunk("198.51.100.1:5060");
    const json body{{"to", "+4930999"}, {"agent", "hold"}};
    const auto first = send("POST", "/calls", body, "key-1");
    const auto again = send("POST", "/calls", body, "key-1");
    CHECK(first.status == 201);
    CHECK(again.body == first.body);
    CHECK(carrier.requests("INVITE").size() == 1);
    CHECK(send("POST", "/calls", body, "key-2").status == 201);
    CHECK(carrier.requests("INVITE").size() == 2);
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::control: who is busy, and who is not there, is told so") {
    trunk("198.51.100.1:5060");
    const auto id = place({});
    carrier.answer(carrier.last("INVITE"), "486 Busy Here");
    run_for(100ms);
    const auto shown = done("GET", "/calls/" + id);
    CHECK(shown["state"] == "ended");
    CHECK(shown["cdr"]["sip_code"] == 486);
    CHECK(done("GET", "/calls?ended=true")["calls"][0]["id"] == id);
    const auto lost = place({});
    run_for(40s); // Without any answer.
    const auto lost_record = done("GET", "/calls/" + lost)["cdr"];
    CHECK(lost_record["sip_code"] == 0);
    CHECK(lost_record["failure"] == "gateway_silent");
}

/// A bot that opens its WebSocket when a test wants it to (RFC 6455 section 4.2.2).
class slow_bot {
public:
    slow_bot() : door_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(::bind(door_, reinterpret_cast<const sockaddr*>(&at), size) == 0);
        REQUIRE(::listen(door_, 4) == 0);
        REQUIRE(::getsockname(door_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        port_ = ntohs(at.sin_port);
    }
    slow_bot(const slow_bot&) = delete;
    slow_bot& operator=(const slow_bot&) = delete;
    ~slow_bot() {
        if (line_ >= 0) ::close(line_);
        ::close(door_);
    }
    [[nodiscard]] std::string url() const {
        return "ws://127.0.0.1:" + std::to_string(port_) + "/";
    }

    void wait_for_request() {
        wait(door_);
        line_ = ::accept4(door_, nullptr, nullptr, SOCK_CLOEXEC);
        REQUIRE(line_ >= 0);
        while (request_.find("\r\n\r\n") == std::string::npos) {
            wait(line_);
            char some[4'096];
            const auto count = ::recv(line_, some, sizeof some, 0);
            REQUIRE(count > 0);
            request_.append(some, static_cast<std::size_t>(count));
        }
    }
    void open() {
        const auto key = sip_text::header("\r\n" + request_, "Sec-WebSocket-Key") +
                         "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        unsigned char digest[SHA_DIGEST_LENGTH];
        ::SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
        unsigned char text[32];
        ::EVP_EncodeBlock(text, digest, sizeof digest);
        const auto answer = std::string{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                        "Connection: Upgrade\r\nSec-WebSocket-Accept: "} +
                            reinterpret_cast<const char*>(text) + "\r\n\r\n";
        REQUIRE(::send(line_, answer.data(), answer.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(answer.size()));
    }

private:
    static void wait(int file) {
        pollfd one{file, POLLIN, 0};
        REQUIRE(::poll(&one, 1, 30'000) == 1);
    }
    int door_;
    int line_ = -1;
    std::uint16_t port_ = 0;
    std::string request_;
};

/// The sockets' thread has its own clock.
template <class Reached>
[[nodiscard]] bool soon(office_on_sim& of, Reached reached) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!reached()) {
        if (std::chrono::steady_clock::now() > end) return false;
        of.run_for(1ms);
        std::this_thread::yield();
    }
    return true;
}

TEST_CASE_FIXTURE(office_on_sim,
                  "softswitch::reception: a call rings when its bot is there, and not before") {
    trunk("198.51.100.1:5060", {{"caller_id", "+4930123"}});
    slow_bot bot;
    place({{"agent", bot.url()}});
    bot.wait_for_request();
    run_for(500ms);
    CHECK(carrier.requests("INVITE").empty());
    bot.open();
    REQUIRE(soon(*this, [&] { return !carrier.requests("INVITE").empty(); }));
    CHECK(sip_text::header(carrier.last("INVITE"), "From").starts_with("<sip:+4930123@"));
}

TEST_CASE_FIXTURE(
    office_on_sim,
    "softswitch::reception: a call that was hung up before its bot was there rings nobody") {
    trunk("198.51.100.1:5060");
    slow_bot bot;
    const auto id = place({{"agent", bot.url()}});
    bot.wait_for_request();
    CHECK(send("DELETE", "/calls/" + id).status == 204);
    bot.open();
    REQUIRE(soon(*this, [&] { return state(id) == "ended"; }));
    run_for(10s);
    CHECK(carrier.requests("INVITE").empty());
    const auto record = done("GET", "/calls/" + id)["cdr"];
    CHECK(record["ended_by"] == "application");
    CHECK(record["reason"] == "hung up");
}

} // namespace
} // namespace softswitch
