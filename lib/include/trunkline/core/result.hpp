// result<T, E>: a value, or the reason there is none. The part of std::expected that we use.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include <trunkline/core/assert.hpp>
#include <trunkline/core/export.hpp>

namespace trunkline {

/// Everything that can be wrong with bytes from the network, or with a call we were asked to make.
enum class errc : std::uint8_t {
    need_more = 1,  ///< The input ends before the rule does. More bytes may complete it.
    bad_token,      ///< A character outside the set that the rule allows.
    bad_number,     ///< Not a number, or larger than the field can hold.
    trailing_bytes, ///< The rule matched, and bytes are left over.
    limit_exceeded, ///< Well formed, but over one of our documented limits.
    bad_address,    ///< Not an IP address, network or host name.
    bad_quote,      ///< A quoted string that does not end, or escapes nothing.
    bad_escape,     ///< A % that two hex digits do not follow.
    bad_version,    ///< Not the version of the protocol that we speak.
    missing,        ///< A mandatory header, line or parameter is not there.
    duplicate,      ///< What may stand once stands twice.
    mismatch,       ///< Two fields that must agree do not.
    bad_length,     ///< A declared length does not fit the bytes.
    not_supported,  ///< Well formed, and we do not do that.
    wrong_state,    ///< The call, or the utterance, is past that or not there yet.
    wrong_thread,   ///< A call was used off its shard.
    gone,           ///< It has ended.
    cleared,        ///< The utterance was cleared: later speech of it is stale.
    full,           ///< A bounded queue takes no more now.
    forbidden,      ///< The dialling guard of the trunk does not allow that target.
};

[[nodiscard]] TRUNKLINE_EXPORT std::string_view message(errc code) noexcept;
[[nodiscard]] TRUNKLINE_EXPORT const std::error_category& category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), category()};
}

/// What went wrong and where. Eight bytes, no allocation: a flood of bad packets costs no memory.
struct error {
    errc code{};
    std::uint8_t field = 0;   ///< Which header or line, as its parser numbers them; 0 is none.
    std::uint16_t detail = 0; ///< What the code alone cannot say, such as the limit; 0 is nothing.
    std::uint32_t offset = 0; ///< How many bytes into the input.

    explicit operator std::error_code() const noexcept { return make_error_code(code); }
    friend constexpr bool operator==(const error&, const error&) = default;
};
static_assert(sizeof(error) == 8);

/// Both constructors are implicit on purpose: `return value;` and `return reason;` are the idiom.
/// Asking for what is not there is our bug, so every accessor asserts.
template <class T, class E = error>
class [[nodiscard]] result {
    static_assert(!std::is_same_v<T, E> && !std::is_reference_v<T> && !std::is_reference_v<E>);

public:
    using value_type = T;
    using error_type = E;

    constexpr result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : held_{std::in_place_index<0>, std::move(value)} {}
    constexpr result(E reason) noexcept(std::is_nothrow_move_constructible_v<E>)
        : held_{std::in_place_index<1>, std::move(reason)} {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return held_.index() == 0; }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    /// Precondition: has_value(). An rvalue gives its value away, not a reference into a dying
    /// object.
    [[nodiscard]] constexpr T& operator*() & noexcept { return value_of(*this); }
    [[nodiscard]] constexpr const T& operator*() const& noexcept { return value_of(*this); }
    [[nodiscard]] constexpr T operator*() && noexcept(std::is_nothrow_move_constructible_v<T>) {
        return std::move(value_of(*this));
    }
    [[nodiscard]] constexpr T* operator->() noexcept { return &value_of(*this); }
    [[nodiscard]] constexpr const T* operator->() const noexcept { return &value_of(*this); }

    /// Precondition: !has_value().
    [[nodiscard]] constexpr E reason() const noexcept(std::is_nothrow_copy_constructible_v<E>) {
        TRUNKLINE_ASSERT(!has_value());
        return std::get<1>(held_);
    }

    friend constexpr bool operator==(const result&, const result&) = default;

private:
    template <class Self>
    static constexpr auto& value_of(Self& self) noexcept {
        TRUNKLINE_ASSERT(self.has_value());
        return std::get<0>(self.held_);
    }

    std::variant<T, E> held_;
};

/// Done, or the reason why not.
template <class E>
class [[nodiscard]] result<void, E> {
public:
    using value_type = void;
    using error_type = E;

    constexpr result() noexcept = default;
    constexpr result(E reason) noexcept(std::is_nothrow_move_constructible_v<E>)
        : reason_{std::move(reason)} {}

    [[nodiscard]] constexpr bool has_value() const noexcept { return !reason_.has_value(); }
    constexpr explicit operator bool() const noexcept { return has_value(); }
    constexpr void operator*() const noexcept { TRUNKLINE_ASSERT(has_value()); }

    /// Precondition: !has_value().
    [[nodiscard]] constexpr E reason() const noexcept(std::is_nothrow_copy_constructible_v<E>) {
        TRUNKLINE_ASSERT(!has_value());
        return *reason_;
    }

    friend constexpr bool operator==(const result&, const result&) = default;

private:
    std::optional<E> reason_;
};

/// What a command came to, where not asking is common and harmless: `call.send(frame);` says
/// enough.
template <class T = void>
class outcome : public result<T> {
public:
    using result<T>::result;
    constexpr outcome(result<T> what) noexcept(std::is_nothrow_move_constructible_v<result<T>>)
        : result<T>{std::move(what)} {}
};

} // namespace trunkline

template <>
struct std::is_error_code_enum<trunkline::errc> : std::true_type {};
