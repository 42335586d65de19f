// The torture messages of RFC 4475 and RFC 5118, from a carrier of ours into one engine that lives.
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/shared.hpp"
#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;

/// Where we do something that neither column names, and why that is right.
const std::map<std::string, std::set<std::string>> deviations{
    // The To has a tag, and no call of ours has it (RFC 3261 section 12.2.2).
    {"wsinv", {"481"}},
    {"via-received-param-with-delim", {"481"}},
    // Nothing but G.726 is offered for audio.
    {"ipv6-in-sdp", {"488"}},
    {"ipv4-mapped-ipv6", {"488"}},
};

/// Every number of three digits that a sentence names.
void add_statuses(const std::string& sentence, std::set<std::string>& into) {
    const auto digit = [&](std::size_t at) {
        return at < sentence.size() && std::isdigit(static_cast<unsigned char>(sentence[at])) != 0;
    };
    for (std::size_t at = 0; at < sentence.size();) {
        std::size_t length = 0;
        while (digit(at + length)) ++length;
        if (length == 3) into.insert(sentence.substr(at, 3));
        at += length + 1;
    }
}

struct live : driver {
    live() {
        auto wanted = carrier();
        wanted.numbers = {{"*"}};
        wanted.channels = 1000;
        config.on_incoming = [](incoming_call& c) { CHECK(c.ringing()); };
        add(wanted);
    }
};

void check_message(live& d, const std::filesystem::path& path, const std::string& method,
                   const std::string& expected, const std::string& acceptable) {
    const auto file = path.stem().string();
    CAPTURE(file);
    CAPTURE(expected);
    const auto bytes = support::read_file(path);
    REQUIRE_FALSE(bytes.empty());
    std::set<std::string> allowed;
    add_statuses(expected, allowed);
    add_statuses(acceptable, allowed);
    if (expected.find("normal INVITE") != std::string::npos) allowed.insert("180");
    // A softswitch is no registrar: whatever is well formed is 405.
    const bool malformed = expected == "400";
    if (method == "REGISTER" && !malformed) allowed = {"405", "400"};
    if (expected.find("none") != std::string::npos) allowed = {""};
    if (expected.find("drop") != std::string::npos) allowed.insert("");
    if (const auto known = deviations.find(file); known != deviations.end()) {
        allowed = known->second;
    }
    d.advance(2s);
    static_cast<void>(d.texts());
    d.receive(bytes);
    const auto texts = d.texts();
    const auto status = texts.empty() ? std::string{} : support::status_of(texts.back());
    CAPTURE(status);
    CHECK(allowed.contains(status));
    for (const auto& text : texts) {
        // Nothing but responses, each with what section 8.2.6 asks for, and whole.
        CHECK(text.starts_with("SIP/2.0 "));
        CHECK(text.ends_with("\r\n\r\n"));
        CHECK(text.find("\r\nVia: ") != std::string::npos);
    }
    if (status == "405" || status == "501") {
        CHECK_FALSE(support::header(texts.back(), "Allow").empty());
    }
    if (status == "415") CHECK_FALSE(support::header(texts.back(), "Accept").empty());
    if (status == "406") CHECK_FALSE(support::header(texts.back(), "Warning").empty());
    if (status == "420") CHECK(support::headers(texts.back(), "Unsupported").size() == 2);
}

TEST_CASE("trunks::engine: answers the torture messages of RFC 4475 as they ask for") {
    if (!support::have_shared("rfc4475")) return;
    live d;
    const auto rows =
        support::read_csv(support::read_file(support::shared("rfc4475/expected.csv")));
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto path = support::shared("rfc4475/msgs") / rows[i][0];
        check_message(d, path, rows[i][3], rows[i][7], rows[i][8]);
    }
    CHECK(rows.size() == 51);
    d.advance(200s);
    CHECK(d.empty());
}

TEST_CASE("trunks::engine: answers the torture messages of RFC 5118 as they ask for") {
    if (!support::have_shared("rfc5118")) return;
    live d;
    const auto rows =
        support::read_csv(support::read_file(support::shared("rfc5118/expected.csv")));
    for (std::size_t i = 1; i < rows.size(); ++i) {
        auto path = support::shared("rfc5118/wire") / rows[i][0];
        if (!std::filesystem::exists(path)) path += ".sip";
        check_message(d, path, rows[i][2], rows[i][5], {});
    }
    CHECK(rows.size() == 13);
    d.advance(200s);
    CHECK(d.empty());
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
