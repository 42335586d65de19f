#include "webhook.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <ctime>
#include <list>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <trunkline/core/text.hpp>
#include <trunkline/crypto/hash.hpp>

#include "event_json.hpp"
#include "sockets/inner_address.hpp"

namespace softswitch {

namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Answers are not read; over that size the connection is not worth keeping.
constexpr std::size_t most_answered = 65'536;

struct multi_deleter {
    void operator()(CURLM* what) const { curl_multi_cleanup(what); }
};
struct easy_deleter {
    void operator()(CURL* what) const { curl_easy_cleanup(what); }
};
struct list_deleter {
    void operator()(curl_slist* what) const { curl_slist_free_all(what); }
};

/// One try of one delivery.
struct transfer {
    delivery* what = nullptr;
    std::unique_ptr<curl_slist, list_deleter> headers{};
    std::unique_ptr<CURL, easy_deleter> handle{};
    std::size_t answered = 0;
    bool allow_private = false;
    std::string refused{}; ///< Why there was no connection to the address.
};

/// The address that a name resolved to, at the moment of connecting: no later answer changes it.
curl_socket_t open_socket(void* of, curlsocktype /*only ever a connection*/, curl_sockaddr* to) {
    auto& one = *static_cast<transfer*>(of);
    trunkline::address where;
    if (to->family == AF_INET) {
        const auto* const at = reinterpret_cast<const sockaddr_in*>(&to->addr);
        std::memcpy(where.bytes.data() + 12, &at->sin_addr, 4);
        where.bytes[10] = where.bytes[11] = 0xff;
    } else if (to->family == AF_INET6) {
        const auto* const at = reinterpret_cast<const sockaddr_in6*>(&to->addr);
        std::memcpy(where.bytes.data(), &at->sin6_addr, 16);
    }
    if (!one.allow_private && is_inner(where)) {
        one.refused = why_not_there(where);
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

std::size_t ignore_answer(const char*, std::size_t, std::size_t size, void* of) {
    auto& answered = static_cast<transfer*>(of)->answered;
    answered += size;
    return answered > most_answered ? 0 : size;
}

[[nodiscard]] bool is_worth_a_retry(long status) {
    return status == 408 || status == 429 || status >= 500;
}

/// What a minute of trouble is told by.
struct tally {
    std::uint64_t failed = 0;   ///< Tries.
    std::uint64_t given_up = 0; ///< Events: too many tries failed, or the answer was final.
    std::uint64_t dropped = 0;  ///< Events: too many waited.
    std::string last{};         ///< Why.

    [[nodiscard]] bool is_empty() const { return failed + given_up + dropped == 0; }
};

} // namespace

std::string webhook_signature(std::string_view secret, std::int64_t unix_s, std::string_view body) {
    const auto mac = trunkline::crypto::hmac_sha256(trunkline::as_bytes(secret),
                                                    fmt::format("{}.{}", unix_s, body));
    auto text = fmt::format("t={},v1=", unix_s);
    for (const auto byte : mac) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

class webhook::sender {
public:
    explicit sender(webhook_settings with)
        : with_{std::move(with)},
          queue_{with_.pace},
          multi_{curl_multi_init()},
          chances_{std::random_device{}()} {
        if (!multi_) throw std::runtime_error{"libcurl does not work"};
    }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;
    ~sender() {
        for (auto& one : transfers_) curl_multi_remove_handle(multi_.get(), one.handle.get());
    }

    bool post(const call_event& what);
    void end();
    void work();

private:
    void take_posted();
    void start_due();
    [[nodiscard]] bool start(delivery& what);
    /// Whether any transfer ended.
    bool take_ended();
    void ended(transfer& one, CURLcode code);
    void report(bool now);
    [[nodiscard]] bool is_over(clock::time_point& give_up);
    [[nodiscard]] milliseconds until_next() const;

    const webhook_settings with_;

    std::mutex guard_; ///< Of what posters touch.
    std::vector<std::pair<call_event, delivery_time>> posted_;
    std::size_t waiting_ = 0; ///< Posted, and neither delivered nor given up.
    std::uint64_t dropped_ = 0;
    bool ending_ = false;

    delivery_queue queue_;
    std::unique_ptr<CURLM, multi_deleter> multi_;
    std::list<transfer> transfers_;
    tally trouble_;
    clock::time_point reported_ = clock::now() - with_.report_every;
    std::minstd_rand chances_;
};

bool webhook::sender::post(const call_event& what) {
    {
        const std::lock_guard held{guard_};
        if (waiting_ >= with_.most_waiting) {
            ++dropped_;
            return false;
        }
        ++waiting_;
        posted_.emplace_back(what, clock::now());
    }
    curl_multi_wakeup(multi_.get());
    return true;
}

void webhook::sender::end() {
    {
        const std::lock_guard held{guard_};
        ending_ = true;
    }
    curl_multi_wakeup(multi_.get());
}

void webhook::sender::work() {
    auto give_up = clock::time_point::max();
    while (!is_over(give_up)) {
        take_posted();
        start_due();
        int running = 0;
        curl_multi_perform(multi_.get(), &running);
        const bool any_ended = take_ended();
        report(false);
        if (any_ended) continue; // There is room for others now.
        const auto wait =
            std::min(until_next(), std::chrono::ceil<milliseconds>(
                                       std::max(give_up - clock::now(), clock::duration::zero())));
        curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
    }
    report(true);
    if (const auto lost = queue_.size(); lost != 0) {
        spdlog::error("webhook: {} event{} could not be delivered before the end", lost,
                      lost == 1 ? "" : "s");
    }
}

/// At the end, what is due gets its try, and no retry is waited for.
bool webhook::sender::is_over(clock::time_point& give_up) {
    {
        const std::lock_guard held{guard_};
        if (!ending_ || !posted_.empty()) return false;
    }
    const auto now = clock::now();
    if (give_up == clock::time_point::max()) give_up = now + with_.ending;
    const auto due = queue_.next_due();
    return now >= give_up || (transfers_.empty() && (!due || *due > now));
}

milliseconds webhook::sender::until_next() const {
    auto wait = milliseconds{60'000};
    const auto now = clock::now();
    const auto sooner = [&](clock::time_point when) {
        wait = std::clamp(std::chrono::ceil<milliseconds>(when - now), milliseconds{0}, wait);
    };
    // What is due and has no room waits for a transfer to end.
    if (const auto due = queue_.next_due(); due && transfers_.size() < with_.at_once) sooner(*due);
    if (!trouble_.is_empty()) sooner(reported_ + with_.report_every);
    return wait;
}

void webhook::sender::take_posted() {
    std::vector<std::pair<call_event, delivery_time>> taken;
    {
        const std::lock_guard held{guard_};
        taken.swap(posted_);
        trouble_.dropped += std::exchange(dropped_, 0);
    }
    for (const auto& [event, when] : taken) {
        queue_.add({event.call.id, event_id(event), to_json(event), when});
    }
}

void webhook::sender::start_due() {
    while (transfers_.size() < with_.at_once) {
        auto* const next = queue_.next(clock::now());
        if (next == nullptr) return;
        if (start(*next)) continue;
        // Without memory for a request there will be none for the next one either.
        ended(transfers_.back(), CURLE_OUT_OF_MEMORY);
        transfers_.pop_back();
        return;
    }
}

bool webhook::sender::start(delivery& what) {
    auto& made = transfers_.emplace_back();
    made.what = &what;
    made.handle.reset(curl_easy_init());
    const std::array lines{
        std::string{"Content-Type: application/json"},
        fmt::format("X-Trunkline-Event-Id: {}", what.id),
        fmt::format("X-Trunkline-Signature: {}",
                    webhook_signature(with_.secret, std::time(nullptr), what.body))};
    for (const auto& line : lines) {
        auto* const longer = curl_slist_append(made.headers.get(), line.c_str());
        if (longer == nullptr) return false;
        static_cast<void>(made.headers.release());
        made.headers.reset(longer);
    }
    auto* const handle = made.handle.get();
    if (handle == nullptr) return false;
    curl_easy_setopt(handle, CURLOPT_PRIVATE, &made);
    curl_easy_setopt(handle, CURLOPT_URL, with_.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    made.allow_private = with_.allow_private;
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &made);
    if (!with_.allow_private) curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(with_.timeout.count()));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    // A name server that does not answer must not hold up our end.
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "softswitch");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, made.headers.get());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, what.body.c_str());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(what.body.size()));
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &ignore_answer);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &made);
    return curl_multi_add_handle(multi_.get(), handle) == CURLM_OK;
}

