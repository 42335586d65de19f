// By which rules of TLS a connection is asked for, when those of its trunk change or go.
#include <memory>
#include <string>
#include <utility>

#include "trunk/by_stream.hpp"
#include "trunk/registrant.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::exchange_by_stream;
using support::registrant;

/// What a driver lends: it is seen when nobody holds it any more.
struct lent {
    std::shared_ptr<const void> held = std::make_shared<const int>(0);
    std::weak_ptr<const void> seen = held;

    [[nodiscard]] trunks::tls_lease lend(std::uint32_t profile) {
        return {profile, std::exchange(held, nullptr)};
    }
    [[nodiscard]] bool over() const { return seen.expired(); }
};

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::engine: a call keeps the rules of TLS that it began with") {
    lent first;
    lent second;
    wanted.transport = transport::tls;
    wanted.session_expires = 0s;
    add(wanted, first.lend(11));
    dial();
    REQUIRE(connections.size() == 1);
    CHECK(connections[0].profile == 11);
    answer(connections[0].flow, last(), "200 OK");
    trunks.clear();
    add(wanted, second.lend(12));
    CHECK_FALSE(first.over());
    // Its connection breaks, and another call begins.
    advance(2s);
    hold_connects = true;
    hang_up(connections[0].flow);
    dial();
    REQUIRE(held_connects.size() == 2);
    CHECK(held_connects[0].secure.profile == 11);
    CHECK(held_connects[1].secure.profile == 12);
    hold_connects = false;
    connect_stream(held_connects[0]);
    settle();
    running().hang_up_all("enough", now, out());
    settle();
    const auto bye = last();
    CHECK(bye.starts_with("BYE "));
    receive(connections[1].flow, support::answer_to(bye, "200 OK", "peer1"));
    CHECK(engine->idle());
    CHECK(first.over());
    CHECK_FALSE(second.over());
}

struct registrant_by_tls : registrant {
    trunk_config by_tls = wanted();
    lent first;

    registrant_by_tls() {
        by_tls.transport = transport::tls;
        add(by_tls, first.lend(11));
        REQUIRE(connections.size() == 1);
        CHECK(connections[0].profile == 11);
        grant(0, 300);
        CHECK(state() == registration_state::registered);
    }
    void grant(std::size_t which, unsigned seconds) {
        receive(connections[which].flow,
                support::answer_to(registers().back().text, "200 OK", "theirs", granting(seconds)));
    }
    void replace(lent& by, std::uint32_t profile) {
        trunks.clear();
        add(by_tls, by.lend(profile));
    }
};

TEST_CASE_FIXTURE(registrant_by_tls,
                  "trunks::engine: a trunk that is removed leaves its registrar by its own rules") {
    hang_up(connections[0].flow);
    remove_all();
    CHECK(state() == registration_state::unregistering);
    REQUIRE(connections.size() == 2);
    CHECK(connections[1].profile == 11);
    CHECK_FALSE(first.over());
    CHECK(support::header(registers().back().text, "Expires") == "0");
    grant(1, 0);
    CHECK(state() == registration_state::idle);
    CHECK(first.over());
}

TEST_CASE_FIXTURE(registrant_by_tls,
                  "trunks::engine: other rules of TLS are another registration") {
    lent second;
    by_tls.tls.server_name = "sip.example.net";
    replace(second, 12);
    CHECK(state() == registration_state::unregistering);
    hold_connects = true;
    grant(0, 0); // The old one is taken back,
    CHECK(first.over());
    CHECK(state() == registration_state::registering);
    REQUIRE(held_connects.size() == 1); // and the new one asks by its own.
    CHECK(held_connects[0].secure.profile == 12);
}

TEST_CASE_FIXTURE(registrant_by_tls,
                  "trunks::engine: files that were read anew count from the next refresh") {
    lent second;
    replace(second, 12);
    CHECK(state() == registration_state::registered);
    CHECK(registers().size() == 1);
    CHECK(first.over());
    hold_connects = true;
    advance(230s);
    REQUIRE(held_connects.size() == 1);
    CHECK(held_connects[0].secure.profile == 12);
}

} // namespace
} // namespace trunkline
