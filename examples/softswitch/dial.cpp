// `softswitch dial`: a call by hand, told line by line.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cdr.hpp"
#include "signals.hpp"
#include "switchboard.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

using clock = std::chrono::steady_clock;

/// What the callbacks of the call, on the shard, and who waits for it have between them.
struct progress {
    clock::time_point began = clock::now();
    std::atomic<bool> answered = false;
    std::mutex guard;
    trunkline::call_handle call; ///< Guarded; none before the call's first callback.

    void tell(std::string_view what) const {
        fmt::print("{:8.3f} s  {}\n", std::chrono::duration<double>{clock::now() - began}.count(),
                   what);
        std::fflush(stdout);
    }
};

/// An agent that tells how the call goes, and leaves the talking to another.
class teller final : public trunkline::agent {
public:
    teller(std::unique_ptr<trunkline::agent> inner, std::shared_ptr<progress> told)
        : inner_{std::move(inner)},
          told_{std::move(told)} {}

    void on_ringing(trunkline::call& call) override {
        meet(call);
        if (!std::exchange(rang_, true)) told_->tell("ringing");
        inner_->on_ringing(call);
    }
    void on_progress(trunkline::call& call, int code) override {
        meet(call);
        if (code != told_code_)
            told_->tell(fmt::format("{} {}", code, trunkline::provisional_words(code)));
        told_code_ = code;
        inner_->on_progress(call, code);
    }
    void on_early_media(trunkline::call& call) override {
        meet(call);
        told_->tell("early media");
        inner_->on_early_media(call);
    }
    void on_answered(trunkline::call& call) override {
        meet(call);
        told_->answered = true;
        told_->tell("answered");
        inner_->on_answered(call);
    }
    void on_audio(trunkline::call& call, const trunkline::audio_frame& heard) override {
        if (heard.kind == trunkline::frame_kind::speech && !std::exchange(heard_, true)) {
            told_->tell("audio");
        }
        inner_->on_audio(call, heard);
    }
    void on_initiated(trunkline::call& call) override {
        meet(call);
        inner_->on_initiated(call);
    }
    void on_digit(trunkline::call& call, char digit) override {
        told_->tell(fmt::format("digit {}", digit));
        inner_->on_digit(call, digit);
    }
    void on_mark(trunkline::call& call, std::string_view name, bool played) override {
        inner_->on_mark(call, name, played);
    }
    void on_drained(trunkline::call& call) override { inner_->on_drained(call); }
    void on_ended(trunkline::call& call, const trunkline::call_record& record) override {
        inner_->on_ended(call, record);
    }

private:
    void meet(const trunkline::call& call) {
        const std::lock_guard held{told_->guard};
        told_->call = call.handle();
    }

    std::unique_ptr<trunkline::agent> inner_;
    std::shared_ptr<progress> told_;
    int told_code_ = 0; ///< A provisional response that is repeated is told once.
    bool rang_ = false;
    bool heard_ = false;
};

/// What was heard, and of what was not, each kind that there was.
[[nodiscard]] std::string in_words(const trunkline::media_statistics& media) {
    auto text = fmt::format("RTP: {} sent, {} received", media.sent, media.received);
    const auto add = [&](std::uint64_t count, std::string_view what) {
        if (count != 0) text += fmt::format(", {} {}", count, what);
    };
    const auto in_ms = [](trunkline::duration time) {
        const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(time);
        return static_cast<std::uint64_t>(whole.count());
    };
    add(media.lost, "lost");
    add(media.late, "late");
    add(media.foreign, "from strangers");
    add(media.refused_size, "of a size that is refused");
    add(media.unknown_type, "of a payload type that was not agreed");
    add(media.malformed, "malformed");
    add(media.overflowed, "more than there was room for");
    add(media.resets, "new timelines");
    add(in_ms(media.concealed), "ms concealed");
    add(in_ms(media.made_up), "ms made up");
    if (const auto advice = media_advice(media); !advice.empty()) text += "; " + advice;
    return text;
}

/// What to do where no carrier has said anything.
[[nodiscard]] std::string_view advice_for(trunkline::call_failure why) {
    using trunkline::call_failure;
    switch (why) {
    case call_failure::name_unresolved: return ": check the gateway's name, and DNS";
    case call_failure::not_reached: return ": check the gateway's address, port and transport";
    case call_failure::tls: return ": check ca, server_name and certificate of the trunk's tls";
    case call_failure::gateway_silent:
        return ": no gateway answered; check their addresses and the route there";
    case call_failure::gateway_resting: return ": try later, or another trunk";
    case call_failure::not_answered: return ": nobody picked up; see ringing_timeout";
    case call_failure::no_media: return ": widen media.ports";
    case call_failure::unusable_answer:
        return ": check codecs of the trunk; --trace shows both SDPs";
    case call_failure::none: return "";
    default: return "; --trace shows why";
    }
}

