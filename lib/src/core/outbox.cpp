#include <trunkline/core/outbox.hpp>

#include <algorithm>

#include <trunkline/core/assert.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline {

std::span<std::byte> outbox::reserve(flow_id to, std::size_t most, owner_id owner) {
    return start(effects::send{to, owner, {}}, most);
}

std::span<std::byte> outbox::reserve_media(media_id from, bool rtcp, const endpoint& to,
                                           std::size_t most, owner_id owner) {
    return start(effects::send_media{from, rtcp, to, owner, {}}, most);
}

std::span<std::byte> outbox::start(const sending& what, std::size_t most) {
    TRUNKLINE_ASSERT(!reserved_);
    reserved_room_ = room(most);
    pending_ = what;
    reserved_ = true;
    return reserved_room_;
}

std::span<const std::byte> outbox::commit(std::size_t used) {
    TRUNKLINE_ASSERT(reserved_ && used <= reserved_room_.size());
    reserved_ = false;
    if (used == 0) return {};
    const std::span<const std::byte> bytes = reserved_room_.first(used);
    used_ += used;
    std::visit(
        [&](auto what) {
            what.bytes = bytes;
            append(what);
        },
        pending_);
    return bytes;
}

void outbox::connect(token asked, transport over, listener_id from, const endpoint& to,
                     const tls_target& secure) {
    const auto kept = keep(std::as_bytes(std::span{secure.name}));
    append(effects::connect{
        asked,
        over,
        from,
        to,
        {secure.profile, {reinterpret_cast<const char*>(kept.data()), kept.size()}}});
}

void outbox::resolve(token asked, record_type type, std::string_view name) {
    const auto kept = keep(std::as_bytes(std::span{name}));
    append(
        effects::resolve{asked, type, {reinterpret_cast<const char*>(kept.data()), kept.size()}});
}

void outbox::note(severity level, diagnostic code, owner_id owner,
                  std::initializer_list<std::int64_t> values, std::string_view text) {
    effects::note what{level, code, owner};
    TRUNKLINE_ASSERT(values.size() <= what.values.size());
    what.count = static_cast<std::uint8_t>(values.size());
    std::ranges::copy(values, what.values.begin());
    if (!text.empty()) what.text = as_text(keep(as_bytes(text)));
    append(what);
}

std::span<const std::byte> outbox::keep(std::span<const std::byte> bytes) {
    const auto kept = make(bytes.size());
    std::ranges::copy(bytes, kept.begin());
    return kept;
}

/// Samples are written into it, so it starts where any number may.
std::span<std::byte> outbox::make(std::size_t size) {
    TRUNKLINE_ASSERT(!reserved_);
    constexpr std::size_t alignment = 16;
    used_ = (used_ + alignment - 1) / alignment * alignment;
    const auto made = room(size);
    used_ += size;
    return made;
}

void outbox::clear() noexcept {
    TRUNKLINE_ASSERT(!reserved_);
    effects_.clear();
    block_ = used_ = 0;
}

void outbox::append(const effect& what) {
    TRUNKLINE_ASSERT(!reserved_); // A packet half written would change places with this effect.
    effects_.push_back(what);
}

/// Goes on to the first block with room. Blocks are tried in the order in which they were made, so
/// the same work after clear() takes the same path and finds every block it needs.
std::span<std::byte> outbox::room(std::size_t size) {
    static constexpr std::size_t block_size = 65'536;
    for (; block_ < blocks_.size(); ++block_, used_ = 0) {
        if (used_ <= blocks_[block_].size() && blocks_[block_].size() - used_ >= size) break;
    }
    if (block_ == blocks_.size()) blocks_.emplace_back(std::max(size, block_size));
    return std::span{blocks_[block_]}.subspan(used_, size);
}

} // namespace trunkline
