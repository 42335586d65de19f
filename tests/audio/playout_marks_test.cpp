// Marks when there are several of them: whose each is, and in what order they are told.
#include <trunkline/audio/playout_queue.hpp>

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "support/print.hpp"

namespace trunkline::audio {
namespace {

using frame = std::array<std::byte, 160>;

const std::vector<std::byte> one_frame(160, std::byte{0x11});

std::vector<happened> all_that_happened(playout_queue& queue) {
    std::vector<happened> all;
    while (const auto next = queue.next_happened()) all.push_back(*next);
    return all;
}

TEST_CASE("audio::playout_queue: marks that are dropped are told in the order they were set in") {
    playout_queue queue{codec::law::ulaw};
    const auto first = *queue.open();
    CHECK(queue.write_encoded(first, one_frame) == 160U);
    CHECK(queue.mark(first, 1));
    CHECK(queue.write_encoded(first, one_frame) == 160U);
    CHECK(queue.mark(first, 2));
    const auto second = *queue.open();
    CHECK(queue.write_encoded(second, one_frame) == 160U);
    CHECK(queue.mark(second, 3));
    static_cast<void>(queue.clear());
    CHECK(all_that_happened(queue) ==
          std::vector<happened>{mark_dropped{1}, mark_dropped{2}, mark_dropped{3}});
}

TEST_CASE("audio::playout_queue: a mark of the second utterance waits for the second utterance") {
    playout_queue queue{codec::law::ulaw};
    const auto first = *queue.open();
    CHECK(queue.write_encoded(first, one_frame) == 160U);
    CHECK(queue.write_encoded(first, one_frame) == 160U);
    CHECK(queue.finish(first));
    const auto second = *queue.open();
    CHECK(queue.write_encoded(second, one_frame) == 160U);
    CHECK(queue.mark(second, 9));
    frame sent{};
    CHECK(queue.next_frame(sent));
    // The first utterance has sent as much as the mark counts in the second one.
    CHECK(all_that_happened(queue).empty());
    CHECK(queue.next_frame(sent));
    CHECK(all_that_happened(queue) == std::vector<happened>{utterance_played{first, 320}});
    CHECK(queue.next_frame(sent));
    CHECK(all_that_happened(queue) == std::vector<happened>{mark_played{9}});
}

TEST_CASE("audio::playout_queue: takes as many utterances and marks as it says, and not one more") {
    playout_queue queue{codec::law::ulaw};
    for (std::size_t i = 0; i < playout_queue::max_utterances; ++i) CHECK(queue.open());
    CHECK(queue.open().reason().code == errc::full);

    playout_queue marked{codec::law::ulaw};
    const auto id = *marked.open();
    CHECK(marked.write_encoded(id, one_frame) == 160U);
    for (std::size_t i = 0; i < playout_queue::max_marks; ++i) CHECK(marked.mark(id, i));
    CHECK(marked.mark(id, 0).reason().code == errc::full);
}

TEST_CASE("audio::playout_queue: nothing is marked in an utterance that is finished") {
    playout_queue queue{codec::law::ulaw};
    const auto id = *queue.open();
    CHECK(queue.write_encoded(id, one_frame) == 160U);
    CHECK(queue.finish(id));
    CHECK(queue.mark(id, 1).reason().code == errc::wrong_state);
}

} // namespace
} // namespace trunkline::audio
