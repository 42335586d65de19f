#include "config.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace softswitch {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path assets{TRUNKLINE_SOURCE_DIR "/examples/assets"};

/// The smallest good trunk; tests put theirs beneath.
constexpr std::string_view trunk = "[[trunk]]\nname = \"t\"\ngateways = [\"192.0.2.1\"]\n";

struct bad_case {
    std::string_view text;
    std::size_t line;
    std::string_view field;
    std::string_view sentence; ///< A part of it.
};

void check_bad(const bad_case& bad, bool under_trunk) {
    INFO(bad.text);
    const auto read = parse_configuration(under_trunk ? std::string{trunk}.append(bad.text)
                                                      : std::string{bad.text}.append(trunk),
                                          assets);
    REQUIRE(!read);
    const auto found = read.reason();
    REQUIRE(found.size() == 1);
    CHECK(found.front().line == bad.line);
    CHECK(found.front().field == bad.field);
    INFO(found.front().message);
    CHECK(found.front().message.find(bad.sentence) != std::string::npos);
}

TEST_CASE("softswitch::config: an error of the file names its line, its field and what to do") {
    const std::vector<bad_case> table{
        {"shards = 0\n", 1, "shards", "from 1 to 64, and is 0"},
        {"\nshards = \"2\"\n", 2, "shards", "has to be an integer, and is a string"},
        {"shard = 2\n", 1, "shard", "the nearest is `shards`"},
        {"lsiten = []\n", 1, "lsiten", "the nearest is `listen`"},
        {"listen = []\n", 1, "listen", "at least one"},
        {"listen = [\"0.0.0.0:5060\"]\n", 1, "listen[0]", "udp:address:port"},
        {"listen = [\n\"udp:0.0.0.0:5060\",\n\"udp:host:5060\"]\n", 3, "listen[1]", "udp:"},
        {"listen = [{at = \"ws:0.0.0.0:5061\"}]\n", 1, "listen[0].at", "udp:address:port"},
        {"listen = [{advertise = \"0.0.0.0\"}]\n", 1, "listen[0].advertise", "wildcard"},
        {"listen = [{advertise = \"host:x\"}]\n", 1, "listen[0].advertise", "port from 1"},
        {"listen = [{advertize = \"host\"}]\n", 1, "listen[0].advertize", "`advertise`"},
        {"listen = 5060\n", 1, "listen", "a string or {at, advertise}"},
        {"drain = 30\n", 1, "drain", "with its unit"},
        {"drain = \"30\"\n", 1, "drain", "with its unit"},
        {"drain = \"25h\"\n", 1, "drain", "24h"},
        {"unknown_source = \"ignore\"\n", 1, "unknown_source", "\"drop\""},
        {"[media]\nports = \"16384\"\n", 2, "media.ports", "as \"16384-32767\""},
        {"[media]\nports = \"16385-16386\"\n", 2, "media.ports", "even"},
        {"[media]\nports = \"2-70000\"\n", 2, "media.ports", "range"},
        {"[media]\nat = \"somewhere\"\n", 2, "media.at", "is no IP address"},
        {"[media]\nadvertise = \"0.0.0.0\"\n", 2, "media.advertise", "wildcard"},
        {"[media]\nport = \"16384-32767\"\n", 2, "media.port", "`ports`"},
        {"dns_servers = [53]\n", 1, "dns_servers[0]", "has to be a string"},
        {"a\n", 1, "", "not TOML"},
        {"shards = 1\nshards = 2\n", 2, "", "not TOML"},
    };
    for (const auto& bad : table) check_bad(bad, false);
}

