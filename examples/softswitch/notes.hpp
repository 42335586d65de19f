// What the library notes in numbers, in words for the log. docs/diagnostics.md says what to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include <trunkline/core/outbox.hpp>
#include <trunkline/trunk/call_record.hpp>
#include <trunkline/trunk/login_refusal.hpp>

namespace softswitch {

[[nodiscard]] std::string in_words(const trunkline::effects::note& what);

/// A line that fail2ban reads, see docs/security.md: its user comes last, because a stranger wrote
/// it.
[[nodiscard]] std::string in_words(const trunkline::login_refusal& what);

/// What a record says of its trunk, where that is more than of its call: that it is full. Empty
/// where it is nothing.
[[nodiscard]] std::string of_its_trunk(const trunkline::call_record& what);

/// Writes notes to the log, so many of a kind a second: a scan of the Internet's fills no disk.
class note_log {
public:
    using clock = std::chrono::steady_clock;

    /// May be called from any thread.
    void write(const trunkline::effects::note& what, clock::time_point now);
    /// Once a second for each trunk.
    void write(const trunkline::call_record& what, clock::time_point now);

    static constexpr unsigned most_a_second = 20;

private:
    struct counted {
        clock::time_point since{};
        unsigned written = 0;
        std::uint64_t left_out = 0;
    };

    std::mutex guard_;
    std::map<trunkline::diagnostic, counted> counts_;
    std::map<std::string, clock::time_point> full_; ///< Trunks, and when that was written last.
};

} // namespace softswitch
