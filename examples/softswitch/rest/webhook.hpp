// Tells somebody else's HTTP server what happens to calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "calls/call_view.hpp"
#include "delivery_queue.hpp"

namespace softswitch {

struct webhook_settings {
    std::string url{};    ///< http:// or https://
    std::string secret{}; ///< Of the signature.
    /// It may be on this host, or in a private network. Where it may not, no proxy of the
    /// environment is used, for that would resolve the name.
    bool allow_private = false;

    // Operators leave these as they are; tests have less patience.
    delivery_pace pace{};
    std::chrono::milliseconds timeout{5'000}; ///< For one try, from connecting to the last byte.
    std::chrono::milliseconds ending{1'500};  ///< For what is under way when the switch ends.
    std::chrono::milliseconds report_every{60'000};
    std::size_t most_waiting = 10'000;
    std::size_t at_once = 8;
};

/// "t=<unix seconds>,v1=<hex of HMAC-SHA256 over '<unix seconds>.<body>'>": who knows the secret
/// can tell that we sent it, and when.
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::int64_t unix_s,
                                            std::string_view body);

/// Posts each event as JSON, on a thread of its own. Delivered is what was answered with 2xx;
/// network errors, 408, 429 and 5xx are tried again, all else is refused for good. Redirects are
/// not followed: whoever answers one would choose where calls are told of.
class webhook {
public:
    /// Throws std::runtime_error when libcurl does not work.
    explicit webhook(webhook_settings with);
    webhook(const webhook&) = delete;
    webhook& operator=(const webhook&) = delete;
    /// Tries once more what is due, for at most `ending`; the log says how much was not delivered.
    ~webhook();

    /// Any thread; does not block. False, and counted, when too many wait already.
    bool post(const call_event& what);

private:
    class sender;

    std::unique_ptr<sender> sender_;
    std::thread thread_;
};

} // namespace softswitch
