// What the switch writes to its log.
#pragma once

#include <memory>
#include <sstream>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace softswitch::testing {

/// What is logged for as long as it lives.
struct log_catcher {
    std::ostringstream text{};
    std::shared_ptr<spdlog::logger> before = spdlog::default_logger();

    log_catcher() {
        auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text);
        spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", std::move(sink)));
    }
    log_catcher(const log_catcher&) = delete;
    log_catcher& operator=(const log_catcher&) = delete;
    ~log_catcher() { spdlog::set_default_logger(before); }
};

} // namespace softswitch::testing
