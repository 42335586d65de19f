// Names: the hosts file first, then c-ares, which only carries queries and raw answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <ares.h>

#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/net/hosts_file.hpp>

#include "poller.hpp"

namespace trunkline::net {

/// Decoding, caching and TTLs are the machine's. The sockets of c-ares are watched in the shard's
/// poller, under `mark` plus the descriptor.
class resolver {
public:
    /// Longer than this no caller would wait for the first ringing tone.
    static constexpr duration patience = std::chrono::seconds{2};

    struct answer {
        token asked;
        std::vector<std::byte> message; ///< Empty when nobody answered in time.
        std::vector<address> hosts;
    };

    resolver() = default;
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;
    ~resolver();

    [[nodiscard]] std::error_code open(poller& in, std::uint64_t mark,
                                       const std::vector<std::string>& servers,
                                       std::string hosts_path);

    void act_on(const effects::resolve& wanted, time_point at);
    void ready(int fd, std::uint32_t events);
    void tick(time_point at);
    [[nodiscard]] std::optional<time_point> next_deadline() const;

    [[nodiscard]] bool has_answers() const noexcept { return !answers_.empty(); }
    /// They outlive what they are swapped with, which is no longer looked at.
    void take(std::vector<answer>& into) noexcept {
        into.clear();
        into.swap(answers_);
    }

private:
    struct query {
        resolver* home;
        token asked;
        time_point deadline;
        bool late;
        std::list<query>::iterator self;
    };

    static void answered(void* which, int status, int timeouts, unsigned char* message, int size);
    static void watch(void* home, ares_socket_t fd, int readable, int writable);
    void read_hosts();

    poller* poller_ = nullptr;
    std::uint64_t mark_ = 0;
    ares_channel channel_ = nullptr;
    std::string hosts_path_;
    hosts_file hosts_;
    std::optional<timespec> hosts_changed_; ///< When the file that was read had changed last.
    std::list<query> waiting_;              ///< The oldest first,
    std::list<query> late_;                 ///< and those that are answered already, with nothing.
    std::vector<answer> answers_;
};

} // namespace trunkline::net
