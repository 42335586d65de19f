#include <trunkline/codec/g711.hpp>

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include <trunkline/core/entropy.hpp>

namespace {

using trunkline::codec::law;

constexpr std::size_t frame = 160;
constexpr std::size_t frames =
    8192; // 1.3 million samples: fewer, and a branch predictor knows them.

/// Laplacian, as speech is, with a mean magnitude of 1500.
const std::vector<std::int16_t>& speech() {
    static const std::vector<std::int16_t> samples = [] {
        trunkline::seeded_entropy random{1};
        std::vector<std::int16_t> made(frame * frames);
        for (auto& sample : made) {
            const auto drawn = random.number();
            const double chance = static_cast<double>((drawn >> 12) + 1) / 0x1p52;
            const double magnitude = std::min(-1500.0 * std::log(chance), 32'767.0);
            sample = static_cast<std::int16_t>((drawn & 1) != 0 ? magnitude : -magnitude);
        }
        return made;
    }();
    return samples;
}

/// The floor: as many bytes moved and nothing computed.
void g711_floor(benchmark::State& state) {
    const auto& from = speech();
    std::vector<std::byte> into(from.size());
    for (auto _ : state) {
        for (std::size_t i = 0; i < frames; ++i) {
            std::memcpy(into.data() + i * frame, from.data() + i * frame, frame);
        }
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
}
BENCHMARK(g711_floor);

void g711_encode(benchmark::State& state) {
    const auto which = static_cast<law>(state.range(0));
    const auto& from = speech();
    std::vector<std::byte> into(from.size());
    for (auto _ : state) {
        for (std::size_t i = 0; i < frames; ++i) {
            trunkline::codec::encode(which, std::span{from}.subspan(i * frame, frame),
                                     std::span{into}.subspan(i * frame, frame));
        }
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
}
BENCHMARK(g711_encode)->ArgName("law")->Arg(0)->Arg(1);

void g711_decode(benchmark::State& state) {
    const auto which = static_cast<law>(state.range(0));
    std::vector<std::byte> from(speech().size());
    trunkline::codec::encode(which, speech(), from);
    std::vector<std::int16_t> into(from.size());
    for (auto _ : state) {
        for (std::size_t i = 0; i < frames; ++i) {
            trunkline::codec::decode(which, std::span{from}.subspan(i * frame, frame),
                                     std::span{into}.subspan(i * frame, frame));
        }
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
}
BENCHMARK(g711_decode)->ArgName("law")->Arg(0)->Arg(1);

} // namespace

BENCHMARK_MAIN();
