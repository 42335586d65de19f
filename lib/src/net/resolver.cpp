#include "resolver.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>
#include <utility>

#include <sys/stat.h>
#include <sys/time.h>

#include <trunkline/net/clock.hpp>

namespace trunkline::net {

namespace {

constexpr int first_timeout_ms = 400; // Three tries, each longer, fit into two seconds.
constexpr int tries = 3;
constexpr int edns_size = 1232; // Never fragmented on any path (DNS flag day 2020).
constexpr std::size_t hosts_file_limit = 4 * 1024 * 1024;

[[nodiscard]] bool prepare_library() {
    static const bool prepared = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    return prepared;
}

} // namespace

resolver::~resolver() {
    if (channel_ != nullptr) ares_destroy(channel_); // Which answers all that is outstanding.
}

std::error_code resolver::open(poller& in, std::uint64_t mark,
                               const std::vector<std::string>& servers, std::string hosts_path) {
    poller_ = &in;
    mark_ = mark;
    hosts_path_ = std::move(hosts_path);
    if (!prepare_library()) return std::make_error_code(std::errc::not_supported);
    ares_options options{};
    options.flags = ARES_FLAG_EDNS;
    options.ednspsz = edns_size;
    options.timeout = first_timeout_ms;
    options.tries = tries;
    options.sock_state_cb = &resolver::watch;
    options.sock_state_cb_data = this;
    const int given = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                      ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&channel_, &options, given) != ARES_SUCCESS) {
        return std::make_error_code(std::errc::not_enough_memory);
    }
    if (servers.empty()) return {};
    std::string list;
    for (const auto& server : servers) list += (list.empty() ? "" : ",") + server;
    if (ares_set_servers_ports_csv(channel_, list.c_str()) != ARES_SUCCESS) {
        return std::make_error_code(std::errc::invalid_argument);
    }
    return {};
}

void resolver::act_on(const effects::resolve& wanted, time_point at) {
    if (wanted.type == record_type::a || wanted.type == record_type::aaaa) {
        read_hosts();
        answer found{wanted.asked, {}, {}};
        hosts_.find(wanted.name, wanted.type == record_type::a, found.hosts);
        if (!found.hosts.empty()) {
            answers_.push_back(std::move(found));
            return;
        }
    }
    if (wanted.name.find('\0') != std::string_view::npos) { // C would ask for the first half of it.
        answers_.push_back({wanted.asked, {}, {}});
        return;
    }
    auto& made = waiting_.emplace_back(query{this, wanted.asked, at + patience, false, {}});
    made.self = std::prev(waiting_.end());
    // A name that is none (too long, an empty label) comes back at once, without an answer.
    constexpr int internet = 1;
    ares_query(channel_, std::string{wanted.name}.c_str(), internet, static_cast<int>(wanted.type),
               &resolver::answered, &made);
}

/// c-ares promises to come here exactly once for every query, destroyed channels included.
void resolver::answered(void* which, int /*status*/, int /*timeouts*/, unsigned char* message,
                        int size) {
    auto& found = *static_cast<query*>(which);
    auto& home = *found.home;
    if (!found.late) {
        answer given{found.asked, {}, {}};
        if (message != nullptr && size > 0) {
            // With an error too: that a name does not exist is an answer, with a lifetime.
            const auto bytes = std::as_bytes(std::span{message, static_cast<std::size_t>(size)});
            given.message.assign(bytes.begin(), bytes.end());
        }
        home.answers_.push_back(std::move(given));
    }
    (found.late ? home.late_ : home.waiting_).erase(found.self);
}

void resolver::watch(void* home, ares_socket_t fd, int readable, int writable) {
    auto& self = *static_cast<resolver*>(home);
    if (readable == 0 && writable == 0) return self.poller_->forget(fd);
    const std::uint32_t events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U);
    const auto mark = self.mark_ + static_cast<std::uint64_t>(fd);
    // Watched already, it is only changed; not watched for want of memory, the query times out.
    if (self.poller_->watch(fd, mark, events)) self.poller_->change(fd, mark, events);
}

void resolver::ready(int fd, std::uint32_t events) {
    // An error is found by reading.
    const bool readable = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    const bool writable = (events & EPOLLOUT) != 0;
    ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
}

void resolver::tick(time_point at) {
    if (waiting_.empty() && late_.empty()) return;
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD); // Sends again what is due.
    while (!waiting_.empty() && waiting_.front().deadline <= at) {
        auto& slow = waiting_.front();
        answers_.push_back({slow.asked, {}, {}});
        slow.late = true;
        late_.splice(late_.end(), waiting_, slow.self);
    }
}

std::optional<time_point> resolver::next_deadline() const {
    if (waiting_.empty() && late_.empty()) return std::nullopt;
    std::optional<time_point> next;
    if (!waiting_.empty()) next = waiting_.front().deadline;
    timeval room{};
    if (const auto* wait = ares_timeout(channel_, nullptr, &room)) {
        const auto until =
            now() + std::chrono::seconds{wait->tv_sec} + std::chrono::microseconds{wait->tv_usec};
        next = earliest(next, until);
    }
    return next;
}

/// Asks for the file's time each time, which is one system call a name; reads it when it changed.
void resolver::read_hosts() {
    struct stat about {};
    if (::stat(hosts_path_.c_str(), &about) != 0) {
        hosts_ = {};
        hosts_changed_.reset();
        return;
    }
    const auto& changed = about.st_mtim;
    if (hosts_changed_ && hosts_changed_->tv_sec == changed.tv_sec &&
        hosts_changed_->tv_nsec == changed.tv_nsec) {
        return;
    }
    hosts_changed_ = changed;
    std::ifstream file{hosts_path_, std::ios::binary};
    std::string text(
        std::min<std::size_t>(static_cast<std::size_t>(about.st_size), hosts_file_limit), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    hosts_ = hosts_file::parse(text);
}

} // namespace trunkline::net
