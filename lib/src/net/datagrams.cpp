#include "datagrams.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <time.h>

#include <linux/errqueue.h>

namespace trunkline::net {

namespace {

constexpr std::size_t batch_size = 64;

#ifdef TRUNKLINE_HAS_MMSG

int receive_messages(int socket, std::span<message_header> into) noexcept {
    return ::recvmmsg(socket, into.data(), static_cast<unsigned>(into.size()), MSG_DONTWAIT,
                      nullptr);
}
int send_messages(int socket, std::span<message_header> from) noexcept {
    return ::sendmmsg(socket, from.data(), static_cast<unsigned>(from.size()),
                      MSG_DONTWAIT | MSG_NOSIGNAL);
}

#else

/// As the batched calls do it: an error after the first datagram is told by the next call.
template <class Call>
int one_by_one(std::span<message_header> messages, Call call) noexcept {
    int count = 0;
    for (auto& message : messages) {
        const auto size = call(message.msg_hdr);
        if (size < 0) return count == 0 ? -1 : count;
        message.msg_len = static_cast<unsigned>(size);
        ++count;
    }
    return count;
}
int receive_messages(int socket, std::span<message_header> into) noexcept {
    return one_by_one(into, [socket](msghdr& m) { return ::recvmsg(socket, &m, MSG_DONTWAIT); });
}
int send_messages(int socket, std::span<message_header> from) noexcept {
    return one_by_one(
        from, [socket](msghdr& m) { return ::sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

#endif

template <class Call>
std::size_t uninterrupted(Call call, int& stopped_by) noexcept {
    int count = -1;
    do count = call();
    while (count < 0 && errno == EINTR);
    stopped_by = count < 0 ? errno : 0;
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

template <class Info>
void put_ancillary(msghdr& into, ancillary& room, int level, int kind, const Info& info) noexcept {
    room = {};
    into.msg_control = room.bytes.data();
    into.msg_controllen = CMSG_SPACE(sizeof info);
    auto* const item = CMSG_FIRSTHDR(&into);
    item->cmsg_level = level;
    item->cmsg_type = kind;
    item->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(item), &info, sizeof info);
}

void put_source(msghdr& into, ancillary& room, const address& from) noexcept {
    if (from.is_v4()) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, from.bytes.data() + 12, 4);
        put_ancillary(into, room, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, from.bytes.data(), 16);
        put_ancillary(into, room, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

} // namespace

inbox::inbox(std::size_t slots, std::size_t slot_size, bool tells_local)
    : slot_size_{slot_size},
      tells_local_{tells_local},
      room_{std::make_unique_for_overwrite<std::byte[]>(slots * slot_size)},
      headers_(slots),
      slices_(slots),
      peers_(slots),
      controls_(tells_local ? slots : 0) {
    for (std::size_t i = 0; i < slots; ++i) {
        slices_[i] = {room_.get() + i * slot_size, slot_size};
        auto& header = headers_[i].msg_hdr;
        header.msg_name = &peers_[i];
        header.msg_iov = &slices_[i];
        header.msg_iovlen = 1;
        if (tells_local) header.msg_control = controls_[i].bytes.data();
    }
}

std::size_t inbox::receive(int socket, std::size_t first, std::size_t most,
                           int& stopped_by) noexcept {
    const auto into = std::span{headers_}.subspan(first, most);
    for (auto& header : into) { // The last call has written to these.
        header.msg_hdr.msg_namelen = sizeof(socket_address);
        header.msg_hdr.msg_controllen = tells_local_ ? sizeof(ancillary) : 0;
    }
    return uninterrupted([&] { return receive_messages(socket, into); }, stopped_by);
}

std::optional<address> inbox::local(std::size_t slot) noexcept {
    auto& header = headers_[slot].msg_hdr;
    for (auto* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
            in_pktinfo info;
            std::memcpy(&info, CMSG_DATA(item), sizeof info);
            auto found = address::v4(0, 0, 0, 0);
            std::memcpy(found.bytes.data() + 12, &info.ipi_spec_dst, 4);
            return found;
        }
        if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info;
            std::memcpy(&info, CMSG_DATA(item), sizeof info);
            address found;
            std::memcpy(found.bytes.data(), &info.ipi6_addr, 16);
            return found;
        }
    }
    return std::nullopt;
}

std::size_t send_batch(int socket, bool from_local, std::span<const outgoing> batch,
                       int& stopped_by) noexcept {
    std::array<iovec, batch_size> slices;
    std::array<message_header, batch_size> headers;
    std::array<socket_address, batch_size> peers;
    std::array<ancillary, batch_size> controls;
    batch = batch.first(std::min(batch.size(), batch_size));
    for (std::size_t i = 0; i < batch.size(); ++i) {
        // sendmsg(2) shares its structs with recvmsg(2), hence no const; it does not write.
        const auto bytes = batch[i].what.bytes;
        slices[i] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
        headers[i] = {};
        auto& header = headers[i].msg_hdr;
        header.msg_name = &peers[i];
        header.msg_namelen = to_socket(batch[i].info->peer, peers[i]);
        header.msg_iov = &slices[i];
        header.msg_iovlen = 1;
        if (from_local) put_source(header, controls[i], batch[i].info->local.address);
    }
    const auto from = std::span{headers}.first(batch.size());
    return uninterrupted([&] { return send_messages(socket, from); }, stopped_by);
}

int send_one(int socket, const endpoint& to, std::span<const std::byte> bytes) noexcept {
    socket_address peer;
    const auto size = to_socket(to, peer);
    int stopped_by = 0;
    uninterrupted(
        [&] {
            const auto sent = ::sendto(socket, bytes.data(), bytes.size(),
                                       MSG_DONTWAIT | MSG_NOSIGNAL, &peer.any, size);
            return sent < 0 ? -1 : 1;
        },
        stopped_by);
    return stopped_by;
}

std::optional<reported_error> take_error(int socket) noexcept {
    for (;;) {
        struct alignas(cmsghdr) {
            std::array<std::byte, 512> bytes;
        } control;
        std::byte first{}; // The rest of what we had sent is of no interest.
        iovec slice{&first, 1};
        socket_address peer{};
        msghdr header{};
        header.msg_name = &peer;
        header.msg_namelen = sizeof peer;
        header.msg_iov = &slice;
        header.msg_iovlen = 1;
        header.msg_control = control.bytes.data();
        header.msg_controllen = sizeof control.bytes;
        if (::recvmsg(socket, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            if (errno == EINTR) continue;
            return std::nullopt;
        }
        for (auto* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
            const bool v4 = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVERR;
            const bool v6 = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVERR;
            if (!v4 && !v6) continue;
            sock_extended_err said;
            std::memcpy(&said, CMSG_DATA(item), sizeof said);
            if (said.ee_origin == SO_EE_ORIGIN_ICMP || said.ee_origin == SO_EE_ORIGIN_ICMP6) {
                return reported_error{to_core(peer), static_cast<int>(said.ee_errno)};
            }
        }
    }
}

} // namespace trunkline::net
