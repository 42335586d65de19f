// Twilio Media Streams as bots see it: every field of every message, and whatever bots may send.
#include "sockets/twilio.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace softswitch {
namespace {

using json = nlohmann::json;

[[nodiscard]] stream_start start_of_stream() {
    return {.account_sid = "AC0123456789abcdef0123456789abcdef",
            .call_sid = "CA0123456789abcdef0123456789abcdef",
            .stream_sid = "MZ0123456789abcdef0123456789abcdef",
            .parameters = {{"from_number", "+49 \"30\"\n"}, {"to_number", "+1"}}};
}

struct stream {
    twilio protocol;
    std::vector<wire_message> opening;

    stream() { protocol.write_start(start_of_stream(), opening); }
    [[nodiscard]] said read(const std::string& text, bool binary = false) {
        last = {binary, text};
        return protocol.read(last);
    }
    wire_message last;
};

TEST_CASE(
    "softswitch::twilio: connected and start open a stream, with every field that bots read") {
    const stream made;
    REQUIRE(made.opening.size() == 2);
    CHECK(json::parse(made.opening[0].bytes) ==
          json::parse(R"({"event":"connected","protocol":"Call","version":"1.0.0"})"));
    const auto start = json::parse(made.opening[1].bytes);
    CHECK(start == json::parse(R"({"event":"start","sequenceNumber":"1",
        "streamSid":"MZ0123456789abcdef0123456789abcdef",
        "start":{"accountSid":"AC0123456789abcdef0123456789abcdef",
                 "callSid":"CA0123456789abcdef0123456789abcdef",
                 "streamSid":"MZ0123456789abcdef0123456789abcdef","tracks":["inbound"],
                 "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},
                 "customParameters":{"from_number":"+49 \"30\"\n","to_number":"+1"}}})"));
    CHECK(start["start"]["mediaFormat"]["sampleRate"].is_number());
}

TEST_CASE("softswitch::twilio: counters are strings and count what they are said to count") {
    stream made;
    const std::vector<std::byte> silence(160, std::byte{0xff});
    wire_message out;
    made.protocol.write_audio(silence, 0, out);
    auto media = json::parse(out.bytes);
    CHECK(media["sequenceNumber"] == "2");
    CHECK(media["streamSid"] == start_of_stream().stream_sid);
    CHECK(media["media"]["track"] == "inbound");
    CHECK(media["media"]["chunk"] == "1");
    CHECK(media["media"]["timestamp"] == "0");
    CHECK(media["media"]["payload"].get<std::string>().size() == 216);
    CHECK(made.read(out.bytes).audio.size() == 160); // What we write, a bot may say back.
    made.protocol.write_digit('#', out);
    CHECK(json::parse(out.bytes) ==
          json::parse(R"({"event":"dtmf","streamSid":"MZ0123456789abcdef0123456789abcdef",
                          "sequenceNumber":"3","dtmf":{"track":"inbound_track","digit":"#"}})"));
    made.protocol.write_mark("a\"b", out);
    CHECK(json::parse(out.bytes) ==
          json::parse(R"({"event":"mark","streamSid":"MZ0123456789abcdef0123456789abcdef",
                          "sequenceNumber":"4","mark":{"name":"a\"b"}})"));
    made.protocol.write_audio(silence, 20, out);
    media = json::parse(out.bytes);
    CHECK(media["sequenceNumber"] == "5");
    CHECK(media["media"]["chunk"] == "2");
    CHECK(media["media"]["timestamp"] == "20");
    made.protocol.write_stop(out);
    CHECK(json::parse(out.bytes) ==
          json::parse(R"({"event":"stop","streamSid":"MZ0123456789abcdef0123456789abcdef",
                          "sequenceNumber":"6",
                          "stop":{"accountSid":"AC0123456789abcdef0123456789abcdef",
                                  "callSid":"CA0123456789abcdef0123456789abcdef"}})"));
}

TEST_CASE("softswitch::twilio: what bots say is read in any order of its keys") {
    stream made;
    for (const auto* const text :
         {R"({"event":"media","streamSid":"MZ","media":{"payload":"/3//"}})",
          R"({ "media" : { "track":"outbound", "payload":"/3//" }, "event":"media" })",
          R"({"media":{"payload":"\/3\/\/"},"streamSid":"MZ","event":"media","extra":[{},1]})"}) {
        CAPTURE(text);
        const auto what = made.read(text);
        CHECK(what.kind == said::what::audio);
        REQUIRE(what.audio.size() == 3);
        CHECK(what.audio[1] == std::byte{0x7f});
    }
    for (const auto* const text : {R"({"event":"mark","streamSid":"MZ","mark":{"name":"a\"b"}})",
                                   R"({"mark":{"name":"a\"b"},"event":"mark"})"}) {
        CAPTURE(text);
        const auto what = made.read(text);
        CHECK(what.kind == said::what::mark);
        CHECK(what.name == "a\"b");
    }
    CHECK(made.read(R"({"event":"clear","streamSid":"MZ"})").kind == said::what::clear);
    CHECK(made.read(R"({"event":"media","media":{"payload":"/w=="}})").audio.size() == 1);
    CHECK(made.read(R"({"event":"media","media":{"payload":"//8="}})").audio.size() == 2);
}

TEST_CASE("softswitch::twilio: whatever else a bot sends is nothing, and changes nothing") {
    stream made;
    const std::string long_name(twilio::longest_name + 1, 'n');
    for (const std::string& text :
         std::vector<std::string>{"",
                                  "{",
                                  "[]",
                                  "null",
                                  "7",
                                  "\"media\"",
                                  "garbage",
                                  "{}",
                                  R"({"event":7})",
                                  R"({"event":"media"})",
                                  R"({"event":"media","media":{}})",
                                  R"({"event":"media","media":{"payload":7}})",
                                  R"({"event":"media","media":{"payload":""}})",
                                  R"({"event":"media","media":{"payload":"abc"}})",
                                  R"({"event":"media","media":{"payload":"!!!!"}})",
                                  R"({"event":"mark"})",
                                  R"({"event":"mark","mark":{"name":7}})",
                                  R"({"event":"dance"})",
                                  R"({"event":"mark","mark":{"name":")" + long_name + R"("}})",
                                  std::string(1'000, '['),
                                  std::string("{\"event\":\"media\0\"}", 18)}) {
        CAPTURE(text);
        CHECK(made.read(text).kind == said::what::nothing);
    }
    CHECK(made.read(R"({"event":"clear"})", true).kind == said::what::nothing);
    CHECK(made.read(R"({"event":"clear"})").kind == said::what::clear);
}

TEST_CASE("softswitch::twilio: a message of 4 MiB is read") {
    stream made;
    const std::string payload(4'000'000, 'A');
    CHECK(made.read(R"({"event":"media","media":{"payload":")" + payload + R"("}})").audio.size() ==
          3'000'000);
}

} // namespace
} // namespace softswitch
