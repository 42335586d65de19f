// Every call that this switch has, and the last that it had: what REST shows, and what events tell.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <trunkline/trunk/call.hpp>

#include "call_view.hpp"

namespace softswitch {

/// Random, with a prefix that says of what: "CA", "MZ", "AC" and 32 hex digits.
[[nodiscard]] std::string new_sid(std::string_view prefix);

/// Any member may be called from any thread.
class live_calls {
public:
    using listener = std::function<void(const call_event&)>;
    static constexpr std::size_t kept_calls = 1'000; ///< That have ended.
    static constexpr std::size_t kept_events = 100;

    /// A call begins: `view.id` is new, its state is `initiated`.
    void begin(call_view view);
    /// The library's name for it, and a way to it.
    void bind(std::string_view id, const trunkline::call_handle& handle);
    /// By a provisional response other than 180. A 199 and those without a name change nothing.
    void progressed(std::string_view id, int sip_code, std::int64_t at_unix_ns);
    void ringing(std::string_view id, std::int64_t at_unix_ns);
    void answered(std::string_view id, std::int64_t at_unix_ns);
    /// By the record's id; nothing happens when no call is bound to it. Returns the call's own id.
    std::string ended(const trunkline::call_record& record, std::int64_t at_unix_ns);
    /// A call that never came to be one of the library's.
    void failed(std::string_view id, trunkline::call_record record, std::int64_t at_unix_ns);

    /// False when there is no such call in progress.
    bool hang_up(std::string_view id);
    enum class transfer_start : std::uint8_t { asked, no_such_call, not_answered, under_way };
    /// What becomes of it is told as events, and shown in the call's view.
    transfer_start transfer(std::string_view id, const std::string& to);
    void transferred(std::string_view id, const trunkline::transfer_progress& how,
                     std::int64_t at_unix_ns);
    /// Has somebody wanted the end of it before the library knew it?
    [[nodiscard]] bool unwanted(std::string_view id) const;

    [[nodiscard]] std::vector<call_view> all() const; ///< In progress, oldest first.
    [[nodiscard]] std::optional<call_view> find(std::string_view id) const;
    [[nodiscard]] unsigned active(std::string_view trunk) const;
    /// Of one token, on one trunk.
    [[nodiscard]] unsigned active(std::string_view trunk, std::string_view token) const;
    /// Outbound calls that the carrier failed, since one was answered.
    [[nodiscard]] unsigned failed_in_a_row(std::string_view trunk) const;

    /// In order, on the thread where it happens, with a lock held: it must not block, nor ask here.
    [[nodiscard]] std::shared_ptr<void> subscribe(listener who);
    [[nodiscard]] std::vector<call_event> events_since(std::uint64_t after) const;

private:
    struct entry {
        call_view view;
        std::uint64_t born = 0; ///< For the order of all().
        trunkline::call_handle handle{};
        bool unwanted = false;
    };
    struct tally {
        unsigned active = 0;
        unsigned failed_in_a_row = 0;
    };

    void tell(const call_view& of, std::int64_t at_unix_ns, bool of_transfer = false);
    void change(std::string_view id, call_state to, std::int64_t at_unix_ns);
    void end(entry& which, trunkline::call_record record, std::int64_t at_unix_ns);

    mutable std::mutex guard_;
    std::unordered_map<std::string, entry> calls_;
    std::unordered_map<std::uint64_t, std::string> by_record_;
    std::deque<call_view> ended_;
    std::map<std::string, tally, std::less<>> trunks_;
    std::uint64_t born_ = 0;
    std::uint64_t last_event_ = 0;
    std::deque<call_event> events_;
    std::vector<std::weak_ptr<listener>> listeners_;
};

} // namespace softswitch
