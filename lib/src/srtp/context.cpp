#include <trunkline/srtp/context.hpp>

#include <algorithm>
#include <array>

#include <trunkline/core/text.hpp>
#include <trunkline/crypto/hash.hpp>
#include <trunkline/rtp/packet.hpp>

namespace trunkline::srtp {

namespace {

void write_be(std::uint64_t number, std::span<std::byte> into) noexcept {
    for (std::size_t i = into.size(); i > 0; --i, number >>= 8U) {
        into[i - 1] = static_cast<std::byte>(number & 0xffU);
    }
}

/// Section 4.1.1: (salt * 2**16) XOR (SSRC * 2**64) XOR (index * 2**16).
[[nodiscard]] crypto::aes_ctr::counter counter_of(const session_keys& keys, std::uint32_t ssrc,
                                                  std::uint64_t index) noexcept {
    crypto::aes_ctr::counter made{};
    std::ranges::copy(keys.salt, made.begin());
    std::array<std::byte, 10> place{};
    write_be(ssrc, std::span{place}.first(4));
    write_be(index, std::span{place}.subspan(4));
    for (std::size_t i = 0; i < place.size(); ++i) made[4 + i] ^= place[i];
    return made;
}

[[nodiscard]] std::span<std::byte> payload_in(std::span<std::byte> packet,
                                              const rtp::packet_view& view) noexcept {
    // Padding is encrypted with the payload it follows.
    const auto header = static_cast<std::size_t>(view.payload.data() - packet.data());
    return packet.subspan(header);
}

/// Section 3.3.1: of the three indices that the sequence number may mean, the nearest to the
/// highest.
[[nodiscard]] std::uint64_t index_of(std::uint64_t highest, std::uint16_t sequence) noexcept {
    const auto rollovers = highest >> 16U;
    const auto last = static_cast<std::uint16_t>(highest);
    auto guess = rollovers;
    if (last < 0x8000 && sequence > last && sequence - last > 0x8000) {
        guess = rollovers == 0 ? 0 : rollovers - 1;
    } else if (last >= 0x8000 && last - 0x8000 > sequence) {
        guess = rollovers + 1;
    }
    return guess << 16U | sequence;
}

} // namespace

sender::sender(const master_key& from) : keys_{session_keys::derive(from)}, cipher_{keys_.cipher} {}

result<std::size_t> sender::protect(std::span<std::byte> buffer, std::size_t size) {
    if (buffer.size() < size || buffer.size() - size < room_behind)
        return error{.code = errc::full};
    const auto view = rtp::packet_view::parse(buffer.first(size));
    if (!view) return view.reason();
    const auto sequence = view->header.sequence.value;
    if (begun_ && sequence < last_ && last_ - sequence > 0x8000) ++rollovers_;
    begun_ = true;
    last_ = sequence;
    const auto index = static_cast<std::uint64_t>(rollovers_) << 16U | sequence;
    cipher_.apply(counter_of(keys_, view->header.ssrc, index),
                  payload_in(buffer.first(size), *view));
    write_be(rollovers_, buffer.subspan(size, 4));
    const auto tag = crypto::hmac_sha1(keys_.authentication, buffer.first(size + 4));
    std::copy_n(tag.begin(), tag_size, buffer.begin() + static_cast<std::ptrdiff_t>(size));
    return size + tag_size;
}

receiver::receiver(const master_key& from)
    : keys_{session_keys::derive(from)},
      cipher_{keys_.cipher} {}

result<std::size_t> receiver::unprotect(std::span<std::byte> packet) {
    if (packet.size() < rtp::header_size + tag_size) return error{.code = errc::need_more};
    const auto size = packet.size() - tag_size;
    // How much padding there is, is still encrypted: it is left out of what is parsed.
    const auto first = packet[0];
    packet[0] &= std::byte{0xdf};
    const auto view = rtp::packet_view::parse(packet.first(size));
    packet[0] = first;
    if (!view) return view.reason();
    auto* known = find(view->header.ssrc);
    const auto sequence = view->header.sequence.value;
    const auto index = known != nullptr ? index_of(known->highest, sequence) : sequence;
    if (known != nullptr && known->replayed(index)) return error{.code = errc::duplicate};
    // The tag makes room for the counter that is hashed behind the packet.
    std::array<std::byte, tag_size> tag{};
    std::copy_n(packet.begin() + static_cast<std::ptrdiff_t>(size), tag_size, tag.begin());
    write_be(index >> 16U, packet.subspan(size, 4));
    const auto right = crypto::hmac_sha1(keys_.authentication, packet.first(size + 4));
    std::ranges::copy(tag, packet.begin() + static_cast<std::ptrdiff_t>(size));
    if (!crypto::equal_in_constant_time(as_text(std::span{right}.first(tag_size)), as_text(tag))) {
        return error{.code = errc::mismatch};
    }
    cipher_.apply(counter_of(keys_, view->header.ssrc, index),
                  payload_in(packet.first(size), *view));
    if (known != nullptr) {
        known->take(index);
    } else {
        known = &longest_ago();
        *known = {.ssrc = view->header.ssrc, .highest = index, .seen = 1};
    }
    known->heard = ++packets_;
    last_ = static_cast<std::size_t>(known - sources_.data());
    return size;
}

bool receiver::source::replayed(std::uint64_t index) const noexcept {
    if (index > highest) return false;
    const auto behind = highest - index;
    return behind >= 64 || (seen >> behind & 1U) != 0;
}

void receiver::source::take(std::uint64_t index) noexcept {
    if (index > highest) {
        const auto ahead = index - highest;
        seen = ahead >= 64 ? 1 : (seen << ahead | 1U);
        highest = index;
    } else {
        seen |= 1ULL << (highest - index);
    }
}

receiver::source* receiver::find(std::uint32_t ssrc) noexcept {
    const auto is_it = [&](const source& one) { return one.heard != 0 && one.ssrc == ssrc; };
    if (is_it(sources_[last_])) return &sources_[last_];
    auto* const found = std::ranges::find_if(sources_, is_it);
    return found == sources_.end() ? nullptr : &*found;
}

receiver::source& receiver::longest_ago() noexcept {
    return *std::ranges::min_element(sources_, {}, &source::heard);
}

} // namespace trunkline::srtp
