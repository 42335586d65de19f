#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include <trunkline/manager/trunk_manager.hpp>
#include <trunkline/net/clock.hpp>

#include "calls/registrations.hpp"

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using trunkline::registration_state;
using trunkline::registration_status;

TEST_CASE("softswitch::registrations: the last that is known of a trunk is told, until it ends") {
    registrations all;
    CHECK_FALSE(all.find("carrier"));
    registration_status how;
    how.trunk = "carrier";
    how.state = registration_state::registered;
    how.gateway = "198.51.100.1:5060";
    how.sip_code = 200;
    how.expires = trunkline::net::now() + 60s;
    all.write(how);
    REQUIRE(all.find("carrier"));
    CHECK(all.find("carrier")->state == registration_state::registered);
    CHECK(all.find("carrier")->gateway == "198.51.100.1:5060");
    REQUIRE(all.find("carrier")->expires_unix_ns);
    const auto apart =
        *all.find("carrier")->expires_unix_ns - trunkline::trunk_manager::to_unix(*how.expires);
    CHECK(std::abs(apart) < 1'000'000'000); // Two clocks were read in between.
    CHECK_FALSE(all.find("carrier")->retry_unix_ns);
    CHECK_FALSE(all.find("other"));
    how.state = registration_state::idle;
    all.write(how);
    CHECK_FALSE(all.find("carrier"));
    all.write(how); // Once more is nothing new.
}

TEST_CASE("softswitch::registrations: the log says what the carrier said, and when we ask again") {
    registration_view how{registration_state::waiting, "198.51.100.1", 403, "Forbidden", {}, 95};
    how.retry_unix_ns = 900'000'000'000;
    CHECK(
        in_words("carrier", how, 0) ==
        "trunk `carrier` is not registered: 403 Forbidden, from 198.51.100.1; the next attempt is "
        "in 900 s");
    how.sip_code = 0;
    how.reason = "no gateway's name can be resolved\x1b";
    how.gateway.clear();
    const auto text = in_words("carrier", how, 0);
    CHECK(text.starts_with("trunk `carrier` is not registered: no gateway's name can be resolved"));
    CHECK(text.find('\x1b') == std::string::npos); // What a carrier says moves no cursor.
    how.state = registration_state::registered;
    how.gateway = "198.51.100.1";
    CHECK(in_words("carrier", how, 0) == "trunk `carrier` is registered at 198.51.100.1");
}

} // namespace
} // namespace softswitch
