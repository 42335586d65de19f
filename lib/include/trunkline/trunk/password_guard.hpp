// Which sources have shown a password, and how long those that guess at one have to wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/siphash.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/core/token_bucket.hpp>

namespace trunkline::trunks {

/// In memory of fixed size. A source is an IPv4 address or an IPv6 /64. It is only ever asked about
/// answers to a nonce that was sent to their source, so no forged source is held against its owner.
class TRUNKLINE_EXPORT password_guard {
public:
    explicit password_guard(entropy& random);

    /// What an answer is from: who is meant is the user as it was given, at one trunk.
    struct asker {
        const address& source;
        std::string_view trunk;
        std::string_view user;
    };
    enum class verdict : std::uint8_t {
        look,   ///< Compare the answer.
        wait,   ///< Not yet: it comes too soon after wrong ones.
        banned, ///< Say nothing.
    };
    struct waiting {
        verdict what = verdict::look;
        unsigned seconds = 0; ///< For `wait`: at least 1.
        bool ban = false;     ///< It begins with this one.
    };
    /// Whether an answer is looked at. One that comes too soon is a guess as well.
    [[nodiscard]] waiting ask(const asker& by, time_point now);
    /// The answer was wrong: true when its source is banned from now on. A source that has shown a
    /// password within the last hour is never banned; whoever guesses there is slowed, user by
    /// user. After `free` wrong answers in a row each one doubles the wait for the next.
    [[nodiscard]] bool wrong(const asker& by, unsigned free, time_point now);
    void right(const asker& by, time_point now);

    [[nodiscard]] bool banned(const address& source, time_point now) const;
    /// Whether the source has shown a password within the last hour.
    [[nodiscard]] bool has_shown(const address& source, time_point now) const;

private:
    struct entry {
        std::uint64_t key = 0; ///< A hash; 0: free.
        std::uint32_t strikes = 0;
        std::uint32_t wrong = 0;
        time_point last{};
        time_point wait_until{};
        time_point banned_until{};
    };
    /// Eight places for all that fall into one shelf; the one that was used longest ago gives way.
    class TRUNKLINE_EXPORT table {
    public:
        table() : shelves_(512) {}
        [[nodiscard]] entry* find(std::uint64_t key);
        [[nodiscard]] const entry* find(std::uint64_t key) const;
        [[nodiscard]] entry& at(std::uint64_t key, time_point now);
        void erase(std::uint64_t key);

    private:
        std::vector<std::array<entry, 8>> shelves_;
    };

    [[nodiscard]] std::uint64_t key_of(const address& source) const;
    [[nodiscard]] std::uint64_t key_of(const asker& by) const;
    [[nodiscard]] entry& struck(const asker& by, time_point now);

    siphash_key key_;
    table sources_; ///< That have shown nothing, by their wrong answers;
    table users_;   ///< users at sources that have,
    table shown_;   ///< and when those did so last.
    /// Wrong answers at one trunk from everywhere: when there are many each weighs more.
    std::array<token_bucket, 256> trunks_{};
};

} // namespace trunkline::trunks
