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