bool webhook::sender::take_ended() {
    bool any = false;
    int left = 0;
    while (const auto* const said = curl_multi_info_read(multi_.get(), &left)) {
        if (said->msg != CURLMSG_DONE) continue;
        const auto code = said->data.result;
        const auto found = std::ranges::find(transfers_, said->easy_handle,
                                             [](const transfer& one) { return one.handle.get(); });
        curl_multi_remove_handle(multi_.get(), said->easy_handle);
        ended(*found, code);
        transfers_.erase(found);
        any = true;
    }
    return any;
}

void webhook::sender::ended(transfer& one, CURLcode code) {
    long status = 0;
    curl_off_t asked = 0;
    if (one.handle) {
        curl_easy_getinfo(one.handle.get(), CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(one.handle.get(), CURLINFO_RETRY_AFTER, &asked);
    }
    // Who sends a whole book for an answer has answered.
    const bool answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && status != 0);
    bool done = true;
    if (answered && status >= 200 && status < 300) {
        queue_.finish(*one.what);
    } else {
        ++trouble_.failed;
        trouble_.last = answered              ? fmt::format("it answered {}", status)
                        : one.refused.empty() ? curl_easy_strerror(code)
                                              : one.refused;
        if (answered && !is_worth_a_retry(status)) {
            queue_.finish(*one.what);
            ++trouble_.given_up;
        } else {
            const auto wanted = milliseconds{std::clamp<curl_off_t>(asked, 0, 86'400) * 1'000};
            std::uniform_real_distribution<double> chance{0, 1};
            done = !queue_.retry(*one.what, clock::now(), wanted, chance(chances_));
            trouble_.given_up += done ? 1 : 0;
        }
    }
    if (!done) return;
    const std::lock_guard held{guard_};
    --waiting_;
}

void webhook::sender::report(bool now) {
    if (trouble_.is_empty() || (!now && clock::now() < reported_ + with_.report_every)) return;
    spdlog::warn("webhook: tries failed: {}{}; events given up: {}, dropped because {} wait: {}",
                 trouble_.failed,
                 trouble_.last.empty() ? "" : fmt::format(" (the last: {})", trouble_.last),
                 trouble_.given_up, with_.most_waiting, trouble_.dropped);
    trouble_ = {};
    reported_ = clock::now();
}

webhook::webhook(webhook_settings with) {
    static const auto ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) throw std::runtime_error{"libcurl does not work"};
    sender_ = std::make_unique<sender>(std::move(with));
    thread_ = std::thread{[this] { sender_->work(); }};
}

webhook::~webhook() {
    sender_->end();
    thread_.join();
}

bool webhook::post(const call_event& what) {
    return sender_->post(what);
}

} // namespace softswitch
