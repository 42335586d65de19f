// Requests in a call from elsewhere than its peer: refused, challenged, or explained by a name.
#include <memory>
#include <string>
#include <vector>

#include "trunk/by_stream.hpp"
#include "trunk/credentials.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::carrier_at;
using support::credentials;
using support::driver;
using support::request_text;
using support::stranger_at;

constexpr address stranger = address::v4(203, 0, 113, 66);
const std::string neighbour_at = "198.51.100.9:5060"; ///< In allow_from, and no gateway.

const std::vector<std::string> methods{"INVITE", "UPDATE",  "INFO",    "REFER", "PRACK",
                                       "NOTIFY", "OPTIONS", "MESSAGE", "FOO",   "BYE"};

struct listening final : agent {
    std::vector<std::string>* told;
    explicit listening(std::vector<std::string>& into) : told{&into} {}
    void on_digit(call&, char) override { told->push_back("digit"); }
    void on_ended(call&, const call_record&) override { told->push_back("ended"); }
};

struct in_calls : driver {
    trunk_config wanted = carrier();
    request_text invite;
    std::string ok;
    bool rings = false;
    std::vector<std::string> told;

    in_calls() {
        wanted.session_expires = 0s;
        config.on_incoming = [this](incoming_call& c) {
            CHECK((rings ? c.ringing() : c.answer(std::make_unique<listening>(told))).has_value());
        };
    }
    void call_in(const std::string& from = carrier_at) {
        if (trunks.empty()) add(wanted);
        receive(from, invite.text());
        ok = last();
        REQUIRE(support::status_of(ok) == (rings ? "180" : "200"));
        if (!rings) receive(from, invite.ack(ok));
    }
    [[nodiscard]] request_text within(const std::string& method, unsigned cseq = 2) const {
        auto made = invite.within(method, ok);
        made.cseq = cseq;
        made.branch += std::to_string(cseq);
        return made;
    }
    /// What it is answered, or nothing.
    [[nodiscard]] std::string asked(const std::string& from, const std::string& text) {
        static_cast<void>(texts());
        receive(from, text);
        const auto fresh = texts();
        return fresh.empty() ? "" : support::status_of(fresh.back());
    }
    [[nodiscard]] std::string bye(const std::string& from) {
        return asked(from, within("BYE", 90).text());
    }
    void warned_of(const address& source) {
        REQUIRE(noted(diagnostic::dialog_stranger) == 1);
        const auto note =
            std::ranges::find(notes, diagnostic::dialog_stranger, &effects::note::code);
        address told_of;
        std::memcpy(told_of.bytes.data(), note->values.data(), sizeof told_of.bytes);
        CHECK(told_of == source);
        CHECK(note->level == severity::warning);
    }
};

