#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <trunkline/audio/wav.hpp>
#include <trunkline/core/text.hpp>

#include "agents.hpp"
#include "background.hpp"
#include "check.hpp"
#include "notes.hpp"
#include "recording.hpp"
#include "scratch.hpp"
#include "text.hpp"

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using trunkline::address;

TEST_CASE("softswitch::text: a duration has a unit") {
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("30s") == 30s);
    CHECK(parse_duration("2m") == 2min);
    CHECK(parse_duration("1h") == 1h);
    for (const auto* const bad : {"", "5", "s", "-5s", "5 s", "5d", "1.5s", "99999999999s"}) {
        INFO(bad);
        CHECK(!parse_duration(bad));
    }
}

TEST_CASE("softswitch::text: a port range holds an even port and the odd one above it") {
    CHECK(parse_port_range("16384-32767") == trunkline::net::port_range{16'384, 32'767});
    CHECK(parse_port_range("4001-4003") == trunkline::net::port_range{4'001, 4'003});
    for (const auto* const bad : {"", "1", "1-", "-1", "0-9", "5-4", "4-4", "4001-4002", "1-65536",
                                  "4 - 9", "65535-65535"}) {
        INFO(bad);
        CHECK(!parse_port_range(bad));
    }
}

TEST_CASE("softswitch::text: the nearest word is the one with the fewest edits") {
    constexpr std::array<std::string_view, 4> known{"gateways", "gateway_timeout", "numbers",
                                                    "name"};
    CHECK(nearest("gatways", known) == "gateways");
    CHECK(nearest("number", known) == "numbers");
    CHECK(nearest("naem", known) == "name");
    CHECK(nearest("gateway-timeout", known) == "gateway_timeout");
    CHECK(nearest("x", {}).empty());
    CHECK(!nearest(std::string(1'000'000, 'x'), known).empty());
}

TEST_CASE("softswitch::text: what strangers sent is shown as ASCII") {
    CHECK(printable("a\x1b[2J\xc3\xa9\n") == "a\\x1b[2J\\xc3\\xa9\\x0a");
}

