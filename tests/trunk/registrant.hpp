// A trunk that registers, and a carrier that answers it as a test says.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline::support {

struct registrant : driver {
    std::vector<registration_status> told;

    registrant() {
        config.on_registration = [this](const registration_status& how) { told.push_back(how); };
    }
    static trunk_config wanted(std::string name = "carrier") {
        trunk_config made;
        made.name = std::move(name);
        made.gateways = {{"198.51.100.1"}};
        made.auth = userpass{"alice", "secret"};
        made.registration.emplace();
        made.numbers = {{"*", "desk"}};
        return made;
    }
    std::string contact_user_that_was{}; ///< When the trunk is gone.
    [[nodiscard]] const std::string& contact_user() const {
        return trunks.empty() ? contact_user_that_was : trunks.front()->contact_user;
    }
    [[nodiscard]] std::string granting(unsigned seconds) const {
        return "Contact: <sip:" + contact_user() +
               "@192.0.2.1:5060>;expires=" + std::to_string(seconds) + "\n";
    }
    /// Each once, however often it was sent.
    [[nodiscard]] std::vector<text_sent> registers() const {
        std::vector<text_sent> found;
        std::set<std::string> branches;
        for (const auto& each : sent) {
            if (!each.text.starts_with("REGISTER ")) continue;
            if (branches.insert(branch(each.text)).second) found.push_back(each);
        }
        return found;
    }
    void answer(const text_sent& request, std::string_view status, std::string_view fields = {}) {
        receive(to_text(request.to), answer_to(request.text, status, "theirs", fields));
    }
    void answer(std::string_view status, std::string_view fields = {}) {
        answer(registers().back(), status, fields);
    }
    /// Until another one is sent; when that was.
    time_point next_register() {
        const auto before = registers().size();
        for (int i = 0; i < 10'000 && registers().size() == before; ++i) advance(1s);
        REQUIRE(registers().size() > before);
        return registers().back().at;
    }
    [[nodiscard]] const registration_status& status() const {
        REQUIRE_FALSE(told.empty());
        return told.back();
    }
    [[nodiscard]] registration_state state() const { return status().state; }
    void remove_all() {
        contact_user_that_was = contact_user();
        trunks.clear();
        publish();
    }
};

[[nodiscard]] inline std::string challenge(std::string_view nonce, std::string_view more = {},
                                           std::string_view realm = "carrier.test") {
    return "WWW-Authenticate: Digest realm=\"" + std::string{realm} + "\", nonce=\"" +
           std::string{nonce} + "\", qop=\"auth\"" + std::string{more} + "\n";
}

} // namespace trunkline::support
