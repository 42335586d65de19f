#include <trunkline/sip/uri.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "support/print.hpp"

namespace trunkline::sip {
namespace {

using kind = uri_view::scheme_kind;

TEST_CASE("sip::uri: takes the examples of RFC 3261 19.1.3 and RFC 3966 apart") {
    struct row {
        std::string_view text;
        kind scheme;
        std::string_view user;
        std::string_view password;
        std::string_view host;
        int port; ///< -1 is none.
        std::string_view parameters;
        std::string_view headers;
    };
    const row table[] = {
        {"sip:alice@atlanta.com", kind::sip, "alice", "", "atlanta.com", -1, "", ""},
        {"sip:alice:secretword@atlanta.com;transport=tcp", kind::sip, "alice", "secretword",
         "atlanta.com", -1, ";transport=tcp", ""},
        {"sips:alice@atlanta.com?subject=project%20x&priority=urgent", kind::sips, "alice", "",
         "atlanta.com", -1, "", "subject=project%20x&priority=urgent"},
        {"sip:+1-212-555-1212:1234@gateway.com;user=phone", kind::sip, "+1-212-555-1212", "1234",
         "gateway.com", -1, ";user=phone", ""},
        {"sips:1212@gateway.com", kind::sips, "1212", "", "gateway.com", -1, "", ""},
        {"sip:alice@192.0.2.4", kind::sip, "alice", "", "192.0.2.4", -1, "", ""},
        {"sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", kind::sip, "", "", "atlanta.com",
         -1, ";method=REGISTER", "to=alice%40atlanta.com"},
        {"sip:alice;day=tuesday@atlanta.com", kind::sip, "alice;day=tuesday", "", "atlanta.com", -1,
         "", ""},
        {"SiP:h", kind::sip, "", "", "h", -1, "", ""},
        {"sip:h:0", kind::sip, "", "", "h", 0, "", ""},
        {"sip:a@h:65535;lr", kind::sip, "a", "", "h", 65'535, ";lr", ""},
        {"sip:a:@h", kind::sip, "a", "", "h", -1, "", ""},
        {"sip:[2001:db8::9:1]:5060", kind::sip, "", "", "[2001:db8::9:1]", 5060, "", ""},
        // What section 25.1 wants escaped, or there, and other stacks do not.
        {"sip:1002#4155550123@h", kind::sip, "1002#4155550123", "", "h", -1, "", ""},
        {"sip:+1 415 555 0123@h;lr", kind::sip, "+1 415 555 0123", "", "h", -1, ";lr", ""},
        {"sip:# :x@h", kind::sip, "# ", "x", "h", -1, "", ""},
        {"sip:@h", kind::sip, "", "", "h", -1, "", ""},
        {"sip:a?b/c@h?x=y", kind::sip, "a?b/c", "", "h", -1, "", "x=y"},
        {"sip:%61%00@h;%6cr", kind::sip, "%61%00", "", "h", -1, ";%6cr", ""},
        {"tel:+1-201-555-0123", kind::tel, "+1-201-555-0123", "", "", -1, "", ""},
        {"tel:7042;phone-context=example.com", kind::tel, "7042", "", "", -1,
         ";phone-context=example.com", ""},
        {"tel:*31#", kind::tel, "*31#", "", "", -1, "", ""},
        {"http://example.com/a?b@c", kind::other, "", "", "", -1, "", ""},
        {"urn:service:sos", kind::other, "", "", "", -1, "", ""},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = uri_view::parse(row.text);
        CHECK(read.has_value());
        if (!read) continue;
        CHECK(read->text == row.text);
        CHECK(read->scheme == row.scheme);
        CHECK(read->user == row.user);
        CHECK(read->password == row.password);
        CHECK(read->host == row.host);
        CHECK((read->has_port ? read->port : -1) == row.port);
        CHECK(read->parameters == row.parameters);
        CHECK(read->headers == row.headers);
    }
}

TEST_CASE("sip::uri: says what is wrong, and where") {
    struct row {
        std::string_view text;
        errc code;
        std::uint32_t offset;
    };
    const row table[] = {
        {"", errc::need_more, 0},
        {"sip", errc::need_more, 3},
        {"sip:", errc::bad_address, 4},
        {"sip::x@h", errc::bad_token, 4},
        {"sip:a@", errc::bad_address, 6},
        {"sip:a@b@c", errc::trailing_bytes, 7},
        {"sip:a%4@h", errc::bad_escape, 5},
        {"sip:a%zz@h", errc::bad_escape, 5},
        {"sip:a%", errc::trailing_bytes, 5},
        {"sip:a\tb@h", errc::bad_token, 5},
        {"sip:a b", errc::trailing_bytes, 5},
        {"sip:a<b@h", errc::bad_token, 5},
        {"sip:a:b c@h", errc::bad_token, 7},
        {"sip:a\x01@h", errc::bad_token, 5},
        {"sip:\xc3\xbc@h", errc::bad_token, 4},
        {"sip:h:", errc::bad_number, 6},
        {"sip:h:65536", errc::bad_number, 6},
        {"sip:h:80x", errc::trailing_bytes, 8},
        {"sip:h;", errc::bad_token, 6},
        {"sip:h;;lr", errc::bad_token, 6},
        {"sip:h;=x", errc::bad_token, 6},
        {"sip:h;a=\"b\"", errc::bad_token, 8},
        {"sip:h;a=%2", errc::bad_escape, 8},
        {"sip:[::1", errc::bad_address, 4},
        {"sip:[::g]", errc::bad_address, 4},
        {"sip:1.2.3.256", errc::bad_address, 4},
        {"sip:1.2.3", errc::bad_address, 4},
        {"sip:h h", errc::trailing_bytes, 5},
        {"sip:h?a=%4", errc::bad_escape, 8},
        {"sip:h?a b", errc::bad_token, 7},
        {"tel:", errc::need_more, 4},
        {"tel:+", errc::need_more, 5},
        {"tel:+1x", errc::bad_token, 6},
        {"tel:1+2", errc::bad_token, 5},
        {"tel:+1;", errc::bad_token, 7},
        {"ht tp://x", errc::bad_token, 2},
        {"http://a b", errc::bad_token, 8},
        {"http://a<b", errc::bad_token, 8},
        {"192.0.2.1:5060", errc::bad_token, 0}, // A scheme begins with a letter.
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = uri_view::parse(row.text);
        CHECK_FALSE(read.has_value());
        if (read) continue;
        CHECK(read.reason() == error{.code = row.code, .offset = row.offset});
    }
}

TEST_CASE("sip::uri: finds parameters by name without case, and tells a flag from an absent one") {
    const auto read = uri_view::parse("sip:h;Transport=TLS;lr;maddr=[::1];lr-x=1");
    REQUIRE(read.has_value());
    CHECK(read->parameter("transport") == "TLS");
    CHECK(read->parameter("LR") == "");
    CHECK(read->parameter("maddr") == "[::1]");
    CHECK(read->parameter("lr-x") == "1");
    CHECK_FALSE(read->parameter("l").has_value());
    CHECK_FALSE(read->parameter("").has_value());
    CHECK_FALSE(read->parameter("ttl").has_value());
}

TEST_CASE("sip::uri: a local number in a global context is the number of both, RFC 3966 5.1.5") {
    struct row {
        std::string_view text;
        std::string_view shown;
        std::string_view number;
    };
    const row table[] = {
        {"tel:4155550100;phone-context=+1", "+14155550100", "+14155550100"},
        {"tel:415-555-0100;isub=1;PHONE-CONTEXT=+1", "+14155550100", "+14155550100"},
        {"tel:0100;phone-context=+1-415-555", "+14155550100", "+14155550100"},
        {"sip:4155550100;phone-context=+1@h;user=phone", "+14155550100", "+14155550100"},
        {"sip:4155550100;phone-context=%2B1@h", "+14155550100", "+14155550100"},
        {"tel:4155550100;phone-context=example.com", "4155550100", "4155550100"},
        {"tel:+14155550100;phone-context=+1", "+14155550100", "+14155550100"},
        {"tel:+1-415-555-0100", "+1-415-555-0100", "+14155550100"},
        {"tel:7042", "7042", "7042"},
        {"sip:bob;phone-context=+1@h", "bob;phone-context=+1", ""},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = uri_view::parse(row.text);
        REQUIRE(read.has_value());
        CHECK(shown_user(subscriber(*read)) == row.shown);
        CHECK(telephone_number(subscriber(*read)) == row.number);
    }
}

TEST_CASE("sip::uri: what is written is escaped, whatever was taken") {
    CHECK(escape_user("a#b c") == "a%23b%20c");
}

TEST_CASE("sip::uri: knows the default port of each scheme") {
    CHECK(uri_view::parse("sip:h")->port_or_default() == 5060);
    CHECK(uri_view::parse("sips:h")->port_or_default() == 5061);
    CHECK(uri_view::parse("sips:h:5070")->port_or_default() == 5070);
}

TEST_CASE("sip::uri: reads telephone numbers through separators, escapes and parameters") {
    CHECK(telephone_number("+1-(212)-555.1212") == "+12125551212");
    CHECK(telephone_number("%2B1212%35551212;phone-context=x") == "+12125551212");
    CHECK(telephone_number("%2b1") == "+1");
    CHECK(telephone_number("*31#") == "*31#");
    CHECK(telephone_number("1+2").empty());
    CHECK(telephone_number("alice").empty());
    CHECK(telephone_number("").empty());
    CHECK(telephone_number("12%3").empty());
    CHECK(telephone_number("12%zz").empty());
    CHECK(telephone_number("12%").empty());
}

TEST_CASE("sip::uri: what was escaped for a user part is a user part, and reads back") {
    std::string every;
    for (int c = 0; c < 256; ++c) every.push_back(static_cast<char>(c));
    const auto text = "sip:" + escape_user(every) + "@h";
    const auto read = uri_view::parse(text);
    REQUIRE(read.has_value());
    std::string back;
    for (std::size_t i = 0; i < read->user.size(); ++i) {
        if (read->user[i] != '%') {
            back.push_back(read->user[i]);
            continue;
        }
        back.push_back(
            static_cast<char>(std::stoi(std::string{read->user.substr(i + 1, 2)}, nullptr, 16)));
        i += 2;
    }
    CHECK(back == every);
    CHECK(escape_user("+1212 555") == "+1212%20555");
    CHECK(escape_user("a;b@c") == "a%3Bb%40c");
}

} // namespace
} // namespace trunkline::sip
