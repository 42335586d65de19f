// What the lower floors offer to a program of one's own: the parser, SDP, the jitter buffer, G.711,
// and a call on the virtual clock. Only installed headers, only the public target, every warning an
// error.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <trunkline/codec/g711.hpp>
#include <trunkline/net/shard.hpp>
#include <trunkline/rtp/jitter_buffer.hpp>
#include <trunkline/rtp/packet.hpp>
#include <trunkline/sdp/description.hpp>
#include <trunkline/sim/world.hpp>
#include <trunkline/sip/message.hpp>

namespace {

using namespace std::chrono_literals;

bool reads_sip() {
    std::string text = "OPTIONS sip:alice@example.com SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n"
                       "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\n"
                       "Call-ID: 1@192.0.2.7\r\nCSeq: 7 OPTIONS\r\nMax-Forwards: 70\r\n\r\n";
    trunkline::sip::message_view message;
    return message.parse(text).has_value() && message.cseq().number == 7 &&
           message.value(trunkline::sip::header::call_id) == "1@192.0.2.7" &&
           trunkline::sip::name(trunkline::sip::header::via) == "Via";
}

bool reads_sdp() {
    constexpr std::string_view text =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\n"
        "t=0 0\r\nm=audio 4000 RTP/AVP 8\r\na=ptime:30\r\n";
    trunkline::sdp::description described;
    return trunkline::sdp::parse(text, described).has_value() && described.media_count() == 1 &&
           described.media(0).port() == 4000 && described.media(0).ptime() == 30ms;
}

/// A-law of two frames, the second of which comes first; what is heard is in order.
bool hears_g711() {
    namespace rtp = trunkline::rtp;
    rtp::jitter_buffer waiting{{}};
    trunkline::time_point now{1h};
    std::vector<std::int16_t> heard;
    for (const std::uint16_t number : {0, 2, 1}) {
        std::array<std::int16_t, 160> samples{};
        samples.fill(static_cast<std::int16_t>(8 + 1'000 * number));
        std::array<std::byte, rtp::header_size + 160> packet{};
        const auto size = rtp::write_header({.payload_type = 8,
                                             .sequence = rtp::sequence{number},
                                             .timestamp = rtp::timestamp{number * 160U},
                                             .ssrc = 7},
                                            packet);
        trunkline::codec::encode(trunkline::codec::law::alaw, samples,
                                 std::span{packet}.subspan(size));
        const auto view = rtp::packet_view::parse(packet);
        if (!view) return false;
        waiting.put(*view, now);
        while (const auto item = waiting.take(now)) {
            std::array<std::int16_t, 160> decoded{};
            trunkline::codec::decode(trunkline::codec::law::alaw, item->payload, decoded);
            heard.push_back(decoded[0]);
        }
        now += 1ms;
    }
    return heard.size() == 3 && heard[0] < heard[1] && heard[1] < heard[2] &&
           trunkline::codec::encode(trunkline::codec::law::ulaw, 0) == 0xff;
}

struct listener : trunkline::agent {
    void on_answered(trunkline::call& call) override { call.hang_up(); }
};

/// Two engines on a virtual clock: one calls, the other answers and hears it end.
bool calls_in_sim() {
    using namespace trunkline;
    const endpoint here{address::v4(192, 0, 2, 1), 5060};
    const endpoint there{address::v4(198, 51, 100, 1), 5060};
    const auto trunk_to = [](const endpoint& peer) {
        return trunk_config{.name = "carrier",
                            .gateways = {{.host = to_text(peer.address)}},
                            .numbers = {did{"*"}}};
    };
    std::optional<call_record> ended;
    trunks::engine_config answering;
    answering.on_incoming = [](incoming_call& call) { call.answer(std::make_unique<listener>()); };
    answering.on_record = [&](const call_record& record) { ended = record; };
    sim::world network{1};
    auto& left = network.add_host(here);
    auto& right = network.add_host(there, std::move(answering));
    left.set_trunks({trunk_to(there)});
    right.set_trunks({trunk_to(here)});
    left.run([](trunks::engine& engine, time_point now, outbox& out) {
        engine.dial({.to = "+14155550100", .agent = std::make_unique<listener>()}, now, out);
    });
    return network.run_until([&] { return ended.has_value(); }, 60s) && ended->trunk == "carrier";
}

/// A machine of one's own, which wants nothing.
struct idle final : trunkline::machine {
    void receive(const trunkline::input&, trunkline::time_point, trunkline::outbox&) override {}
    void tick(trunkline::time_point, trunkline::outbox&) override {}
    [[nodiscard]] std::optional<trunkline::time_point> next_deadline() const override { return {}; }
    void deliver(const trunkline::effects::event&, trunkline::time_point,
                 trunkline::outbox&) override {}
    void deliver(const trunkline::effects::note&) override {}
};

bool drives_a_machine() {
    idle driven;
    trunkline::net::shard driver{{}};
    if (driver.open(driven)) return false;
    bool ran = false;
    if (!driver.post([&](trunkline::time_point, trunkline::outbox&) { ran = true; })) return false;
    driver.poll();
    return ran && driver.fd() >= 0;
}

} // namespace

int main() {
    const std::pair<const char*, bool (*)()> parts[] = {{"SIP", reads_sip},
                                                        {"SDP", reads_sdp},
                                                        {"jitter buffer and G.711", hears_g711},
                                                        {"sim", calls_in_sim},
                                                        {"shard", drives_a_machine}};
    int broken = 0;
    for (const auto& [name, works] : parts) {
        if (works()) continue;
        std::fprintf(stderr, "%s does not work\n", name);
        ++broken;
    }
    return broken;
}
