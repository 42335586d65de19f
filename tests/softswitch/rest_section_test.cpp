#include "rest_section.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "check.hpp"
#include "config.hpp"
#include "rest/webhook_url.hpp"
#include "scratch.hpp"

namespace softswitch {
namespace {

/// A folder with a key in it.
struct keyed {
    scratch folder{};

    keyed() {
        std::ofstream{folder.path / "k"} << std::string(64, '7');
        std::filesystem::permissions(folder.path / "k", std::filesystem::perms{0600});
    }
    [[nodiscard]] configuration read(std::string_view text) const {
        auto made = parse_configuration(text, folder.path);
        if (!made) FAIL(to_text(made.reason().front(), "test"));
        return *std::move(made);
    }
    [[nodiscard]] problems problems_of(std::string_view text) const {
        const auto made = parse_configuration(text, folder.path);
        if (made) return {};
        return made.reason();
    }
};

TEST_CASE("softswitch::config: [rest] has defaults for all but its key, and needs no trunk") {
    const keyed in;
    const auto read = in.read("[rest]\nkey_file = \"k\"\n");
    REQUIRE(read.rest);
    CHECK(trunkline::to_text(read.rest->at) == "127.0.0.1:8080");
    CHECK(read.rest->database == in.folder.path / "softswitch.db");
    CHECK(read.rest->key.front() == 0x77);
    CHECK(read.rest->key_file == in.folder.path / "k");
    CHECK(!read.webhook);
    CHECK(read.trunks.empty());
    const auto other =
        in.read("[rest]\nat = \"[::1]:9\"\ndatabase = \"/var/lib/s.db\"\nkey_file = \"k\"\n");
    CHECK(trunkline::to_text(other.rest->at) == "[::1]:9");
    CHECK(other.rest->database == "/var/lib/s.db");
}

TEST_CASE("softswitch::config: a webhook has a url and a secret") {
    const keyed in;
    constexpr std::string_view trunk = "[[trunk]]\nname = \"t\"\ngateways = [\"192.0.2.1\"]\n";
    auto read = in.read(fmt::format("{}[webhook]\nurl = \"https://u:p@example.net:8443/a?b=c\"\n"
                                    "secret = \"s\"\n",
                                    trunk));
    CHECK(!read.rest);
    REQUIRE(read.webhook);
    CHECK(read.webhook->url == "https://u:p@example.net:8443/a?b=c");
    CHECK(read.webhook->secret == "s");
    CHECK(in_words(*read.webhook) == "webhook: to https://example.net\n");
    std::ofstream{in.folder.path / "s"} << "from a file\n";
    read =
        in.read(fmt::format("{}[webhook]\nurl = \"http://[::1]/\"\nsecret_file = \"s\"\n", trunk));
    CHECK(read.webhook->secret == "from a file");
}

TEST_CASE("softswitch::config: an error of [rest] or [webhook] names its line, its key and what "
          "to do") {
    struct bad_case {
        std::string_view text;
        std::size_t line;
        std::string_view field;
        std::string_view sentence;
    };
    const keyed in;
    std::ofstream{in.folder.path / "short"} << "abcd";
    const std::vector<bad_case> table{
        {"[rest]\n", 1, "rest", "needs key_file or key_env"},
        {"rest = 1\n", 1, "rest", "has to be a table"},
        {"[rest]\nkey_file = 1\n", 2, "rest.key_file", "has to be a string"},
        {"[rest]\nkey_file = \"absent\"\n", 2, "rest.key_file", "openssl rand -hex 32"},
        {"[rest]\nkey_file = \"short\"\n", 2, "rest.key_file", "wrong length"},
        {"[rest]\nkey_env = \"TRUNKLINE_NOT_SET\"\n", 2, "rest.key_env", "is not set"},
        {"[rest]\nkey_file = \"k\"\nkey_env = \"K\"\n", 2, "rest.key_file", "give one of"},
        {"[rest]\nkey_file = \"k\"\nat = \"8080\"\n", 3, "rest.at", "as \"127.0.0.1:8080\""},
        {"[rest]\nkey_file = \"k\"\nat = \"host:80\"\n", 3, "rest.at", "\"address:port\""},
        {"[rest]\nkey_file = \"k\"\ndatabase = \"\"\n", 3, "rest.database", "a file"},
        {"[rest]\nkey_file = \"k\"\nkey = \"x\"\n", 3, "rest.key", "no such key"},
        {"[rest]\nkey_file = \"k\"\n[webhook]\nsecret = \"s\"\n", 3, "webhook", "have a url"},
        {"[rest]\nkey_file = \"k\"\n[webhook]\nurl = \"http://h/\"\n", 3, "webhook",
         "needs secret, secret_file or secret_env"},
        {"[rest]\nkey_file = \"k\"\n[webhook]\nurl = \"http://h/\"\nsecret = \"\"\n", 3, "webhook",
         "needs secret"},
        {"[rest]\nkey_file = \"k\"\n[webhook]\nurl = \"ftp://h/\"\nsecret = \"s\"\n", 4,
         "webhook.url", "https://"},
        {"[rest]\nkey_file = \"k\"\n[webhook]\nurl = \"http://h/\"\nsecret = \"s\"\n"
         "secret_env = \"S\"\n",
         5, "webhook.secret", "give one of secret, secret_file and secret_env"},
        {"[rest]\nkey_file = \"k\"\n[webhook]\nurl = \"http://h/\"\nsecret_file = \"no\"\n", 5,
         "webhook.secret_file", "no secret can be read from"},
        {"[rest]\nkey_file = \"k\"\n[webhook]\nurl = \"http://h/\"\nsecret = \"s\"\nsceret = 1\n",
         6, "webhook.sceret", "`secret`"},
    };
    for (const auto& bad : table) {
        INFO(bad.text);
        const auto found = in.problems_of(bad.text);
        REQUIRE(found.size() == 1);
        CHECK(found.front().line == bad.line);
        CHECK(found.front().field == bad.field);
        INFO(found.front().message);
        CHECK(found.front().message.find(bad.sentence) != std::string::npos);
    }
}

TEST_CASE("softswitch::webhook: a url is one of HTTP, and only its host is shown") {
    for (const std::string_view good : {"http://h", "https://example.net/calls?x=1",
                                        "http://127.0.0.1:9000/", "HTTPS://[2001:db8::1]/"}) {
        INFO(good);
        CHECK(wrong_with_webhook_url(good).empty());
    }
    constexpr std::string_view bad_ones[]{"",
                                          "h",
                                          "/path",
                                          "ftp://h/",
                                          "file:///etc/passwd",
                                          "http://",
                                          "http://h/a b",
                                          "http://h/\r\nX: y",
                                          "http://h:99999/",
                                          {"http://h\0/", 10}};
    for (const auto bad : bad_ones) {
        INFO(bad);
        CHECK(!wrong_with_webhook_url(bad).empty());
    }
    CHECK(receiver_of("https://user:password@h/path?secret") == "https://h");
}

TEST_CASE("softswitch::check: warns of a key that others may read, and of tokens in the clear") {
    const keyed in;
    const auto warned = [&](std::string_view at) {
        return warnings(in.read(fmt::format("[rest]\nkey_file = \"k\"\nat = \"{}\"\n", at)),
                        {[](const std::string&) { return std::nullopt; },
                         [](const trunkline::address&) { return std::nullopt; },
                         [](const trunkline::address&) { return true; }});
    };
    CHECK(warned("127.0.0.1:1").empty());
    auto found = warned("0.0.0.0:1");
    REQUIRE(found.size() == 1);
    CHECK(found.front().field == "rest.at");
    CHECK(found.front().line == 3);
    std::filesystem::permissions(in.folder.path / "k", std::filesystem::perms{0644});
    found = warned("[::1]:1");
    REQUIRE(found.size() == 1);
    CHECK(found.front().field == "rest.key_file");
    CHECK(found.front().line == 2);
    CHECK(found.front().message.find("chmod 600 ") != std::string::npos);
}

TEST_CASE("softswitch::config: the example's [rest] and [webhook] are good without their marks") {
    std::ifstream file{TRUNKLINE_SOURCE_DIR "/examples/softswitch/softswitch.example.toml"};
    std::string text;
    bool within = false;
    for (std::string line; std::getline(file, line);) {
        within = (within || line == "# [rest]") && line.starts_with('#');
        if (within) text += (line.size() > 2 ? line.substr(2) : "") + "\n";
    }
    const keyed in;
    std::filesystem::rename(in.folder.path / "k", in.folder.path / "softswitch.key");
    const auto read = in.read(text);
    REQUIRE(read.rest);
    CHECK(trunkline::to_text(read.rest->at) == "127.0.0.1:8080");
    CHECK(read.rest->database == in.folder.path / "softswitch.db");
    REQUIRE(read.webhook);
    CHECK(read.webhook->url == "https://example.net/calls");
}

} // namespace
} // namespace softswitch
