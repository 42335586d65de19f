#include <trunkline/net/clock.hpp>

#include <chrono>

namespace trunkline::net {

time_point now() noexcept {
    return time_point{std::chrono::steady_clock::now().time_since_epoch()};
}

std::int64_t unix_offset() noexcept {
    const std::chrono::nanoseconds unix_time = std::chrono::system_clock::now().time_since_epoch();
    return (unix_time - now().time_since_epoch()).count();
}

} // namespace trunkline::net
