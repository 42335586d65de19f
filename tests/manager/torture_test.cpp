// The torture messages over UDP and TCP, from an allowed source to a manager that runs.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manager/phones.hpp"
#include "support/far_end.hpp"
#include "support/sip_text.hpp"
#include "support/stream_end.hpp"
#include "support/torture.hpp"

namespace trunkline {
namespace {

/// Lets every number ring that its one trunk is called by.
struct ringing_manager {
    trunk_manager manager;
    endpoint at;

    explicit ringing_manager(const std::string& listen) : manager{config(listen)} {
        trunk_config carrier;
        carrier.name = "carrier";
        carrier.allow_from = {"127.0.0.1"};
        carrier.numbers = {{"*"}};
        carrier.channels = 1000;
        carrier.outbound = false;
        REQUIRE(manager.add_trunk(carrier).has_value());
        manager.start();
        at = {*address::parse("127.0.0.1"), manager.listening().port};
    }
    static manager_config config(const std::string& listen) {
        auto made = support::on_loopback();
        made.listen = {{.at = listen}};
        made.on_incoming = [](incoming_call& call) { static_cast<void>(call.ringing()); };
        return made;
    }
};

[[nodiscard]] std::string probe_from(std::uint16_t port, std::string_view via) {
    const auto number = std::to_string(port);
    return support::crlf("OPTIONS sip:probe@127.0.0.1 SIP/2.0\nVia: SIP/2.0/" + std::string{via} +
                         " 127.0.0.1:5060;rport;branch=z9hG4bKprobe" + number +
                         "\nMax-Forwards: 70\nFrom: <sip:p@127.0.0.1>;tag=p\n"
                         "To: <sip:probe@127.0.0.1>\nCall-ID: the-probe-" +
                         number + "\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
}

[[nodiscard]] bool is_of_a_probe(std::string_view text) {
    return text.find("Call-ID: the-probe-") != std::string_view::npos;
}

void check_allow(const std::string& text) {
    const auto status = text.substr(8, 3);
    if (status != "405" && status != "501") return;
    CHECK(support::header(text, "Allow") ==
          "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY");
}

/// A socket and what came back to it.
struct carrier_socket {
    support::far_end socket;
    std::vector<std::string> texts;

    [[nodiscard]] bool got(std::string_view status, std::string_view inside = {}) {
        return support::until([&] {
            while (socket.receive()) texts.push_back(socket.text);
            return std::ranges::any_of(texts, [&](const std::string& text) {
                return text.substr(0, 11) == "SIP/2.0 " + std::string{status} &&
                       text.find(inside) != std::string::npos;
            });
        });
    }
    /// The engine lives, and has done with all that was sent before.
    void probe(const endpoint& to) {
        socket.send(to, probe_from(socket.local().port, "UDP"));
        REQUIRE(got("200", "Call-ID: the-probe-"));
    }
};

void check_on_the_wire(std::string_view folder, std::size_t files) {
    const auto messages = support::torture_messages(folder);
    for (const auto& message : messages) {
        CAPTURE(message.file);
        // Some share a branch with one before, and would be taken for its retransmission.
        ringing_manager live{"udp:127.0.0.1:0"};
        const auto expected = support::torture_answers.at(message.file);
        carrier_socket phone;
        const auto bytes = support::read_file(message.path);
        REQUIRE_FALSE(bytes.empty());
        phone.socket.send(live.at, bytes);
        if (!expected.empty()) CHECK(phone.got(expected));
        phone.probe(live.at);
        for (const auto& text : phone.texts) {
            if (is_of_a_probe(text)) continue;
            CAPTURE(text);
            const auto status = text.substr(8, 3);
            const bool trying = expected != "" && message.method == "INVITE" && status == "100";
            CHECK((status == expected || trying));
            check_allow(text);
        }
    }
    CHECK(messages.size() == files);
}

TEST_CASE("trunkline::trunk_manager: answers RFC 4475 over UDP exactly, and lives") {
    if (support::have_shared("rfc4475")) check_on_the_wire("rfc4475", 50);
}

TEST_CASE("trunkline::trunk_manager: answers RFC 5118 over UDP exactly, and lives") {
    if (support::have_shared("rfc5118")) check_on_the_wire("rfc5118", 12);
}

/// Where a connection makes a difference, all that is answered: clerr is never whole, and is given
/// up on. After its REGISTER dblreq has an INVITE, in whose offer a line begins with "m =". Without
/// a length inv2543 is the rest of a datagram, but of a connection nobody knows how much (RFC 3261
/// 18.3).
const std::map<std::string, std::vector<std::string>> answers_by_stream{
    {"clerr", {}}, {"dblreq", {"405", "488"}}, {"inv2543", {"400"}}};

/// Behind these nobody knows where the next message begins, so the connection is closed; dblreq's
/// INVITE has five bytes more than it says, which begin none.
const std::set<std::string> last_of_a_stream{"clerr", "dblreq", "inv2543", "mcl01", "ncl"};

[[nodiscard]] std::vector<std::string> answers_to(const std::string& file) {
    const auto differs = answers_by_stream.find(file);
    if (differs != answers_by_stream.end()) return differs->second;
    const auto& answer = support::torture_answers.at(file);
    return answer.empty() ? std::vector<std::string>{} : std::vector{answer};
}

/// A connection of the carrier's to a manager that has heard nothing yet.
struct carrier_connection {
    ringing_manager live{"tcp:127.0.0.1:0"};
    support::stream_end wire{live.at};

    /// Every whole answer, cut at the empty lines: none has a body.
    [[nodiscard]] std::vector<std::string> texts() {
        while (wire.receive()) continue;
        std::vector<std::string> found;
        const std::string_view all = wire.text;
        for (std::size_t at = 0, end = all.find("\r\n\r\n"); end != all.npos;
             end = all.find("\r\n\r\n", at)) {
            found.emplace_back(all.substr(at, end + 4 - at));
            at = end + 4;
        }
        return found;
    }
    void probe() {
        wire.send(probe_from(live.at.port, "TCP"));
        REQUIRE(support::until([&] { return std::ranges::any_of(texts(), is_of_a_probe); }));
    }
    [[nodiscard]] bool closed(std::chrono::seconds patience) {
        return support::until(
            [&] {
                static_cast<void>(texts());
                return wire.ended;
            },
            patience);
    }
    /// The final ones and the ringing of all that was asked but for the probe.
    [[nodiscard]] std::vector<std::string> statuses() {
        std::vector<std::string> seen;
        for (const auto& text : texts()) {
            CAPTURE(text);
            REQUIRE(text.starts_with("SIP/2.0 "));
            check_allow(text);
            if (!is_of_a_probe(text) && !text.starts_with("SIP/2.0 100 "))
                seen.push_back(text.substr(8, 3));
        }
        return seen;
    }
};

void check_by_stream(std::string_view folder, std::size_t files) {
    const auto messages = support::torture_messages(folder);
    std::unique_ptr<carrier_connection> half; // Waited for while the others are heard.
    for (const auto& message : messages) {
        CAPTURE(message.file);
        auto carrier = std::make_unique<carrier_connection>();
        REQUIRE(carrier->wire.connected());
        auto bytes = support::read_file(message.path);
        REQUIRE_FALSE(bytes.empty());
        // The archive has lost baddn's empty line, which a connection would wait for.
        if (bytes.find("\r\n\r\n") == std::string::npos) bytes += "\r\n";
        carrier->wire.send(bytes);
        if (message.file == "clerr") {
            half = std::move(carrier);
            continue;
        }
        const auto expected = answers_to(message.file);
        CHECK(support::until([&] { return carrier->statuses().size() >= expected.size(); }));
        if (last_of_a_stream.contains(message.file))
            CHECK(carrier->closed(std::chrono::seconds{8}));
        else
            carrier->probe(); // By the same connection: it was cut where the message ends.
        CHECK(carrier->statuses() == expected);
    }
    CHECK(messages.size() == files);
    if (!half) return;
    CHECK(half->closed(std::chrono::seconds{40}));
    CHECK(half->statuses().empty());
}

TEST_CASE("trunkline::trunk_manager: answers RFC 4475 over TCP exactly, and lives") {
    if (support::have_shared("rfc4475")) check_by_stream("rfc4475", 50);
}

TEST_CASE("trunkline::trunk_manager: answers RFC 5118 over TCP exactly, and lives") {
    if (support::have_shared("rfc5118")) check_by_stream("rfc5118", 12);
}

} // namespace
} // namespace trunkline