TEST_CASE_FIXTURE(in_calls, "trunks::engine: no request in a call is taken from a stranger") {
    for (const auto& method : methods) {
        CAPTURE(method);
        told.clear();
        notes.clear();
        invite.call_id = method;
        invite.branch = "z9hG4bK" + method;
        call_in();
        CHECK(asked(stranger_at, within(method).text()) == "403");
        warned_of(stranger);
        CHECK(told.empty());
        // Once: neither the request again nor another one is answered.
        CHECK(asked(stranger_at, within(method).text()) == "");
        CHECK(asked(stranger_at, within("INFO", 3).text()) == "");
        warned_of(stranger);
        // It has cost the peer neither its call nor a CSeq.
        CHECK(bye(carrier_at) == "200");
        CHECK(told == std::vector<std::string>{"ended"});
    }
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: each stranger of a call is told and told of once") {
    call_in();
    CHECK(asked("203.0.113.1:5060", within("BYE").text()) == "403");
    CHECK(asked("203.0.113.2:5060", within("BYE").text()) == "403");
    CHECK(asked("203.0.113.1:5070", within("BYE").text()) == "");
    CHECK(noted(diagnostic::dialog_stranger) == 2);
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: wrong tags are 481 from anywhere, and no news") {
    call_in();
    auto wrong = within("BYE");
    wrong.from = "<sip:+49170@198.51.100.1>;tag=guessed";
    CHECK(asked(stranger_at, wrong.text()) == "481");
    wrong = within("BYE");
    wrong.call_id = "guessed";
    CHECK(asked(stranger_at, wrong.text()) == "481");
    CHECK(noted(diagnostic::dialog_stranger) == 0);
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: an ACK is taken from anywhere") {
    add(wanted);
    receive(invite.text());
    ok = last();
    receive(stranger_at, invite.ack(ok));
    advance(40s);
    CHECK(noted(diagnostic::ack_missing) == 0);
    CHECK(noted(diagnostic::dialog_stranger) == 0);
    CHECK(bye(carrier_at) == "200");
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a narrow network and a gateway of the trunk speak in "
                            "its calls, a wide network does not") {
    SUBCASE("narrow") {
        call_in();
        CHECK(bye(neighbour_at) == "200");
    }
    SUBCASE("wide") {
        wanted.allow_from = {"0.0.0.0/0"};
        call_in();
        CHECK(bye(neighbour_at) == "403");
        CHECK(bye(carrier_at) == "200");
    }
    SUBCASE("just wide") {
        wanted.allow_from = {"198.50.0.0/15"};
        call_in();
        CHECK(bye(neighbour_at) == "403");
    }
    SUBCASE("just narrow") {
        wanted.allow_from = {"198.51.0.0/16"};
        call_in();
        CHECK(bye(neighbour_at) == "200");
    }
    SUBCASE("gateway") {
        wanted.allow_from = {"0.0.0.0/0"};
        wanted.gateways = {{"198.51.100.9"}};
        call_in();
        CHECK(bye(neighbour_at) == "200");
    }
    SUBCASE("another trunk's gateway") {
        wanted.allow_from = {"198.51.100.1"};
        add(wanted);
        auto second = carrier();
        second.name = "second";
        second.allow_from = {"198.51.100.9"};
        second.gateways = {{"198.51.100.9"}};
        add(second);
        call_in();
        CHECK(bye(neighbour_at) == "403");
    }
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a caller whom no proxy records speaks from its "
                            "Contact") {
    wanted.allow_from = {"198.51.100.1"};
    invite.contact = "<sip:phone@203.0.113.66:5062>";
    call_in();
    CHECK(asked(stranger_at, within("INFO").text()) == "200");
    CHECK(bye("203.0.113.66:40000") == "200");
    CHECK(noted(diagnostic::dialog_stranger) == 0);
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a refreshed Contact speaks, one that was refused does "
                            "not") {
    wanted.allow_from = {"198.51.100.1"};
    call_in();
    auto moved = within("UPDATE");
    moved.contact = "<sip:phone@203.0.113.66:5062>";
    SUBCASE("by the peer") {
        CHECK(asked(carrier_at, moved.text()) == "200");
        CHECK(bye(stranger_at) == "200");
    }
    SUBCASE("by whom it names") {
        CHECK(asked(stranger_at, moved.text()) == "403");
        CHECK(bye("203.0.113.66:5062") == "");
        CHECK(bye(carrier_at) == "200");
    }
}

