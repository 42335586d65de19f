#include <trunkline/audio/playout_queue.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "support/counted_heap.hpp"
#include "support/print.hpp"

namespace trunkline::audio {
namespace {

using frame = std::array<std::byte, 160>;
constexpr auto silence = codec::silence(codec::law::ulaw);

std::vector<std::byte> bytes(std::size_t size, int value) {
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

/// An utterance of `size` samples that are all `value`.
utterance_id say(playout_queue& queue, std::size_t size, int value) {
    const auto id = *queue.open();
    CHECK(queue.write_encoded(id, bytes(size, value)) == size);
    CHECK(queue.finish(id));
    return id;
}

std::vector<happened> all_that_happened(playout_queue& queue) {
    std::vector<happened> all;
    while (const auto next = queue.next_happened()) all.push_back(*next);
    return all;
}

long count(const frame& sent, int value) {
    return std::ranges::count(sent, static_cast<std::byte>(value));
}

TEST_CASE("audio::playout_queue: sends what was written, in the law of the wire") {
    playout_queue queue{codec::law::alaw};
    const auto id = *queue.open();
    std::vector<std::int16_t> pcm(400);
    for (std::size_t i = 0; i < pcm.size(); ++i) pcm[i] = static_cast<std::int16_t>(i * 80);
    CHECK(queue.write(id, pcm) == 400U);
    CHECK(queue.finish(id));

    std::vector<std::byte> sent;
    frame next{};
    while (queue.next_frame(next)) sent.insert(sent.end(), next.begin(), next.end());
    REQUIRE(sent.size() == 480);
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        CHECK(sent[i] == std::byte{codec::encode(codec::law::alaw, pcm[i])});
    }
    CHECK(std::all_of(sent.begin() + 400, sent.end(),
                      [](std::byte each) { return each == std::byte{0xd5}; }));
    CHECK(queue.underruns() == 0);
    CHECK(all_that_happened(queue) == std::vector<happened>{utterance_played{id, 400}, drained{}});
}

TEST_CASE("audio::playout_queue: utterances follow one another without a gap, each in one piece") {
    playout_queue queue{codec::law::ulaw};
    const auto first = *queue.open();
    const auto second = *queue.open();
    CHECK(queue.write_encoded(second, bytes(100, 2)) == 100U);
    CHECK(queue.write_encoded(first, bytes(100, 1)) == 100U); // Opened first, so said first.
    CHECK(queue.finish(first));
    CHECK(queue.finish(second));

    frame sent{};
    REQUIRE(queue.next_frame(sent));
    CHECK(count(sent, 1) == 100);
    CHECK(std::all_of(sent.begin() + 100, sent.end(),
                      [](std::byte each) { return each == std::byte{2}; }));
    CHECK(*queue.sent_up_to(second) == 60);
    REQUIRE(queue.next_frame(sent));
    CHECK(count(sent, 2) == 40);
    CHECK(!queue.next_frame(sent));
    CHECK(all_that_happened(queue) == std::vector<happened>{utterance_played{first, 100},
                                                            utterance_played{second, 100},
                                                            drained{}});
}

TEST_CASE("audio::playout_queue: an open utterance that runs dry is padded and counted, once") {
    playout_queue queue{codec::law::ulaw};
    const auto id = *queue.open();
    frame sent{};
    CHECK(!queue.next_frame(sent)); // Not yet begun is not late.
    CHECK(queue.underruns() == 0);

    CHECK(queue.write_encoded(id, bytes(200, 1)) == 200U);
    CHECK(queue.next_frame(sent));
    CHECK(queue.next_frame(sent));
    CHECK(count(sent, 1) == 40);
    CHECK(sent[159] == silence);
    CHECK(queue.underruns() == 1);
    for (int n = 0; n < 10; ++n) CHECK(!queue.next_frame(sent));
    CHECK(queue.underruns() == 1);

    CHECK(queue.write_encoded(id, bytes(160, 1)) == 160U);
    CHECK(queue.next_frame(sent));
    CHECK(queue.underruns() == 1); // It ended on the frame: perhaps more comes in time.
    CHECK(!queue.next_frame(sent));
    CHECK(queue.underruns() == 2);
    CHECK(!queue.empty());
    CHECK(all_that_happened(queue).empty());
    CHECK(queue.finish(id));
    CHECK(all_that_happened(queue) == std::vector<happened>{utterance_played{id, 360}, drained{}});
}

TEST_CASE("audio::playout_queue: a mark happens with the frame that carries its last sample") {
    playout_queue queue{codec::law::ulaw};
    const auto id = *queue.open();
    CHECK(queue.mark(id, 1)); // Nothing is before it.
    CHECK(all_that_happened(queue) == std::vector<happened>{mark_played{1}});
    CHECK(queue.write_encoded(id, bytes(160, 1)) == 160U);
    CHECK(queue.mark(id, 2));
    CHECK(queue.mark(id, 3));
    CHECK(queue.write_encoded(id, bytes(1, 1)) == 1U);
    CHECK(queue.mark(id, 4));
    CHECK(all_that_happened(queue).empty());

    const auto next = *queue.open();
    CHECK(queue.mark(next, 5)); // It has nothing of its own, but waits for the one before.
    frame sent{};
    CHECK(queue.next_frame(sent));
    CHECK(all_that_happened(queue) == std::vector<happened>{mark_played{2}, mark_played{3}});
    CHECK(queue.next_frame(sent));
    CHECK(all_that_happened(queue) == std::vector<happened>{mark_played{4}});
    CHECK(queue.finish(id));
    CHECK(all_that_happened(queue) ==
          std::vector<happened>{utterance_played{id, 161}, mark_played{5}});
}

TEST_CASE("audio::playout_queue: clear says what was sent, and later writes learn of it") {
    playout_queue queue{codec::law::ulaw};
    const auto played = say(queue, 160, 1);
    const auto heard = say(queue, 200, 2);
    const auto open = *queue.open();
    CHECK(queue.write_encoded(open, bytes(50, 3)) == 50U);
    CHECK(queue.mark(open, 7));
    frame sent{};
    CHECK(queue.next_frame(sent));
    CHECK(queue.next_frame(sent));

    const auto report = queue.clear();
    const std::vector<playout_queue::cleared_utterance> utterances{report.begin(), report.end()};
    CHECK(utterances ==
          std::vector<playout_queue::cleared_utterance>{{heard, 160, 40}, {open, 0, 50}});
    CHECK(all_that_happened(queue) ==
          std::vector<happened>{utterance_played{played, 160}, mark_dropped{7}});
    CHECK(queue.empty());
    CHECK(queue.queued() == 0);
    CHECK(!queue.next_frame(sent));
    CHECK(queue.clear().count == 0);

    CHECK(queue.write_encoded(open, bytes(1, 1)) == error{.code = errc::cleared});
    CHECK(queue.finish(heard) == error{.code = errc::cleared});
    CHECK(queue.mark(open, 8) == error{.code = errc::cleared});
    CHECK(queue.sent_up_to(open) == error{.code = errc::cleared});
    CHECK(queue.write_encoded(played, bytes(1, 1)) == error{.code = errc::wrong_state});

    const auto fresh = say(queue, 160, 4); // Not a byte of the stale ones.
    CHECK(queue.next_frame(sent));
    CHECK(count(sent, 4) == 160);
    CHECK(fresh != open);
}

TEST_CASE("audio::playout_queue: marks that are cleared are told of in the order of the speech") {
    playout_queue queue{codec::law::ulaw};
    const auto first = *queue.open();
    CHECK(queue.write_encoded(first, bytes(200, 1)) == 200);
    CHECK(queue.mark(first, 11));
    CHECK(queue.write_encoded(first, bytes(200, 1)) == 200);
    CHECK(queue.mark(first, 12));
    CHECK(queue.finish(first));
    const auto second = *queue.open();
    CHECK(queue.write_encoded(second, bytes(200, 2)) == 200);
    CHECK(queue.mark(second, 13));
    CHECK(queue.finish(second));
    static_cast<void>(all_that_happened(queue));
    static_cast<void>(queue.clear());
    std::vector<std::uint64_t> dropped;
    for (const auto& each : all_that_happened(queue)) {
        if (const auto* mark = std::get_if<mark_dropped>(&each)) dropped.push_back(mark->tag);
    }
    CHECK(dropped == std::vector<std::uint64_t>{11, 12, 13});
}

TEST_CASE("audio::playout_queue: an old clearing is remembered, and a forgotten one is gone") {
    playout_queue queue{codec::law::ulaw};
    const auto played = say(queue, 160, 1);
    frame sent{};
    CHECK(queue.next_frame(sent));
    const auto stale = *queue.open();
    queue.clear();
    for (int n = 0; n < 15; ++n) {
        CHECK(queue.open());
        queue.clear();
        CHECK(queue.finish(stale) == error{.code = errc::cleared});
        CHECK(queue.finish(played) == error{.code = errc::wrong_state});
        all_that_happened(queue);
    }
    CHECK(queue.open());
    queue.clear();
    CHECK(queue.finish(stale) == error{.code = errc::gone});
    CHECK(queue.finish(played) == error{.code = errc::gone});
}

TEST_CASE("audio::playout_queue: refuses what it does not know, and what is finished") {
    playout_queue queue{codec::law::ulaw};
    CHECK(queue.finish(utterance_id::none) == error{.code = errc::gone});
    CHECK(queue.write_encoded(static_cast<utterance_id>(1), {}) == error{.code = errc::gone});
    const auto id = *queue.open();
    CHECK(queue.write_encoded(id, bytes(500, 1)) == 500U);
    CHECK(queue.finish(id));
    CHECK(queue.write_encoded(id, bytes(1, 1)) == error{.code = errc::wrong_state});
    CHECK(queue.mark(id, 1) == error{.code = errc::wrong_state});
    CHECK(queue.finish(id) == error{.code = errc::wrong_state});
}

TEST_CASE("audio::playout_queue: pausing loses no sample") {
    playout_queue queue{codec::law::ulaw};
    const auto id = *queue.open();
    auto speech = bytes(320, 0);
    for (std::size_t i = 0; i < speech.size(); ++i) speech[i] = static_cast<std::byte>(i % 251);
    CHECK(queue.write_encoded(id, speech) == 320U);
    frame sent{};
    CHECK(queue.next_frame(sent));
    queue.pause();
    CHECK(!queue.next_frame(sent));
    CHECK(queue.underruns() == 0);
    queue.resume();
    CHECK(queue.next_frame(sent));
    CHECK(std::ranges::equal(sent, std::span{speech}.subspan(160)));
}

TEST_CASE("audio::playout_queue: holds two minutes and says what it did not take") {
    playout_queue queue{codec::law::ulaw};
    const auto id = *queue.open();
    const auto second = bytes(8'000, 1);
    for (int n = 0; n < 119; ++n) CHECK(queue.write_encoded(id, second) == 8'000U);
    CHECK(queue.write_encoded(id, bytes(7'990, 1)) == 7'990U);
    CHECK(queue.write_encoded(id, second) == 10U);
    CHECK(queue.write_encoded(id, second) == 0U);
    CHECK(queue.queued() == playout_queue::capacity);
    frame sent{};
    CHECK(queue.next_frame(sent));
    CHECK(queue.write_encoded(id, second) == 160U);
}

TEST_CASE("audio::playout_queue: bounds its utterances, its marks and what nobody asks for") {
    playout_queue queue{codec::law::ulaw};
    for (std::size_t n = 0; n < playout_queue::max_utterances; ++n) CHECK(queue.open());
    CHECK(queue.open() == error{.code = errc::full});
    queue.clear();

    const auto id = *queue.open();
    CHECK(queue.write_encoded(id, bytes(1, 1)) == 1U);
    for (std::size_t n = 0; n < playout_queue::max_marks; ++n) CHECK(queue.mark(id, n));
    CHECK(queue.mark(id, 999) == error{.code = errc::full});
    queue.clear();
    CHECK(all_that_happened(queue).size() == playout_queue::max_marks);

    const auto deaf = *queue.open(); // Its marks happen at once.
    std::size_t taken = 0;
    while (queue.mark(deaf, taken)) ++taken;
    CHECK(taken > playout_queue::max_marks);
    CHECK(queue.open() == error{.code = errc::full});
    all_that_happened(queue);
    CHECK(queue.open());
}

TEST_CASE("audio::playout_queue: tells of low water once for each time it falls there") {
    playout_queue queue{codec::law::ulaw};
    queue.set_water_marks({.low = 320, .high = 640});
    const auto id = *queue.open();
    CHECK(queue.wants_more());
    CHECK(queue.write_encoded(id, bytes(640, 1)) == 640U);
    CHECK(!queue.wants_more());
    frame sent{};
    CHECK(queue.next_frame(sent));
    CHECK(!queue.wants_more());
    CHECK(all_that_happened(queue).empty());
    CHECK(queue.next_frame(sent));
    CHECK(queue.wants_more());
    CHECK(all_that_happened(queue) == std::vector<happened>{low_water{}});
    CHECK(queue.next_frame(sent));
    CHECK(all_that_happened(queue).empty());
    CHECK(queue.write_encoded(id, bytes(160, 1)) == 160U);
    CHECK(queue.write_encoded(id, bytes(160, 1)) == 160U);
    CHECK(queue.next_frame(sent));
    CHECK(all_that_happened(queue) == std::vector<happened>{low_water{}});
}

TEST_CASE("audio::playout_queue: another law transcodes what is queued") {
    playout_queue queue{codec::law::ulaw};
    const auto id = *queue.open();
    std::vector<std::int16_t> pcm(5'000);
    for (std::size_t i = 0; i < pcm.size(); ++i) {
        pcm[i] = static_cast<std::int16_t>((i * 7'919) % 20'000) - 10'000;
    }
    CHECK(queue.write(id, pcm) == 5'000U);
    frame sent{};
    CHECK(queue.next_frame(sent));
    queue.set_law(codec::law::alaw);
    CHECK(queue.write(id, std::span{pcm}.first(1'000)) == 1'000U);
    for (std::size_t at = 160; at + 160 <= pcm.size(); at += 160) {
        CHECK(queue.next_frame(sent));
        for (std::size_t i = 0; i < 160; ++i) {
            const auto once =
                codec::decode(codec::law::ulaw, codec::encode(codec::law::ulaw, pcm[at + i]));
            CHECK(sent[i] == std::byte{codec::encode(codec::law::alaw, once)});
        }
    }
}

TEST_CASE("audio::playout_queue: once warm, allocates nothing") {
    playout_queue queue{codec::law::ulaw};
    const std::vector<std::int16_t> pcm(9'000, 1'000);
    const auto work = [&] {
        for (int turn = 0; turn < 3; ++turn) {
            const auto id = queue.open();
            if (!id) std::abort();
            for (std::uint64_t n = 0; n < 10; ++n) {
                if (!queue.write(*id, pcm) || !queue.mark(*id, n)) std::abort();
            }
            if (turn != 1 && !queue.finish(*id)) std::abort();
        }
        frame sent{};
        for (int n = 0; n < 1'000 && queue.next_frame(sent); ++n) {
            static_cast<void>(queue.next_happened());
        }
        queue.clear();
        while (queue.next_happened()) {
        }
    };
    work();
    const auto before = support::allocations();
    for (int n = 0; n < 5; ++n) work();
    CHECK(support::allocations() == before);
}

} // namespace
} // namespace trunkline::audio
