// A carrier that speaks from a script in literal text, and an agent that does what the script says.
//
//     >>> INVITE sip:+14155550100@        what we have to send next begins so,
//     To: <sip:+14155550100@              has a line that begins so,
//     ! Require:                          and none that begins so.
//     <<< SIP/2.0 407 Proxy ...           what the carrier says then, line by line. "$echo" is what
//     $echo                               a response copies of our last request, or INVITE; $tag,
//     Proxy-Authenticate: Digest ...      $target and $call are of what we said last, $contact is
//                                         its line, $branch is a new one.
//                                         A body comes after an empty line.
//     --- hang up                         what the agent does, is told, or reads
//
// A retransmission does not count as something that is said. What the six carriers do is what
// ../shared/reference/product.md has of them, section 1.6; all else is what any carrier does.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/sim/world.hpp>

#include "support/sip_text.hpp"

namespace trunkline::sim {

using namespace std::chrono_literals;

class scripted_carrier {
public:
    /// `at` is where the carrier sends from, and the trunk's gateway.
    scripted_carrier(std::string_view at, trunk_config trunk)
        : them_{network_.add_carrier(
              *endpoint::parse(at),
              [this](carrier&, std::string_view heard, const endpoint&) { hear(heard); })},
          us_{network_.add_host({address::v4(192, 0, 2, 1), 5060}, answering())} {
        trunk.name = "carrier";
        trunk.gateways = {{to_text(them_.at().address), them_.at().port}};
        if (trunk.numbers.empty()) trunk.numbers = {{"+4930123"}};
        trunk.caller_id = "+4930123";
        us_.set_trunks({std::move(trunk)});
    }
    scripted_carrier(const scripted_carrier&) = delete;
    scripted_carrier& operator=(const scripted_carrier&) = delete;

    void play(std::string_view script) {
        std::istringstream lines{std::string{script}};
        std::vector<std::string> part;
        for (std::string line; std::getline(lines, line);) {
            const bool begins =
                line.starts_with("<<< ") || line.starts_with(">>> ") || line.starts_with("--- ");
            if (begins) act(std::exchange(part, {}));
            if (begins || !part.empty()) part.push_back(line);
        }
        act(part);
        // Nothing is left of it, and nothing that the script does not know was said.
        network_.run_for(80s);
        CHECK(said_.empty());
        CHECK(told_.empty());
        CHECK(us_.engine().calls() == 0);
    }
    [[nodiscard]] const call_record& record() const {
        REQUIRE(record_.has_value());
        return *record_;
    }

private:
    struct listener final : agent {
        explicit listener(scripted_carrier& around) : of{&around} {}
        void on_initiated(call& c) override { of->call_ = c.handle(); }
        void on_ringing(call&) override { of->told_.push_back("ringing"); }
        void on_early_media(call&) override { of->told_.push_back("early media"); }
        void on_answered(call&) override { of->told_.push_back("answered"); }
        void on_digit(call&, char digit) override {
            of->told_.push_back(std::string{"digit "} + digit);
        }
        void on_transfer(call&, const transfer_progress& how) override {
            of->told_.push_back("transfer " + std::to_string(how.status));
        }
        void on_ended(call&, const call_record& record) override {
            of->record_ = record;
            of->told_.push_back("ended " + std::string{name(record.ended_by)} + ' ' +
                                std::to_string(record.sip_code));
        }
        scripted_carrier* of;
    };