TEST_CASE_FIXTURE(in_calls,
                  "trunks::engine: of a pair of proxies either speaks, also by the name of "
                  "both") {
    wanted.allow_from = {"198.51.100.1"};
    invite.contact = "<sip:phone@10.0.0.7>";
    SUBCASE("both recorded") {
        invite.fields = "Record-Route: <sip:198.51.100.1;lr>, <sip:203.0.113.66;lr>\n";
        call_in();
        for (const auto& from : {stranger_at, carrier_at, stranger_at}) {
            static unsigned cseq = 2;
            CHECK(asked(from, within("INFO", cseq++).text()) == "200");
        }
        CHECK(bye(stranger_at) == "200");
    }
    SUBCASE("one name") {
        invite.fields = "Record-Route: <sip:Proxies.example.net:5060;lr>\n";
        call_in();
        CHECK(questions.empty());
        // What comes before the name is known waits, however often it comes.
        CHECK(asked(stranger_at, within("BYE").text()) == "");
        CHECK(asked(stranger_at, within("BYE").text()) == "");
        REQUIRE(questions.size() == 2);
        CHECK(questions[0].name == "proxies.example.net");
        CHECK(told.empty());
        resolve("proxies.example.net", {address::v4(198, 51, 100, 1), stranger});
        CHECK(support::status_of(only()) == "200");
        CHECK(told == std::vector<std::string>{"ended"});
        CHECK(noted(diagnostic::dialog_stranger) == 0);
    }
    SUBCASE("a name that leads elsewhere") {
        invite.fields = "Record-Route: <sip:proxies.example.net:5060;lr>\n";
        call_in();
        CHECK(asked(stranger_at, within("BYE").text()) == "");
        resolve("proxies.example.net", {address::v4(198, 51, 100, 1)});
        CHECK(support::status_of(only()) == "403");
        warned_of(stranger);
        CHECK(bye(carrier_at) == "200");
    }
    SUBCASE("a name that no server knows") {
        invite.fields = "Record-Route: <sip:proxies.example.net:5060;lr>\n";
        call_in();
        CHECK(asked(stranger_at, within("BYE").text()) == "");
        resolve("proxies.example.net", {}, 60, 3);
        CHECK(support::status_of(only()) == "403");
    }
    SUBCASE("a name server that is silent") {
        invite.fields = "Record-Route: <sip:proxies.example.net:5060;lr>\n";
        call_in();
        CHECK(asked(stranger_at, within("BYE").text()) == "");
        advance(2s);
        CHECK(support::status_of(last()) == "403");
        CHECK(told.empty());
    }
    SUBCASE("the peer does not wait for a name") {
        invite.fields = "Record-Route: <sip:proxies.example.net:5060;lr>\n";
        call_in();
        CHECK(bye(carrier_at) == "200");
        CHECK(questions.empty());
    }
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a name without a port is looked up by its service") {
    wanted.allow_from = {"198.51.100.1"};
    invite.contact = "<sip:phone@phones.example.net;transport=tls>";
    call_in();
    CHECK(asked(stranger_at, within("BYE").text()) == "");
    CHECK(std::ranges::any_of(questions, [](const question& one) {
        return one.type == record_type::srv && one.name == "_sips._tcp.phones.example.net";
    }));
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: names of peers are forgotten, and leave no timer") {
    wanted.allow_from = {"198.51.100.1"};
    invite.contact = "<sip:phone@phones.example.net:5060>";
    call_in();
    CHECK(asked(stranger_at, within("BYE").text()) == "");
    resolve("phones.example.net", {stranger}, 5);
    CHECK(support::status_of(only()) == "200");
    for (int n = 0; n < 10; ++n) {
        advance(20s);
        resolve("phones.example.net", {stranger}, 5);
    }
    CHECK(questions.empty());
    CHECK(empty());
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a request by TCP waits for a name, though its sender "
                            "leaves") {
    wanted.allow_from = {"198.51.100.1"};
    invite.contact = "<sip:phone@phones.example.net:5060>";
    call_in();
    const auto flow = accept(stranger_at);
    receive(flow, support::over_tcp(within("BYE").text()));
    CHECK(told.empty());
    hang_up(flow);
    resolve("phones.example.net", {stranger});
    CHECK(told == std::vector<std::string>{"ended"});
}

