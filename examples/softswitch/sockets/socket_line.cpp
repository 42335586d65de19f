#include "socket_line.hpp"

#include <chrono>
#include <iterator>
#include <utility>

#include <asio/post.hpp>
#include <spdlog/spdlog.h>

#include <trunkline/codec/g711.hpp>

namespace softswitch {

namespace {

[[nodiscard]] trunkline::time_point now() {
    return trunkline::time_point{std::chrono::duration_cast<trunkline::duration>(
        std::chrono::steady_clock::now().time_since_epoch())};
}

} // namespace

void socket_line::connect(asio::ssl::context& tls, const socket_identity& as,
                          std::unique_ptr<agent_protocol> protocol, const connecting& how,
                          outcome then) {
    if (ended_) return then(nullptr, "nobody waits for it any more");
    protocol_ = std::move(protocol);
    then_ = std::move(then);
    self_ = shared_from_this();
    socket_ = web_socket::connect(on_.io(), tls, to_, as, how, *this);
}

void socket_line::drop() {
    if (socket_) socket_->abandon();
    release();
}

void socket_line::attach(trunkline::call_handle call, obeying who) {
    {
        const std::lock_guard held{guard_};
        call_ = std::move(call);
        who_ = std::move(who);
    }
    asio::post(on_.io(), [self = shared_from_this()] {
        if (!self->unheard_.empty()) self->tell(std::exchange(self->unheard_, {}));
    });
}

void socket_line::tell(std::vector<wish> what) {
    const std::lock_guard held{guard_};
    if (!who_) {
        unheard_.insert(unheard_.end(), std::make_move_iterator(what.begin()),
                        std::make_move_iterator(what.end()));
        return;
    }
    // A task may be copied on its way; what it carries is moved out where it runs.
    const auto carried = std::make_shared<std::vector<wish>>(std::move(what));
    on_.for_calls().add(
        call_, [carried, who = who_](trunkline::call& call) { who(call, std::move(*carried)); });
}

template <class Put>
void socket_line::bring(Put put) {
    {
        const std::lock_guard held{guard_};
        put(brought_);
        if (std::exchange(coming_, true)) return;
    }
    asio::post(on_.io(), [self = shared_from_this()] { self->take_basket(); });
}

void socket_line::start(stream_start of) {
    bring([&](basket& into) {
        into.notices.push_back({notice::what::start, 0, {}, std::move(of)});
    });
}

void socket_line::hear(std::span<const std::int16_t> pcm, std::uint64_t at) {
    bring([&](basket& into) {
        if (into.ulaw.empty()) into.at = at;
        const auto before = into.ulaw.size();
        // Nobody looks for so long only when that thread is stuck: the session would drop it, too.
        constexpr std::size_t most = agent_session::frame * agent_session::most_frames;
        if (before + pcm.size() > most) {
            into.ulaw.clear();
            into.at = at;
        }
        const auto begin = into.ulaw.size();
        into.ulaw.resize(begin + pcm.size());
        trunkline::codec::encode(trunkline::codec::law::ulaw, pcm,
                                 std::span{into.ulaw}.subspan(begin));
    });
}

void socket_line::digit(char digit) {
    bring([&](basket& into) { into.notices.push_back({notice::what::digit, digit, {}, {}}); });
}

void socket_line::mark_reached(std::string name) {
    bring([&](basket& into) {
        into.notices.push_back({notice::what::mark, 0, std::move(name), {}});
    });
}

void socket_line::end() {
    bring([&](basket& into) { into.notices.push_back({notice::what::end, 0, {}, {}}); });
}

void socket_line::take_basket() {
    taken_.notices.clear();
    taken_.ulaw.clear();
    {
        const std::lock_guard held{guard_};
        std::swap(taken_, brought_);
        coming_ = false;
    }
    bool ends = false;
    for (auto& one : taken_.notices) {
        if (one.kind == notice::what::end) ends = true;
        if (!session_) continue;
        switch (one.kind) {
        case notice::what::start: session_->start(std::move(*one.start)); break;
        case notice::what::digit: session_->digit(one.digit); break;
        case notice::what::mark: session_->mark_reached(std::move(one.name)); break;
        case notice::what::end: break; // Behind the last audio.
        }
    }
    if (session_ && !taken_.ulaw.empty()) session_->hear(taken_.ulaw, taken_.at);
    if (ends) {
        ended_ = true;
        if (session_) {
            session_->call_ended();
        } else if (socket_) {
            socket_->abandon();
            release();
            if (then_) std::exchange(then_, {})(nullptr, "nobody waits for it any more");
        }
    }
    if (session_) {
        socket_->flush();
        obey();
    }
}

void socket_line::opened() {
    session_.emplace(std::move(protocol_), now());
    arm();
    std::exchange(then_, {})(shared_from_this(), {});
}

void socket_line::received(wire_message& message) {
    session_->receive(message);
    obey();
}

bool socket_line::next_message(wire_message& into) {
    return session_->next_message(into);
}

void socket_line::reading_again() {
    session_->read_again(now());
}

void socket_line::closed(std::optional<std::uint16_t> code, std::string_view why) {
    // The socket lets go of us on its own stack.
    const auto keep = shared_from_this();
    if (!session_) {
        release();
        if (then_) std::exchange(then_, {})(nullptr, std::string{why});
        return;
    }
    session_->closed(code, why);
    obey();
    release();
}

/// What is for the socket is done here, the rest by whoever the call has sent.
void socket_line::obey() {
    if (!session_ || session_->wants().empty()) return;
    std::vector<wish> rest;
    for (auto& one : std::exchange(session_->wants(), {})) {
        if (std::holds_alternative<wishes::ping>(one)) {
            socket_->ping();
        } else if (const auto* close = std::get_if<wishes::close>(&one)) {
            socket_->leave(close->code);
            asio::post(on_.io(), [keep = shared_from_this()] { keep->release(); });
        } else {
            rest.push_back(std::move(one));
        }
    }
    if (!rest.empty()) tell(std::move(rest));
}

void socket_line::arm() {
    const auto at = session_ ? session_->next_deadline() : std::nullopt;
    if (!at) return;
    timer_.expires_at(std::chrono::steady_clock::time_point{
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(at->time_since_epoch())});
    timer_.async_wait([self = weak_from_this()](asio::error_code failed) {
        const auto line = self.lock();
        if (failed || !line) return;
        line->session_->tick(now());
        line->obey();
        line->arm();
    });
}

/// Nothing comes from the socket any more, and nothing goes there.
void socket_line::release() {
    timer_.cancel();
    if (session_) {
        const auto& counted = session_->counted();
        const bool lossy = counted.frames_dropped != 0 || counted.not_understood != 0;
        if (lossy && self_) {
            spdlog::warn("{}: {} frames sent, {} dropped because it read too slowly, {} of its "
                         "messages were not understood",
                         to_.text, counted.frames_sent, counted.frames_dropped,
                         counted.not_understood);
        }
    }
    // Whoever obeys stays: the agent may have died while the call was being given to it, and that
    // is still to be told.
    const auto last = std::exchange(self_, {});
}

} // namespace softswitch
