// The switch itself: a manager with the trunks of a configuration, its records, its log and its
// trace. Both `softswitch` and `softswitch dial` run one.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <trunkline/trunkline.hpp>

#include "background.hpp"
#include "calls/live_calls.hpp"
#include "calls/reception.hpp"
#include "calls/registrations.hpp"
#include "cdr.hpp"
#include "config.hpp"
#include "io_thread.hpp"
#include "ladder.hpp"
#include "notes.hpp"
#include "sockets/socket_hub.hpp"

namespace softswitch {

struct options {
    std::filesystem::path config{"softswitch.toml"};
    bool check = false;
    std::optional<std::string> trace{}; ///< A trunk or part of a number; empty for all.
    std::filesystem::path cdr{};        ///< Empty for standard output.
    std::string log_level{}; ///< Empty: info, and warning where a person watches the call itself.
    // Of dial.
    std::string number{};
    std::string trunk{};
    std::string from{};
    std::string agent{"echo"};
    std::optional<std::chrono::milliseconds> hang_up_after{};
};

/// How the process ends. What a shell sees of it is in --help.
enum class outcome : int { good = 0, refused = 1, usage = 2 };

class switchboard {
public:
    /// Opens nothing yet. The configuration has to outlive it.
    switchboard(const configuration& of, const options& how);
    switchboard(const switchboard&) = delete;
    switchboard& operator=(const switchboard&) = delete;
    ~switchboard();

    /// False, and the log says why, when an address cannot be bound or a trunk is refused.
    [[nodiscard]] bool open(trunkline::manager_config wanted);
    /// What every manager of this configuration has: addresses, log, trace, and calls answered by
    /// the agents of their numbers.
    [[nodiscard]] trunkline::manager_config manager_config();

    [[nodiscard]] trunkline::trunk_manager& manager() { return *manager_; }
    [[nodiscard]] background& files() { return files_; }
    [[nodiscard]] softswitch::reception& reception() { return reception_; }
    [[nodiscard]] live_calls& calls() { return calls_; }
    [[nodiscard]] const registrations& registered() const { return registered_; }
    /// When the manager has come to rest: agents behind sockets may still be told of the end.
    void settle();
    void write(const trunkline::call_record& record);

private:
    void trace(const trunkline::net::wire_tap_record& what);

    const configuration& of_;
    const options& how_;
    background files_; ///< First, because all else hands it work to the very end.
    cdr_log records_;
    note_log notes_;
    std::shared_ptr<ladder> ladder_;
    io_thread io_;
    live_calls calls_;
    registrations registered_;
    socket_hub hub_;
    softswitch::reception reception_;
    std::unique_ptr<trunkline::trunk_manager> manager_;
};

/// Until SIGTERM or SIGINT, and as long after that as `drain` allows.
[[nodiscard]] outcome serve(const configuration& of, const options& how);

/// `softswitch dial`: one call.
[[nodiscard]] outcome dial(configuration of, const options& how);

} // namespace softswitch
