#include "server.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <fmt/format.h>
#include <restinio/all.hpp>
#include <spdlog/spdlog.h>

#include <trunkline/core/assert.hpp>

#include "answering_socket.hpp"
#include "api.hpp"
#include "event_feed.hpp"
#include "event_streams.hpp"
#include "health_places.hpp"

namespace softswitch {

namespace {

/// RESTinio's log is where it says why it is about to close a connection.
class confession {
public:
    explicit confession(socket_hall& hall) : hall_{hall} {}

    template <class Words>
    void error(Words&& words) const {
        hall_.last_error = words();
    }
    template <class Words>
    void warn(Words&& /*nobody asked*/) const noexcept {}
    template <class Words>
    void info(Words&& /*nobody asked*/) const noexcept {}
    template <class Words>
    void trace(Words&& /*nobody asked*/) const noexcept {}

private:
    socket_hall& hall_;
};

struct rest_traits
    : restinio::traits_t<
          restinio::asio_timer_manager_t, confession,
          std::function<restinio::request_handling_status_t(restinio::request_handle_t)>,
          restinio::noop_strand_t, answering_socket> {};

} // namespace

} // namespace softswitch

/// The hall counts connections, and RESTinio need not.
template <>
struct restinio::connection_count_limit_types<softswitch::rest_traits> {
    struct nobody {};
    using limiter_t = restinio::connection_count_limits::noop_connection_count_limiter_t;
    using lifetime_monitor_t = nobody;
};

namespace softswitch {

namespace {

using tcp = asio::ip::tcp;
using factory = restinio::impl::connection_factory_t<rest_traits>;
using restinio::response_connection_attr_t;
using restinio::response_parts_attr_t;

/// The place that RESTinio keeps for the answer to one request.
class reply {
public:
    explicit reply(const restinio::request_handle_t& to)
        : connection_{restinio::impl::access_req_connection(*to)},
          request_{to->request_id()} {}

    void whole(std::string text, bool keep_alive) {
        send(std::move(text), response_parts_attr_t::final_parts, keep_alive, {});
    }
    void part(std::string text, restinio::write_status_cb_t then) {
        send(std::move(text), response_parts_attr_t::not_final_parts, false, std::move(then));
    }

private:
    void send(std::string text, response_parts_attr_t parts, bool keep_alive,
              restinio::write_status_cb_t then) {
        restinio::writable_items_container_t items;
        items.emplace_back(std::move(text));
        restinio::write_group_t group{std::move(items)};
        if (then) group.after_write_notificator(std::move(then));
        const auto after = keep_alive ? response_connection_attr_t::connection_keepalive
                                      : response_connection_attr_t::connection_close;
        connection_->write_response_parts(request_, {parts, after}, std::move(group));
    }

    restinio::impl::connection_handle_t connection_;
    restinio::request_id_t request_;
};

/// When the server ends: how long clients have for what was sent to them.
constexpr std::chrono::milliseconds farewell_round{10};
constexpr int farewell_rounds = 50;

/// The connection of a client of GET /events.
class watching_client final : public stream_sink {
public:
    watching_client(const restinio::request_handle_t& of, socket_hall& hall)
        : to_{of},
          hall_{hall},
          socket_{of->connection_id()} {}

