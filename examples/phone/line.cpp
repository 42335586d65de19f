#include "line.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <trunkline/sip/uri.hpp>
#include <trunkline/trunkline.hpp>

#include "handset.hpp"
#include "report.hpp"
#include "watchman.hpp"

namespace phone {

using namespace trunkline;

namespace {

/// What is common to both directions: the recordings, and what is done with what came of a call.
class line {
public:
    explicit line(const call_options& wanted)
        : wanted_{wanted},
          speech_{wanted.play.empty() ? samples{} : read_wav(wanted.play)} {
        events_.ended = [this](const call_record& record, const conversation& talk) {
            keep(record, talk);
        };
        watchman::hold_signals();
    }

    int call();
    int wait();

private:
    [[nodiscard]] trunk_config trunk() const;
    [[nodiscard]] std::unique_ptr<handset> new_handset();
    void add_trunk(trunk_manager& to, trunk_config config);
    void run(trunk_manager& manager);
    void keep(const call_record& record, const conversation& talk);
    void take(incoming_call& incoming);
    void one_more(trunk_manager& manager);

    const call_options& wanted_;
    const samples speech_;
    handset_events events_{};
    unsigned calls_ = 0;
    bool answered_ = false;
    std::string trouble_{}; ///< A file that could not be written.
};

trunk_config line::trunk() const {
    trunk_config config{.name = "line",
                        .auth = wanted_.credentials,
                        .inbound_auth = wanted_.challenge,
                        .allow_from = {"0.0.0.0/0", "::/0"},
                        .numbers = {did{"*", "handset"}},
                        .caller_id = wanted_.from,
                        .channels = 1'000,
                        .calls_per_second = 1'000};
    if (wanted_.law) config.codecs = {*wanted_.law};
    if (wanted_.ring_for) {
        config.ringing_timeout = std::chrono::ceil<std::chrono::seconds>(*wanted_.ring_for);
    }
    return config;
}

std::unique_ptr<handset> line::new_handset() {
    return std::make_unique<handset>(wanted_, speech_, events_);
}

void line::add_trunk(trunk_manager& to, trunk_config config) {
    const auto added = to.add_trunk(std::move(config));
    if (!added) throw std::runtime_error{added.reason().field + ": " + added.reason().message};
}

/// Until somebody drains the manager: the last call's end, or the user.
void line::run(trunk_manager& manager) {
    watchman watch{manager};
    events_.answered = [this, &watch](trunkline::call& answered) {
        answered_ = true;
        if (wanted_.hang_up_after) watch.hang_up_after(answered.handle(), *wanted_.hang_up_after);
    };
    manager.run();
}

/// The files of the last call are the ones that stay; the JSON has a line for each.
void line::keep(const call_record& record, const conversation& talk) try {
    print(record, talk);
    if (!wanted_.record.empty()) write_wav(wanted_.record, talk.heard);
    if (!wanted_.said.empty()) {
        write_wav(wanted_.said, std::span{speech_}.first(std::min(talk.said, speech_.size())));
    }
    if (!wanted_.json.empty()) append_line(wanted_.json, to_json(record, talk));
    std::fflush(stdout);
} catch (const std::runtime_error& why) {
    trouble_ = why.what(); // A callback that throws would end a call that has ended already.
}

int line::call() {
    const auto uri = sip::uri_view::parse(wanted_.to);
    if (!uri || uri->scheme != sip::uri_view::scheme_kind::sip || uri->user.empty()) {
        throw std::invalid_argument{wanted_.to + ": whom to call is written sip:NUMBER@HOST"};
    }
    trunk_manager manager{
        {.listen = {{.at = wanted_.listen.empty() ? "udp:0.0.0.0:0" : wanted_.listen}},
         .user_agent = "trunkline phone"}};
    auto config = trunk();
    config.gateways = {{std::string{uri->host}, uri->port_or_default()}};
    config.leading_plus = uri->user.starts_with('+');
    config.inbound = false;
    add_trunk(manager, std::move(config));
    const auto told = events_.ended;
    events_.ended = [&](const call_record& record, const conversation& talk) {
        told(record, talk);
        manager.drain(std::chrono::seconds{1});
    };
    manager.dial({.to = std::string{uri->user}, .agent = new_handset(), .agent_name = "handset"});
    run(manager);
    if (!trouble_.empty()) throw std::runtime_error{trouble_};
    return answered_ ? 0 : 1;
}

void line::take(incoming_call& incoming) {
    const auto done = wanted_.answer_with != 200 ? incoming.reject(wanted_.answer_with)
                      : incoming.ringing()       ? incoming.answer(new_handset())
                                                 : error{.code = errc::gone};
    if (!done) incoming.hang_up();
}

/// The last of the calls that were waited for takes the line down.
void line::one_more(trunk_manager& manager) {
    ++calls_;
    if (wanted_.calls != 0 && calls_ >= wanted_.calls) manager.drain(std::chrono::seconds{1});
}

int line::wait() {
    trunk_manager* running = nullptr;
    const auto told = events_.ended;
    events_.ended = [&](const call_record& record, const conversation& talk) {
        told(record, talk);
        one_more(*running);
    };
    trunk_manager manager{
        {.listen = {{.at = wanted_.listen.empty() ? "udp:0.0.0.0:5060" : wanted_.listen}},
         .on_incoming = [this](incoming_call& incoming) { take(incoming); },
         .on_record =
             [&](const call_record& record) {
                 // Somebody who does not know the password is nobody who was waited for.
                 if (record.refused != diagnostic::refused_by_application) return;
                 told(record, {});
                 one_more(*running);
             },
         .user_agent = "trunkline phone"}};
    running = &manager;
    add_trunk(manager, trunk());
    std::fprintf(stderr, "waiting on %s\n", to_text(manager.listening()).c_str());
    run(manager);
    if (!trouble_.empty()) throw std::runtime_error{trouble_};
    return calls_ >= wanted_.calls ? 0 : 1;
}

} // namespace

int call(const call_options& wanted) {
    return line{wanted}.call();
}

int wait(const call_options& wanted) {
    return line{wanted}.wait();
}

} // namespace phone
