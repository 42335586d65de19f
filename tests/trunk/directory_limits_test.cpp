// Limits of a configuration at their exact values: the last that is taken, the first that is not.
#include <trunkline/trunk/directory.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;

[[nodiscard]] std::string refused(trunk_config wanted) {
    const auto made = trunks::compile(trunk_id{1}, std::move(wanted), {}, nullptr, nullptr);
    return made ? std::string{} : made.reason().field;
}

TEST_CASE("trunks::compile: takes each limit as it is documented, and nothing beyond") {
    struct row {
        std::string field;
        std::function<void(trunk_config&, int)> set;
        int least;
        int most;
    };
    const std::vector<row> rows{
        {"name", [](auto& c, int n) { c.name = std::string(static_cast<std::size_t>(n), 'x'); }, 1,
         100},
        {"channels", [](auto& c, int n) { c.channels = static_cast<unsigned>(n); }, 1, 1000},
        {"calls_per_second", [](auto& c, int n) { c.calls_per_second = static_cast<unsigned>(n); },
         1, 100'000},
        {"min_se",
         [](auto& c, int n) {
             c.min_se = std::chrono::seconds{n};
             c.session_expires = 24h; // No less than min_se, whatever that is.
         },
         90, 3'600},
        {"session_expires", [](auto& c, int n) { c.session_expires = std::chrono::seconds{n}; }, 90,
         86'400},
        {"registration.expires",
         [](auto& c, int n) {
             c.gateways = {{"198.51.100.1"}};
             c.auth = userpass{"alice", "secret"};
             c.registration.emplace().expires = std::chrono::seconds{n};
         },
         60, 3'600},
    };
    for (const auto& row : rows) {
        CAPTURE(row.field);
        const auto with = [&](int value) {
            auto wanted = support::driver::carrier();
            row.set(wanted, value);
            return refused(std::move(wanted));
        };
        CHECK(with(row.least) == "");
        CHECK(with(row.most) == "");
        CHECK(with(row.least - 1) == row.field);
        CHECK(with(row.most + 1) == row.field);
    }
}

TEST_CASE("trunks::compile: eight gateways are taken, and their order is that of priority") {
    auto wanted = support::driver::carrier();
    for (int i = 1; i <= 8; ++i) {
        gateway one{"198.51.100." + std::to_string(i)};
        one.priority = static_cast<decltype(one.priority)>(9 - i);
        wanted.gateways.push_back(one);
    }
    const auto made = trunks::compile(trunk_id{1}, wanted, {}, nullptr, nullptr);
    REQUIRE(made.has_value());
    REQUIRE((*made)->gateways.size() == 8);
    CHECK((*made)->gateways.front().host == "198.51.100.8");
    CHECK((*made)->gateways.back().host == "198.51.100.1");
    wanted.gateways.push_back({"198.51.100.9"});
    CHECK(refused(wanted) == "gateways");
}

TEST_CASE("trunks::trunk: every number of a list is found, with its plus and without") {
    auto wanted = support::driver::carrier();
    wanted.numbers = {{"+4930200"}, {"4930100"}, {"+4930300"}};
    const auto made = trunks::compile(trunk_id{1}, wanted, {}, nullptr, nullptr);
    REQUIRE(made.has_value());
    for (const std::string number : {"4930100", "4930200", "4930300"}) {
        CAPTURE(number);
        for (const std::string& written : {number, '+' + number}) {
            const auto* found = (*made)->find(written);
            REQUIRE(found != nullptr);
            CHECK(found->number.ends_with(number));
        }
    }
    CHECK((*made)->find("+4930400") == nullptr);
    CHECK((*made)->find("+493010") == nullptr);
}

} // namespace
} // namespace trunkline
