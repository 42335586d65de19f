#include <trunkline/sip/transaction_layer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/text.hpp>

namespace trunkline::sip {
namespace {

using namespace std::chrono_literals;
using fate = transaction_layer::fate;
using why = transaction_layer::ended::why;

constexpr flow_id wire{1, 1};
constexpr timers values{};

/// Loses, doubles and delays, so that packets overtake each other. The same seed, the same weather.
class network {
public:
    explicit network(seeded_entropy& random) : random_{random} {}

    struct packet {
        time_point at;
        int to;
        std::string text;
    };
    void carry(int to, std::string_view text, time_point now) {
        const auto copies = random_.below(100) < loss ? 0 : random_.below(100) < 15 ? 2 : 1;
        for (int i = 0; i < copies; ++i) {
            const std::chrono::milliseconds delay{1 +
                                                  random_.below(random_.below(4) == 0 ? 900 : 60)};
            packets_.push_back({now + delay, to, std::string{text}});
        }
    }
    [[nodiscard]] std::optional<time_point> next() const {
        std::optional<time_point> first;
        for (const auto& one : packets_) first = earliest(first, one.at);
        return first;
    }
    [[nodiscard]] std::optional<packet> take(time_point now) {
        auto found = packets_.end();
        for (auto at = packets_.begin(); at != packets_.end(); ++at) {
            if (at->at <= now && (found == packets_.end() || at->at < found->at)) found = at;
        }
        if (found == packets_.end()) return std::nullopt;
        auto taken = std::move(*found);
        packets_.erase(found);
        return taken;
    }

    std::uint64_t loss = 25; ///< Of a hundred.

private:
    seeded_entropy& random_;
    std::vector<packet> packets_;
};

/// The header lines that a response repeats, cut from the text without our parser.
[[nodiscard]] std::string answer(std::string_view request, int status, std::string_view tag) {
    std::string made = "SIP/2.0 " + std::to_string(status) + " x\r\n";
    std::size_t at = request.find("\r\n") + 2;
    while (request.substr(at, 2) != "\r\n") {
        const auto end = request.find("\r\n", at);
        auto line = std::string{request.substr(at, end - at)};
        if (line.starts_with("To:") && line.find(";tag=") == std::string::npos && status > 100) {
            line += ";tag=" + std::string{tag};
        }
        if (!line.starts_with("Max-") && !line.starts_with("Content-")) made += line + "\r\n";
        at = end + 2;
    }
    return made + "\r\n";
}

struct client {
    transaction_id id;
    bool is_invite = false;
    int finals = 0;   ///< Failures, or final responses to what is no INVITE.
    bool won = false; ///< A 2xx to an INVITE; its copies go up too.
    int ended = 0;
    std::optional<time_point> cancel_at;
};

struct server {
    transaction_id id;
    std::string request;
    int status = 200;
    bool is_invite = false;
    bool answered = false;
    bool acknowledged = false;
    std::optional<time_point> next; ///< When it answers, or repeats its 2xx.
    duration interval = values.t1;
    time_point give_up{};
};

/// 0 calls, 1 answers.
class world {
public:
    explicit world(std::uint64_t seed)
        : random_{seed},
          weather_{random_},
          layers_{{values, wheels_[0], random_, 0}, {values, wheels_[1], random_, 1}} {
        if (random_.below(8) == 0) weather_.loss = 100; // Nobody is there.
    }

    void run() {
        const auto count = 1 + random_.below(3);
        for (std::uint64_t i = 0; i < count; ++i) start(i);
        const time_point end{10s + 2 * 64 * values.t1 + 64 * values.t1};
        while (true) {
            const auto next = next_event();
            if (!next || *next > end) break;
            now_ = std::max(now_, *next);
            step();
        }
        check();
    }

private:
    [[nodiscard]] std::optional<time_point> next_event() const {
        auto next = weather_.next();
        for (const auto& wheel : wheels_) next = earliest(next, wheel.next_deadline());
        for (const auto& one : clients_) next = earliest(next, one.cancel_at);
        for (const auto& one : servers_) next = earliest(next, one.second.next);
        return next;
    }

    void start(std::uint64_t number) {
        const bool invite = random_.below(3) != 0;
        const std::string method = invite ? "INVITE" : "OPTIONS";
        const auto id = layers_[0].open(invite ? method::invite : method::options, wire, false,
                                        owner_id{number + 1});
        const auto text =
            method +
            " sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=" + std::string{layers_[0].branch(id)} +
            "\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=a" + std::to_string(number) +
            "\r\nTo: <sip:b@h>\r\nCall-ID: " + std::to_string(number) + "\r\nCSeq: 1 " + method +
            "\r\nContent-Length: 0\r\n\r\n";
        weather_.carry(1, text, now_);
        layers_[0].sent(id, as_bytes(text), now_);
        auto& made = clients_.emplace_back();
        made.id = id;
        made.is_invite = invite;
        if (invite && random_.below(3) == 0) {
            made.cancel_at = now_ + std::chrono::milliseconds{random_.below(3000)};
        }
    }