// The INVITE's own way.

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a CANCEL comes from the hop of its INVITE") {
    rings = true;
    call_in();
    CHECK(asked(stranger_at, invite.cancel()) == "403");
    warned_of(stranger);
    CHECK(asked(stranger_at, invite.cancel()) == "");
    CHECK(asked(neighbour_at, invite.cancel()) == "403");
    receive("198.51.100.1:40000", invite.cancel());
    const auto fresh = texts();
    REQUIRE(fresh.size() == 2);
    CHECK(support::status_of(fresh[0]) == "200");
    CHECK(support::status_of(fresh[1]) == "487");
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a stranger speaks in no early dialog of a caller") {
    rings = true;
    for (const auto& method : methods) {
        CAPTURE(method);
        invite.call_id = method;
        invite.branch = "z9hG4bK" + method;
        call_in();
        CHECK(asked(stranger_at, within(method).text()) == "403");
        CHECK(asked(stranger_at, within(method, 3).text()) == "");
    }
    CHECK(noted(diagnostic::dialog_stranger) == methods.size());
}

// Transports.

TEST_CASE_FIXTURE(in_calls,
                  "trunks::engine: a call that began by TCP goes on by UDP, and the other "
                  "way round") {
    SUBCASE("TCP first") {
        add(wanted);
        const auto flow = accept("198.51.100.1:40000");
        receive(flow, support::over_tcp(invite.text()));
        ok = last();
        REQUIRE(support::status_of(ok) == "200");
        receive(flow, support::over_tcp(invite.ack(ok)));
        CHECK(asked(carrier_at, within("INFO").text()) == "200");
        CHECK(bye(carrier_at) == "200");
    }
    SUBCASE("UDP first") {
        call_in();
        const auto flow = accept("198.51.100.1:40000");
        receive(flow, support::over_tcp(within("BYE").text()));
        CHECK(support::status_of(last()) == "200");
    }
    CHECK(told == std::vector<std::string>{"ended"});
}

TEST_CASE_FIXTURE(in_calls,
                  "trunks::engine: a call that began by TLS takes nothing by UDP or TCP") {
    const auto over_tls = [](std::string text) {
        return support::replaced(std::move(text), "SIP/2.0/UDP", "SIP/2.0/TLS");
    };
    add(wanted);
    const auto flow = accept("198.51.100.1:40000", transport::tls);
    SUBCASE("answered") {
        receive(flow, over_tls(invite.text()));
        ok = last();
        REQUIRE(support::status_of(ok) == "200");
        receive(flow, over_tls(invite.ack(ok)));
        // Not even from the peer's own address: anybody on the way can write that.
        CHECK(asked(carrier_at, within("BYE").text()) == "403");
        warned_of(address::v4(198, 51, 100, 1));
        CHECK(asked(carrier_at, within("INFO", 3).text()) == "");
        CHECK(asked(stranger_at, within("INFO", 3).text()) == "403");
        const auto plain = accept("198.51.100.1:40001");
        receive(plain, support::over_tcp(within("BYE", 4).text()));
        CHECK(texts().empty());
        CHECK(told.empty());
        const auto another = accept("198.51.100.1:40002", transport::tls);
        receive(another, over_tls(within("BYE", 5).text()));
        CHECK(support::status_of(last()) == "200");
        CHECK(told == std::vector<std::string>{"ended"});
    }
    SUBCASE("ringing") {
        rings = true;
        receive(flow, over_tls(invite.text()));
        static_cast<void>(texts());
        CHECK(asked(carrier_at, over_tls(invite.cancel())) == "403");
        receive(flow, over_tls(invite.cancel()));
        CHECK(texts().size() == 2);
    }
}

