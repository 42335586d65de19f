// The torture messages over UDP, from an allowed source to a manager that runs.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "manager/phones.hpp"
#include "support/far_end.hpp"
#include "support/sip_text.hpp"
#include "support/torture.hpp"

namespace trunkline {
namespace {

/// Lets every number ring that its one trunk is called by.
struct ringing_manager {
    trunk_manager manager;
    endpoint at;

    ringing_manager() : manager{config()} {
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
    static manager_config config() {
        auto made = support::on_loopback();
        made.on_incoming = [](incoming_call& call) { static_cast<void>(call.ringing()); };
        return made;
    }
};

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
        socket.send(to, support::crlf("OPTIONS sip:probe@127.0.0.1 SIP/2.0\n"
                                      "Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKprobe" +
                                      std::to_string(socket.local().port) +
                                      "\nMax-Forwards: 70\nFrom: <sip:p@127.0.0.1>;tag=p\n"
                                      "To: <sip:probe@127.0.0.1>\nCall-ID: the-probe-" +
                                      std::to_string(socket.local().port) +
                                      "\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"));
        REQUIRE(got("200", "Call-ID: the-probe-"));
    }
};

void check_on_the_wire(std::string_view folder, std::size_t files) {
    const auto messages = support::torture_messages(folder);
    for (const auto& message : messages) {
        CAPTURE(message.file);
        // Some share a branch with one before, and would be taken for its retransmission.
        ringing_manager live;
        const auto expected = support::torture_answers.at(message.file);
        carrier_socket phone;
        const auto bytes = support::read_file(message.path);
        REQUIRE_FALSE(bytes.empty());
        phone.socket.send(live.at, bytes);
        if (!expected.empty()) CHECK(phone.got(expected));
        phone.probe(live.at);
        for (const auto& text : phone.texts) {
            if (text.find("Call-ID: the-probe-") != std::string::npos) continue;
            CAPTURE(text);
            const auto status = text.substr(8, 3);
            const bool trying = expected != "" && message.method == "INVITE" && status == "100";
            CHECK((status == expected || trying));
            if (status == "405" || status == "501") {
                CHECK(support::header(text, "Allow") ==
                      "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY");
            }
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

} // namespace
} // namespace trunkline
