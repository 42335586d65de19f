#include "exposure.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include <fmt/format.h>

#include "notes.hpp"
#include "scratch.hpp"

namespace softswitch {
namespace {

[[nodiscard]] std::string exposed(const std::string& text) {
    problems found;
    const auto of = parse_configuration(text, {});
    REQUIRE(of.has_value());
    warn_of_exposure(*of, found);
    std::string all;
    for (const auto& one : found) all += fmt::format("{}: {}\n", one.field, one.message);
    return all;
}

[[nodiscard]] std::string trunk(const std::string& name, const std::string& allow_from,
                                const std::string& numbers, const std::string& more = {}) {
    return fmt::format("[[trunk]]\nname = \"{}\"\nallow_from = [\"{}\"]\nnumbers = [\"{}\"]\n"
                       "agent = \"echo\"\n{}",
                       name, allow_from, numbers, more);
}
[[nodiscard]] std::string password(const std::string& text) {
    return fmt::format("inbound_auth = {{username = \"carrier\", password = \"{}\"}}\n", text);
}

TEST_CASE("softswitch::exposure: a password that is guessed is named, and one at random is not") {
    for (const auto* weak :
         {"Xk3", "Xk3-9vTq2Lm", "change-me-too", "My-Password-42", "carrier-7fQ-zz9",
          "CARRIER42xx99", "834729104726", "aaaabbbbaaaabbbb", "sip-sip-31337-x"}) {
        CAPTURE(weak);
        CHECK(exposed(trunk("t", "198.51.100.0/24", "*", password(weak)))
                  .starts_with("trunk[0].inbound_auth.password: "));
    }
    for (const auto* good : {"Xk3-9vTq2LmZ", "c0rrect horse battery", "7f3a9c51e2d84b60"}) {
        CAPTURE(good);
        CHECK(exposed(trunk("t", "198.51.100.0/24", "*", password(good))).empty());
    }
}

TEST_CASE(
    "softswitch::exposure: any number for a network that identifies nobody wants a password") {
    for (const auto* wide : {"0.0.0.0/0", "::/0", "128.0.0.0/1", "203.0.0.0/15", "2001:d00::/24"}) {
        CAPTURE(wide);
        CHECK(exposed(trunk("t", wide, "*")).starts_with("trunk[0].allow_from[0]: anybody in "));
        CHECK(exposed(trunk("t", wide, "*", password("7f3a9c51e2d84b60"))).empty());
        CHECK(exposed(trunk("t", wide, "*", "inbound = false\n")).empty());
    }
    for (const auto* narrow : {"203.0.0.0/16", "2001:db8::/32", "127.0.0.0/8", "10.0.0.0/8"}) {
        CAPTURE(narrow);
        CHECK(exposed(trunk("t", narrow, "*")).empty());
    }
}

TEST_CASE("softswitch::exposure: a trunk whose calls another one takes is named, with that one") {
    struct row {
        std::string first, second;
        bool hidden;
    };
    const std::array rows{
        row{trunk("a", "0.0.0.0/0", "+49301", ""), trunk("b", "198.51.100.0/24", "+49301"), true},
        row{trunk("a", "198.51.100.0/24", "*"), trunk("b", "198.51.100.7", "+49301"), true},
        row{trunk("a", "198.51.100.0/24", "49301"), trunk("b", "198.51.100.0/24", "+49301"), true},
        row{trunk("a", "198.51.100.0/24", "*"), trunk("b", "198.51.100.0/24", "*"), true},
        row{trunk("a", "198.51.100.0/24", "+49301"), trunk("b", "198.51.100.0/24", "+49302"),
            false},
        row{trunk("a", "198.51.100.7", "*"), trunk("b", "198.51.100.0/24", "*"), false},
        row{trunk("a", "203.0.113.0/24", "*"), trunk("b", "198.51.100.0/24", "*"), false},
        row{trunk("a", "198.51.100.0/24", "*", "inbound = false\n"),
            trunk("b", "198.51.100.0/24", "*"), false},
    };
    for (const auto& one : rows) {
        CAPTURE(one.first);
        CAPTURE(one.second);
        const auto said = exposed(one.first + one.second);
        CHECK(said.empty() != one.hidden);
        if (one.hidden) {
            CHECK(said.starts_with("trunk[1]: calls from "));
            CHECK(said.find("taken by trunk \"a\"") != std::string::npos);
        }
    }
    // A source that is listed goes before one that is a gateway only, wherever they stand.
    const std::string gateway = "[[trunk]]\nname = \"b\"\ngateways = [\"198.51.100.7\"]\n"
                                "numbers = [\"*\"]\nagent = \"echo\"\n";
    const auto said = exposed(gateway + trunk("a", "198.51.100.0/24", "+49301"));
    CHECK(said.empty()); // Not of that trunk's numbers: "*" is asked for by it, one is taken.
    CHECK(exposed(gateway + trunk("a", "198.51.100.0/24", "*")).starts_with("trunk[0]: "));
}

TEST_CASE("softswitch::exposure: a carrier that is not verified is named") {
    const std::string by_tls = "[[trunk]]\nname = \"t\"\ngateways = [\"sip.example.net\"]\n"
                               "transport = \"tls\"\nnumbers = [\"*\"]\nagent = \"echo\"\n";
    CHECK(exposed(by_tls).empty());
    CHECK(exposed(by_tls + "[trunk.tls]\nverify = false\n").starts_with("trunk[0].tls.verify: "));
}

TEST_CASE("softswitch::notes: a refused login is a line whose end a stranger wrote") {
    const trunkline::login_refusal one{"carrier", *trunkline::endpoint::parse("203.0.113.77:5060"),
                                       "x\" source=1.2.3.4\n", false};
    CHECK(in_words(one) == "login refused: source=203.0.113.77 trunk=\"carrier\" "
                           "user=\"x\" source=1.2.3.4\\x0a\"");
    const trunkline::login_refusal banned{
        "carrier", *trunkline::endpoint::parse("[2001:db8::1]:5060"), "bob", true};
    CHECK(in_words(banned) ==
          "login refused: source=2001:db8::1 trunk=\"carrier\" banned user=\"bob\"");
}

TEST_CASE("softswitch::notes: a full trunk is told with its name") {
    trunkline::call_record record;
    record.trunk = "carrier";
    CHECK(of_its_trunk(record).empty());
    record.refused = trunkline::diagnostic::refused_channels_full;
    CHECK(of_its_trunk(record) == "trunk \"carrier\" is full: all its channels are in use, and a "
                                  "call in was refused; raise channels");
    record.direction = trunkline::direction::outbound;
    CHECK(of_its_trunk(record).find("a call out") != std::string::npos);
}

} // namespace
} // namespace softswitch