    void begin(const http_response& head) { to_.part(to_wire(head, {false, true, true}), {}); }
    void send(std::string bytes, std::function<void(bool)> then) override {
        to_.part(std::move(bytes),
                 [then = std::move(then)](const asio::error_code& failed) { then(!failed); });
    }
    void finish(std::string bytes) override { to_.whole(std::move(bytes), false); }
    void cut() override {
        asio::error_code ignored;
        if (auto* const at = socket(); at != nullptr) at->tcp::socket::close(ignored);
    }
    [[nodiscard]] bool is_open() const override {
        const auto* const at = socket();
        return at != nullptr && at->is_open();
    }
    [[nodiscard]] answering_socket* socket() const {
        const auto at = hall_.open.find(socket_);
        return at == hall_.open.end() ? nullptr : at->second;
    }

private:
    reply to_;
    socket_hall& hall_;
    std::uint64_t socket_; ///< Its id in the hall.
};

[[nodiscard]] http_request to_request(const restinio::request_t& from) {
    const auto& header = from.header();
    const auto field = [&](std::string_view name) {
        const auto* const value = header.try_get_field(restinio::string_view_t{name});
        return value == nullptr ? std::string{} : *value;
    };
    http_request made;
    made.method = header.method().c_str();
    std::string_view target = header.request_target();
    // What proxies send (RFC 9112 section 3.2.2).
    if (target.starts_with("http://")) {
        const auto slash = target.find('/', 7);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    const auto question = std::min(target.find('?'), target.size());
    made.path = target.substr(0, question);
    made.query = target.substr(std::min(question + 1, target.size()));
    made.authorization = field("Authorization");
    made.content_type = field("Content-Type");
    made.idempotency_key = field("Idempotency-Key");
    made.last_event_id = field("Last-Event-ID");
    made.body = from.body();
    made.peer = from.remote_endpoint().address().to_string();
    return made;
}

[[nodiscard]] std::int64_t unix_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

} // namespace

class rest_server::impl {
public:
    impl(const trunkline::endpoint& at, store& rows, switch_port& running,
         const rest_limits& limits)
        : limits_{limits},
          running_{running},
          api_{rows, running, unix_ns} {
        hall_.most_request_bytes = limits.body_bytes + (std::size_t{256} << 10U);
        hall_.too_long = error_response(
            413, fmt::format("a body has to have at most {} bytes", limits.body_bytes));
        hall_.too_late = error_response(
            408, fmt::format("the request has to come within {} ms", limits.request.count()));
        listen(at);
        make_factory();
        accept();
        beat();
        subscription_ = running_.subscribe([this](const call_event& what) { feed_.put(what); });
        thread_ = std::thread{[this] { io_.run(); }};
    }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    ~impl() {
        subscription_.reset();
        feed_.close();
        asio::post(io_, [this] {
            asio::error_code ignored;
            acceptor_.close(ignored);
            leaving_ = true;
            streams_.finish();
            leave(farewell_rounds);
        });
        thread_.join();
    }

    [[nodiscard]] trunkline::endpoint listening() const { return listening_; }

private:
    void listen(const trunkline::endpoint& at) {
        const auto where =
            tcp::endpoint{asio::ip::make_address(trunkline::to_text(at.address)), at.port};
        acceptor_.open(where.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address{true});
        acceptor_.bind(where);
        acceptor_.listen();
        listening_ = {at.address, acceptor_.local_endpoint().port()};
    }

