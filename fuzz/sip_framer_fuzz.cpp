#include <trunkline/sip/framer.hpp>
#include <trunkline/sip/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace {

using trunkline::sip::framer;

std::string in_words(const framer::frame& one) {
    if (one.kind == framer::kind::ping) return "ping";
    const std::string text{one.bytes.data(), one.bytes.size()};
    return one.kind == framer::kind::broken ? "broken by " + text : text;
}

std::vector<std::string> frames_of(std::span<const std::uint8_t> stream, std::size_t seed) {
    framer frames;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < stream.size();) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        const auto step = std::min(seed == 0 ? stream.size() : seed % 31 + 1, stream.size() - at);
        frames.feed(std::as_bytes(stream.subspan(at, step)));
        at += step;
        while (true) {
            const auto one = frames.next();
            if (one.kind == framer::kind::need_more) break;
            seen.push_back(in_words(one));
            if (one.kind == framer::kind::broken) return seen;
        }
    }
    return seen;
}

} // namespace

/// Split anywhere equals unsplit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::span stream{data + 1, size - 1};
    framer whole;
    whole.feed(std::as_bytes(stream));
    std::vector<std::string> expected;
    while (true) {
        const auto one = whole.next();
        if (one.kind == framer::kind::need_more) break;
        expected.push_back(in_words(one));
        if (one.kind != framer::kind::broken) continue;
        // It ends where its header section does, and whoever parses it finds it as wrong.
        auto section = std::string{one.bytes.data(), one.bytes.size()};
        if (!section.empty() && !section.ends_with("\r\n\r\n")) std::abort();
        if (trunkline::sip::message_view{}.parse(section, true)) std::abort();
        if (whole.pending() != 0 || !whole.next().bytes.empty()) std::abort();
        break;
    }
    if (frames_of(stream, data[0]) != expected) std::abort();
    return 0;
}
