#include <trunkline/rtp/packet.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include <trunkline/core/entropy.hpp>
#include <trunkline/rtp/jitter_buffer.hpp>
#include <trunkline/rtp/session.hpp>

namespace {

using namespace std::chrono_literals;
namespace rtp = trunkline::rtp;

constexpr std::size_t packet_size = rtp::header_size + 160;
constexpr std::size_t packets = 8192;
constexpr trunkline::time_point start{1000s};

/// A stream of G.711, 20 ms a packet, that lies in memory as a receive ring would.
std::vector<std::byte> stream() {
    trunkline::seeded_entropy random{1};
    std::vector<std::byte> bytes(packets * packet_size);
    random.fill(bytes);
    for (std::size_t i = 0; i < packets; ++i) {
        const rtp::header head{.sequence = {static_cast<std::uint16_t>(i)},
                               .timestamp = {static_cast<std::uint32_t>(160 * i)},
                               .ssrc = 7};
        rtp::write_header(head, std::span{bytes}.subspan(i * packet_size, packet_size));
    }
    return bytes;
}

std::span<const std::byte> packet_of(const std::vector<std::byte>& bytes, std::size_t i) {
    return std::span{bytes}.subspan(i * packet_size, packet_size);
}

void rtp_packet_parse(benchmark::State& state) {
    const auto bytes = stream();
    for (auto _ : state) {
        for (std::size_t i = 0; i < packets; ++i) {
            auto parsed = rtp::packet_view::parse(packet_of(bytes, i));
            benchmark::DoNotOptimize(parsed);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(packets));
}
BENCHMARK(rtp_packet_parse);

void rtp_packet_write_header(benchmark::State& state) {
    trunkline::seeded_entropy random{1};
    rtp::session from{{}, random};
    std::array<std::byte, rtp::header_size> into{};
    for (auto _ : state) {
        rtp::write_header(from.send(0, false, 160, start), into);
        from.advance(160);
        benchmark::DoNotOptimize(into);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(rtp_packet_write_header);

/// Parse, count, buffer, release: what a packet costs from the socket to its listener. Every second
/// run of eight packets comes in the reverse order.
void rtp_packet_receive(benchmark::State& state) {
    const auto bytes = stream();
    trunkline::seeded_entropy random{1};
    rtp::session to{{}, random};
    rtp::jitter_buffer buffer{{.release = static_cast<rtp::release>(state.range(0))}};
    auto now = start;
    std::int64_t released = 0;
    for (auto _ : state) {
        for (std::size_t i = 0; i < packets; ++i) {
            const auto which = state.range(1) != 0 && (i / 8) % 2 == 0 ? i ^ 7U : i;
            now += 20ms;
            const auto parsed = rtp::packet_view::parse(packet_of(bytes, which));
            to.receive(*parsed, now);
            buffer.put(*parsed, now);
            while (const auto item = buffer.take(now)) {
                benchmark::DoNotOptimize(item->payload.data());
                ++released;
            }
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(packets));
    state.counters["released"] =
        static_cast<double>(released) / (static_cast<double>(state.iterations()) * packets);
}
BENCHMARK(rtp_packet_receive)->ArgNames({"playout", "reordered"})->ArgsProduct({{0, 1}, {0, 1}});

} // namespace

BENCHMARK_MAIN();
