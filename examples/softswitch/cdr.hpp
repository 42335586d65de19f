// Call detail records: one JSON object a line, as docs/cdr.md describes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

#include <trunkline/trunk/call_record.hpp>

#include "background.hpp"

namespace softswitch {

/// `sid` is what REST and agents know the call by; empty for one that was refused before it had
/// any. Without a line break at its end. ASCII only, whatever the peers sent: control bytes, and
/// what is not UTF-8, can do nothing to whoever looks at it.
[[nodiscard]] std::string to_json(const trunkline::call_record& record,
                                  std::int64_t started_unix_ns, std::string_view sid = {});

/// "RTP from 203.0.113.9:4000: set media_from", where a stranger's steady stream was not heard.
/// Empty where there was none.
[[nodiscard]] std::string media_advice(const trunkline::media_statistics& of);

/// "2026-08-02T06:30:00.123Z"
[[nodiscard]] std::string utc_text(std::int64_t unix_ns);

/// Where records go. Lines are whole: what calls that end together leave is one write. May be used
/// from any thread.
class cdr_log {
public:
    /// An empty path is standard output. Throws std::system_error when the file cannot be written.
    cdr_log(std::filesystem::path file, background& writer);

    void write(const trunkline::call_record& record, std::string_view sid = {});

    /// Bytes that may wait for a disk; records are lost, and that is logged, beyond them.
    static constexpr std::size_t most_waiting = std::size_t{32} << 20U;

private:
    /// The writer may come to it when the log itself is gone.
    struct waiting_lines {
        std::mutex guard;
        std::string lines; ///< Whoever adds the first one has the writer called.
    };
    static void flush(waiting_lines& waiting, const std::filesystem::path& into);

    std::filesystem::path file_;
    background& writer_;
    std::shared_ptr<waiting_lines> waiting_ = std::make_shared<waiting_lines>();
};

} // namespace softswitch
