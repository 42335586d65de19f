#include "cdr.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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

[[nodiscard]] json failure_of(trunkline::call_failure what) {
    return what == trunkline::call_failure::none ? json() : json(trunkline::name(what));
}

[[nodiscard]] json attempts_of(const trunkline::call_record& record) {
    auto list = json::array();
    for (const auto& attempt : record.attempts) {
        list.push_back({{"gateway", attempt.gateway},
                        {"sip_code", attempt.sip_code},
                        {"reason", attempt.reason},
                        {"took_ms", milliseconds(attempt.took)},
                        {"failure", failure_of(attempt.failure)}});
    }
    return list;
}

[[nodiscard]] json targets_of(const trunkline::call_record& record) {
    auto list = json::array();
    for (const auto& attempt : record.attempts) {
        for (const auto& target : attempt.targets) list.push_back(target);
    }
    return list;
}

[[nodiscard]] json progress_of(const trunkline::call_record& record) {
    auto list = json::array();
    for (const auto& one : record.progress) {
        list.push_back({{"sip_code", one.sip_code},
                        {"words", trunkline::provisional_words(one.sip_code)},
                        {"after_ms", milliseconds(one.at)}});
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
    // Opened for each batch: whoever rotates logs moves the file away and is done.
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
    // Appended one by one: a list in braces would have each value copied twice, for every call.
    json made = json::object();
    auto& fields = made.get_ref<json::object_t&>();
    fields.reserve(40);
    const auto add = [&](const char* name, json value) {
        fields.emplace_back(name, std::move(value));
    };
    // 64 bits are more than a double holds, which is what many a reader makes of a number.
    add("id", std::to_string(record.id));
    add("sid", sid.empty() ? json() : json(sid));
    add("call_id", record.call_id);
    add("direction", record.direction == trunkline::direction::inbound ? "inbound" : "outbound");
    add("trunk", record.trunk);
    add("gateway", record.gateway);
    add("source", record.source);
    add("from", record.from);
    add("to", record.to);
    add("number", record.number);
    add("agent", record.agent);
    add("started", utc_text(started_unix_ns));
    add("ringing_ms", milliseconds(record.ringing));
    add("answered_ms", milliseconds(record.answered));
    add("first_heard_ms", milliseconds(record.first_heard));
    add("first_said_ms", milliseconds(record.first_said));
    add("lasted_ms", milliseconds(record.lasted));
    add("ended_by", trunkline::name(record.ended_by));
    add("sip_code", record.sip_code);
    add("by_wire", record.by_wire);
    add("failure", failure_of(record.failure));
    add("reason", record.reason);
    add("carrier_words", record.carrier_words);
    add("refused", record.refused == trunkline::diagnostic::none
                       ? json()
                       : json(trunkline::name(record.refused)));
    add("codec", record.codec);
    add("packets_sent", media.sent);
    add("packets_received", media.received);
    add("packets_lost", media.lost);
    add("packets_late", media.late);
    add("packets_foreign", media.foreign);
    const auto advice = media_advice(media);
    add("media_advice", advice.empty() ? json() : json(advice));
    add("packets_refused_size", media.refused_size);
    add("packets_unknown_type", media.unknown_type);
    add("packets_malformed", media.malformed);
    add("packets_overflowed", media.overflowed);
    add("media_resets", media.resets);
    add("concealed_ms", milliseconds(media.concealed));
    add("made_up_ms", milliseconds(media.made_up));
    add("jitter_ms", milliseconds(media.jitter));
    add("round_trip_ms", milliseconds(media.round_trip));
    add("attempts", attempts_of(record));
    add("targets", targets_of(record));
    add("progress", progress_of(record));
    return made.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string media_advice(const trunkline::media_statistics& of) {
    if (!of.refused_source) return {};
    return "RTP from " + trunkline::to_text(*of.refused_source) + ": set media_from";
}

cdr_log::cdr_log(std::filesystem::path file, background& writer)
    : file_{std::move(file)},
      writer_{writer} {
    // A record that cannot be written is found out now, and not when the first call ends.
    if (file_.empty()) return;
    if (const auto failed = append(file_, {})) throw std::system_error{failed, file_.string()};
}

void cdr_log::write(const trunkline::call_record& record, std::string_view sid) {
    const auto line = to_json(record, trunkline::trunk_manager::to_unix(record.started), sid);
    bool first = false;
    bool taken = false;
    {
        const std::lock_guard held{waiting_->guard};
        auto& lines = waiting_->lines;
        first = lines.empty();
        taken = lines.size() < most_waiting;
        if (taken) (lines += line) += '\n';
    }
    if (taken && first) {
        taken = writer_.post([waiting = waiting_, into = file_] { flush(*waiting, into); });
        if (!taken) {
            const std::lock_guard held{waiting_->guard};
            waiting_->lines.clear();
        }
    }
    if (!taken) spdlog::error("a call's record is lost: whoever takes them does not keep up");
}

void cdr_log::flush(waiting_lines& waiting, const std::filesystem::path& into) {
    std::string lines;
    {
        const std::lock_guard held{waiting.guard};
        lines.swap(waiting.lines);
    }
    const auto failed = append(into, lines);
    if (!failed) return;
    for (std::string_view rest{lines}; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.empty()) continue;
        spdlog::error("a call's record cannot be written: {}; it was {}", failed.message(), line);
    }
}

} // namespace softswitch