TEST_CASE("softswitch::config: an error of a trunk names its line, its field and what to do") {
    const std::vector<bad_case> table{
        {"chanels = 5\n", 4, "trunk[0].chanels", "the nearest is `channels`"},
        {"channels = 1001\n", 4, "trunk[0].channels", "from 1 to 1000, and is 1001"},
        {"cps = 0\n", 4, "trunk[0].cps", "from 1 to 100000, and is 0"},
        {"allow_prefixes = [\"+49\", 1]\n", 4, "trunk[0].allow_prefixes[1]", "has to be a string"},
        {"deny_prefixes = \"+1\"\n", 4, "trunk[0].deny_prefixes", "list"},
        {"calls_per_token = 1001\n", 4, "trunk[0].calls_per_token", "from 0 to 1000"},
        {"allow_emergency = \"yes\"\n", 4, "trunk[0].allow_emergency", "true or false"},
        {"inbound = 1\n", 4, "trunk[0].inbound", "true or false, and is an integer"},
        {"numbers = [14155550100]\n", 4, "trunk[0].numbers[0]", "is written in quotes"},
        {"numbers = [\"+1\",\n{agent = \"echo\"}]\n", 5, "trunk[0].numbers[1]", "a number"},
        {"numbers = [{number = \"+1\", agnet = \"echo\"}]\n", 4, "trunk[0].numbers[0].agnet",
         "`agent`"},
        {"numbers = [{number = \"+1\", agent = \"ecko\"}]\n", 4, "trunk[0].numbers[0].agent",
         "there is no agent `ecko`"},
        {"agent = \"play\"\n", 4, "trunk[0].agent", "needs a file"},
        {"agent = \"play:absent.wav\"\n", 4, "trunk[0].agent", "No such file"},
        {"agent = \"play:make.sh\"\n", 4, "trunk[0].agent", "is no WAV file"},
        {"agent = \"record:absent/heard.wav\"\n", 4, "trunk[0].agent", "the folder"},
        {"codecs = [\"pcmu\", \"g729\"]\n", 4, "trunk[0].codecs", "there is no codec `g729`"},
        {"username = \"u\"\n", 4, "trunk[0].username", "needs password"},
        {"password = \"p\"\n", 4, "trunk[0].password", "needs a username"},
        {"username = \"u\"\npassword = \"p\"\npassword_env = \"X\"\n", 5, "trunk[0].password",
         "one of password"},
        {"username = \"u\"\npassword_env = \"TRUNKLINE_NOT_SET\"\n", 5, "trunk[0].password_env",
         "is not set"},
        {"username = \"u\"\npassword_file = \"absent\"\n", 5, "trunk[0].password_file",
         "no password can be read"},
        {"realm = \"r\"\n", 4, "trunk[0].realm", "means nothing"},
        {"register = 300\n", 4, "trunk[0].register", "true, false or { expires = 300 }"},
        {"register = {expires = 59}\n", 4, "trunk[0].register.expires", "from 60 to 3600"},
        {"register = {expire = 60}\n", 4, "trunk[0].register.expire", "`expires`"},
        {"inbound_auth = {username = \"u\"}\n", 4, "trunk[0].inbound_auth.username",
         "needs password"},
        {"inbound_auth = {}\n", 4, "trunk[0].inbound_auth", "has to have username"},
        {"gateway_timeout = \"1ms\"\n", 4, "trunk[0].gateway_timeout", "from 100ms"},
        {"prack = \"perhaps\"\n", 4, "trunk[0].prack", "supported"},
        {"min_se = \"89s\"\n", 4, "trunk[0].min_se", "has to be from"},
        {"media = {advertise = \"x\"}\n", 4, "trunk[0].media.advertise", "is no IP address"},
        {"signalling = {advertise = \"host:5060x\"}\n", 4, "trunk[0].signalling.advertise",
         "port from 1"},
        {"headers = {X-Foo = 1}\n", 4, "trunk[0].headers.X-Foo", "has to be a string"},
        {"[[trunk]]\nname = \"t\"\n", 5, "trunk[1].name", "at line 2"},
        {"[[trunk]]\n", 4, "trunk[1]", "has to have a name"},
    };
    for (const auto& bad : table) check_bad(bad, true);
}

TEST_CASE("softswitch::config: a gateway is host, host:port or a table, and nothing else") {
    const auto gateway = [](std::string_view text) {
        return parse_configuration(fmt::format("[[trunk]]\nname = \"t\"\ngateways = [{}]\n", text),
                                   {});
    };
    const auto first = [&](std::string_view text) {
        const auto read = gateway(text);
        REQUIRE(read);
        return read->trunks.front().gateways.front();
    };
    CHECK(first("\"sip.example.net\"").host == "sip.example.net");
    CHECK(first("\"sip.example.net\"").port == 0);
    CHECK(first("\"sip.example.net:5080\"").port == 5080);
    CHECK(first("\"192.0.2.1:5080\"").host == "192.0.2.1");
    CHECK(first("\"2001:db8::1\"").host == "2001:db8::1");
    CHECK(first("\"[2001:db8::1]:5080\"").host == "2001:db8::1");
    CHECK(first("\"[2001:db8::1]:5080\"").port == 5080);
    CHECK(first("{host = \"h\", port = 5, priority = 2}").priority == 2);
    for (const std::string_view bad :
         {"\"h:0\"", "\"h:65536\"", "\"h:\"", "\"h:5060x\"", "\"a:b:5060\"", "{port = 5}",
          "{host = \"h\", port = 0}", "5", "{host = \"h\", prio = 1}"}) {
        INFO(bad);
        CHECK(!gateway(bad));
    }
}

TEST_CASE("softswitch::config: all that is wrong is told at once, in the order of the file") {
    const auto read = parse_configuration("shards = 0\nfoo = 1\n[[trunk]]\nname = 5\n", {});
    REQUIRE(!read);
    const auto found = read.reason();
    REQUIRE(found.size() == 3);
    CHECK(found[0].line == 1);
    CHECK(found[1].line == 2);
    CHECK(found[2].line == 4);
    CHECK(to_text(found[0], "x.toml") == "x.toml:1: shards: has to be from 1 to 64, and is 0");
}

