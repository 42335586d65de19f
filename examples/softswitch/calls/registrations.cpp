#include "registrations.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <trunkline/manager/trunk_manager.hpp>
#include <trunkline/net/clock.hpp>

#include "text.hpp"

namespace softswitch {

namespace {

using trunkline::registration_state;

[[nodiscard]] std::optional<std::int64_t>
to_unix(const std::optional<trunkline::time_point>& when) {
    if (!when) return std::nullopt;
    return trunkline::trunk_manager::to_unix(*when);
}

} // namespace

void registrations::write(const trunkline::registration_status& how) {
    registration_view made{how.state,  how.gateway,          how.sip_code,
                           how.reason, to_unix(how.expires), to_unix(how.retry)};
    // A refresh that went well is no news.
    bool news = true;
    {
        const std::lock_guard held{guard_};
        const auto known = known_.find(how.trunk);
        const auto before = known == known_.end() ? registration_state::idle : known->second.state;
        news = before != made.state || made.state == registration_state::waiting;
        if (how.state != registration_state::idle) {
            known_.insert_or_assign(how.trunk, made);
        } else if (known != known_.end()) {
            known_.erase(known);
        }
    }
    if (!news) return;
    const auto now = trunkline::trunk_manager::to_unix(trunkline::net::now());
    const bool failed = made.state == registration_state::waiting;
    spdlog::log(failed ? spdlog::level::warn : spdlog::level::info, "{}",
                in_words(how.trunk, made, now));
}

std::optional<registration_view> registrations::find(std::string_view trunk) const {
    const std::lock_guard held{guard_};
    const auto known = known_.find(trunk);
    return known == known_.end() ? std::nullopt : std::optional{known->second};
}

std::string in_words(std::string_view trunk, const registration_view& how,
                     std::int64_t now_unix_ns) {
    const auto seconds_until = [&](std::int64_t when) {
        return std::max<std::int64_t>((when - now_unix_ns) / 1'000'000'000, 0);
    };
    auto text = fmt::format("trunk `{}` ", printable(trunk));
    switch (how.state) {
    case registration_state::idle: return text + "is not registered any more";
    case registration_state::registering: return text + "registers";
    case registration_state::unregistering: return text + "is being unregistered";
    case registration_state::registered:
        return text + fmt::format("is registered at {}", printable(how.gateway));
    case registration_state::waiting: break;
    }
    text += "is not registered: ";
    if (how.sip_code != 0) text += fmt::format("{} ", how.sip_code);
    text += printable(how.reason);
    if (!how.gateway.empty()) text += fmt::format(", from {}", printable(how.gateway));
    if (how.retry_unix_ns) {
        text += fmt::format("; the next attempt is in {} s", seconds_until(*how.retry_unix_ns));
    }
    return text;
}

} // namespace softswitch
