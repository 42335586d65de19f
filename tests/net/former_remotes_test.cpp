#include "former_remotes.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace trunkline::net {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{std::chrono::hours{1}};
constexpr endpoint carrier{address::v4(192, 0, 2, 1), 20'000};
constexpr endpoint reports{address::v4(192, 0, 2, 1), 20'001};
constexpr endpoint nat{address::v4(203, 0, 113, 9), 4711};
constexpr endpoint other{address::v4(192, 0, 2, 1), 20'002};

struct a_call_that_ended {
    former_remotes pair;
    a_call_that_ended() {
        pair.sent(false, carrier);
        pair.sent(true, reports);
        CHECK(pair.heard(false, nat, start));
        pair.freed(start);
    }
};

TEST_CASE("net::former_remotes: a pair of which no call is over hears everybody") {
    former_remotes pair;
    CHECK(pair.heard(false, carrier, start));
    CHECK(pair.heard(true, {}, start));
    pair.sent(false, carrier);
    CHECK(pair.heard(false, carrier, start));
    CHECK(pair.heard(false, other, start));
}

TEST_CASE_FIXTURE(a_call_that_ended,
                  "net::former_remotes: what was sent to and heard last is barred for 60 seconds") {
    for (const auto after : {0ms, 32'000ms, 59'999ms}) {
        CHECK_FALSE(pair.heard(false, carrier, start + after));
        CHECK_FALSE(pair.heard(false, nat, start + after));
        CHECK_FALSE(pair.heard(true, reports, start + after));
        CHECK(pair.heard(false, other, start + after));
        CHECK(pair.heard(true, carrier, start + after));
    }
    CHECK(pair.heard(false, carrier, start + 60s));
    CHECK(pair.heard(false, nat, start + 60s));
    CHECK(pair.heard(true, reports, start + 60s));
}

TEST_CASE_FIXTURE(a_call_that_ended,
                  "net::former_remotes: what the new call sends to is described, and is heard") {
    pair.sent(false, carrier);
    CHECK(pair.heard(false, carrier, start + 1s));
    CHECK_FALSE(pair.heard(false, nat, start + 1s));
    CHECK_FALSE(pair.heard(true, reports, start + 1s));
    pair.sent(true, reports);
    CHECK(pair.heard(true, reports, start + 1s));
}

TEST_CASE_FIXTURE(a_call_that_ended,
                  "net::former_remotes: a report lifts the bar for the RTP port below it") {
    pair.sent(true, reports);
    CHECK(pair.heard(true, reports, start + 1s));
    CHECK(pair.heard(false, carrier, start + 1s));
    CHECK_FALSE(pair.heard(false, nat, start + 1s));
}

TEST_CASE_FIXTURE(a_call_that_ended, "net::former_remotes: sending elsewhere lifts nothing") {
    pair.sent(false, other);
    pair.sent(true, {other.address, 20'003});
    CHECK_FALSE(pair.heard(false, carrier, start + 1s));
    CHECK_FALSE(pair.heard(true, reports, start + 1s));
}

TEST_CASE_FIXTURE(
    a_call_that_ended,
    "net::former_remotes: the next call's end bars its own remotes, and from then on") {
    pair.sent(false, other);
    pair.freed(start + 40s);
    CHECK_FALSE(pair.heard(false, other, start + 99s));
    CHECK(pair.heard(false, carrier, start + 41s));
}

TEST_CASE_FIXTURE(a_call_that_ended,
                  "net::former_remotes: a call that spoke with no peer leaves the bar as it was") {
    CHECK_FALSE(pair.heard(false, carrier, start + 40s));
    pair.freed(start + 40s);
    CHECK_FALSE(pair.heard(false, carrier, start + 59s));
    CHECK(pair.heard(false, carrier, start + 60s));
}

} // namespace
} // namespace trunkline::net