TEST_CASE("softswitch::config: a file without a trunk, or no file at all, is an error") {
    REQUIRE(!parse_configuration("", {}));
    CHECK(parse_configuration("", {}).reason().front().field == "trunk");
    CHECK(!load_configuration("/no/such/file"));
    CHECK(!load_configuration("/"));
}

TEST_CASE("softswitch::config: the example holds every key, with the values that it says") {
    const auto read =
        load_configuration(TRUNKLINE_SOURCE_DIR "/examples/softswitch/softswitch.example.toml");
    if (!read) FAIL(to_text(read.reason().front(), "example"));
    CHECK(read->manager.listen.front().advertise == "203.0.113.7");
    CHECK(read->manager.shards == 1);
    CHECK(read->manager.unknown_source == trunkline::unknown_source::answer);
    CHECK(read->manager.media_ports == trunkline::net::port_range{16'384, 32'767});
    CHECK(read->drain == 30s);
    REQUIRE(read->trunks.size() == 1);
    const auto& one = read->trunks.front();
    const trunkline::trunk_config defaults;
    CHECK(one.gateways.size() == 2);
    CHECK(one.gateways[1].priority == 2);
    CHECK(one.auth->username == "user");
    CHECK(one.inbound_auth->realm == "softswitch");
    CHECK(one.registration == trunkline::registration_config{300s});
    REQUIRE(one.numbers.size() == 7);
    CHECK(one.numbers[0].agent == "echo");
    CHECK(one.numbers[5].fallback == "echo");
    CHECK(one.numbers[6].agent.empty());
    CHECK(one.default_fallback == "echo");
    CHECK(read->sockets.identity.auth_token == "change-me");
    CHECK(one.default_agent == "reflect");
    CHECK(one.channels == defaults.channels);
    CHECK(one.allow_prefixes == defaults.allow_prefixes);
    CHECK(one.deny_prefixes == defaults.deny_prefixes);
    CHECK(one.allow_emergency == defaults.allow_emergency);
    CHECK(one.calls_per_token == defaults.calls_per_token);
    CHECK(one.calls_per_second == defaults.calls_per_second);
    CHECK(one.codecs == defaults.codecs);
    CHECK(one.gateway_timeout == defaults.gateway_timeout);
    CHECK(one.ringing_timeout == defaults.ringing_timeout);
    CHECK(one.session_expires == defaults.session_expires);
    CHECK(one.min_se == defaults.min_se);
    CHECK(one.prack == defaults.prack);
    CHECK(one.headers.front().second == "42");
    CHECK(one.signalling.advertise == "203.0.113.7:5060");
    CHECK(read->agents.wrong_with("record:heard.wav").empty());
}

TEST_CASE("softswitch::config: a trunk says which numbers it dials") {
    const auto read = parse_configuration(fmt::format("{}allow_prefixes = [\"+1\", \"49\"]\n"
                                                      "deny_prefixes = []\ncalls_per_token = 2\n"
                                                      "allow_emergency = true\n",
                                                      trunk),
                                          {});
    REQUIRE(read);
    const auto& one = read->trunks.front();
    CHECK(one.allow_prefixes == std::vector<std::string>{"+1", "49"});
    REQUIRE(one.deny_prefixes);
    CHECK(one.deny_prefixes->empty());
    CHECK(one.calls_per_token == 2);
    CHECK(one.allow_emergency);
}

TEST_CASE("softswitch::config: a trunk registers by a word, or for as long as a table says") {
    const auto registration = [](std::string_view line) {
        const auto read = parse_configuration(
            fmt::format("{}username = \"u\"\npassword = \"p\"\n{}\n", trunk, line), {});
        REQUIRE(read);
        return read->trunks.front().registration;
    };
    CHECK_FALSE(registration(""));
    CHECK_FALSE(registration("register = false"));
    CHECK(registration("register = true")->expires == 300s);
    CHECK(registration("register = {}")->expires == 300s);
    CHECK(registration("register = {expires = 3600}")->expires == 3'600s);
}

TEST_CASE("softswitch::config: session timers and PRACK are a trunk's to set") {
    const auto read = parse_configuration(
        fmt::format("{}prack = \"required\"\nsession_expires = \"0s\"\nmin_se = \"2m\"\n", trunk),
        {});
    REQUIRE(read);
    CHECK(read->trunks.front().prack == trunkline::prack_policy::required);
    CHECK(read->trunks.front().session_expires == 0s);
    CHECK(read->trunks.front().min_se == 120s);
}

TEST_CASE("softswitch::config: a password comes from the file, from another, or from outside") {
    const auto folder = std::filesystem::temp_directory_path() / "softswitch_config_test";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "secret"} << "from file\n";
    // NOLINTNEXTLINE(concurrency-mt-unsafe): doctest runs one test at a time.
    ::setenv("SOFTSWITCH_TEST_SECRET", "from outside", 1);
    const auto password = [&](std::string_view line) {
        const auto read =
            parse_configuration(fmt::format("{}username = \"u\"\n{}\n", trunk, line), folder);
        REQUIRE(read);
        return read->trunks.front().auth->password;
    };
    CHECK(password("password = \"from here\"") == "from here");
    CHECK(password("password_file = \"secret\"") == "from file");
    CHECK(password("password_env = \"SOFTSWITCH_TEST_SECRET\"") == "from outside");
    std::filesystem::remove_all(folder);
}

