#include <trunkline/srtp/context.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <srtp2/srtp.h>

#include <trunkline/rtp/packet.hpp>

#include "support/print.hpp"

namespace trunkline::srtp {
namespace {

template <std::size_t Size>
std::array<std::byte, Size> bytes(std::string_view hex) {
    std::array<std::byte, Size> read{};
    for (std::size_t i = 0; i < Size; ++i) {
        read[i] = static_cast<std::byte>(std::stoi(std::string{hex.substr(2 * i, 2)}, nullptr, 16));
    }
    return read;
}

master_key rfc_key() {
    return {bytes<16>("E1F97A0D3E018BE0D64FA32C06DE4139"),
            bytes<14>("0EC675AD498AFEEBB6960B3AABE6")};
}

/// A packet with room behind it.
std::vector<std::byte> packet(std::uint16_t sequence, std::uint32_t ssrc = 0xcafe) {
    rtp::header header;
    header.sequence.value = sequence;
    header.timestamp.value = sequence * 160U;
    header.ssrc = ssrc;
    std::vector<std::byte> made(rtp::header_size + 160);
    rtp::write_header(header, made);
    for (std::size_t i = 12; i < made.size(); ++i) made[i] = static_cast<std::byte>(i + sequence);
    return made;
}

std::vector<std::byte> protect(sender& by, std::uint16_t sequence, std::uint32_t ssrc = 0xcafe) {
    auto made = packet(sequence, ssrc);
    const auto size = made.size();
    made.resize(size + room_behind);
    const auto done = by.protect(made, size);
    REQUIRE(done);
    made.resize(*done);
    return made;
}

TEST_CASE("srtp::session_keys: are those of RFC 3711 appendix B.3") {
    const auto made = session_keys::derive(rfc_key());
    CHECK(made.cipher == bytes<16>("C61E7A93744F39EE10734AFE3FF7A087"));
    CHECK(made.salt == bytes<14>("30CBBC08863D8C85D49DB34A9AE1"));
    CHECK(made.authentication == bytes<20>("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

/// libsrtp2 with the same key and the same policy.
struct libsrtp {
    explicit libsrtp(bool inbound) {
        static const bool ready = srtp_init() == srtp_err_status_ok;
        REQUIRE(ready);
        const auto from = rfc_key();
        std::ranges::copy(from.key, key.begin());
        std::ranges::copy(from.salt, key.begin() + 16);
        srtp_policy_t policy{};
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
        policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
        policy.key = reinterpret_cast<unsigned char*>(key.data());
        policy.window_size = 128;
        REQUIRE(srtp_create(&session, &policy) == srtp_err_status_ok);
    }
    libsrtp(const libsrtp&) = delete;
    libsrtp& operator=(const libsrtp&) = delete;
    ~libsrtp() { srtp_dealloc(session); }
    std::array<std::byte, 30> key{};
    srtp_t session{};
};

TEST_CASE("srtp::sender: gives the bytes of libsrtp2, over the wrap of the sequence number") {
    sender ours{rfc_key()};
    libsrtp theirs{false};
    for (std::uint32_t n = 65'000; n < 65'000 + 70'000; n += 7) {
        const auto sequence = static_cast<std::uint16_t>(n);
        const auto mine = protect(ours, sequence);
        auto other = packet(sequence);
        int size = static_cast<int>(other.size());
        other.resize(other.size() + SRTP_MAX_TRAILER_LEN);
        REQUIRE(srtp_protect(theirs.session, other.data(), &size) == srtp_err_status_ok);
        other.resize(static_cast<std::size_t>(size));
        REQUIRE(mine == other);
    }
}

TEST_CASE("srtp::receiver: understands libsrtp2, reordered and over the wrap") {
    receiver ours{rfc_key()};
    libsrtp theirs{false};
    std::vector<std::vector<std::byte>> sent;
    for (std::uint32_t n = 65'500; n < 65'600; ++n) {
        auto one = packet(static_cast<std::uint16_t>(n));
        int size = static_cast<int>(one.size());
        one.resize(one.size() + SRTP_MAX_TRAILER_LEN);
        REQUIRE(srtp_protect(theirs.session, one.data(), &size) == srtp_err_status_ok);
        one.resize(static_cast<std::size_t>(size));
        sent.push_back(std::move(one));
    }
    for (std::size_t i = 0; i + 1 < sent.size(); i += 2) std::swap(sent[i], sent[i + 1]);
    for (auto& one : sent) {
        const auto done = ours.unprotect(one);
        REQUIRE(done);
        one.resize(*done);
        const auto view = rtp::packet_view::parse(one);
        REQUIRE(view);
        CHECK(one == packet(view->header.sequence.value));
    }
}

TEST_CASE("srtp::receiver: understands libsrtp2 where the wrap itself is reordered") {
    // 65534 0 65535 2 1 3: packets of before the wrap come after some of behind it.
    libsrtp theirs{false};
    std::vector<std::vector<std::byte>> sent;
    for (std::uint32_t n = 65'500; n < 65'600; ++n) {
        auto one = packet(static_cast<std::uint16_t>(n));
        int size = static_cast<int>(one.size());
        one.resize(one.size() + SRTP_MAX_TRAILER_LEN);
        REQUIRE(srtp_protect(theirs.session, one.data(), &size) == srtp_err_status_ok);
        one.resize(static_cast<std::size_t>(size));
        sent.push_back(std::move(one));
    }
    for (const std::size_t behind : {std::size_t{1}, std::size_t{2}, std::size_t{30}}) {
        CAPTURE(behind);
        receiver ours{rfc_key()};
        auto order = sent;
        // 65535 is at 35: it comes `behind` packets late.
        std::rotate(order.begin() + 35, order.begin() + 36,
                    order.begin() + 36 + static_cast<std::ptrdiff_t>(behind));
        CHECK(order[35 + behind] == sent[35]);
        for (auto& one : order) {
            const auto done = ours.unprotect(one);
            REQUIRE(done);
            one.resize(*done);
            const auto view = rtp::packet_view::parse(one);
            REQUIRE(view);
            CHECK(one == packet(view->header.sequence.value));
        }
        auto replayed = sent[35];
        CHECK(ours.unprotect(replayed).reason().code == errc::duplicate);
    }
}

TEST_CASE("srtp::receiver: the window is 64 packets, also over the wrap") {
    for (const std::uint32_t first : {1'000U, 65'500U}) {
        sender peer{rfc_key()};
        receiver ours{rfc_key()};
        std::vector<std::vector<std::byte>> sent;
        for (std::uint32_t n = 0; n < 70; ++n) {
            sent.push_back(protect(peer, static_cast<std::uint16_t>(first + n)));
        }
        auto one = sent[0];
        REQUIRE(ours.unprotect(one));
        one = sent[65];
        REQUIRE(ours.unprotect(one));
        one = sent[1]; // 64 behind.
        CHECK(ours.unprotect(one).reason().code == errc::duplicate);
        one = sent[2]; // 63 behind.
        CHECK(ours.unprotect(one));
        one = sent[2];
        CHECK(ours.unprotect(one).reason().code == errc::duplicate);
    }
}

TEST_CASE("srtp::receiver: a replayed packet of an earlier SSRC silences nothing") {
    // RFC 3711 section 3.2.3: rollover counter and replay list are those of an SSRC.
    sender early{rfc_key()};
    sender late{rfc_key()};
    receiver ours{rfc_key()};
    auto first = protect(early, 65'000, 0xaaaa);
    const auto kept = first;
    REQUIRE(ours.unprotect(first));
    // The second source wraps, so that its packets need a rollover counter of 1.
    for (std::uint32_t n = 65'500; n < 65'600; ++n) {
        auto one = protect(late, static_cast<std::uint16_t>(n), 0xbbbb);
        REQUIRE(ours.unprotect(one));
        auto replayed = kept;
        CHECK(ours.unprotect(replayed).reason().code == errc::duplicate);
    }
    auto next = protect(late, 64, 0xbbbb);
    CHECK(ours.unprotect(next));
    // The first may come back where it was.
    auto back = protect(early, 65'001, 0xaaaa);
    CHECK(ours.unprotect(back));
}

TEST_CASE("srtp::receiver: sources that take turns are each decrypted by their own counter") {
    std::vector<sender> peers;
    while (peers.size() < receiver::most_sources) peers.emplace_back(rfc_key());
    receiver ours{rfc_key()};
    for (std::uint32_t n = 65'400; n < 65'700; ++n) {
        for (std::uint32_t i = 0; i < peers.size(); ++i) {
            const auto sequence = static_cast<std::uint16_t>(n + 20 * i);
            auto one = protect(peers[i], sequence, i);
            const auto done = ours.unprotect(one);
            REQUIRE(done);
            one.resize(*done);
            REQUIRE(one == packet(sequence, i));
        }
    }
}

TEST_CASE("srtp::receiver: of too many sources the one that was heard longest ago is forgotten") {
    constexpr auto most = static_cast<std::uint32_t>(receiver::most_sources);
    sender peer{rfc_key()};
    receiver ours{rfc_key()};
    std::vector<std::vector<std::byte>> sent;
    for (std::uint32_t ssrc = 0; ssrc <= most; ++ssrc) sent.push_back(protect(peer, 7, ssrc));
    const auto hear = [&](std::uint32_t ssrc) {
        auto one = sent[ssrc];
        return ours.unprotect(one).has_value();
    };
    for (std::uint32_t ssrc = 0; ssrc < most; ++ssrc) CHECK(hear(ssrc));
    auto next = protect(peer, 8, 0);
    CHECK(ours.unprotect(next)); // The first was heard last now, and stays.
    for (std::uint32_t ssrc = 0; ssrc < most; ++ssrc) CHECK_FALSE(hear(ssrc));
    CHECK(hear(most)); // One too many: the second goes.
    CHECK_FALSE(hear(0));
    for (std::uint32_t ssrc = 2; ssrc <= most; ++ssrc) CHECK_FALSE(hear(ssrc));
    CHECK(hear(1));
}

TEST_CASE("srtp::receiver: packets that do not authenticate make no source, however many") {
    sender peer{rfc_key()};
    auto other = rfc_key();
    other.key[0] ^= std::byte{1};
    sender stranger{other};
    receiver ours{rfc_key()};
    auto first = protect(peer, 7);
    const auto kept = first;
    REQUIRE(ours.unprotect(first));
    for (std::uint32_t ssrc = 0; ssrc < 1'000; ++ssrc) {
        auto forged = protect(stranger, 8, ssrc);
        CHECK(ours.unprotect(forged).reason().code == errc::mismatch);
    }
    first = kept;
    CHECK(ours.unprotect(first).reason().code == errc::duplicate);
    auto next = protect(peer, 8);
    CHECK(ours.unprotect(next));
}

TEST_CASE("srtp::receiver: a replay, a wrong tag and a short packet change nothing") {
    sender peer{rfc_key()};
    receiver ours{rfc_key()};
    auto first = protect(peer, 10);
    const auto copy = first;
    REQUIRE(ours.unprotect(first));
    first = copy;
    CHECK(ours.unprotect(first).reason().code == errc::duplicate);
    for (std::size_t at :
         {std::size_t{1}, std::size_t{2}, std::size_t{9}, std::size_t{50}, copy.size() - 1}) {
        CAPTURE(at);
        auto forged = protect(peer, 11);
        forged[at] ^= std::byte{0x40};
        CHECK_FALSE(ours.unprotect(forged));
    }
    for (std::size_t size = 0; size < 22; ++size) {
        auto cut = copy;
        cut.resize(size);
        CHECK_FALSE(ours.unprotect(cut));
    }
    auto next = protect(peer, 12);
    CHECK(ours.unprotect(next));
    auto other = protect(peer, 12, 0xbeef); // Another source of the same peer begins anew.
    CHECK(ours.unprotect(other));
}

TEST_CASE("srtp::sender: needs room, and a packet") {
    sender ours{rfc_key()};
    auto made = packet(1);
    CHECK(ours.protect(made, made.size()).reason().code == errc::full);
    std::vector<std::byte> none(40);
    CHECK_FALSE(ours.protect(none, 5));
}

} // namespace
} // namespace trunkline::srtp
