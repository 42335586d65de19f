// Whom a trunk's account is for: its gateways, and nobody that a call leads to or comes from.
#include <memory>
#include <string>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

const std::string chosen = "Proxy-Authenticate: Digest realm=\"them\",nonce=\"chosen\"\n";

struct silent final : agent {};

struct with_account : driver {
    with_account() {
        auto wanted = carrier();
        wanted.gateways = {{"198.51.100.1"}};
        wanted.auth = userpass{"user", "secret", "them"};
        config.on_incoming = [](incoming_call& c) { CHECK(c.answer(std::make_unique<silent>())); };
        add(wanted);
    }
    [[nodiscard]] std::size_t byes() const {
        return static_cast<std::size_t>(std::ranges::count_if(
            sent, [](const text_sent& one) { return one.text.starts_with("BYE "); }));
    }
    void hang_up_all() {
        running().hang_up_all("enough", now, out());
        settle();
    }
    /// BYE as it was challenged from where it went: how many BYEs that makes.
    [[nodiscard]] std::size_t challenged_bye() {
        hang_up_all();
        REQUIRE(byes() == 1);
        const auto bye = std::ranges::find_if(
            sent, [](const text_sent& one) { return one.text.starts_with("BYE "); });
        receive(to_text(bye->to), support::answer_to(bye->text, "407 No", "x", chosen));
        return byes();
    }
    void call_in(const std::string& from) {
        request_text invite;
        invite.contact = "<sip:gw@" + from + ">";
        receive(from, invite.text());
        const auto ok = last();
        REQUIRE(support::status_of(ok) == "200");
        receive(from, invite.ack(ok));
    }
};

TEST_CASE_FIXTURE(with_account,
                  "trunks::engine: a caller from allow_from has nothing of ours digested") {
    call_in("198.51.100.7:5060");
    CHECK(challenged_bye() == 1);
    CHECK(noted(diagnostic::challenge_ignored) == 1);
}

TEST_CASE_FIXTURE(with_account, "trunks::engine: a gateway that calls in may challenge our BYE") {
    call_in("198.51.100.1:5060");
    CHECK(challenged_bye() == 2);
}

TEST_CASE_FIXTURE(with_account, "trunks::engine: a fork that answers after the call is left") {
    dial_request what;
    what.to = "+4930999";
    what.agent = std::make_unique<silent>();
    running().dial(std::move(what), now, out());
    settle();
    const auto invite = only();
    const std::string contact = "Contact: <sip:gw@198.51.100.1:5060>\n";
    receive("198.51.100.1:5060",
            support::answer_to(invite, "200 OK", "a", contact, support::their_sdp));
    hang_up_all();
    receive("198.51.100.1:5060", support::answer_to(last(), "200 OK", "a"));
    CHECK(byes() == 1);
    receive("198.51.100.1:5060",
            support::answer_to(invite, "200 OK", "b", contact, support::their_sdp));
    CHECK(byes() == 2);
    const auto bye = last();
    CHECK(support::tag(bye, "To") == "b");
    CHECK(support::header(bye, "Via").starts_with("SIP/2.0/UDP 192.0.2.1:5060;branch="));
}

} // namespace
} // namespace trunkline
