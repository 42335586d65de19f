#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/transaction_layer.hpp>

#include "lanes.hpp"

namespace trunkline::sip {

namespace {

/// Hashes parts of any length, each ended, in a room of fixed size: what fills it is replaced by
/// its hash, so nothing is cut off and two that differ late differ all the same.
class part_hash {
public:
    explicit part_hash(siphash_key key) noexcept : key_{key} {}

    void add(std::string_view part) noexcept { add(part, false); }
    /// Without case, as section 7.3.1 has tokens and host names.
    void add_token(std::string_view part) noexcept { add(part, true); }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return siphash(key_, {text_.data(), size_});
    }

private:
    void add(std::string_view part, bool token) noexcept {
        while (!part.empty()) {
            const auto taken = std::min(part.size(), room());
            const std::span into{text_.data() + size_, taken};
            std::memcpy(into.data(), part.data(), taken);
            if (token) lanes::to_lower(into.data(), into.size());
            size_ += taken;
            part.remove_prefix(taken);
        }
        static_cast<void>(room());
        text_[size_++] = '\0';
    }
    [[nodiscard]] std::size_t room() noexcept {
        if (size_ == text_.size()) {
            const auto so_far = value();
            std::memcpy(text_.data(), &so_far, sizeof so_far);
            size_ = sizeof so_far;
        }
        return text_.size() - size_;
    }

    siphash_key key_;
    std::array<char, 512> text_; // Uninitialised but for the first size_.
    std::size_t size_ = 0;
};

} // namespace

/// Section 17.2.3: branch, sent-by and method; ACK counts as the INVITE's. A branch without the
/// cookie says nothing, so RFC 2543's rule applies.
std::uint64_t transaction_layer::key_of(const message_view& message, method what) const {
    const auto& via = message.top_via();
    const auto verb = what == method::ack ? method::invite : what;
    part_hash made{hash_key_};
    made.add(verb == method::other ? message.method_text() : name(verb));
    made.add_token(via.branch);
    made.add_token(via.sent_by);
    if (!via.has_cookie()) {
        made.add(message.call_id());
        made.add(message.from().tag());
        made.add(message.request_uri().text);
        std::array<char, sizeof(std::uint32_t)> number{};
        std::memcpy(number.data(), &message.cseq().number, number.size());
        made.add({number.data(), number.size()});
    }
    return made.value();
}

std::uint64_t transaction_layer::merge_key_of(const message_view& message) const {
    part_hash made{hash_key_};
    made.add(message.call_id());
    made.add(message.from().tag());
    made.add(message.value(header::cseq));
    return made.value();
}

} // namespace trunkline::sip
