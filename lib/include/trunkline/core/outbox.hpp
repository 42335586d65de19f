// What a machine wants done and told. A machine never calls out, it appends here, and its driver
// acts after the call has returned. That is why nothing is re-entrant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <trunkline/core/diagnostic.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/flow.hpp>

namespace trunkline {

enum class record_type : std::uint16_t { a = 1, aaaa = 28, srv = 33, naptr = 35 };

namespace effects {

struct send {
    flow_id flow;
    owner_id owner;
    std::span<const std::byte> bytes;
};
/// RTP and RTCP have a destination of their own, because the far end may move.
struct send_media {
    media_id media;
    bool rtcp;
    endpoint to;
    owner_id owner;
    std::span<const std::byte> bytes;
};
/// Answered by flow_up or flow_down. Where there is a flow to the same peer already, by that one.
struct connect {
    token asked;
    trunkline::transport transport;
    listener_id from; ///< The one that is to send; another one when this does not fit.
    endpoint to;
    tls_target secure{}; ///< For tls.
};
struct close {
    flow_id flow;
};
/// From now on a connection is worth so much; a flow of datagrams has no place to lose.
struct regard {
    flow_id flow;
    flow_standing as;
};
/// Answered by resolved.
struct resolve {
    token asked;
    record_type type;
    std::string_view name;
};
/// Answered by media_opened or media_failed.
struct open_media {
    token asked;
    owner_id owner;
    address at;
};
struct close_media {
    media_id media;
};
/// For the application. The bytes are the packet's or the outbox's, and die when it was delivered.
struct event {
    owner_id owner;
    std::uint16_t code;
    std::span<const std::byte> bytes;
    std::array<std::int64_t, 2> values{};
};
/// For the operator: numbers, not text, so that writing one costs no formatting and no allocation.
/// Text is for what others have said, and lives until the note was delivered.
struct note {
    severity level;
    diagnostic code;
    owner_id owner;
    std::uint8_t count = 0;
    std::array<std::int64_t, 4> values{};
    std::string_view text{};
};

} // namespace effects

using effect = std::variant<effects::send, effects::send_media, effects::connect, effects::close,
                            effects::regard, effects::resolve, effects::open_media,
                            effects::close_media, effects::event, effects::note>;

/// Effects, oldest first, and the arena that their bytes live in. Blocks of the arena never move
/// and clear() keeps them, so a warm outbox allocates nothing.
class TRUNKLINE_EXPORT outbox {
public:
    /// Room to write a packet in place, until commit(). One at a time.
    [[nodiscard]] std::span<std::byte> reserve(flow_id to, std::size_t most,
                                               owner_id owner = owner_id::none);
    [[nodiscard]] std::span<std::byte> reserve_media(media_id from, bool rtcp, const endpoint& to,
                                                     std::size_t most,
                                                     owner_id owner = owner_id::none);
    /// Sends the first `used` bytes of what was reserved and returns them, for who may have to send
    /// them again; 0 thinks better of it and sends nothing.
    std::span<const std::byte> commit(std::size_t used);

    /// Copies the name.
    void connect(token asked, transport over, listener_id from, const endpoint& to,
                 const tls_target& secure = {});
    void close(flow_id flow) { append(effects::close{flow}); }
    void regard(flow_id flow, flow_standing as) { append(effects::regard{flow, as}); }
    void resolve(token asked, record_type type, std::string_view name); ///< Copies the name.
    void open_media(token asked, owner_id owner, const address& at) {
        append(effects::open_media{asked, owner, at});
    }
    void close_media(media_id media) { append(effects::close_media{media}); }
    /// Does not copy: `bytes` are those of the packet being received, or what keep() returned.
    void tell(owner_id owner, std::uint16_t code, std::span<const std::byte> bytes = {},
              std::array<std::int64_t, 2> values = {}) {
        append(effects::event{owner, code, bytes, values});
    }
    void note(severity level, diagnostic code, owner_id owner,
              std::initializer_list<std::int64_t> values = {}, std::string_view text = {});
    /// A copy that lives as long as the effects do.
    [[nodiscard]] std::span<const std::byte> keep(std::span<const std::byte> bytes);
    /// Room that lives as long as the effects do, for who writes what keep() would copy.
    [[nodiscard]] std::span<std::byte> make(std::size_t size);

    [[nodiscard]] bool empty() const noexcept { return effects_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return effects_.begin(); }
    [[nodiscard]] auto end() const noexcept { return effects_.end(); }
    void clear() noexcept;

private:
    using sending = std::variant<effects::send, effects::send_media>;

    void append(const effect& what);
    [[nodiscard]] std::span<std::byte> room(std::size_t size);
    [[nodiscard]] std::span<std::byte> start(const sending& what, std::size_t most);

    std::vector<effect> effects_;
    std::vector<std::vector<std::byte>> blocks_;
    std::size_t block_ = 0; ///< The block in use,
    std::size_t used_ = 0;  ///< and how much of it is.
    sending pending_{};
    std::span<std::byte> reserved_room_;
    bool reserved_ = false;
};

} // namespace trunkline