    void step() {
        while (auto packet = weather_.take(now_)) receive(packet->to, packet->text);
        for (int side = 0; side < 2; ++side) {
            wheels_[side].advance(now_, [&](timer_node& node) {
                const auto told = layers_[side].fire(node, now_, out_);
                if (told.what != why::nothing) hear(side, told);
            });
            flush(side);
        }
        for (auto& one : clients_) {
            if (!one.cancel_at || *one.cancel_at > now_) continue;
            one.cancel_at.reset();
            layers_[0].cancel(one.id, now_, out_);
            flush(0);
        }
        for (auto& [call, one] : servers_) {
            if (one.next && *one.next <= now_) act(one);
        }
    }
    void flush(int side) {
        for (const auto& one : out_) {
            if (const auto* what = std::get_if<effects::send>(&one)) {
                weather_.carry(1 - side, as_text(what->bytes), now_);
            }
        }
        out_.clear();
    }
    void hear(int side, const transaction_layer::ended& told) {
        if (side == 1) {
            CHECK(told.what == why::no_ack);
            return;
        }
        CHECK(told.what == why::timeout);
        for (auto& one : clients_) {
            if (one.id == told.id) ++one.ended; // A CANCEL's end is nobody's.
        }
    }

    void receive(int side, std::string text) {
        const auto wire_text = text;
        REQUIRE(view_.parse(text).has_value());
        const auto got = layers_[side].receive(view_, wire, now_, out_);
        flush(side);
        if (side == 0) {
            if (got.what == fate::response) respond(got);
        } else if (got.what == fate::fresh) {
            serve(wire_text);
        } else if (got.what == fate::ack) {
            const auto found = servers_.find(std::string{view_.call_id()});
            if (found != servers_.end()) {
                found->second.acknowledged = true;
                found->second.next.reset();
            }
        }
    }
    void respond(const transaction_layer::received& got) {
        for (auto& one : clients_) {
            if (one.id != got.id || view_.status() < 200) continue;
            if (!one.is_invite || view_.status() >= 300) {
                ++one.finals;
                continue;
            }
            one.won = true;
            // The dialog's ACK, with a branch of its own.
            weather_.carry(1,
                           "ACK sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKack" +
                               std::string{view_.call_id()} +
                               "\r\nFrom: " + std::string{view_.value(header::from)} +
                               "\r\nTo: " + std::string{view_.value(header::to)} + "\r\nCall-ID: " +
                               std::string{view_.call_id()} + "\r\nCSeq: 1 ACK\r\n\r\n",
                           now_);
        }
    }
    void serve(const std::string& text) {
        const auto what = view_.method();
        if (what == method::cancel) {
            const auto own = layers_[1].accept(view_, wire, false, owner_id::none);
            const auto invite = layers_[1].cancelled(view_);
            reply(own, text, invite ? 200 : 481);
            const auto found = servers_.find(std::string{view_.call_id()});
            if (invite && found != servers_.end() && !found->second.answered) {
                found->second.status = 487;
                found->second.next = now_;
            }
            return;
        }
        const bool invite = what == method::invite;
        const auto call = std::string{view_.call_id()};
        // A request that comes again after its transaction ended would be served twice.
        if (servers_.contains(call)) return;
        auto& one = servers_[call];
        one.id = layers_[1].accept(view_, wire, false, owner_id{9});
        one.request = text;
        one.is_invite = invite;
        one.status = random_.below(2) == 0 ? 200 : 486;
        const auto wait = std::chrono::milliseconds{random_.below(invite ? 5000 : 700)};
        one.next = now_ + wait;
        if (invite || random_.below(3) == 0) reply(one.id, text, invite ? 180 : 100);
    }
    void act(server& one) {
        if (!one.answered) {
            one.answered = true;
            reply(one.id, one.request, one.status);
            const bool repeats = one.is_invite && one.status < 300;
            one.next = repeats ? std::optional{now_ + one.interval} : std::nullopt;
            one.give_up = now_ + 64 * values.t1;
            return;
        }
        // Section 13.3.1.4: a 2xx is repeated by the user until its ACK.
        if (now_ >= one.give_up) {
            one.next.reset();
            return;
        }
        weather_.carry(0, answer(one.request, one.status, "b"), now_);
        one.interval = std::min(2 * one.interval, values.t2);
        one.next = now_ + one.interval;
    }
    void reply(transaction_id id, const std::string& request, int status) {
        const auto text = answer(request, status, "b");
        weather_.carry(0, text, now_);
        layers_[1].responded(id, status, as_bytes(text), now_);
    }

    void check() {
        for (const auto& one : clients_) {
            CAPTURE(one.is_invite);
            CHECK(one.finals + (one.won ? 1 : 0) + one.ended == 1);
        }
        for (int side = 0; side < 2; ++side) {
            CAPTURE(side);
            CHECK(layers_[side].size() == 0);
            CHECK(wheels_[side].size() == 0);
        }
    }

    seeded_entropy random_;
    network weather_;
    timer_wheel wheels_[2];
    transaction_layer layers_[2];
    outbox out_;
    message_view view_;
    time_point now_{};
    std::vector<client> clients_;
    std::map<std::string, server> servers_;
};

void run(std::uint64_t first, std::uint64_t last) {
    for (auto seed = first; seed < last; ++seed) {
        CAPTURE(seed); // Printed with whatever fails.
        world{seed}.run();
    }
}

TEST_CASE("sip::transaction_layer: over any network each request has one outcome, seeds to 500") {
    run(0, 500);
}
TEST_CASE("sip::transaction_layer: over any network each request has one outcome, seeds to 1000") {
    run(500, 1000);
}
TEST_CASE("sip::transaction_layer: over any network each request has one outcome, seeds to 1500") {
    run(1000, 1500);
}
TEST_CASE("sip::transaction_layer: over any network each request has one outcome, seeds to 2000") {
    run(1500, 2000);
}

} // namespace
} // namespace trunkline::sip
