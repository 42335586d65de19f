// Which source a call's RTP is believed from, RFC 4961 with the caution of AST-2017-005.
#pragma once

#include <cstdint>

#include <trunkline/core/address.hpp>
#include <trunkline/rtp/packet.hpp>

namespace trunkline::calls {

/// What SDP says counts at once. Another address has to send four packets in sequence before
/// anybody else was heard; then it is the source (NAT). Once heard, a source stays until the next
/// offer and answer: late-comers are counted and dropped.
class source_latch {
public:
    /// A new description; `symmetric` false believes in it alone.
    void expect(const endpoint& described, bool symmetric) noexcept {
        if (described == described_ && symmetric == symmetric_) return;
        // A peer whose SDP was right so far is believed at once. Behind a NAT it was not, and the
        // way that is known to work stays until another one is heard.
        const bool truthful = current_ == described_;
        described_ = described;
        symmetric_ = symmetric;
        locked_ = false;
        candidate_ = {};
        in_row_ = 0;
        if (!heard_ || !symmetric || truthful) current_ = described;
        heard_ = heard_ && symmetric;
    }

    [[nodiscard]] bool accept(const endpoint& from, const rtp::header& packet) noexcept {
        if (locked_ && from == current_) return true;
        if (!locked_ && from == described_) return lock(from);
        if (locked_ || !symmetric_) {
            ++foreign_;
            return false;
        }
        // The described address from another port is a NAT that renumbers: no stranger sits there.
        if (from.address == described_.address) return lock(from);
        const bool follows = from == candidate_ && packet.ssrc == ssrc_ &&
                             static_cast<std::uint16_t>(packet.sequence.value - last_) == 1;
        in_row_ = follows ? in_row_ + 1 : 1;
        candidate_ = from;
        ssrc_ = packet.ssrc;
        last_ = packet.sequence.value;
        if (in_row_ < probation) return false;
        return lock(from);
    }

    [[nodiscard]] const endpoint& current() const noexcept { return current_; }
    [[nodiscard]] bool moved() const noexcept { return current_ != described_; }
    [[nodiscard]] std::uint64_t foreign() const noexcept { return foreign_; }

private:
    static constexpr unsigned probation = 4;

    bool lock(const endpoint& from) noexcept {
        current_ = from;
        locked_ = heard_ = true;
        return true;
    }

    endpoint described_{};
    endpoint current_{};
    endpoint candidate_{};
    bool symmetric_ = true;
    bool locked_ = false;
    bool heard_ = false;
    unsigned in_row_ = 0;
    std::uint32_t ssrc_ = 0;
    std::uint16_t last_ = 0;
    std::uint64_t foreign_ = 0;
};

} // namespace trunkline::calls
