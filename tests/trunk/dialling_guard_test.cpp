// What a trunk dials and what it does not, in whatever form a number is written.
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/trunk/channels.hpp>
#include <trunkline/trunk/dialling_guard.hpp>
#include <trunkline/trunk/directory.hpp>

namespace trunkline {
namespace {

[[nodiscard]] trunk_config carrier() {
    trunk_config made;
    made.name = "carrier";
    made.gateways = {{"198.51.100.1"}};
    return made;
}

/// The setting that forbids it; empty when it is dialled.
[[nodiscard]] std::string field_of(const trunk_config& on, std::string_view target) {
    const auto found = forbidden(on, target);
    return found ? found->field : std::string{};
}

constexpr std::string_view harmless[]{"+14155550100",
                                      "14155550100",
                                      "0014155550100",
                                      "01114155550100",
                                      "+493012345678",
                                      "00493012345678",
                                      "+442079460000",
                                      "+44 (0)20 7946 0000",
                                      "+919000012345",
                                      "+390892345678", // Salerno, and not 892
                                      "tel:+14155550100",
                                      "sip:+14155550100@example.net;user=phone",
                                      "sip:alice@example.net",
                                      "alice",
                                      "agent007",
                                      "bob42",
                                      "1001",
                                      "8821", // an extension, and not +882
                                      "611",
                                      "*97",
                                      "+33612345678",
                                      ""};

/// +1 900 555 1234 and numbers of satellites, as others write them.
constexpr std::string_view costly[]{
    "+19005551234",
    "19005551234",
    "0019005551234",
    "01119005551234",
    "+0019005551234",
    "+01119005551234",
    "001119005551234",
    "+1-900-555-1234",
    "+1.900.555.1234",
    "+1 (900) 555 1234",
    "1 900 555 1234",
    "(+1)9005551234",
    "+1/900/555/1234",
    "+1_900_555_1234",
    "tel:+19005551234",
    "TEL:+1-900-555-1234",
    "tel:5551234;phone-context=+1900",
    "tel:9005551234;ext=4;phone-context=+1",
    "tel:+19005551234;phone-context=example.net",
    "tel:+14155550100;npdi;rn=+19005551234",
    "sip:+19005551234@example.net",
    "sips:19005551234@example.net",
    "SIP:+1900555%31234@example.net",
    "sip:+19005551234:secret@example.net",
    "sip:+19005551234;phone-context=+44@example.net;user=phone",
    "sip:9005551234;phone-context=+1@example.net;user=phone",
    "sip:%2B19005551234@example.net;user=phone",
    "sip:%252B1900%255551234@example.net",
    "sip:19005551234",
    "sip:tel:+19005551234",
    "<sip:+19005551234@example.net>",
    "%2B19005551234",
    "%31%39%30%30%35%35%35%31%32%33%34",
    "%2531%2539%2530%2530%2535555%31234",
    "tel%3A%2B19005551234",
    "+1900FLOWERS",
    "1-900-CALL-NOW1",
    "+1900x5551234",
    "+19005551234x99",
    "+1900\u20135551234",
    "\uff0b\uff11\uff19\uff10\uff10\uff15\uff15\uff15\uff11\uff12\uff13\uff14",
    "\u0661\u0669\u0660\u06605551234",
    "+1\u200b9005551234",
    "*6719005551234",
    "*67*0019005551234",
    "#31#+19005551234",
    "90019005551234",
    "9011870123456789",
    "101028801119005551234",
    "+870773111632",
    "00870773111632",
    "+88161234567890",
    "011 881 6123 4567890",
    "+8821612345678",
    "+449098790123",
    "+44(0)9098790123",
    "+4409098790123",
    "0044 09098790123",
    "+49 900 1234567",
    "+979123456789",
};

TEST_CASE("trunkline::forbidden: ordinary numbers, names, extensions and services are dialled") {
    const auto on = carrier();
    for (const auto target : harmless) {
        CAPTURE(target);
        CHECK(field_of(on, target) == "");
    }
}

TEST_CASE("trunkline::forbidden: a premium or satellite number is known in every form") {
    const auto on = carrier();
    for (const auto target : costly) {
        CAPTURE(target);
        CHECK(field_of(on, target) == "deny_prefixes");
    }
}

TEST_CASE("trunkline::forbidden: what an operator gives takes the place of the default list") {
    auto on = carrier();
    on.deny_prefixes.emplace();
    for (const auto target : costly) {
        CAPTURE(target);
        CHECK(field_of(on, target) == "");
    }
    on.deny_prefixes = {"+4930", "44"};
    CHECK(field_of(on, "+19005551234") == "");
    CHECK(field_of(on, "+493012345678") == "deny_prefixes");
    CHECK(field_of(on, "0049 (0)30 12345678") == "deny_prefixes");
    CHECK(field_of(on, "+498912345678") == "");
    CHECK(field_of(on, "+442079460000") == "deny_prefixes");
    CHECK(field_of(on, "4411") == "deny_prefixes"); // Without a plus it is of extensions, too.
    CHECK(field_of(on, "4930") == "");
}

TEST_CASE("trunkline::forbidden: ten digits are national where the caller is North American") {
    auto on = carrier();
    on.deny_prefixes = {"+1900"};
    CHECK(field_of(on, "9005551234") == "");
    on.caller_id = "+14155550100";
    CHECK(field_of(on, "9005551234") == "deny_prefixes");
    CHECK(field_of(on, "(900) 555-1234") == "deny_prefixes");
    CHECK(field_of(on, "4155551234") == "");
}

TEST_CASE("trunkline::forbidden: only what is allowed is dialled where something is") {
    auto on = carrier();
    on.allow_prefixes = {"+1", "+49", "700"};
    for (const std::string_view target :
         {"+14155550100", "14155550100", "0014155550100", "01114155550100", "tel:+493012345678",
          "0049 30 12345678", "+1-415-555-0100", "7001", "sip:+14155550100@example.net"}) {
        CAPTURE(target);
        CHECK(field_of(on, target) == "");
    }
    for (const std::string_view target :
         {"+442079460000", "442079460000", "00442079460000", "011442079460000", "001144207946000",
          "+00442079460000", "tel:2079460000;phone-context=+44", "1001", "4930", "alice",
          "sip:bob@example.net", "%2B442079460000", "+44FLOWERS", "4155550100"}) {
        CAPTURE(target);
        CHECK(field_of(on, target) == "allow_prefixes");
    }
    // What is denied stays so.
    CHECK(field_of(on, "+19005551234") == "deny_prefixes");
}

TEST_CASE("trunkline::forbidden: emergency numbers need allow_emergency, whatever they look like") {
    auto on = carrier();
    constexpr std::string_view forms[]{"911",
                                       "+911",
                                       "112",
                                       "999",
                                       "000",
                                       "9-1-1",
                                       "9 1 1",
                                       "tel:911",
                                       "TEL:112",
                                       "911;x=1",
                                       "911#",
                                       "sip:911@example.net",
                                       "%39%31%31",
                                       "9%31%31",
                                       "+1911",
                                       "+44999",
                                       "0044999",
                                       "011911",
                                       "00112",
                                       "1911",
                                       "9911",
                                       "911x1",
                                       "9\u200b11",
                                       "\uff19\uff11\uff11",
                                       "*67911",
                                       "sip:sos@a.b",
                                       "sos",
                                       "+91112",
                                       "p911",
                                       "sip:911;phone-context=+1@a.b",
                                       "sip:911:x@b",
                                       "tel:911;phone-context=+1",
                                       "urn:service:sos"};
    for (const auto target : forms) {
        CAPTURE(target);
        CHECK(field_of(on, target) == "allow_emergency");
    }
    on.allow_emergency = true;
    on.allow_prefixes = {"+49"};
    on.deny_prefixes = {"9", "+1"};
    for (const std::string_view target : {"911", "112", "tel:911", "sip:911@example.net", "sos"}) {
        CAPTURE(target);
        CHECK(field_of(on, target) == "");
    }
    // What begins like an emergency number is none.
    CHECK(field_of(on, "9115551234") == "deny_prefixes");
    CHECK(field_of(on, "1125") == "allow_prefixes");
}

TEST_CASE("trunkline::forbidden: the sentence names number, setting and trunk") {
    auto on = carrier();
    CHECK(forbidden(on, "0019005551234")->message ==
          "'0019005551234' begins with +1900, which deny_prefixes of the trunk 'carrier' has");
    CHECK(forbidden(on, "911")->message ==
          "'911' is an emergency number, and allow_emergency of the trunk 'carrier' is off");
    on.allow_prefixes = {"+49"};
    CHECK(forbidden(on, "+33612345678")->message ==
          "'+33612345678' begins with none of allow_prefixes of the trunk 'carrier'");
    CHECK(forbidden(on, "+33\r\n612345678")->message.find('\n') == std::string::npos);
}

/// What stands between backquotes behind a heading, up to the next one.
[[nodiscard]] std::vector<std::string> listed(const std::string& page, std::string_view heading) {
    const auto from = page.find(heading);
    REQUIRE(from != std::string::npos);
    const auto text =
        page.substr(from + heading.size(), page.find("\n## ", from + 1) - from - heading.size());
    std::vector<std::string> found;
    for (auto at = text.find('`'); at != std::string::npos;) {
        const auto end = text.find('`', at + 1);
        REQUIRE(end != std::string::npos);
        found.push_back(text.substr(at + 1, end - at - 1));
        at = text.find('`', end + 1);
    }
    return found;
}

TEST_CASE("trunkline::default_deny_prefixes: docs/dialling.md lists what there is, and no more") {
    std::ifstream file{TRUNKLINE_SOURCE_DIR "/docs/dialling.md"};
    REQUIRE(file);
    std::stringstream all;
    all << file.rdbuf();
    const auto page = all.str();
    const auto prefixes =
        listed(page, "## Premium rate and satellite numbers: the default of `deny_prefixes`");
    const auto defaults = default_deny_prefixes();
    CHECK(prefixes == std::vector<std::string>{defaults.begin(), defaults.end()});
    auto emergencies = listed(page, "## Emergency numbers");
    const auto known = emergency_numbers();
    REQUIRE(emergencies.size() >= known.size());
    emergencies.resize(known.size());
    CHECK(emergencies == std::vector<std::string>{known.begin(), known.end()});
}

TEST_CASE("trunkline::is_short_code: up to six digits, and nothing else") {
    CHECK(is_short_code("911"));
    CHECK(is_short_code("116123"));
    CHECK_FALSE(is_short_code("1161234"));
    CHECK_FALSE(is_short_code("+911"));
    CHECK_FALSE(is_short_code("*97"));
    CHECK_FALSE(is_short_code(""));
}

TEST_CASE("trunks::compile: a prefix is 1 to 15 digits") {
    const auto wrong = [](trunk_config config) {
        const auto made = trunks::compile({}, std::move(config), {}, nullptr, nullptr);
        return made ? std::string{} : made.reason().field;
    };
    auto on = carrier();
    on.allow_prefixes = {"+49", "1"};
    on.deny_prefixes = {"+1900", "123456789012345"};
    CHECK(wrong(on) == "");
    on.deny_prefixes = {"+1900", "1234567890123456"};
    CHECK(wrong(on) == "deny_prefixes[1]");
    on.deny_prefixes = {""};
    CHECK(wrong(on) == "deny_prefixes[0]");
    on.deny_prefixes = {"+"};
    CHECK(wrong(on) == "deny_prefixes[0]");
    on.deny_prefixes.reset();
    on.allow_prefixes = {"+49", "+1-415"};
    CHECK(wrong(on) == "allow_prefixes[1]");
    on.allow_prefixes.assign(1'000, "+49");
    CHECK(wrong(on) == "");
    on.allow_prefixes.emplace_back("+49");
    CHECK(wrong(on) == "allow_prefixes");
}

TEST_CASE("trunkline::token_ledger: a token has as many calls as it may, and others have theirs") {
    token_ledger of;
    CHECK(of.take("a", 2));
    CHECK(of.take("a", 2));
    CHECK_FALSE(of.take("a", 2));
    CHECK(of.take("b", 2));
    CHECK(of.take("a", 3)); // The limit may have been raised meanwhile,
    CHECK(of.take("a", 0)); // or taken away.
    of.give_back("a");
    of.give_back("a");
    CHECK_FALSE(of.take("a", 2));
    of.give_back("a");
    CHECK(of.take("a", 2));
    CHECK_FALSE(of.take("a", 2));
}

} // namespace
} // namespace trunkline