TEST_CASE_FIXTURE(in_calls,
                  "trunks::engine: a copy of an INVITE from a stranger moves no response") {
    rings = true;
    call_in();
    CHECK(asked(stranger_at, invite.text()) == "");
    // From another port of the peer's it does: a NAT has renumbered.
    CHECK(asked("198.51.100.1:40000", invite.text()) == "180");
    CHECK(asked(stranger_at, invite.text()) == "");
    running().hang_up_all("enough", now, out());
    settle();
    REQUIRE(support::status_of(sent.back().text) == "480");
    CHECK(to_text(sent.back().to) == carrier_at);
    // An ACK is taken from anywhere: it asks for nothing.
    receive(stranger_at, invite.ack(sent.back().text));
    static_cast<void>(texts());
    advance(10s);
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(in_calls, "trunks::engine: a copy of a request in a call is not answered to a "
                            "stranger") {
    call_in();
    CHECK(asked(carrier_at, within("INFO").text()) == "200");
    CHECK(asked(stranger_at, within("INFO").text()) == "");
    CHECK(asked(carrier_at, within("INFO").text()) == "200");
}

TEST_CASE_FIXTURE(support::exchange_by_stream,
                  "trunks::engine: what went by TLS is not answered by UDP or TCP") {
    wanted.transport = transport::tls;
    wanted.gateways = {{"198.51.100.1"}};
    dial();
    const auto invite = last();
    REQUIRE(invite.starts_with("INVITE "));
    const auto ok = support::answer_to(invite, "200 OK", "forged",
                                       "Contact: <sip:x@203.0.113.66>\n", support::their_sdp);
    receive(carrier_at, ok);
    receive(accept("198.51.100.1:40000"), ok);
    CHECK(told.empty());
    CHECK(texts().empty());
    receive(accept("198.51.100.1:40001", transport::tls),
            support::answer_to(invite, "200 OK", "peer1",
                               "Contact: <sip:gw@198.51.100.1;transport=tls>\n",
                               support::their_sdp));
    CHECK(told == std::vector<std::string>{"answered"});
}

// Passwords.

struct with_password : in_calls {
    with_password() {
        wanted.allow_from = {"0.0.0.0/0"};
        wanted.inbound_auth = userpass{"carrier", "secret", "here"};
        add(wanted);
        receive(invite.text());
        receive(invite.ack(ok = last()));
        invite.branch += "again";
        invite.cseq = 2;
        invite.fields = answer_to_challenge(ok, "INVITE");
        receive(invite.text());
        invite.fields.clear();
        ok = last();
        REQUIRE(support::status_of(ok) == "200");
        receive(invite.ack(ok));
        static_cast<void>(texts());
    }
    [[nodiscard]] std::string answer_to_challenge(const std::string& challenge,
                                                  const std::string& method,
                                                  const std::string& password = "secret") const {
        REQUIRE(support::status_of(challenge) == "401");
        credentials shown;
        shown.method = method;
        shown.password = password;
        shown.uri = invite.uri;
        for (const auto& line : support::headers(challenge, "WWW-Authenticate")) {
            if (line.find("MD5") == std::string::npos) continue;
            const auto at = line.find("nonce=\"") + 7;
            shown.nonce = line.substr(at, line.find('"', at) - at);
        }
        return shown.line();
    }
    /// Asks, is challenged and asks again.
    [[nodiscard]] std::string proved(const std::string& from, const std::string& method,
                                     unsigned cseq, const std::string& password = "secret") {
        receive(from, within(method, cseq).text());
        const auto challenge = only();
        auto again = within(method, cseq + 1);
        again.fields = answer_to_challenge(challenge, method, password);
        return asked(from, again.text());
    }
};

TEST_CASE_FIXTURE(with_password,
                  "trunks::engine: another address is challenged where the trunk has "
                  "a password, and moves the call by it") {
    CHECK(proved(stranger_at, "INFO", 3) == "200");
    // From then on it is the peer's, for our requests too.
    CHECK(asked(stranger_at, within("INFO", 5).text()) == "200");
    CHECK(noted(diagnostic::dialog_stranger) == 0);
    running().hang_up_all("enough", now, out());
    settle();
    REQUIRE(seen < sent.size());
    CHECK(sent.back().text.starts_with("BYE "));
    CHECK(to_text(sent.back().to) == stranger_at);
}

TEST_CASE_FIXTURE(with_password, "trunks::engine: each method but ACK and CANCEL is challenged") {
    unsigned cseq = 3;
    for (const auto& method : methods) {
        CAPTURE(method);
        CHECK(asked(stranger_at, within(method, cseq++).text()) == "401");
    }
    CHECK(told.empty());
    CHECK(asked(carrier_at, within("BYE", cseq).text()) == "200");
}

TEST_CASE_FIXTURE(with_password,
                  "trunks::engine: a wrong password moves no call, and is told once") {
    CHECK(proved(stranger_at, "BYE", 3, "guess") != "200");
    warned_of(stranger);
    CHECK(told.empty());
    CHECK(bye(carrier_at) == "200");
}

// Calls of ours.

struct calling : in_calls {
    std::string ours;
    calling() {
        wanted.allow_from = {};
        wanted.gateways = {{"198.51.100.1"}};
        add(wanted);
        dial_request what;
        what.to = "+4930999";
        what.agent = std::make_unique<listening>(told);
        running().dial(std::move(what), now, out());
        settle();
        ours = only();
    }
    void answered(const std::string& status, const std::string& contact,
                  const std::string& from = carrier_at, const std::string& fields = {}) {
        receive(from,
                support::answer_to(ours, status, "peer1", "Contact: " + contact + '\n' + fields,
                                   status.starts_with("2") ? support::their_sdp : std::string{}));
        static_cast<void>(texts());
    }
    [[nodiscard]] std::string theirs(const std::string& method, unsigned cseq = 1) const {
        request_text made;
        made.method = method;
        made.uri = "sip:us@192.0.2.1";
        made.from = support::header(ours, "To") + ";tag=peer1";
        made.to = support::header(ours, "From");
        made.call_id = support::header(ours, "Call-ID");
        made.cseq = cseq;
        made.branch = "z9hG4bKtheirs" + method + std::to_string(cseq);
        return made.text();
    }
};

const std::string gateway_contact = "<sip:gw@198.51.100.1>";

TEST_CASE_FIXTURE(calling, "trunks::engine: no stranger speaks in a call that we made") {
    answered("200 OK", gateway_contact);
    CHECK(asked(stranger_at, theirs("BYE")) == "403");
    warned_of(stranger);
    CHECK(told.empty());
    CHECK(asked(carrier_at, theirs("BYE")) == "200");
    CHECK(told == std::vector<std::string>{"ended"});
}

TEST_CASE_FIXTURE(calling,
                  "trunks::engine: the callee speaks from its Contact, by its own way, and "
                  "from where it answered") {
    SUBCASE("Contact") {
        answered("200 OK", "<sip:phone@203.0.113.66>");
        CHECK(asked(stranger_at, theirs("BYE")) == "200");
    }
    SUBCASE("Record-Route") {
        answered("200 OK", gateway_contact, carrier_at,
                 "Record-Route: <sip:203.0.113.66;lr>, <sip:198.51.100.1;lr>\n");
        CHECK(asked(stranger_at, theirs("BYE")) == "200");
    }
    SUBCASE("a provisional response's source") {
        answered("180 Ringing", gateway_contact, stranger_at);
        answered("200 OK", gateway_contact);
        CHECK(asked(stranger_at, theirs("BYE")) == "200");
    }
    SUBCASE("the 200's source") {
        answered("200 OK", gateway_contact, stranger_at);
        CHECK(asked(stranger_at, theirs("BYE")) == "200");
    }
    SUBCASE("not that of a 200 again") {
        answered("200 OK", gateway_contact);
        answered("200 OK", gateway_contact, stranger_at);
        CHECK(asked(stranger_at, theirs("BYE")) == "403");
    }
}

TEST_CASE_FIXTURE(calling, "trunks::engine: a stranger speaks in no early dialog of a callee") {
    answered("180 Ringing", "<sip:phone@198.51.100.77>");
    unsigned cseq = 1;
    CHECK(asked(stranger_at, theirs("UPDATE", cseq++)) == "403");
    for (const auto& method : methods) CHECK(asked(stranger_at, theirs(method, cseq++)) == "");
    warned_of(stranger);
    CHECK(asked("198.51.100.77:5060", theirs("INFO", cseq++)) == "200");
    CHECK(asked(carrier_at, theirs("OPTIONS", cseq++)) == "200");
}

} // namespace
} // namespace trunkline
