#include "cdr.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <trunkline/trunkline.hpp>

namespace softswitch {

namespace {

using json = nlohmann::ordered_json;

/// Milliseconds with microseconds behind the point; no more is known about a network.
[[nodiscard]] double milliseconds(trunkline::duration what) {
    const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(what).count();
    return static_cast<double>(whole) / 1'000;
}

[[nodiscard]] json milliseconds(const std::optional<trunkline::duration>& what) {
    return what ? json(milliseconds(*what)) : json();
}

[[nodiscard]] json attempts_of(const trunkline::call_record& record) {
    auto list = json::array();
    for (const auto& attempt : record.attempts) {
        list.push_back({{"gateway", attempt.gateway},
                        {"sip_code", attempt.sip_code},
                        {"reason", attempt.reason},
                        {"took_ms", milliseconds(attempt.took)}});
    }
    return list;
}

[[nodiscard]] std::error_code last_error() {
    return {errno, std::generic_category()};
}

[[nodiscard]] std::error_code write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return last_error();
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

[[nodiscard]] std::error_code append(const std::filesystem::path& path, std::string_view text) {
    if (path.empty()) return write_all(STDOUT_FILENO, text);
    // Opened each time: whoever rotates logs moves the file away and is done.
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0) return last_error();
    const auto failed = write_all(file, text);
    ::close(file);
    return failed;
}

} // namespace

std::string utc_text(std::int64_t unix_ns) {
    const auto at =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds{unix_ns});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
    const auto broken_down = fmt::gmtime(static_cast<std::time_t>(seconds.count()));
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", broken_down, (at - seconds).count());
}

std::string to_json(const trunkline::call_record& record, std::int64_t started_unix_ns,
                    std::string_view sid) {
    const auto& media = record.media;
    json made{
        // 64 bits are more than a double holds, which is what many a reader makes of a number.
        {"id", std::to_string(record.id)},
        {"sid", sid.empty() ? json() : json(sid)},
        {"call_id", record.call_id},
        {"direction", record.direction == trunkline::direction::inbound ? "inbound" : "outbound"},
        {"trunk", record.trunk},
        {"gateway", record.gateway},
        {"source", record.source},
        {"from", record.from},
        {"to", record.to},
        {"number", record.number},
        {"agent", record.agent},
        {"started", utc_text(started_unix_ns)},
        {"ringing_ms", milliseconds(record.ringing)},
        {"answered_ms", milliseconds(record.answered)},
        {"first_heard_ms", milliseconds(record.first_heard)},
        {"first_said_ms", milliseconds(record.first_said)},
        {"lasted_ms", milliseconds(record.lasted)},
        {"ended_by", trunkline::name(record.ended_by)},
        {"sip_code", record.sip_code},
        {"reason", record.reason},
        {"carrier_words", record.carrier_words},
        {"refused", record.refused == trunkline::diagnostic::none
                        ? json()
                        : json(trunkline::name(record.refused))},
        {"codec", record.codec},
        {"packets_sent", media.sent},
        {"packets_received", media.received},
        {"packets_lost", media.lost},
        {"packets_late", media.late},
        {"packets_foreign", media.foreign},
        {"jitter_ms", milliseconds(media.jitter)},
        {"round_trip_ms", milliseconds(media.round_trip)},
        {"attempts", attempts_of(record)}};
    return made.dump(-1, ' ', true, json::error_handler_t::replace);
}

cdr_log::cdr_log(std::filesystem::path file, background& writer)
    : file_{std::move(file)},
      writer_{writer} {
    // A record that cannot be written is found out now, and not when the first call ends.
    if (file_.empty()) return;
    if (const auto failed = append(file_, {})) throw std::system_error{failed, file_.string()};
}

void cdr_log::write(const trunkline::call_record& record, std::string_view sid) {
    auto line = to_json(record, trunkline::trunk_manager::to_unix(record.started), sid) + '\n';
    const auto taken = writer_.post([path = file_, line = std::move(line)] {
        if (const auto failed = append(path, line)) {
            spdlog::error("a call's record cannot be written: {}; it was {}", failed.message(),
                          line.substr(0, line.size() - 1));
        }
    });
    if (!taken) spdlog::error("a call's record is lost: whoever takes them does not keep up");
}

} // namespace softswitch
