// sip_transactions layer|keyed|plain LIVES: one transaction's life, in random order among a million
// that are alive. A request comes, comes again, gets its final response, comes once more, and 32 s
// later it is over. Under callgrind it says instructions; without it, time.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/sip/transaction_layer.hpp>

#include "counting.hpp"
#include "plain_transactions.hpp"

namespace {

using namespace std::chrono_literals;
namespace sip = trunkline::sip;

constexpr trunkline::flow_id flow{1, 1};

constexpr std::string_view request_text =
    "INFO sip:tl000000000000000000000000@192.0.2.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK0123456789abcdef;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:+12125550199@carrier.example.net>;tag=gK0c5f1a2b\r\n"
    "To: <sip:+14155550100@203.0.113.7>;tag=tl00000000000000000000abcdefghijkm\r\n"
    "Call-ID: 1946382751_129384756@198.51.100.20\r\n"
    "CSeq: 784513 INFO\r\n"
    "Content-Length: 0\r\n\r\n";

constexpr std::string_view response_text =
    "SIP/2.0 200 OK\r\n"
    "Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK0123456789abcdef;received=198.51.100.20;"
    "rport=5060\r\n"
    "From: <sip:+12125550199@carrier.example.net>;tag=gK0c5f1a2b\r\n"
    "To: <sip:+14155550100@203.0.113.7>;tag=tl00000000000000000000abcdefghijkm\r\n"
    "Call-ID: 1946382751_129384756@198.51.100.20\r\n"
    "CSeq: 784513 INFO\r\n"
    "Content-Length: 0\r\n\r\n";

/// One request that was parsed once; another branch is written over the one that it has.
class request {
public:
    request() : text_{request_text} {
        if (!message_.parse(text_)) std::abort();
    }
    [[nodiscard]] const sip::message_view& with(std::uint64_t branch) {
        trunkline::write_hex(branch, 16, text_.data() + request_text.find("0123456789abcdef"));
        return message_;
    }

private:
    std::string text_;
    sip::message_view message_;
};

struct by_layer {
    using handle = sip::transaction_id;

    trunkline::seeded_entropy random{1};
    trunkline::timer_wheel wheel;
    sip::transaction_layer layer{{}, wheel, random, 0};

    handle create(const sip::message_view& what, trunkline::time_point now,
                  trunkline::outbox& out) {
        if (layer.receive(what, flow, now, out).what != sip::transaction_layer::fate::fresh) {
            std::abort();
        }
        return layer.accept(what, flow, false, trunkline::owner_id::none);
    }
    void absorb(const sip::message_view& what, trunkline::time_point now, trunkline::outbox& out) {
        if (layer.receive(what, flow, now, out).what != sip::transaction_layer::fate::absorbed) {
            std::abort();
        }
    }
    void responded(handle whose, std::span<const std::byte> bytes, trunkline::time_point now) {
        layer.responded(whose, 200, bytes, now);
    }
    void tick(trunkline::time_point now, trunkline::outbox& out) {
        wheel.advance(now, [&](trunkline::timer_node& node) {
            static_cast<void>(layer.fire(node, now, out));
        });
    }
    [[nodiscard]] std::size_t size() const { return layer.size(); }
};

template <class Hash>
struct by_plain {
    using handle = typename bench::plain_transactions<Hash>::transaction*;

    bench::plain_transactions<Hash> layer;

    handle create(const sip::message_view& what, trunkline::time_point, trunkline::outbox& out) {
        return &layer.receive(what, flow, out);
    }
    void absorb(const sip::message_view& what, trunkline::time_point, trunkline::outbox& out) {
        layer.receive(what, flow, out);
    }
    void responded(handle whose, std::span<const std::byte> bytes, trunkline::time_point now) {
        layer.responded(*whose, bytes, now);
    }
    void tick(trunkline::time_point now, trunkline::outbox&) { layer.tick(now); }
    [[nodiscard]] std::size_t size() const { return layer.size(); }
};

/// 32 requests each millisecond, all at different stages: what happens next happens to any of them.
template <class Layer>
class traffic {
public:
    void run(std::size_t milliseconds, bool counted) {
        for (std::size_t i = 0; i < milliseconds; ++i, now_ += 1ms) {
            {
                const bench::counting here{counted};
                layer_.tick(now_, out_);
            }
            for (std::size_t j = 0; j < each_millisecond; ++j) step(counted);
        }
    }
    [[nodiscard]] std::size_t alive() const { return layer_.size(); }

    static constexpr std::size_t each_millisecond = 32;

private:
    struct one {
        std::uint64_t branch = 0;
        typename Layer::handle handle{};
    };

    [[nodiscard]] one any_of(std::vector<one>& from) {
        const auto at = static_cast<std::size_t>(random_.below(from.size()));
        const auto taken = from[at];
        from[at] = from.back();
        from.pop_back();
        return taken;
    }
    void step(bool counted) {
        one fresh{random_.number(), {}};
        const auto& made = request_.with(fresh.branch);
        {
            const bench::counting here{counted};
            fresh.handle = layer_.create(made, now_, out_);
        }
        heard_once_.push_back(fresh);
        if (heard_once_.size() > 1'000) {
            const auto again = any_of(heard_once_);
            absorb(again.branch, counted);
            heard_twice_.push_back(again);
        }
        if (heard_twice_.size() > 1'000) {
            const auto done = any_of(heard_twice_);
            const bench::counting here{counted};
            const auto room = out_.reserve(flow, response_text.size());
            std::ranges::copy(trunkline::as_bytes(response_text), room.begin());
            layer_.responded(done.handle, out_.commit(response_text.size()), now_);
            answered_.push_back(done);
        }
        if (answered_.size() > 50'000) absorb(any_of(answered_).branch, counted);
        out_.clear();
    }
    void absorb(std::uint64_t branch, bool counted) {
        const auto& again = request_.with(branch);
        const bench::counting here{counted};
        layer_.absorb(again, now_, out_);
    }

    Layer layer_;
    request request_;
    trunkline::outbox out_;
    trunkline::seeded_entropy random_{2};
    trunkline::time_point now_{1000s};
    std::vector<one> heard_once_;
    std::vector<one> heard_twice_;
    std::vector<one> answered_; ///< Drawn from for seconds, and for no one's 32.
};

template <class Layer>
int measure(std::size_t lives) {
    traffic<Layer> road;
    road.run(33'000, false);
    bench::prepared();
    const auto before = std::chrono::steady_clock::now();
    road.run(lives / road.each_millisecond, true);
    const auto took = std::chrono::steady_clock::now() - before;
    const auto counted = lives / road.each_millisecond * road.each_millisecond;
    std::printf("lives=%zu alive=%zu ns=%.0f\n", counted, road.alive(),
                std::chrono::duration<double, std::nano>(took).count() /
                    static_cast<double>(counted));
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::string_view which = argv[1];
    const auto lives = std::strtoull(argv[2], nullptr, 10);
    if (which == "layer") return measure<by_layer>(lives);
    if (which == "keyed") return measure<by_plain<bench::keyed_hash>>(lives);
    if (which == "plain") return measure<by_plain<std::hash<std::string>>>(lives);
    return 2;
}
