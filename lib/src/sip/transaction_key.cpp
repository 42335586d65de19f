#include <array>
#include <cstring>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/transaction_layer.hpp>

namespace trunkline::sip {

namespace {

/// Hashes parts of any length, each ended, in a room of fixed size: what fills it is replaced by
/// its hash, so nothing is cut off and two that differ late differ all the same.
class part_hash {
public:
    explicit part_hash(siphash_key key) noexcept : key_{key} {}

    void add(std::string_view part) noexcept {
        for (const char c : part) put(c);
        put('\0');
    }
    /// Without case, as section 7.3.1 has tokens and host names.
    void add_token(std::string_view part) noexcept {
        for (const char c : part) put(to_lower(c));
        put('\0');
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return siphash(key_, {text_.data(), size_});
    }

private:
    void put(char c) noexcept {
        if (size_ == text_.size()) {
            const auto so_far = value();
            std::memcpy(text_.data(), &so_far, sizeof so_far);
            size_ = sizeof so_far;
        }
        text_[size_++] = c;
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