    void make_factory() {
        restinio::server_settings_t<rest_traits> settings;
        settings.buffer_size(16'384)
            .max_pipelined_requests(1)
            .read_next_http_message_timelimit(limits_.request)
            .write_http_response_timelimit(limits_.request)
            // This one ends a stream that says nothing.
            .handle_request_timeout(limits_.heartbeat * 3)
            .timer_manager(
                std::min<std::chrono::milliseconds>(limits_.request / 4, std::chrono::seconds{1}))
            .logger(hall_)
            .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                          .max_url_size(8'192)
                                          .max_field_name_size(256)
                                          .max_field_value_size(8'192)
                                          .max_field_count(100)
                                          .max_body_size(limits_.body_bytes))
            // Answered from outside of RESTinio's own callback: 0.6 begins to read the next request
            // twice when the answer is there before the callback returns.
            .request_handler([this](restinio::request_handle_t of) {
                asio::post(io_, [this, of = std::move(of)] { answer(of); });
                return restinio::request_accepted();
            });
        auto options = settings.socket_options_setter();
        auto timers = settings.timer_factory()->create(io_);
        auto shared = std::make_shared<restinio::impl::connection_settings_t<rest_traits>>(
            std::move(settings),
            restinio::impl::create_parser_settings<rest_traits::http_methods_mapper_t>(),
            std::move(timers));
        factory_.emplace(std::move(shared), std::move(options));
    }

    /// RESTinio's own acceptor stops for ever at the first error, such as EMFILE, loses a place for
    /// each client that resets before it is accepted, and leaves those that are one too many
    /// waiting without a word.
    void accept() {
        acceptor_.async_accept([this](asio::error_code failed, tcp::socket socket) {
            if (!acceptor_.is_open()) return;
            if (!failed) {
                welcome(std::move(socket));
                return accept();
            }
            spdlog::warn("REST cannot take a connection: {}", failed.message());
            again_.expires_after(std::chrono::seconds{1});
            again_.async_wait([this](asio::error_code aborted) {
                if (!aborted) accept();
            });
        });
    }

    void welcome(tcp::socket&& socket) {
        asio::error_code gone;
        const auto peer = socket.remote_endpoint(gone);
        if (gone) return;
        const auto client = client_of(peer.address());
        const bool full = hall_.open.size() >= limits_.connections;
        if (full || hall_.open_of(client) >= limits_.per_address) {
            auto refusal = error_response(
                503, full ? fmt::format("{} connections are open already", limits_.connections)
                          : fmt::format("{} connections of this address are open already",
                                        limits_.per_address));
            refusal.headers.emplace_back("Retry-After", "1");
            return health_.take(std::move(socket), client, std::move(refusal));
        }
        // Small on purpose: who does not read is found out by what piles up here, not in the
        // kernel.
        socket.set_option(tcp::socket::send_buffer_size{65'536}, gone);
        socket.set_option(tcp::no_delay{true}, gone);
        const auto connection = factory_->create_new_connection(
            answering_socket{std::move(socket), hall_, ++last_socket_, client}, peer, {});
        TRUNKLINE_ASSERT(connection->connection_id() == last_socket_);
        connection->init();
    }

    void answer(const restinio::request_handle_t& of) {
        const auto request = to_request(*of);
        auto made = api_.handle(request);
        const bool chunks = of->header().http_major() == 1 && of->header().http_minor() >= 1;
        const bool head = request.method == "HEAD";
        if (made.events && !head) {
            if (!chunks) {
                made = error_response(505, "events need HTTP/1.1");
            } else if (streams_.size() >= limits_.watchers) {
                made =
                    error_response(503, fmt::format("{} clients watch already", limits_.watchers));
                made.headers.emplace_back("Retry-After", "5");
            } else {
                return watch(of, made);
            }
        }
        const bool keep_alive = of->header().should_keep_alive();
        reply{of}.whole(to_wire(made, {keep_alive, false, !head}), keep_alive);
    }

    void watch(const restinio::request_handle_t& of, const http_response& head) {
        const auto made = std::make_shared<watching_client>(of, hall_);
        made->begin(head);
        auto after = head.events->after;
        std::vector<call_event> missed;
        if (after) {
            const auto latest = running_.events_since(0);
            // Numbers begin anew when we do: whoever knows one that has not been was here before.
            if (latest.empty() || latest.back().number < *after) after = 0;
            missed = running_.events_since(*after);
        }
        streams_.add(made, after, missed);
        if (auto* const at = made->socket(); at != nullptr) {
            at->async_wait_gone([this, made] {
                // Whoever was sent the end is closed when it has it.
                if (leaving_) return;
                made->cut();
                streams_.remove(made);
            });
        }
    }

    void beat() {
        pulse_.expires_after(limits_.heartbeat);
        pulse_.async_wait([this](asio::error_code aborted) {
            if (aborted) return;
            streams_.beat();
            beat();
        });
    }

    /// Streams that have an end are closed when it was sent, which a client can put off.
    void leave(int rounds) {
        if (streams_.all_closed() || rounds == 0) return io_.stop();
        pulse_.expires_after(farewell_round);
        pulse_.async_wait([this, rounds](asio::error_code) { leave(rounds - 1); });
    }

    rest_limits limits_;
    switch_port& running_;
    api api_;
    socket_hall hall_; ///< Connections take their leave of it, so it outlives io_.
    asio::io_context io_{1};
    health_places health_{hall_, [this] { return api_.health(); }};
    event_streams streams_{limits_.unread_bytes};
    bool leaving_ = false;
    std::optional<factory> factory_;
    std::uint64_t last_socket_ = 0; ///< RESTinio counts connections in the same way.
    tcp::acceptor acceptor_{io_};
    trunkline::endpoint listening_;
    asio::steady_timer again_{io_};
    asio::steady_timer pulse_{io_};
    event_feed feed_{io_, [this](const call_event& what) { streams_.tell(what); }};
    std::shared_ptr<void> subscription_;
    std::thread thread_;
};

rest_server::rest_server(const trunkline::endpoint& at, store& rows, switch_port& running,
                         const rest_limits& limits)
    : impl_{std::make_unique<impl>(at, rows, running, limits)} {}

rest_server::~rest_server() = default;

trunkline::endpoint rest_server::listening() const {
    return impl_->listening();
}

} // namespace softswitch
