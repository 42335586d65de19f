#include "rest/event_streams.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>

#include "rest/event_feed.hpp"

namespace softswitch {
namespace {

/// Keeps what it was sent until the test says that the network has taken it.
class held_sink final : public stream_sink {
public:
    std::string sent;
    bool open = true;
    std::vector<std::function<void(bool)>> waiting;

    void send(std::string bytes, std::function<void(bool)> then) override {
        sent += bytes;
        waiting.push_back(std::move(then));
    }
    void finish(std::string bytes) override {
        sent += bytes;
        open = false;
    }
    void cut() override { open = false; }
    [[nodiscard]] bool is_open() const override { return open; }

    void take(bool well) {
        for (const auto& then : std::exchange(waiting, {})) then(well);
    }
};

[[nodiscard]] call_event event(std::uint64_t number) {
    call_event made;
    made.number = number;
    made.what = call_state::ringing;
    made.call.id = "CA1";
    return made;
}

TEST_CASE("softswitch::event_streams: a server-sent event has number, name and one line of data") {
    const auto text = to_server_sent(event(7));
    CHECK(text.starts_with("id: 7\nevent: ringing\ndata: {\"id\":\"CA1\",\"event\":\"ringing\","
                           "\"number\":7,"));
    CHECK(text.ends_with("}\n\n"));
    CHECK(chunk("0123456789abcdef") == "10\r\n0123456789abcdef\r\n");
}

TEST_CASE("softswitch::event_streams: what was missed and comes again as news is told once") {
    event_streams of{1'000'000};
    const auto sink = std::make_shared<held_sink>();
    of.add(sink, 1, {event(2), event(3)});
    of.tell(event(3));
    of.tell(event(4));
    std::string numbers;
    for (auto at = sink->sent.find("id: "); at != std::string::npos;
         at = sink->sent.find("id: ", at + 1)) {
        numbers += sink->sent[at + 4];
    }
    CHECK(numbers == "234");
}

TEST_CASE("softswitch::event_streams: what was read makes room, and what was not cuts off") {
    const auto size = chunk(to_server_sent(event(1))).size();
    event_streams of{size * 2 + 50};
    const auto sink = std::make_shared<held_sink>();
    of.add(sink, {}, {});
    for (std::uint64_t i = 1; i <= 20; ++i) {
        sink->take(true);
        of.tell(event(i));
        of.tell(event(i)); // No news: takes no room.
    }
    CHECK(sink->open);
    of.tell(event(21));
    CHECK(sink->open);
    of.tell(event(22));
    CHECK_FALSE(sink->open);
    CHECK(of.size() == 0);
    sink->take(true); // Of a stream that is forgotten.
}

TEST_CASE("softswitch::event_streams: a stream that could not be written to is forgotten") {
    event_streams of{1'000};
    const auto sink = std::make_shared<held_sink>();
    of.add(sink, {}, {});
    sink->take(false);
    of.beat();
    CHECK(of.size() == 0);
}

TEST_CASE("softswitch::event_streams: streams are finished with the last chunk, once") {
    event_streams of{1'000};
    const auto sink = std::make_shared<held_sink>();
    of.add(sink, {}, {});
    CHECK_FALSE(of.all_closed());
    of.finish();
    of.finish();
    of.tell(event(1));
    CHECK(of.all_closed());
    CHECK(sink->sent == chunk(": welcome\n\n") + "0\r\n\r\n");
}

TEST_CASE("softswitch::event_feed: of more than it holds the oldest are dropped") {
    asio::io_context io;
    std::vector<std::uint64_t> numbers;
    event_feed feed{io, [&](const call_event& what) { numbers.push_back(what.number); }};
    for (std::uint64_t i = 1; i <= event_feed::most + 2; ++i) feed.put(event(i));
    CHECK(io.poll() == 1);
    REQUIRE(numbers.size() == event_feed::most);
    CHECK(numbers.front() == 3);
    CHECK(numbers.back() == event_feed::most + 2);
    feed.put(event(1));
    feed.close();
    feed.put(event(2));
    numbers.clear();
    io.restart();
    io.poll();
    CHECK(numbers.empty());
}

} // namespace
} // namespace softswitch
