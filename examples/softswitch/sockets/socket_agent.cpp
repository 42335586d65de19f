#include "socket_agent.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <spdlog/spdlog.h>

#include <trunkline/codec/g711.hpp>

namespace softswitch {

namespace {

/// Marks of the agent's, apart from those of whoever stands in for it later.
constexpr char ours = 'm';

} // namespace

void socket_talk::attach(const trunkline::call_handle& on) {
    if (!line_) return;
    line_->attach(on, [talk = weak_from_this()](trunkline::call& call, std::vector<wish> what) {
        if (const auto alive = talk.lock()) alive->obey(call, std::move(what));
    });
}

void socket_talk::answered(trunkline::call& call) {
    answered_ = true;
    if (stand_in_) return stand_in_->on_answered(call);
    if (line_) line_->start(std::move(start_));
}

void socket_talk::obey(trunkline::call& call, std::vector<wish> what) {
    for (const auto& one : what) {
        if (!line_) return; // It has died in between.
        if (const auto* play_this = std::get_if<wishes::play>(&one)) {
            play(call, play_this->ulaw);
        } else if (const auto* mark = std::get_if<wishes::mark>(&one)) {
            // Where none can wait any more, the agent is told at once rather than never.
            if (!open(call) || !speech_.mark(ours + mark->name)) line_->mark_reached(mark->name);
        } else if (std::holds_alternative<wishes::clear>(one)) {
            speaking_ = false;
            static_cast<void>(call.clear());
        } else if (std::holds_alternative<wishes::hang_up>(one)) {
            hang_up_line();
            call.hang_up("the agent hung up");
        } else if (const auto* lost = std::get_if<wishes::stand_in>(&one)) {
            lose(call, lost->why);
        }
    }
}

bool socket_talk::open(trunkline::call& call) {
    if (speaking_) return true;
    const auto opened = call.say();
    if (!opened) return false;
    speech_ = *opened;
    speaking_ = true;
    return true;
}

void socket_talk::play(trunkline::call& call, const std::vector<std::byte>& ulaw) {
    std::array<std::int16_t, 1'600> pcm{};
    auto rest = std::span{ulaw};
    while (!rest.empty() && open(call)) {
        const auto part = rest.first(std::min(rest.size(), pcm.size()));
        const auto samples = std::span{pcm}.first(part.size());
        trunkline::codec::decode(trunkline::codec::law::ulaw, part, samples);
        const auto taken = speech_.write(samples);
        if (!taken) {
            speaking_ = false;
            break;
        }
        rest = rest.subspan(*taken);
        if (*taken < part.size()) break;
    }
    if (rest.empty()) return;
    if (overflowed_ == 0) {
        spdlog::warn("call {}: {} sends more than 120 s ahead; what is too much is dropped",
                     call.id(), line_->to().text);
    }
    overflowed_ += rest.size();
}

void socket_talk::lose(trunkline::call& call, const std::string& why) {
    const auto whose = line_->to().text;
    hang_up_line();
    speaking_ = false;
    static_cast<void>(call.clear());
    spdlog::warn("call {}: the agent at {} is lost: {}", call.id(), whose, why);
    if (lost_) return lost_(*this, call, why);
    call.fail("agent lost: " + why);
}

void socket_talk::stand_in(trunkline::call& call, std::unique_ptr<trunkline::agent> who) {
    stand_in_ = std::move(who);
    if (auto* const other = dynamic_cast<socket_agent*>(stand_in_.get())) {
        other->talk()->attach(call.handle());
    }
    if (answered_) stand_in_->on_answered(call);
}

void socket_talk::hang_up_line() {
    if (const auto line = std::exchange(line_, nullptr)) line->end();
}

void socket_agent::on_audio(trunkline::call& call, const trunkline::audio_frame& frame) {
    if (auto* const other = talk_->standing_in()) return other->on_audio(call, frame);
    if (auto* const line = talk_->line()) line->hear(frame.samples, frame.at);
}

void socket_agent::on_digit(trunkline::call& call, char digit) {
    if (auto* const other = talk_->standing_in()) return other->on_digit(call, digit);
    if (auto* const line = talk_->line()) line->digit(digit);
}

void socket_agent::on_mark(trunkline::call& call, std::string_view name, bool played) {
    // One that was cleared is told of, too: the agent waits for each that it has set.
    if (auto* const line = talk_->line()) return line->mark_reached(std::string{name.substr(1)});
    if (auto* const other = talk_->standing_in()) other->on_mark(call, name, played);
}

void socket_agent::on_drained(trunkline::call& call) {
    if (auto* const other = talk_->standing_in()) other->on_drained(call);
}

void socket_agent::on_ended(trunkline::call& call, const trunkline::call_record& record) {
    talk_->hang_up_line();
    if (auto* const other = talk_->standing_in()) other->on_ended(call, record);
}

} // namespace softswitch
