// Many datagrams in one system call: recvmmsg and sendmmsg where they are, one by one elsewhere.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <trunkline/core/address.hpp>
#include <trunkline/core/flow.hpp>
#include <trunkline/core/outbox.hpp>

#include "socket.hpp"

#if defined(__linux__) && !defined(TRUNKLINE_NO_MMSG)
#define TRUNKLINE_HAS_MMSG
#endif

namespace trunkline::net {

#ifdef TRUNKLINE_HAS_MMSG
using message_header = mmsghdr;
#else
struct message_header {
    msghdr msg_hdr;
    unsigned msg_len;
};
#endif

/// Room for the one ancillary item that we ask for, of either family.
struct alignas(cmsghdr) ancillary {
    std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

/// What is received into. The pages of a slot cost nothing before a datagram has reached them.
class inbox {
public:
    inbox(std::size_t slots, std::size_t slot_size, bool tells_local);

    /// Fills slots from `first` on, at most `most`, and returns how many. `stopped_by` is an errno,
    /// 0 where nothing is wrong; what just_empty() says is nothing wrong either.
    std::size_t receive(int socket, std::size_t first, std::size_t most, int& stopped_by) noexcept;

    [[nodiscard]] std::size_t slots() const noexcept { return headers_.size(); }
    [[nodiscard]] std::span<std::byte> bytes(std::size_t slot) noexcept {
        return {room_.get() + slot * slot_size_, headers_[slot].msg_len};
    }
    [[nodiscard]] endpoint peer(std::size_t slot) const noexcept { return to_core(peers_[slot]); }
    /// The address it was sent to, where the socket tells.
    [[nodiscard]] std::optional<address> local(std::size_t slot) noexcept;
    [[nodiscard]] bool truncated(std::size_t slot) const noexcept {
        return (headers_[slot].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    }

private:
    std::size_t slot_size_;
    bool tells_local_;
    std::unique_ptr<std::byte[]> room_;
    std::vector<message_header> headers_;
    std::vector<iovec> slices_;
    std::vector<socket_address> peers_;
    std::vector<ancillary> controls_;
};

struct outgoing {
    effects::send what;
    const flow_info* info; ///< Its local address is where the datagram leaves from.
};

/// Sends the first 64 of `batch` and returns how many went before `stopped_by`. With `from_local`
/// the kernel is told the source address, which a socket bound to a wildcard needs.
std::size_t send_batch(int socket, bool from_local, std::span<const outgoing> batch,
                       int& stopped_by) noexcept;

[[nodiscard]] int send_one(int socket, const endpoint& to,
                           std::span<const std::byte> bytes) noexcept; ///< An errno, or 0.

/// An error that came by ICMP, and about whom.
struct reported_error {
    endpoint peer;
    int failed;
};
/// The oldest in the error queue, if any. Errors of our own making are skipped: the call that
/// failed has said so.
[[nodiscard]] std::optional<reported_error> take_error(int socket) noexcept;

} // namespace trunkline::net
