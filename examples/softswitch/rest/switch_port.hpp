// The running switch as REST commands it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calls/call_view.hpp"
#include "calls/registrations.hpp"
#include "store/rows.hpp"

namespace softswitch {

/// What is wrong with a request, by the name that its JSON has for the field.
struct field_problem {
    std::string field{};
    std::string message{}; ///< A sentence.
};

struct call_request {
    std::string id{}; ///< Made by whoever asks: "CA" and 32 hex digits.
    std::string to{};
    std::string from{};  ///< Empty: the trunk's caller_id.
    std::string route{}; ///< Name or id of a trunk; empty: the first that takes outbound calls.
    std::string agent{};
    std::map<std::string, std::string> parameters{}; ///< The agent's customParameters.
    std::optional<std::chrono::seconds> ringing_timeout{};
    std::optional<std::chrono::seconds> max_duration{};
    std::string token{}; ///< The name of the one that asked for it.
};

/// How a trunk is doing.
struct trunk_health {
    unsigned active_calls = 0;
    unsigned failed_in_a_row =
        0; ///< Outbound calls that the carrier failed, since one was answered.
    std::optional<registration_view> registration{}; ///< Of a trunk that registers.
};

/// Every member may be called from any thread and returns at once.
class switch_port {
public:
    switch_port() = default;
    switch_port(const switch_port&) = delete;
    switch_port& operator=(const switch_port&) = delete;
    virtual ~switch_port() = default;

    /// What the switch has against a trunk as it would be; nothing when it is good. Names of
    /// agents, and the library's own rules. Numbers and names that others have are the store's.
    [[nodiscard]] virtual std::optional<field_problem> check(const trunk_row& what) const = 0;
    /// From now on. Calls in progress keep the trunk they began with.
    virtual void put(const trunk_row& what) = 0;
    virtual void remove(std::string_view trunk_id) = 0;
    /// Those of the configuration file, which only the file changes. Their ids are their names.
    [[nodiscard]] virtual std::vector<trunk_row> file_trunks() const = 0;
    [[nodiscard]] virtual trunk_health health(std::string_view trunk_name) const = 0;

    [[nodiscard]] virtual std::optional<field_problem> check(const call_request& what) const = 0;
    /// The name of the trunk that it would leave by; empty when check() has something against it.
    [[nodiscard]] virtual std::string trunk_for(const call_request& what) const = 0;
    /// Why this token may place no call now, though others may; nothing when it may.
    [[nodiscard]] virtual std::optional<std::string> too_many(const call_request& what) const = 0;
    /// Whatever comes of it is told as events.
    virtual void dial(const call_request& what) = 0;
    /// False when there is no such call in progress.
    virtual bool hang_up(std::string_view call_id) = 0;
    /// Why this call cannot be transferred to that target by its trunk's rules.
    [[nodiscard]] virtual std::optional<field_problem>
    check_transfer(std::string_view call_id, const std::string& to) const = 0;
    enum class transfer_answer : std::uint8_t {
        asked,
        bad_target, ///< Neither a number nor a SIP or tel URI.
        no_such_call,
        not_answered,
        under_way,
    };
    /// Whatever comes of it is told as events.
    virtual transfer_answer transfer(std::string_view call_id, const std::string& to) = 0;

    [[nodiscard]] virtual std::vector<call_view> calls() const = 0; ///< In progress, oldest first.
    /// In progress, or among the last thousand that ended.
    [[nodiscard]] virtual std::optional<call_view> call(std::string_view id) const = 0;

    /// `listener` is called with every event, in order, on some thread of the switch's, must not
    /// block, and lives for as long as the subscription is held.
    using listener = std::function<void(const call_event&)>;
    [[nodiscard]] virtual std::shared_ptr<void> subscribe(listener who) = 0;
    /// The latest events after number `after`, at most a hundred, oldest first.
    [[nodiscard]] virtual std::vector<call_event> events_since(std::uint64_t after) const = 0;
};

} // namespace softswitch
