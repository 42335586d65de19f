// The torture messages of RFC 4475 and RFC 5118, from a carrier of ours into one engine that lives.
#include <filesystem>
#include <string>
#include <string_view>

#include "support/torture.hpp"
#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;

struct live : driver {
    live() {
        auto wanted = carrier();
        wanted.numbers = {{"*"}};
        wanted.channels = 1000;
        config.on_incoming = [](incoming_call& c) { CHECK(c.ringing()); };
        add(wanted);
    }
};

/// Gives one datagram to an engine and returns the last status that comes back, or nothing.
std::string answer_to(live& d, const std::string& bytes) {
    // Some share a branch with one before, and would be taken for its retransmission.
    d.advance(200s);
    static_cast<void>(d.texts());
    d.receive(bytes);
    const auto texts = d.texts();
    for (const auto& text : texts) {
        // Nothing but responses, each with what section 8.2.6 asks for, and whole.
        CHECK(text.starts_with("SIP/2.0 "));
        CHECK(text.ends_with("\r\n\r\n"));
        CHECK(text.find("\r\nVia: ") != std::string::npos);
    }
    if (texts.empty()) return {};
    const auto status = support::status_of(texts.back());
    if (status == "405" || status == "501") {
        CHECK(support::header(texts.back(), "Allow") ==
              "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY");
    }
    if (status == "415") CHECK(support::header(texts.back(), "Accept") == "application/sdp");
    if (status == "406") CHECK(support::header(texts.back(), "Warning").starts_with("399 "));
    if (status == "420") CHECK(support::headers(texts.back(), "Unsupported").size() == 2);
    return status;
}

void check_folder(std::string_view folder, std::size_t files) {
    live d;
    const auto messages = support::torture_messages(folder);
    for (const auto& message : messages) {
        CAPTURE(message.file);
        CAPTURE(message.expected);
        const auto bytes = support::read_file(message.path);
        REQUIRE_FALSE(bytes.empty());
        const auto status = answer_to(d, bytes);
        CHECK(status == support::torture_answers.at(message.file));
        // Either the table says so as well, or there is a reason.
        CHECK(support::answers_by_the_table(message).contains(status) !=
              support::not_by_the_table.contains(message.file));
    }
    CHECK(messages.size() == files);
    d.advance(200s);
    CHECK(d.empty());
}

TEST_CASE("trunks::engine: answers the torture messages of RFC 4475 as they ask for") {
    if (support::have_shared("rfc4475")) check_folder("rfc4475", 50);
}

TEST_CASE("trunks::engine: answers the torture messages of RFC 5118 as they ask for") {
    if (support::have_shared("rfc5118")) check_folder("rfc5118", 12);
}

std::string changed(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST_CASE("trunks::engine: a tag, a codec or IPv6 alone keeps four torture messages from ringing") {
    if (!support::have_shared("rfc4475") || !support::have_shared("rfc5118")) return;
    live d;
    const auto ipv4 = support::read_file(support::shared("rfc4475/msgs/wsinv.dat"));
    CHECK(answer_to(d, changed(ipv4, "tag    = 1918181833n", "gat    = 1918181833n")) == "180");
    auto bye =
        support::read_file(support::shared("rfc5118/wire/via-received-param-with-delim.sip"));
    REQUIRE(bye.starts_with("BYE "));
    bye = changed(changed(bye, "BYE ", "OPTIONS "), " BYE\r", " OPTIONS\r");
    CHECK(answer_to(d, changed(bye, ";tag=bd76ya", "")) == "200");
    for (const auto* file : {"ipv6-in-sdp", "ipv4-mapped-ipv6"}) {
        CAPTURE(file);
        const auto path = support::shared("rfc5118/wire") / (std::string{file} + ".sip");
        auto rings = changed(support::read_file(path), "RTP/AVP 2", "RTP/AVP 0");
        // Its media is at an IPv6 address, and ours at one of IPv4 (RFC 3264 section 6).
        if (std::string_view{file} == "ipv6-in-sdp") {
            CHECK(answer_to(d, rings) == "488");
            rings = changed(rings, "c=IN IP6 2001:db8::20", "c=IN IP4 203.0.113.20");
            rings = changed(changed(rings, "as3-111", "as3-112"), "Call-ID: ", "Call-ID: x");
        }
        CHECK(answer_to(d, rings) == "180");
    }
}

TEST_CASE("trunks::engine: cut or changed anywhere a torture message harms nobody") {
    if (!support::have_shared("rfc4475")) return;
    live d;
    seeded_entropy dice{4475};
    for (const auto& entry : std::filesystem::directory_iterator{support::shared("rfc4475/msgs")}) {
        const auto whole = support::read_file(entry.path());
        for (int i = 0; i < 20; ++i) {
            auto bytes = whole;
            bytes[dice.below(bytes.size())] = static_cast<char>(dice.below(256));
            if (i % 2 == 0) bytes.resize(dice.below(bytes.size()) + 1);
            d.receive(bytes);
            for (const auto& text : d.texts()) CHECK(text.starts_with("SIP/2.0 "));
        }
    }
    d.advance(300s);
    CHECK(d.empty());
}

} // namespace
} // namespace trunkline
