// Where names lead to, on a clock of its own: questions are seen, answers are made up.
#include <trunkline/trunk/gateway_names.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <trunkline/core/limits.hpp>

#include "support/dns_text.hpp"
#include "support/print.hpp"

namespace trunkline::trunks {
namespace {

using namespace std::chrono_literals;
using support::dns_message;

struct names_of_one {
    struct question {
        token asked;
        record_type type;
        std::string name;
    };

    timer_wheel wheel;
    seeded_entropy random{4};
    gateway_names names{wheel, random};
    time_point now{100s};
    outbox out;
    std::vector<question> questions;
    std::size_t failures = 0;

    const gateway_name carrier{"example.net"};
    const address one = address::v4(198, 51, 100, 1);
    const address two = address::v4(198, 51, 100, 2);
    const address six = *address::parse("2001:db8::6");

    void settle() {
        for (const auto& what : out) {
            if (const auto* asked = std::get_if<effects::resolve>(&what)) {
                questions.push_back({asked->asked, asked->type, std::string{asked->name}});
            } else if (const auto* note = std::get_if<effects::note>(&what)) {
                if (note->code == diagnostic::resolve_failed) ++failures;
            }
        }
        out.clear();
    }
    void keep(std::vector<gateway_name> wanted) {
        names.keep(wanted, now, out);
        settle();
    }
    void advance(duration by) {
        const auto until = now + by;
        while (const auto next = wheel.next_deadline()) {
            if (*next > until) break;
            now = std::max(now, *next);
            wheel.advance(now, [&](timer_node&) { names.fire(now, out); });
            settle();
        }
        now = until;
    }
    [[nodiscard]] bool asked(record_type type, std::string_view name) const {
        return std::ranges::any_of(questions, [&](const question& each) {
            return each.type == type && each.name == name;
        });
    }
    /// The one that was asked about this; fails when nobody did.
    void give(record_type type, std::string_view name, const inputs::resolved& what) {
        const auto at = std::ranges::find_if(questions, [&](const question& each) {
            return each.type == type && each.name == name;
        });
        CAPTURE(name);
        REQUIRE(at != questions.end());
        const inputs::resolved answer{at->asked, what.answer, what.hosts};
        questions.erase(at);
        CHECK(names.receive(answer, now, out));
        settle();
    }
    void services(std::string_view name, const std::vector<sip::dns::service>& found,
                  unsigned ttl = 100) {
        dns_message made{name, record_type::srv};
        for (const auto& each : found) made.add(each, ttl);
        give(record_type::srv, name, {{}, made.bytes(), {}});
    }
    void hosts(std::string_view name, const std::vector<address>& found, unsigned ttl = 100) {
        for (const auto type : {record_type::a, record_type::aaaa}) {
            dns_message made{name, type};
            for (const auto& each : found) {
                if (each.is_v4() == (type == record_type::a)) made.add(each, ttl);
            }
            give(type, name, {{}, made.bytes(), {}});
        }
    }
    void fail(record_type type, std::string_view name) { give(type, name, {}); }
    [[nodiscard]] std::string found(const gateway_name& of) const {
        std::string text;
        for (const auto& each : names.find(of)) text += (text.empty() ? "" : " ") + to_text(each);
        return text;
    }
    [[nodiscard]] std::string found() const { return found(carrier); }
    /// Two targets in order of priority, all answered.
    void look_up() {
        keep({carrier});
        hosts("example.net", {});
        services("_sip._udp.example.net", {{1, 0, 5070, "a.example.net"}, {2, 0, 5080, "b.test"}});
        hosts("a.example.net", {one});
        hosts("b.test", {two, six});
    }
};

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: without a port SRV says where and in what "
                                "order, RFC 3263 section 4.2") {
    keep({carrier});
    CHECK(asked(record_type::srv, "_sip._udp.example.net"));
    hosts("example.net", {address::v4(203, 0, 113, 80)}); // Their page, not their gateway.
    CHECK_FALSE(names.settled(carrier));
    services("_sip._udp.example.net", {{2, 0, 5080, "B.test"}, {1, 0, 5070, "a.example.net"}});
    hosts("a.example.net", {one});
    CHECK_FALSE(names.settled(carrier));
    hosts("b.test", {two, six});
    CHECK(names.settled(carrier));
    CHECK(found() == "198.51.100.1:5070 198.51.100.2:5080 [2001:db8::6]:5080");
    for (const auto& each : {one, two, six}) CHECK(names.stands_for(carrier, each));
    CHECK_FALSE(names.stands_for(carrier, address::v4(203, 0, 113, 80)));
    for (const auto& each : {one, two, six}) CHECK(names.lead_to(each));
    CHECK_FALSE(names.lead_to(address::v4(203, 0, 113, 80)));
    CHECK(questions.empty());
}

TEST_CASE_FIXTURE(names_of_one,
                  "trunks::gateway_names: who is known by a name changes with what it leads to") {
    const gateway_name exact{"example.net", 5099};
    const gateway_name literal{"198.51.100.9"};
    const auto nine = address::v4(198, 51, 100, 9);
    const auto known = [&] {
        std::vector<address> found;
        for (const auto& each : {one, two, six, nine}) {
            if (names.lead_to(each)) found.push_back(each);
        }
        return found;
    };
    keep({exact, literal});
    CHECK(known() == std::vector{nine});
    hosts("example.net", {one});
    CHECK(known() == std::vector{one, nine});
    advance(101s); // It moves.
    hosts("example.net", {two, six});
    CHECK(known() == std::vector{two, six, nine});
    CHECK_FALSE(names.stands_for(exact, one));
    keep({literal});
    CHECK(known() == std::vector{nine});
    keep({});
    CHECK(known().empty());
}

TEST_CASE_FIXTURE(names_of_one,
                  "trunks::gateway_names: with a port there are addresses only, RFC 3263 4.2") {
    const gateway_name exact{"example.net", 5099};
    keep({exact});
    CHECK(questions.size() == 2);
    hosts("example.net", {one});
    CHECK(found(exact) == "198.51.100.1:5099");
    CHECK(names.settled(exact));
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: a literal is asked about by nobody") {
    const gateway_name plain{"198.51.100.1"};
    const gateway_name secure{"2001:db8::6", 0, transport::tls};
    keep({plain, secure});
    CHECK(questions.empty());
    CHECK(found(plain) == "198.51.100.1:5060");
    CHECK(found(secure) == "[2001:db8::6]:5061");
    CHECK(names.settled(plain));
    CHECK(names.stands_for(plain, one));
    CHECK_FALSE(names.stands_for(plain, two));
    CHECK_FALSE(wheel.next_deadline());
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: the transport decides the service's name") {
    keep({{"example.net", 0, transport::tcp}, {"example.net", 0, transport::tls}});
    CHECK(asked(record_type::srv, "_sip._tcp.example.net"));
    CHECK(asked(record_type::srv, "_sips._tcp.example.net"));
    CHECK_FALSE(asked(record_type::srv, "_sip._udp.example.net"));
    hosts("example.net", {one});
    services("_sips._tcp.example.net", {});
    CHECK(found({"example.net", 0, transport::tls}) == "198.51.100.1:5061");
}

TEST_CASE_FIXTURE(names_of_one,
                  "trunks::gateway_names: where there is no SRV the name's own addresses count") {
    keep({carrier});
    hosts("example.net", {one, six});
    CHECK_FALSE(names.settled(carrier)); // There may be one yet.
    SUBCASE("an answer without records") {
        services("_sip._udp.example.net", {});
    }
    SUBCASE("no such name") {
        dns_message none{"_sip._udp.example.net", record_type::srv, 3};
        give(record_type::srv, "_sip._udp.example.net", {{}, none.bytes(), {}});
    }
    SUBCASE("a name server that is broken") {
        fail(record_type::srv, "_sip._udp.example.net");
    }
    CHECK(names.settled(carrier));
    CHECK(found() == "198.51.100.1:5060 [2001:db8::6]:5060");
}

TEST_CASE_FIXTURE(names_of_one,
                  "trunks::gateway_names: the root as a target means no service, RFC 2782") {
    keep({carrier});
    hosts("example.net", {one});
    services("_sip._udp.example.net", {{0, 0, 0, ""}});
    CHECK(names.settled(carrier));
    CHECK(found().empty());
    CHECK_FALSE(names.stands_for(carrier, one));
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: what the hosts file says counts first") {
    keep({carrier});
    give(record_type::a, "example.net", {{}, {}, {&one, 1}});
    CHECK_FALSE(names.settled(carrier));
    fail(record_type::aaaa, "example.net");
    CHECK(names.settled(carrier)); // Whatever SRV will say.
    services("_sip._udp.example.net", {{1, 0, 5070, "a.example.net"}});
    CHECK(found() == "198.51.100.1:5060");
    CHECK(questions.empty());
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: equal targets share calls by weight") {
    keep({carrier});
    hosts("example.net", {});
    services("_sip._udp.example.net", {{1, 10, 1, "a.test"}, {1, 30, 2, "b.test"}});
    hosts("a.test", {one});
    hosts("b.test", {two});
    std::map<std::string, int> first;
    for (int i = 0; i < 400; ++i) {
        const auto order = names.find(carrier);
        REQUIRE(order.size() == 2);
        ++first[to_text(order[0])];
    }
    CHECK(first["198.51.100.1:1"] > 60);
    CHECK(first["198.51.100.1:1"] < 140);
    CHECK(first["198.51.100.1:1"] + first["198.51.100.2:2"] == 400);
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: a lookup is over after two seconds, with "
                                "what is known by then") {
    keep({carrier, {"other.test"}});
    hosts("example.net", {});
    services("_sip._udp.example.net", {{1, 0, 5070, "a.test"}, {2, 0, 5080, "b.test"}});
    hosts("b.test", {two});
    advance(1900ms);
    CHECK_FALSE(names.settled(carrier));
    advance(200ms);
    CHECK(names.settled(carrier));
    CHECK(found() == "198.51.100.2:5080");
    CHECK(names.settled({"other.test"}));
    CHECK(found({"other.test"}).empty());
    hosts("a.test", {one}); // Better late than never.
    CHECK(found() == "198.51.100.1:5070 198.51.100.2:5080");
}

TEST_CASE_FIXTURE(names_of_one,
                  "trunks::gateway_names: a name that is looked up in vain delays no other") {
    keep({carrier, {"dead.test"}});
    hosts("example.net", {one});
    services("_sip._udp.example.net", {});
    CHECK(names.settled(carrier));
    CHECK_FALSE(names.settled({"dead.test"}));
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: new targets take over when their addresses "
                                "are known, and not before") {
    look_up();
    const auto before = found();
    advance(99s);
    services("_sip._udp.example.net", {{1, 0, 5090, "c.test"}});
    CHECK(found() == before);
    hosts("c.test", {address::v4(198, 51, 100, 3)});
    CHECK(found() == "198.51.100.3:5090");
    CHECK_FALSE(names.stands_for(carrier, one));
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: new targets without any address take "
                                "nothing away while their names fail") {
    look_up();
    const auto before = found();
    advance(99s);
    services("_sip._udp.example.net", {{1, 0, 5090, "c.test"}});
    for (const auto type : {record_type::a, record_type::aaaa}) fail(type, "c.test");
    CHECK(found() == before);
    advance(11s);
    CHECK(found() == before);
    hosts("c.test", {address::v4(198, 51, 100, 3)}); // Asked again by itself.
    CHECK(found() == "198.51.100.3:5090");
}

TEST_CASE_FIXTURE(names_of_one,
                  "trunks::gateway_names: an answer is used beyond its time while nobody answers") {
    look_up();
    const auto before = found();
    advance(97s);
    CHECK_FALSE(asked(record_type::srv, "_sip._udp.example.net"));
    advance(2s); // Before it is over.
    for (int i = 0; i < 3; ++i) {
        fail(record_type::srv, "_sip._udp.example.net");
        for (const auto type : {record_type::a, record_type::aaaa}) {
            fail(type, "a.example.net");
            fail(type, "b.test");
        }
        CHECK(names.settled(carrier));
        CHECK(found() == before);
        advance(11s);
    }
    CHECK(failures == 15);
}

TEST_CASE_FIXTURE(names_of_one,
                  "trunks::gateway_names: when the service goes, the name's addresses come") {
    look_up();
    advance(99s);
    hosts("example.net", {six});
    services("_sip._udp.example.net", {});
    CHECK(found() == "[2001:db8::6]:5060");
    questions.clear();
    advance(300s); // Targets that nobody needs are asked for no more.
    CHECK_FALSE(asked(record_type::a, "b.test"));
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: that there is nothing holds for as long as "
                                "the zone says, RFC 2308 section 5") {
    keep({{"example.net", 5060}});
    dns_message none{"example.net", record_type::a, 3};
    SUBCASE("the minimum") {
        none.add_soa(900, 20);
    }
    SUBCASE("the TTL of the SOA") {
        none.add_soa(20, 900);
    }
    give(record_type::a, "example.net", {{}, none.bytes(), {}});
    dns_message unsaid{"example.net", record_type::aaaa};
    give(record_type::aaaa, "example.net", {{}, unsaid.bytes(), {}});
    advance(19s);
    CHECK(questions.empty());
    advance(2s);
    CHECK(asked(record_type::a, "example.net"));
    CHECK_FALSE(asked(record_type::aaaa, "example.net"));
    advance(40s);
    CHECK(asked(record_type::aaaa, "example.net"));
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: an answer cannot make an endless list") {
    keep({carrier});
    hosts("example.net", {});
    std::vector<sip::dns::service> many;
    for (char c = 'a'; c <= 'z'; ++c) many.push_back({1, 1, 5060, std::string{c} + ".test"});
    services("_sip._udp.example.net", many);
    CHECK(questions.size() == 2 * limits::srv_targets);
    std::vector<address> each;
    for (std::uint8_t i = 0; i < 20; ++i) each.push_back(address::v4(198, 51, 100, i));
    for (std::uint8_t i = 0; i < limits::srv_targets; ++i) {
        for (auto& host : each) host.bytes[14] = i;
        hosts(many[i].target, each);
    }
    CHECK(names.find(carrier).size() == limits::gateway_addresses);
    each[0].bytes[14] = 0; // Calls in are known from all of them.
    CHECK(names.stands_for(carrier, each[0]));
    each[19].bytes[14] = limits::srv_targets - 1;
    CHECK(names.stands_for(carrier, each[19]));
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: an address of two targets is tried once") {
    keep({carrier});
    hosts("example.net", {});
    services("_sip._udp.example.net", {{1, 0, 5060, "a.test"}, {2, 0, 5060, "b.test"}});
    hosts("a.test", {one});
    hosts("b.test", {one, two});
    CHECK(found() == "198.51.100.1:5060 198.51.100.2:5060");
}

TEST_CASE_FIXTURE(names_of_one, "trunks::gateway_names: what is kept no more is forgotten") {
    look_up();
    keep({});
    CHECK_FALSE(wheel.next_deadline());
    CHECK(found().empty());
    CHECK_FALSE(names.stands_for(carrier, one));
    out.clear();
    CHECK_FALSE(names.receive({token{12}, {}, {}}, now, out));
}

} // namespace
} // namespace trunkline::trunks
