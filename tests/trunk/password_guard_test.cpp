#include <trunkline/trunk/password_guard.hpp>

#include <doctest/doctest.h>

#include <string>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using trunks::password_guard;
using verdict = password_guard::verdict;

const address guesser = address::v4(203, 0, 113, 77);
const address caller = address::v4(203, 0, 113, 8);

struct guarding {
    seeded_entropy random{7};
    password_guard guard{random};
    time_point now{1000s};

    [[nodiscard]] static password_guard::asker by(const address& source,
                                                  std::string_view user = "user") {
        return {source, "trunk", user};
    }
    [[nodiscard]] verdict ask(const address& source, std::string_view user = "user") {
        return guard.ask(by(source, user), now).what;
    }
    [[nodiscard]] bool wrong(const address& source, std::string_view user = "user") {
        return guard.wrong(by(source, user), 3, now);
    }
    /// Until a source is banned: how many of its guesses were looked at.
    [[nodiscard]] int guess(const address& source) {
        int looked = 0;
        for (int n = 0; n < 1000 && !guard.banned(source, now); ++n) {
            const auto told = ask(source);
            if (told == verdict::look && ++looked) static_cast<void>(wrong(source));
            now += 100ms;
        }
        return looked;
    }
};

TEST_CASE_FIXTURE(guarding, "trunks::password_guard: each wrong answer doubles the wait, from the "
                            "last free one on") {
    guard.right(by(caller, "another"), now); // So that nobody is banned meanwhile.
    for (int n = 0; n < 2; ++n) CHECK_FALSE(wrong(caller));
    CHECK(ask(caller) == verdict::look);
    for (const auto seconds : {1U, 2U, 4U, 8U, 16U, 32U, 60U, 60U}) {
        CAPTURE(seconds);
        CHECK_FALSE(wrong(caller));
        const auto told = guard.ask(by(caller), now);
        CHECK(told.what == verdict::wait);
        CHECK(told.seconds == seconds);
        now += std::chrono::seconds{seconds} - 1ms;
        CHECK(guard.ask(by(caller), now).seconds == 1);
        now += 1ms;
        CHECK(ask(caller) == verdict::look);
    }
    // So it is for who has shown nothing.
    for (int n = 0; n < 4; ++n) CHECK_FALSE(wrong(guesser));
    CHECK(guard.ask(by(guesser), now).seconds == 2);
}

TEST_CASE_FIXTURE(guarding, "trunks::password_guard: who goes on is banned for ten minutes, and "
                            "nobody else") {
    CHECK(guess(guesser) <= 6);
    CHECK(guard.banned(guesser, now));
    CHECK(ask(guesser) == verdict::banned);
    CHECK(ask(guesser, "another") == verdict::banned);
    CHECK(ask(caller) == verdict::look);
    CHECK_FALSE(guard.banned(caller, now));
    now += 10min;
    CHECK_FALSE(guard.banned(guesser, now));
    CHECK(ask(guesser) == verdict::look);
}

TEST_CASE_FIXTURE(guarding, "trunks::password_guard: a source that has shown a password is slowed "
                            "by user, and never banned") {
    guard.right(by(caller), now);
    CHECK(guard.has_shown(caller, now));
    for (int n = 0; n < 100; ++n) {
        if (ask(caller, "other") == verdict::look) CHECK_FALSE(wrong(caller, "other"));
        CHECK_FALSE(guard.banned(caller, now));
    }
    CHECK(ask(caller, "other") == verdict::wait);
    CHECK(ask(caller) == verdict::look); // The user whose password was right.
    now += 1h - 1ms;
    CHECK(guard.has_shown(caller, now));
    now += 1ms;
    CHECK_FALSE(guard.has_shown(caller, now));
    CHECK(guess(caller) <= 6);
    CHECK(guard.banned(caller, now));
}

TEST_CASE_FIXTURE(guarding, "trunks::password_guard: a right answer ends what wrong ones began") {
    for (int n = 0; n < 3; ++n) static_cast<void>(wrong(guesser));
    CHECK(ask(guesser) == verdict::wait);
    guard.right(by(guesser), now);
    CHECK(ask(guesser) == verdict::look);
    // Wrong ones that are long ago do not count.
    for (int n = 0; n < 2; ++n) static_cast<void>(wrong(caller));
    now += 10min;
    for (int n = 0; n < 2; ++n) static_cast<void>(wrong(caller));
    CHECK(ask(caller) == verdict::look);
}

TEST_CASE_FIXTURE(guarding, "trunks::password_guard: an IPv6 source is its /64") {
    const auto one = *address::parse("2001:db8:0:1::1");
    for (int n = 0; n < 3; ++n) static_cast<void>(wrong(one));
    CHECK(ask(*address::parse("2001:db8:0:1:ffff::2")) == verdict::wait);
    CHECK(ask(*address::parse("2001:db8:0:2::1")) == verdict::look);
}

TEST_CASE_FIXTURE(guarding, "trunks::password_guard: many sources at one trunk have fewer guesses, "
                            "and a fresh caller has one") {
    const auto source = [](int n) {
        return address::v4(100, 64, static_cast<std::uint8_t>(n / 250),
                           static_cast<std::uint8_t>(n % 250));
    };
    for (int n = 0; n < 60; ++n) static_cast<void>(wrong(source(n)));
    int looked = 0;
    for (int n = 0; n < 100 && !guard.banned(guesser, now); ++n) {
        if (ask(guesser) == verdict::look && ++looked) static_cast<void>(wrong(guesser));
    }
    CHECK(guard.banned(guesser, now));
    CHECK(looked == 3);
    CHECK(ask(caller) == verdict::look);
}

TEST_CASE_FIXTURE(guarding,
                  "trunks::password_guard: a flood of sources makes nobody forget who has "
                  "shown a password") {
    guard.right(by(caller), now);
    for (int n = 0; n < 100'000; ++n) {
        const auto source = address::v4(static_cast<std::uint8_t>(1 + n / 65'536),
                                        static_cast<std::uint8_t>(n / 256 % 256),
                                        static_cast<std::uint8_t>(n % 256), 9);
        static_cast<void>(guard.wrong({source, "trunk", std::to_string(n)}, 3, now));
    }
    CHECK(guard.has_shown(caller, now));
    CHECK(ask(caller) == verdict::look);
}

} // namespace
} // namespace trunkline
