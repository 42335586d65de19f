#include "web_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <wslay/wslay.h>

#include "inner_address.hpp"
#include "tls.hpp"

namespace softswitch {

namespace {

using tcp = asio::ip::tcp;
using tls_stream = asio::ssl::stream<tcp::socket>;
using clock = std::chrono::steady_clock;

/// Two seconds of a call as JSON: what the kernel holds cannot be dropped any more.
constexpr int send_buffer = 32 * 1'024;
constexpr std::size_t write_at_once = 16 * 1'024;
constexpr std::size_t read_at_once = 16 * 1'024;
/// What handling a message costs beside its bytes.
constexpr std::int64_t cost_of_message = 256;
constexpr std::chrono::seconds close_patience{1};
/// Answers to pings that nobody reads; section 5.5.3 of RFC 6455 asks for each.
constexpr std::size_t most_pongs = 1'024;

[[nodiscard]] std::string random_bytes(std::size_t count) {
    std::string made(count, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(made.data()), static_cast<int>(count));
    return made;
}

[[nodiscard]] trunkline::address address_of(const asio::ip::address& what) {
    if (what.is_v4()) {
        const auto b = what.to_v4().to_bytes();
        return trunkline::address::v4(b[0], b[1], b[2], b[3]);
    }
    const auto b = what.to_v6().to_bytes();
    trunkline::address made;
    std::copy(b.begin(), b.end(), made.bytes.begin());
    return made;
}

/// Masking keys have to be unpredictable (RFC 6455 section 10.3), and there are 50 a second and
/// call.
void draw_mask(std::uint8_t* into, std::size_t size) {
    thread_local std::array<std::uint8_t, 4'096> pool{};
    thread_local std::size_t used = pool.size();
    if (used + size > pool.size()) {
        RAND_bytes(pool.data(), static_cast<int>(pool.size()));
        used = 0;
    }
    std::memcpy(into, pool.data() + used, size);
    used += size;
}

template <class Stream>
class socket_over final : public web_socket,
                          public std::enable_shared_from_this<socket_over<Stream>> {
public:
    static constexpr bool secure = std::is_same_v<Stream, tls_stream>;

    socket_over(asio::io_context& io, Stream stream, const socket_url& to,
                const socket_identity& as, user& who)
        : stream_{std::move(stream)},
          resolver_{io},
          timer_{io},
          throttle_{io},
          to_{to},
          handshake_{to, as, to_base64(random_bytes(16))},
          user_{&who} {}
    ~socket_over() override { wslay_event_context_free(frames_); }

    void start(const connecting& how) {
        allow_private_ = how.allow_private;
        timer_.expires_after(how.within);
        timer_.async_wait([self = this->shared_from_this()](asio::error_code failed) {
            if (failed || self->open_) return;
            self->fail("it was not connected in time");
        });
        asio::error_code no_address;
        const auto literal = asio::ip::make_address(to_.host, no_address);
        if (!no_address) { // Never behind another agent's name that takes its time.
            return connect_to(tcp::resolver::results_type::create(tcp::endpoint{literal, to_.port},
                                                                  to_.host, {}));
        }
        resolver_.async_resolve(
            to_.host, std::to_string(to_.port),
            [self = this->shared_from_this()](asio::error_code failed,
                                              const tcp::resolver::results_type& found) {
                if (self->over_) return;
                if (failed) return self->fail(fmt::format("its name: {}", failed.message()));
                self->connect_to(found);
            });
    }

    void flush() override;
    void ping() override {
        wslay_event_msg frame{WSLAY_PING, nullptr, 0};
        if (open_ && frames_ != nullptr) wslay_event_queue_msg(frames_, &frame);
        flush();
    }
    void leave(std::uint16_t code) override;
    void abandon() override {
        user_ = nullptr;
        finish();
    }

private:
    [[nodiscard]] tcp::socket& socket() {
        if constexpr (secure)
            return stream_.next_layer();
        else
            return stream_;
    }

    void connect_to(const tcp::resolver::results_type& found) {
        std::vector<tcp::endpoint> good;
        trunkline::address last;
        for (const auto& one : found) {
            last = address_of(one.endpoint().address());
            if (allow_private_ || !is_inner(last)) good.push_back(one.endpoint());
        }
        // Of what a name has, not only the first is looked at, and what was looked at is connected
        // to: another answer a moment later changes nothing.
        if (good.empty()) return fail(why_not_there(last));
        asio::async_connect(
            socket(), good,
            [self = this->shared_from_this()](asio::error_code failed, const tcp::endpoint&) {
                if (self->over_) return;
                if (failed) return self->fail(failed.message());
                self->connected();
            });
    }
    void connected() {
        asio::error_code ignored;
        socket().set_option(tcp::no_delay{true}, ignored);
        socket().set_option(asio::socket_base::send_buffer_size{send_buffer}, ignored);
        if constexpr (secure) {
            auto* const tls = stream_.native_handle();
            if (!expect_certificate_of(*tls, to_.host)) {
                return fail("TLS: nothing can be compared with its certificate");
            }
            stream_.async_handshake(
                asio::ssl::stream_base::client,
                [self = this->shared_from_this(), tls](asio::error_code failed) {
                    if (self->over_) return;
                    if (failed) return self->fail(why_no_tls(*tls, failed));
                    self->ask();
                });
        } else {
            ask();
        }
    }
    void ask() {
        asio::async_write(stream_, asio::buffer(handshake_.request()),
                          [self = this->shared_from_this()](asio::error_code failed, std::size_t) {
                              if (self->over_) return;
                              if (failed) return self->fail(failed.message());
                              self->read();
                          });
    }

    void read() {
        stream_.async_read_some(
            asio::buffer(room_),
            [self = this->shared_from_this()](asio::error_code failed, std::size_t size) {
                if (self->over_) return;
                if (failed) {
                    return self->fail(failed == asio::error::eof ? "it closed the connection"
                                                                 : failed.message());
                }
                const std::string_view bytes{self->room_.data(), size};
                self->allowance_ -= static_cast<std::int64_t>(size);
                if (self->open_)
                    self->take(bytes);
                else
                    self->take_head(bytes);
                if (!self->over_) self->read_on();
            });
    }
    void read_on();
    void take_head(std::string_view bytes);
    void open_frames();
    void take(std::string_view bytes);
    void deliver(const wslay_event_on_msg_recv_arg& what);
    void fail(std::string_view why, std::optional<std::uint16_t> code = {});
    void finish();

    Stream stream_;
    tcp::resolver resolver_;
    asio::steady_timer timer_;
    asio::steady_timer throttle_;
    bool allow_private_ = false;
    socket_url to_;
    handshake handshake_;
    user* user_;
    wslay_event_context_ptr frames_ = nullptr;
    std::array<char, read_at_once> room_{};
    std::string head_;
    std::string_view unread_;
    wire_message incoming_;
    wire_message outgoing_;
    std::string writing_;
    std::int64_t allowance_ = static_cast<std::int64_t>(burst);
    clock::time_point allowed_at_ = clock::now();
    bool open_ = false;
    bool in_flight_ = false;
    bool leaving_ = false;
    bool over_ = false;
};

template <class Stream>
void socket_over<Stream>::take_head(std::string_view bytes) {
    head_ += bytes;
    const auto size = handshake_.receive(head_);
    if (!size) return fail(size.reason());
    if (!*size) return;
    open_ = true;
    timer_.cancel();
    open_frames();
    const auto rest = std::exchange(head_, {});
    user_->opened();
    if (!over_ && rest.size() > **size) take(std::string_view{rest}.substr(**size));
    if (!over_) flush();
}

template <class Stream>
void socket_over<Stream>::open_frames() {
    wslay_event_callbacks calls{};
    calls.recv_callback = [](wslay_event_context_ptr frames, std::uint8_t* into, std::size_t most,
                             int, void* self) -> ssize_t {
        auto& unread = static_cast<socket_over*>(self)->unread_;
        if (unread.empty()) {
            wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        const auto part = std::min(most, unread.size());
        std::memcpy(into, unread.data(), part);
        unread.remove_prefix(part);
        return static_cast<ssize_t>(part);
    };
    calls.send_callback = [](wslay_event_context_ptr, const std::uint8_t* bytes, std::size_t size,
                             int, void* self) -> ssize_t {
        static_cast<socket_over*>(self)->writing_.append(reinterpret_cast<const char*>(bytes),
                                                         size);
        return static_cast<ssize_t>(size);
    };
    calls.genmask_callback = [](wslay_event_context_ptr, std::uint8_t* into, std::size_t size,
                                void*) {
        draw_mask(into, size);
        return 0;
    };
    calls.on_msg_recv_callback = [](wslay_event_context_ptr,
                                    const wslay_event_on_msg_recv_arg* what, void* self) {
        static_cast<socket_over*>(self)->deliver(*what);
    };
    wslay_event_context_client_init(&frames_, &calls, this);
    wslay_event_config_set_max_recv_msg_length(frames_, longest_message);
}

template <class Stream>
void socket_over<Stream>::deliver(const wslay_event_on_msg_recv_arg& what) {
    allowance_ -= cost_of_message;
    if (user_ == nullptr) return;
    if (what.opcode == WSLAY_PONG) return user_->ponged();
    if (wslay_is_ctrl_frame(what.opcode)) return; // wslay answers those.
    incoming_.binary = what.opcode == WSLAY_BINARY_FRAME;
    incoming_.bytes.assign(reinterpret_cast<const char*>(what.msg), what.msg_length);
    user_->received(incoming_);
    // One long message must not cost its room for the rest of the call.
    if (incoming_.bytes.capacity() > 65'536) incoming_.bytes = {};
}

template <class Stream>
void socket_over<Stream>::take(std::string_view bytes) {
    unread_ = bytes;
    const int failed = wslay_event_recv(frames_);
    unread_ = {};
    if (over_) return;
    flush();
    if (over_) return;
    if (failed != 0) return fail("it broke the protocol");
    if (wslay_event_get_queued_msg_count(frames_) > most_pongs) {
        return fail("it sends more pings than it reads answers");
    }
    if (wslay_event_get_close_received(frames_) != 0) {
        const auto code = wslay_event_get_status_code_received(frames_);
        return fail("it closed", code);
    }
    // What wslay refuses, a message that is too long or no UTF-8, it closes by itself.
    if (wslay_event_get_read_enabled(frames_) == 0) {
        return fail(
            fmt::format("it broke the protocol ({})", wslay_event_get_status_code_sent(frames_)));
    }
}

/// Reads at the pace that is allowed: what comes faster waits where TCP makes it wait.
template <class Stream>
void socket_over<Stream>::read_on() {
    const auto now = clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - allowed_at_);
    allowed_at_ = now;
    allowance_ = std::min(static_cast<std::int64_t>(burst),
                          allowance_ + passed.count() * static_cast<std::int64_t>(bytes_a_second) /
                                           1'000'000);
    if (allowance_ > 0) return read();
    const auto debt = -allowance_ + static_cast<std::int64_t>(read_at_once);
    throttle_.expires_after(
        std::chrono::microseconds{debt * 1'000'000 / static_cast<std::int64_t>(bytes_a_second)});
    throttle_.async_wait([self = this->shared_from_this()](asio::error_code failed) {
        if (failed || self->over_) return;
        if (self->user_ != nullptr) self->user_->reading_again();
        self->read_on();
    });
}

template <class Stream>
void socket_over<Stream>::flush() {
    if (in_flight_ || !open_ || over_) return;
    writing_.clear();
    while (writing_.size() < write_at_once) {
        if (wslay_event_want_write(frames_) != 0) {
            if (wslay_event_send(frames_) != 0) return fail("it broke the protocol");
            continue;
        }
        if (leaving_ || user_ == nullptr || !user_->next_message(outgoing_)) break;
        const auto opcode = outgoing_.binary ? WSLAY_BINARY_FRAME : WSLAY_TEXT_FRAME;
        const wslay_event_msg frame{static_cast<std::uint8_t>(opcode),
                                    reinterpret_cast<const std::uint8_t*>(outgoing_.bytes.data()),
                                    outgoing_.bytes.size()};
        wslay_event_queue_msg(frames_, &frame);
    }
    if (writing_.empty()) return;
    in_flight_ = true;
    asio::async_write(stream_, asio::buffer(writing_),
                      [self = this->shared_from_this()](asio::error_code failed, std::size_t) {
                          self->in_flight_ = false;
                          if (self->over_) return;
                          if (failed) return self->fail(failed.message());
                          self->flush();
                      });
}

template <class Stream>
void socket_over<Stream>::leave(std::uint16_t code) {
    if (over_) return;
    if (!open_) return abandon();
    flush(); // What the user still has goes first.
    user_ = nullptr;
    leaving_ = true;
    wslay_event_queue_close(frames_, code, nullptr, 0);
    flush();
    timer_.expires_after(close_patience);
    timer_.async_wait([self = this->shared_from_this()](asio::error_code failed) {
        if (!failed) self->finish();
    });
}

template <class Stream>
void socket_over<Stream>::fail(std::string_view why, std::optional<std::uint16_t> code) {
    if (over_) return;
    auto* const told = std::exchange(user_, nullptr);
    finish();
    if (told != nullptr) told->closed(code, why);
}

template <class Stream>
void socket_over<Stream>::finish() {
    if (std::exchange(over_, true)) return;
    resolver_.cancel();
    timer_.cancel();
    throttle_.cancel();
    asio::error_code ignored;
    // A close frame may still be on its way: shut down, so that it is sent before the FIN.
    socket().shutdown(tcp::socket::shutdown_both, ignored);
    socket().close(ignored);
}

} // namespace

std::shared_ptr<web_socket> web_socket::connect(asio::io_context& io, asio::ssl::context& tls,
                                                const socket_url& to, const socket_identity& as,
                                                const connecting& how, user& who) {
    if (to.secure) {
        auto made = std::make_shared<socket_over<tls_stream>>(io, tls_stream{io, tls}, to, as, who);
        made->start(how);
        return made;
    }
    auto made = std::make_shared<socket_over<tcp::socket>>(io, tcp::socket{io}, to, as, who);
    made->start(how);
    return made;
}

} // namespace softswitch