    trunks::engine_config answering() {
        trunks::engine_config made;
        made.on_incoming = [this](incoming_call& call) {
            call_ = call.handle();
            called_ = call.number();
            call.each_header([this](std::string_view name, std::string_view value) {
                read_.push_back(std::string{name} + ": " + std::string{value});
            });
            CHECK(call.ringing());
            CHECK(call.answer(std::make_unique<listener>(*this)));
        };
        // Handles post here; what they post is run with the next line of the script.
        made.mailbox = std::make_shared<const call_handle::mailbox>(
            [this](std::function<void(trunks::engine&)> task) {
                posted_.push_back(std::move(task));
                return true;
            });
        return made;
    }
    void hear(std::string_view text) {
        if (known_.emplace(text).second) said_.emplace_back(text);
    }
    void act(const std::vector<std::string>& part) {
        if (part.empty()) return;
        CAPTURE(part.front());
        const auto what = part.front().substr(4);
        if (part.front().starts_with(">>>")) return expect(what, part);
        if (part.front().starts_with("<<<")) return say(what, part);
        command(what);
    }
    void expect(const std::string& start, const std::vector<std::string>& part) {
        REQUIRE(network_.run_until([this] { return !said_.empty(); }, 70s));
        last_ = said_.front();
        said_.erase(said_.begin());
        CAPTURE(last_);
        CHECK(last_.starts_with(start));
        if (!last_.starts_with("SIP/2.0 ")) request_ = last_;
        if (last_.starts_with("INVITE ")) invite_ = last_;
        for (std::size_t i = 1; i < part.size(); ++i) {
            CAPTURE(part[i]);
            if (part[i].empty()) continue;
            const bool unwanted = part[i].starts_with("! ");
            const auto line = "\r\n" + part[i].substr(unwanted ? 2 : 0);
            CHECK((last_.find(line) == std::string::npos) == unwanted);
        }
    }
    void say(const std::string& start, const std::vector<std::string>& part) {
        std::string head = start + '\n';
        std::string payload;
        bool in_body = false;
        for (std::size_t i = 1; i < part.size(); ++i) {
            if (part[i].empty())
                in_body = true;
            else
                (in_body ? payload : head) += part[i] + '\n';
        }
        replace(head, "$echo-INVITE\n", echo(invite_));
        replace(head, "$echo\n", echo(request_));
        replace(head, "$contact", "Contact: " + support::header(request_, "Contact"));
        replace(head, "$branch", "z9hG4bK-" + std::to_string(++branches_));
        replace(head, "$tag", support::tag(last_, last_.starts_with("SIP/2.0 ") ? "To" : "From"));
        replace(head, "$call", support::header(last_, "Call-ID"));
        const auto contact = support::header(last_, "Contact");
        if (!contact.empty()) target_ = contact.substr(1, contact.find('>') - 1);
        replace(head, "$target", target_);
        const auto bytes = support::crlf(payload);
        them_.say(support::crlf(head) + "Content-Length: " + std::to_string(bytes.size()) +
                      "\r\n\r\n" + bytes,
                  us_.at());
    }
    [[nodiscard]] static std::string echo(const std::string& request) {
        std::string copied;
        for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
            copied += std::string{name} + ": " + support::header(request, name);
            const bool untagged =
                std::string_view{name} == "To" && support::tag(request, "To").empty();
            copied += untagged ? ";tag=carrier\n" : "\n";
        }
        return copied;
    }
    void command(const std::string& what) {
        const auto rest = [&](std::string_view word) { return what.substr(word.size()); };
        if (what.starts_with("dial ")) {
            us_.run([&](trunks::engine& engine, time_point now, outbox& out) {
                engine.dial({.to = rest("dial "), .agent = std::make_unique<listener>(*this)}, now,
                            out);
            });
        } else if (what.starts_with("transfer ")) {
            post([to = rest("transfer ")](call& c) { CHECK(c.transfer(to)); });
        } else if (what == "remove") {
            us_.set_trunks({});
        } else if (what == "hang up") {
            post([](call& c) { c.hang_up("done"); });
        } else if (what.starts_with("wait ")) {
            network_.run_for(std::chrono::seconds{std::stoi(rest("wait "))});
        } else if (what.starts_with("told ")) {
            const auto wanted = rest("told ");
            REQUIRE(network_.run_until([this] { return !told_.empty(); }, 70s));
            CHECK(told_.front() == wanted);
            told_.erase(told_.begin());
        } else if (what.starts_with("called ")) {
            CHECK(called_ == rest("called "));
        } else if (what.starts_with("read ")) {
            CHECK(std::ranges::find(read_, rest("read ")) != read_.end());
        } else {
            FAIL(what); // No such command.
        }
    }
    void post(std::function<void(call&)> what) {
        REQUIRE(call_.has_value());
        REQUIRE(call_->post(std::move(what)));
        for (const auto& task : std::exchange(posted_, {})) {
            us_.run([&](trunks::engine& engine, time_point now, outbox& out) {
                engine.run(task, now, out);
            });
        }
    }
    static void replace(std::string& text, std::string_view what, const std::string& by) {
        for (auto at = text.find(what); at != std::string::npos;
             at = text.find(what, at + by.size())) {
            text.replace(at, what.size(), by);
        }
    }

    world network_{5};
    std::vector<std::function<void(trunks::engine&)>> posted_;
    carrier& them_;
    host& us_;
    std::set<std::string, std::less<>> known_;
    std::vector<std::string> said_; ///< By us, and not looked at yet.
    std::string last_;              ///< What we said last, that was looked at,
    std::string request_;           ///< and the last request and INVITE of it.
    std::string invite_;
    std::string target_;
    unsigned branches_ = 0;
    std::optional<call_handle> call_;
    std::string called_;
    std::vector<std::string> read_; ///< Headers of the INVITE, as the application is given them.
    std::vector<std::string> told_;
    std::optional<call_record> record_;
};

} // namespace trunkline::sim