[[nodiscard]] std::string contents(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

TEST_CASE("softswitch::recording: the file is whole after every piece, and never replaced") {
    const scratch folder;
    auto made = recording::create(folder.path / "heard.wav");
    REQUIRE(made);
    const std::vector<std::int16_t> piece{1, -1, 32'767, -32'768};
    for (std::size_t pieces = 0; pieces <= 3; ++pieces) {
        // Not closed: as the file of a process that was killed just now.
        const auto bytes = contents(folder.path / "heard.wav");
        const auto wav = trunkline::audio::wav_view::parse(trunkline::as_bytes(bytes));
        REQUIRE(wav);
        CHECK(!wav->truncated);
        CHECK(wav->rate == 8'000);
        REQUIRE(wav->frames() == pieces * piece.size());
        if (pieces != 0) CHECK(wav->sample(wav->frames() - 1) == -32'768);
        CHECK(!made->append(piece));
    }
    const auto second = recording::create(folder.path / "heard.wav");
    REQUIRE(second);
    CHECK(second->path().filename() == "heard-2.wav");
    CHECK(!recording::create(folder.path / "absent" / "heard.wav"));
}

TEST_CASE("softswitch::background: does all that was posted, in order, before it ends") {
    std::vector<int> done;
    {
        background work;
        for (int i = 0; i < 100; ++i) CHECK(work.post([&done, i] { done.push_back(i); }));
    }
    REQUIRE(done.size() == 100);
    for (int i = 0; i < 100; ++i) CHECK(done[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("softswitch::background: refuses work, and counts it, when nobody does it") {
    std::promise<void> begun;
    std::promise<void> go_on;
    background work;
    work.post([&] {
        begun.set_value();
        go_on.get_future().wait();
    });
    begun.get_future().wait();
    for (std::size_t i = 0; i < background::most; ++i) REQUIRE(work.post([] {}));
    CHECK(!work.post([] {}));
    CHECK(work.take_refused() == 1);
    CHECK(work.take_refused() == 0);
    go_on.set_value();
}

TEST_CASE("softswitch::agents: every name makes its agent, and hold alone opens no media") {
    const scratch folder;
    std::filesystem::copy(TRUNKLINE_SOURCE_DIR "/examples/assets/greeting.wav", folder.path);
    agent_catalogue catalogue;
    background files;
    for (const auto* const name : {"reflect", "echo", "hold", "play:greeting.wav",
                                   "interrupt:greeting.wav", "record:heard.wav"}) {
        INFO(name);
        // Those of a file are there when it was loaded; the others always.
        const bool of_a_file = std::string_view{name}.find(':') != std::string_view::npos;
        CHECK((catalogue.make(name, files) == nullptr) == of_a_file);
        CHECK(catalogue.wrong_with(name).empty() != of_a_file);
        CHECK(catalogue.add(name, folder.path).empty());
        CHECK(catalogue.make(name, files) != nullptr);
        CHECK(catalogue.wrong_with(name).empty());
        CHECK(agent_catalogue::options(name).media == (std::string_view{name} != "hold"));
    }
    CHECK(catalogue.make("", files) == nullptr);
    CHECK(!catalogue.add("", folder.path).empty());
    CHECK(!catalogue.add("play:", folder.path).empty());
    CHECK(!catalogue.add("Echo", folder.path).empty());
    CHECK(catalogue.add("wss://bot.example.net/ws", folder.path).empty());
    CHECK(catalogue.wrong_with("ws://127.0.0.1:8765").empty());
    for (const auto* const name : {"ws://", "ws://a b", "http://bot", "record:/etc/x.wav", ""}) {
        INFO(name);
        CHECK(!catalogue.wrong_with(name).empty());
    }
}

TEST_CASE("softswitch::notes: every diagnostic that a machine can note has a sentence") {
    for (std::uint16_t code = 1; code < 1'000; ++code) {
        const auto what = static_cast<trunkline::diagnostic>(code);
        const auto name = trunkline::name(what);
        if (name.empty() || name == "none" || name == "unknown") continue;
        const trunkline::effects::note note{
            trunkline::severity::info, what, trunkline::owner_id::none, 0, {}};
        INFO(name);
        CHECK(in_words(note).starts_with(std::string{name} + ": "));
    }
    CHECK(in_words({trunkline::severity::warning,
                    trunkline::diagnostic::attempt_failed,
                    trunkline::owner_id{7},
                    2,
                    {503, 2}}) == "call 7: attempt_failed: attempt 2 ended with 503");
    trunkline::effects::note banned{trunkline::severity::warning,
                                    trunkline::diagnostic::source_banned,
                                    trunkline::owner_id::none,
                                    2,
                                    {}};
    const auto source = trunkline::address::v4(203, 0, 113, 66);
    std::memcpy(banned.values.data(), source.bytes.data(), sizeof source.bytes);
    CHECK(in_words(banned).ends_with(" (203.0.113.66)"));
    banned.code = trunkline::diagnostic::dialog_stranger;
    CHECK(in_words(banned).ends_with(" (203.0.113.66)"));
}

[[nodiscard]] configuration parsed(const std::string& text) {
    auto read = parse_configuration(text, {});
    if (!read) FAIL(to_text(read.reason().front(), "test"));
    return *std::move(read);
}

/// Behind NAT: every route leaves from 10.0.0.5.
[[nodiscard]] surveyor behind_nat() {
    return {[](const std::string& name) -> std::optional<address> {
                if (name == "sip.example.net") return address::v4(8, 8, 8, 8);
                return std::nullopt;
            },
            [](const address&) -> std::optional<address> { return address::v4(10, 0, 0, 5); },
            [](const address& what) { return what == address::v4(10, 0, 0, 5); }};
}

[[nodiscard]] std::string all_of(const problems& found) {
    std::string text;
    for (const auto& one : found) text += to_text(one, "f") + "\n";
    return text;
}

TEST_CASE("softswitch::check: warns when a private address would be offered to a public gateway") {
    const std::string trunk = "[[trunk]]\nname = \"t\"\ngateways = [\"sip.example.net\"]\n"
                              "inbound = false\n";
    auto found = warnings(parsed(trunk), behind_nat());
    REQUIRE(found.size() == 2);
    CHECK(found[0].line == 3);
    CHECK(found[0].field == "trunk[0].gateways[0]");
    CHECK(found[0].message == "sip.example.net is on the Internet and would be told to send "
                              "signalling to 10.0.0.5, which it cannot reach: set listen.advertise "
                              "to the public address of this machine");
    CHECK(found[1].message.find("send media to 10.0.0.5") != std::string::npos);

    CHECK(warnings(parsed("listen = [{advertise = \"sip.us.example\"}]\n"
                          "media = {advertise = \"9.9.9.9\"}\n" +
                          trunk),
                   behind_nat())
              .empty());
    CHECK(warnings(parsed(trunk + "signalling = {advertise = \"9.9.9.9:5060\"}\n"
                                  "media = {advertise = \"9.9.9.9\"}\n"),
                   behind_nat())
              .empty());
    // Media follows signalling, as long as it has no address of its own.
    CHECK(warnings(parsed("listen = [{advertise = \"9.9.9.9\"}]\n" + trunk), behind_nat()).empty());
    found = warnings(
        parsed("listen = [{advertise = \"9.9.9.9\"}]\nmedia = {at = \"10.0.0.5\"}\n" + trunk),
        behind_nat());
    REQUIRE(found.size() == 1);
    CHECK(found[0].message.find("send media to 10.0.0.5") != std::string::npos);
    // A private gateway reaches a private address.
    CHECK(warnings(parsed("[[trunk]]\nname = \"t\"\ngateways = [\"10.0.0.9\"]\ninbound = false\n"),
                   behind_nat())
              .empty());
}

TEST_CASE("softswitch::check: warns of names without address, foreign addresses and lost calls") {
    const auto found =
        all_of(warnings(parsed("listen = [\"udp:10.0.0.6:5060\"]\n"
                               "[[trunk]]\nname = \"t\"\n"
                               "gateways = [\"absent.example\"]\n"
                               "numbers = [\"+1\"]\n"
                               "[[trunk]]\nname = \"u\"\ngateways = [\"10.0.0.9\"]\n"),
                        behind_nat()));
    CHECK(found == "f:1: listen[0].at: 10.0.0.6 is no address of this machine; behind NAT, it "
                   "belongs into advertise\n"
                   "f:4: trunk[0].gateways[0]: `absent.example` has no address here; without SRV "
                   "records in DNS no call will get there\n"
                   "f:5: trunk[0].numbers[0]: has no agent, and neither has its trunk: calls to it "
                   "get 404\n"
                   "f:6: trunk[1]: has no numbers, so every inbound call gets 404: add them, or "
                   "\"*\" for all, or set inbound = false\n");
}

TEST_CASE("softswitch::check: the library's refusals have a line") {
    const auto found = refusals(parsed("[[trunk]]\nname = \"t\"\ngateways = [\n\"a b\"]\n"));
    REQUIRE(found.size() == 1);
    CHECK(found.front().line == 4);
    CHECK(found.front().field.starts_with("trunk[0].gateways[0]"));
}

TEST_CASE("softswitch::check: the scarcest of descriptors, ports and max_calls limits the calls") {
    const auto of = parsed("max_calls = 500\n[media]\nports = \"4001-4100\"\n[[trunk]]\n"
                           "name = \"t\"\ngateways = [\"10.0.0.9\"]\nchannels = 60\n");
    auto counted = capacity_of(of, 1'064);
    CHECK(counted.by_descriptors == 500);
    CHECK(counted.by_ports == 49);
    CHECK(counted.calls() == 49);
    CHECK(in_words(counted, of).find("widen media.ports") != std::string::npos);
    counted = capacity_of(of, 100);
    CHECK(counted.calls() == 18);
    CHECK(in_words(counted, of).find("hard limit") != std::string::npos);
    CHECK(capacity_of(of, 10).calls() == 0);
}

} // namespace
} // namespace softswitch
