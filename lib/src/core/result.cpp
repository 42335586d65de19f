#include <trunkline/core/result.hpp>

#include <string>

namespace trunkline {

std::string_view message(errc code) noexcept {
    switch (code) {
    case errc::need_more: return "the input ends too early";
    case errc::bad_token: return "unexpected character";
    case errc::bad_number: return "not a number, or out of range";
    case errc::trailing_bytes: return "unexpected bytes after the value";
    case errc::limit_exceeded: return "larger than the limit for this field";
    case errc::bad_address: return "not an address or a host name";
    case errc::bad_quote: return "a quoted string does not end";
    case errc::bad_escape: return "a percent sign that starts no escape";
    case errc::bad_version: return "not a version that is spoken here";
    case errc::missing: return "something mandatory is missing";
    case errc::duplicate: return "stands twice, and may stand once";
    case errc::mismatch: return "two fields that must agree do not";
    case errc::bad_length: return "the declared length does not fit the bytes";
    case errc::not_supported: return "well formed, but not supported";
    case errc::wrong_state: return "not possible in this state";
    case errc::wrong_thread: return "used on another thread than its shard's";
    case errc::gone: return "it has ended";
    case errc::cleared: return "the utterance was cleared";
    case errc::full: return "the queue is full";
    case errc::forbidden:
        return "allow_prefixes, deny_prefixes or allow_emergency of the trunk forbid it";
    }
    return "unknown error";
}

const std::error_category& category() noexcept {
    struct trunkline_category final : std::error_category {
        [[nodiscard]] const char* name() const noexcept override { return "trunkline"; }
        [[nodiscard]] std::string message(int value) const override {
            return std::string{trunkline::message(static_cast<errc>(value))};
        }
    };
    static const trunkline_category instance;
    return instance;
}

} // namespace trunkline
