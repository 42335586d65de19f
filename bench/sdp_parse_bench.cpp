// What one offer costs: read, judged, answered. The body is of the size that carriers send.
#include <array>
#include <cstdint>
#include <string_view>

#include <benchmark/benchmark.h>

#include <trunkline/sdp/description.hpp>
#include <trunkline/sdp/offer_answer.hpp>

namespace {

using namespace trunkline;

constexpr std::string_view offer = "v=0\r\n"
                                   "o=root 1821365438 1821365438 IN IP4 198.51.100.10\r\n"
                                   "s=A carrier's softswitch 18.2\r\n"
                                   "c=IN IP4 198.51.100.10\r\n"
                                   "t=0 0\r\n"
                                   "m=audio 14022 RTP/AVP 0 8 9 18 111 101\r\n"
                                   "a=rtpmap:0 PCMU/8000\r\n"
                                   "a=rtpmap:8 PCMA/8000\r\n"
                                   "a=rtpmap:9 G722/8000\r\n"
                                   "a=rtpmap:18 G729/8000\r\n"
                                   "a=fmtp:18 annexb=no\r\n"
                                   "a=rtpmap:111 opus/48000/2\r\n"
                                   "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
                                   "a=rtpmap:101 telephone-event/8000\r\n"
                                   "a=fmtp:101 0-16\r\n"
                                   "a=rtcp:14023 IN IP4 198.51.100.10\r\n"
                                   "a=maxptime:150\r\n"
                                   "a=ptime:20\r\n"
                                   "a=sendrecv\r\n";

void count(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(offer.size()));
}

void parse_offer(benchmark::State& state) {
    sdp::description into;
    for (auto _ : state) {
        benchmark::DoNotOptimize(sdp::parse(offer, into));
        benchmark::ClobberMemory();
    }
    count(state);
}
BENCHMARK(parse_offer);

void answer_offer(benchmark::State& state) {
    sdp::negotiation call{1};
    call.set_local({.address = address::v4(203, 0, 113, 7), .rtp_port = 20'000});
    std::array<char, 2048> memory{};
    for (auto _ : state) {
        benchmark::DoNotOptimize(call.receive_offer(offer));
        benchmark::DoNotOptimize(call.write_answer(memory));
        benchmark::ClobberMemory();
    }
    count(state);
}
BENCHMARK(answer_offer);

} // namespace

BENCHMARK_MAIN();