TEST_CASE("softswitch::config: tcp and tls, of the switch, of a trunk and of a gateway") {
    const auto folder = std::filesystem::temp_directory_path() / "softswitch_config_tls_test";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "us.pem"} << "x";
    const auto read = parse_configuration(
        "listen = [\"tcp:0.0.0.0:5060\", \"tls:0.0.0.0:5061\"]\n"
        "[tls]\ncertificate = \"us.pem\"\nkey = \"us.pem\"\nverify_clients = true\n"
        "[[trunk]]\nname = \"a\"\ntransport = \"tls\"\n"
        "gateways = [\"a.example\", { host = \"b.example\", transport = \"tcp\" }]\n"
        "[trunk.tls]\nca = \"us.pem\"\nserver_name = \"c.example\"\nwildcards = true\n",
        folder);
    REQUIRE(read);
    CHECK(read->manager.tls.certificate == (folder / "us.pem").string());
    CHECK(read->manager.tls.verify);
    const auto& one = read->trunks.front();
    CHECK(one.transport == trunkline::transport::tls);
    CHECK_FALSE(one.gateways[0].transport.has_value());
    CHECK(one.gateways[1].transport == trunkline::transport::tcp);
    CHECK(one.tls.ca == (folder / "us.pem").string());
    CHECK(one.tls.server_name == "c.example");
    CHECK(one.tls.wildcards);
    CHECK(one.tls.verify);
    std::filesystem::remove_all(folder);

    const auto complains = [&](std::string_view text, std::string_view field) {
        const auto bad = parse_configuration(text, folder);
        return !bad && std::ranges::count(bad.reason(), field, &problem::field) == 1;
    };
    CHECK(complains("listen = [\"tls:0.0.0.0:5061\"]\n", "listen"));
    CHECK(complains("listen = [\"tcp:0.0.0.0:5061\"]\nshards = 2\n", "shards"));
    CHECK(complains("[tls]\nkey = \"nowhere\"\n", "tls.key"));
    CHECK(complains("[[trunk]]\nname = \"a\"\ntransport = \"ws\"\n", "trunk[0].transport"));
}

TEST_CASE("softswitch::config: what the library refuses gets the line and the name in the file") {
    const auto read = parse_configuration(fmt::format("{}username = \"u\"\npassword = \"p\"\n"
                                                      "numbers = [\n\"+1\",\n\"+2\"]\n",
                                                      trunk),
                                          {});
    REQUIRE(read);
    CHECK(read->explain(0, {"numbers[1].number", "digits", "no digits"}) ==
          problem{8, "trunk[0].numbers[1].number", "no digits"});
    CHECK(read->explain(0, {"auth.username", "", "x"}) == problem{4, "trunk[0].username", "x"});
    CHECK(read->explain(0, {"registration", "", "x"}).field == "trunk[0].register");
    CHECK(read->explain(0, {"registration.expires", "", "x"}).field == "trunk[0].register.expires");
    CHECK(read->explain(0, {"gateways[0].host", "", "x"}).line == 3);
    CHECK(read->explain(0, {"default_agent", "", "x"}) == problem{1, "trunk[0].agent", "x"});
}

TEST_CASE("softswitch::config: an agent that the file names may be on a private address") {
    const auto read = parse_configuration(R"(
[[trunk]]
name = "carrier"
allow_from = ["198.51.100.0/24"]
agent = "wss://bots.example.net/a"
fallback = "echo"
numbers = [{ number = "+1", agent = "ws://127.0.0.1:9000/a", fallback = "ws://[::1]:9001/b" }]
)",
                                          {});
    REQUIRE(read);
    CHECK_FALSE(read->sockets.allow_private);
    const std::set<std::pair<std::string, std::uint16_t>> named{
        {"127.0.0.1", 9000}, {"::1", 9001}, {"bots.example.net", 443}};
    CHECK(read->sockets.trusted == named);
}

} // namespace
} // namespace softswitch
