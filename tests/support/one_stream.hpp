// One media stream with a far end that is made of bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/call/media_stream.hpp>

namespace trunkline::support {

using namespace std::chrono_literals;

/// A packet as RFC 3550 section 5.1 draws it.
struct rtp_bytes {
    std::vector<std::byte> bytes;

    [[nodiscard]] unsigned at(std::size_t i) const {
        REQUIRE(i < bytes.size());
        return std::to_integer<unsigned>(bytes[i]);
    }
    [[nodiscard]] bool marker() const { return (at(1) & 0x80U) != 0; }
    [[nodiscard]] unsigned type() const { return at(1) & 0x7fU; }
    [[nodiscard]] std::uint16_t sequence() const {
        return static_cast<std::uint16_t>(at(2) << 8U | at(3));
    }
    [[nodiscard]] std::uint32_t timestamp() const {
        return at(4) << 24U | at(5) << 16U | at(6) << 8U | at(7);
    }
    [[nodiscard]] std::size_t payload() const { return bytes.size() - 12; }
};

[[nodiscard]] inline std::vector<std::byte> make_rtp(unsigned type, std::uint16_t sequence,
                                                     std::uint32_t timestamp, std::uint32_t ssrc,
                                                     const std::vector<std::byte>& payload,
                                                     bool marker = false) {
    std::vector<std::byte> made;
    const auto add = [&](std::uint32_t number, unsigned bytes) {
        while (bytes-- > 0) made.push_back(static_cast<std::byte>(number >> (8 * bytes) & 0xffU));
    };
    add(0x80, 1);
    add((marker ? 0x80U : 0U) | type, 1);
    add(sequence, 2);
    add(timestamp, 4);
    add(ssrc, 4);
    made.insert(made.end(), payload.begin(), payload.end());
    return made;
}

inline const endpoint far_end{address::v4(192, 0, 2, 20), 30'000};

[[nodiscard]] inline sdp::agreed usual_agreement() {
    sdp::agreed made;
    made.rtp = far_end;
    made.rtcp = {far_end.address, 30'001};
    made.send_telephone_event = made.receive_telephone_event = std::uint8_t{101};
    return made;
}

struct one_stream {
    struct packet_sent {
        time_point at;
        endpoint to;
        rtp_bytes packet;
    };
    struct frame_heard {
        std::uint64_t at;
        frame_kind kind;
        std::size_t samples;
    };
    struct event_told {
        calls::event code;
        std::array<std::int64_t, 2> values;
    };

    explicit one_stream(rtp::release delivery = rtp::release::as_arrived,
                        rtp_symmetry symmetry = rtp_symmetry::automatic)
        : stream{
              {1, 1},
              owner_id{9},
              {.delivery = delivery, .symmetry = symmetry, .signalling = {.peer = far_end.address}},
              random} {}

    void settle() {
        for (const auto& one : out) {
            if (const auto* sent = std::get_if<effects::send_media>(&one)) {
                auto& into = sent->rtcp ? rtcp : rtp;
                into.push_back({now, sent->to, {{sent->bytes.begin(), sent->bytes.end()}}});
            } else if (const auto* told = std::get_if<effects::event>(&one)) {
                const auto code = static_cast<calls::event>(told->code);
                if (code == calls::event::audio) {
                    hear(*told);
                } else {
                    events.push_back({code, told->values});
                }
            }
        }
        out.clear();
    }
    /// The promise of audio_frame: a timeline without hole or overlap.
    void hear(const effects::event& told) {
        const auto samples = told.bytes.size() / sizeof(std::int16_t);
        REQUIRE(samples > 0);
        REQUIRE(static_cast<std::uint64_t>(told.values[0]) == next);
        next += samples;
        frames.push_back({next - samples, static_cast<frame_kind>(told.values[1]), samples});
    }
    void pass(duration time) {
        const auto until = now + time;
        std::size_t ticks = 0;
        while (const auto due = stream.next_deadline()) {
            if (*due > until) break;
            REQUIRE(++ticks < 100'000); // A deadline that stays.
            now = std::max(now, *due);
            stream.tick(now, out);
            settle();
        }
        now = until;
    }
    void receive(std::vector<std::byte> bytes, const endpoint& from = far_end,
                 bool control = false) {
        stream.receive({{1, 1}, owner_id{9}, from, control, bytes}, now, out);
        settle();
    }

    seeded_entropy random{7};
    outbox out;
    time_point now{1h};
    calls::media_stream stream;
    std::vector<packet_sent> rtp;
    std::vector<packet_sent> rtcp;
    std::vector<frame_heard> frames;
    std::vector<event_told> events;
    std::uint64_t next = 0;
};

} // namespace trunkline::support