/// What happened, and what to do about it.
[[nodiscard]] std::string in_words(const trunkline::call_record& record) {
    auto text = fmt::format("ended by {}: ", trunkline::name(record.ended_by));
    if (record.sip_code != 0) text += fmt::format("{} ", record.sip_code);
    text += printable(record.reason);
    if (!record.carrier_words.empty() && record.carrier_words != record.reason) {
        text += fmt::format("; the carrier says: {}", printable(record.carrier_words));
    }
    if (record.answered) return text + "; " + in_words(record.media);
    if (!record.by_wire) return text.append(advice_for(record.failure));
    for (const auto& one : record.attempts) {
        for (const auto& target : one.targets)
            text += fmt::format("; it is at {}", printable(target));
    }
    switch (record.sip_code) {
    case 401:
    case 407: return text + ": check username, password and realm of the trunk";
    case 403:
        return text + ": the carrier knows neither our address nor the caller's number; "
                      "check its access list and caller_id";
    case 404: return text + ": there is no such number; does this carrier want it with a +?";
    case 408: return text + ": no gateway answered; check their addresses and the route there";
    case 486:
    case 600: return text + ": busy; try later";
    case 488: return text + ": no codec in common; check codecs of the trunk";
    case 503: return text + ": nobody takes calls there; check the trunk, or try another one";
    default: return text + "; --trace shows why";
    }
}

[[nodiscard]] bool knows_trunk(const configuration& of, const options& how) {
    std::string names;
    for (const auto& trunk : of.trunks) {
        if (trunk.outbound && (how.trunk.empty() || trunk.name == how.trunk)) return true;
        names += (names.empty() ? "`" : ", `") + printable(trunk.name) + "`";
    }
    if (how.trunk.empty()) {
        spdlog::error("no trunk of {} takes outbound calls: set outbound = true",
                      how.config.string());
    } else {
        spdlog::error("{} has no trunk `{}` that takes outbound calls; there are {}",
                      how.config.string(), printable(how.trunk), names);
    }
    return false;
}

/// The switch may be running, and holds the addresses then.
void take_any_ports(trunkline::manager_config& of) {
    for (auto& listener : of.listen) {
        listener.at = listener.at.substr(0, listener.at.rfind(':')) + ":0";
        if (trunkline::endpoint::parse(listener.advertise)) {
            listener.advertise = listener.advertise.substr(0, listener.advertise.rfind(':'));
        }
    }
}

[[nodiscard]] bool is_free(const trunkline::manager_config& of) {
    trunkline::manager_config probe;
    probe.listen = of.listen;
    try {
        const trunkline::trunk_manager manager{std::move(probe)};
    } catch (const std::exception&) {
        return false;
    }
    return true;
}

} // namespace

outcome dial(configuration of, const options& how) {
    if (!knows_trunk(of, how)) return outcome::usage;
    if (auto wrong = of.agents.add(how.agent, {}); !wrong.empty()) {
        spdlog::error("--agent: {}", wrong);
        return outcome::usage;
    }
    of.sockets.trust(how.agent);
    of.manager.shards = 1;
    // A call in passing: calls of others go on coming to the softswitch that has registered.
    for (auto& trunk : of.trunks) trunk.registration.reset();
    if (!is_free(of.manager)) take_any_ports(of.manager);
    const auto told = std::make_shared<progress>();
    switchboard board{of, how};
    auto wanted = board.manager_config();
    wanted.on_incoming = [](trunkline::incoming_call& call) {
        static_cast<void>(call.reject(480, "Dialling only"));
    };
    wanted.on_record = [&](const trunkline::call_record& record) {
        if (record.direction != trunkline::direction::outbound) return;
        told->tell(in_words(record));
        board.write(record);
        // The BYE, or the ACK of a refusal, may have to be sent again: one moment for that.
        board.manager().drain(std::chrono::seconds{1});
    };
    if (!board.open(std::move(wanted))) return outcome::usage;
    auto& manager = board.manager();
    const auto hang_up = [&] {
        const std::lock_guard held{told->guard};
        return told->call.id() != 0 && told->call.hang_up();
    };
    const signals ends{[&](int count) {
                           told->tell("hanging up");
                           if (count > 1) return manager.stop();
                           if (!hang_up()) manager.drain(std::chrono::milliseconds{0});
                       },
                       how.hang_up_after,
                       [&] {
                           told->tell("hanging up");
                           if (!hang_up()) manager.drain(std::chrono::milliseconds{0});
                       }};
    const auto visit =
        std::make_shared<const reception::visitor>(reception::visitor{.id = new_sid("CA"),
                                                                      .from = how.from,
                                                                      .to = how.number,
                                                                      .trunk = how.trunk,
                                                                      .inbound = false});
    board.reception().hire(visit, how.agent, [&](auto agent, const std::string& why) {
        if (agent == nullptr) {
            told->tell("no agent: " + why);
            return manager.stop();
        }
        trunkline::dial_request request;
        request.to = how.number;
        request.from = how.from;
        request.trunk = how.trunk;
        request.agent_name = how.agent;
        request.agent = std::make_unique<teller>(std::move(agent), told);
        told->tell(fmt::format("calling {}", printable(how.number)));
        manager.dial(std::move(request));
    });
    manager.run();
    board.settle();
    return told->answered ? outcome::good : outcome::refused;
}

} // namespace softswitch
