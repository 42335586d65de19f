#include "agent_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace softswitch {

namespace {

/// RFC 6455 section 7.4: with these a server says that it is broken, overloaded or about to
/// restart. A caller who is told so by a bot would rather speak to whoever stands in for it.
[[nodiscard]] bool is_failure(std::uint16_t code) noexcept {
    return code >= 1'011 && code <= 1'014;
}

} // namespace

agent_session::agent_session(std::unique_ptr<agent_protocol> protocol, trunkline::time_point now)
    : protocol_{std::move(protocol)},
      ping_at_{now + ping_every} {}

void agent_session::start(stream_start of) {
    if (phase_ != phase::waiting) return;
    phase_ = phase::streaming;
    protocol_->write_start(of, opening_);
}

void agent_session::hear(std::span<const std::byte> ulaw, std::uint64_t at) {
    if (phase_ != phase::streaming) return;
    if (!began_at_) began_at_ = at;
    constexpr std::uint64_t samples_a_ms = 8;
    while (!ulaw.empty()) {
        if (filled_ == 0) filling_.at = (at - *began_at_) / samples_a_ms;
        const auto part = std::min(ulaw.size(), frame - filled_);
        std::ranges::copy(ulaw.first(part),
                          filling_.ulaw.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += part;
        at += part;
        ulaw = ulaw.subspan(part);
        if (filled_ == frame) finish_frame();
    }
}

void agent_session::finish_frame() {
    if (frames_.size() == most_frames) {
        frames_.pop_front();
        ++counted_.frames_dropped;
    }
    frames_.push_back(filling_);
    filled_ = 0;
}

void agent_session::digit(char digit) {
    if (phase_ == phase::streaming) add_notice({digit, {}});
}

void agent_session::mark_reached(std::string name) {
    if (phase_ == phase::streaming) add_notice({0, std::move(name)});
}

void agent_session::add_notice(notice what) {
    if (notices_.size() == most_notices) return lose("it does not read what it is sent");
    notices_.push_back(std::move(what));
}

void agent_session::call_ended() {
    if (phase_ == phase::over) return;
    const bool began = phase_ == phase::streaming;
    if (began && filled_ != 0) { // The caller's last words, with silence to the end of the frame.
        std::fill(filling_.ulaw.begin() + static_cast<std::ptrdiff_t>(filled_), filling_.ulaw.end(),
                  std::byte{0xff});
        finish_frame();
    }
    phase_ = began ? phase::stopping : phase::over;
    if (!began) wants_.emplace_back(wishes::close{});
}

void agent_session::receive(wire_message& message) {
    if (phase_ != phase::streaming) return;
    const auto what = protocol_->read(message);
    switch (what.kind) {
    case said::what::audio:
        wants_.emplace_back(wishes::play{{what.audio.begin(), what.audio.end()}});
        return;
    case said::what::mark: wants_.emplace_back(wishes::mark{std::string{what.name}}); return;
    case said::what::clear: wants_.emplace_back(wishes::clear{}); return;
    case said::what::nothing: ++counted_.not_understood; return;
    }
}

void agent_session::closed(std::optional<std::uint16_t> code, std::string_view why) {
    if (phase_ == phase::over) return;
    if (phase_ == phase::stopping) {
        phase_ = phase::over;
        return;
    }
    if (!code) return lose(std::string{why});
    if (is_failure(*code)) return lose(fmt::format("it closed with {}", *code));
    phase_ = phase::over;
    wants_.emplace_back(wishes::hang_up{});
}

void agent_session::lose(std::string why) {
    if (phase_ == phase::over) return;
    const bool in_use = phase_ != phase::stopping;
    phase_ = phase::over;
    if (in_use) wants_.emplace_back(wishes::stand_in{std::move(why)});
    wants_.emplace_back(wishes::close{1'001});
}

bool agent_session::next_message(wire_message& into) {
    if (phase_ == phase::over || phase_ == phase::waiting) return false;
    if (opening_sent_ < opening_.size()) {
        into = std::move(opening_[opening_sent_++]);
        return true;
    }
    if (!notices_.empty()) {
        const auto next = std::move(notices_.front());
        notices_.pop_front();
        if (next.digit != 0)
            protocol_->write_digit(next.digit, into);
        else
            protocol_->write_mark(next.name, into);
        return true;
    }
    if (!frames_.empty()) {
        protocol_->write_audio(frames_.front().ulaw, frames_.front().at, into);
        frames_.pop_front();
        ++counted_.frames_sent;
        return true;
    }
    if (phase_ != phase::stopping) return false;
    protocol_->write_stop(into);
    phase_ = phase::over;
    wants_.emplace_back(wishes::close{});
    return true;
}

void agent_session::tick(trunkline::time_point now) {
    if (phase_ == phase::over) return;
    if (unanswered_ && now >= *unanswered_ + pong_within) {
        return lose("it has not answered a ping for 5 s");
    }
    if (now < ping_at_) return;
    ping_at_ = now + ping_every;
    if (!unanswered_) unanswered_ = now;
    wants_.emplace_back(wishes::ping{});
}

std::optional<trunkline::time_point> agent_session::next_deadline() const noexcept {
    if (phase_ == phase::over) return std::nullopt;
    if (!unanswered_) return ping_at_;
    return std::min(ping_at_, *unanswered_ + pong_within);
}

} // namespace softswitch
