#include "health_places.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

namespace softswitch {

namespace {

using tcp = asio::ip::tcp;

constexpr std::chrono::seconds patience{1};
/// Of the head of a request; a probe's has a few hundred.
constexpr std::size_t most_bytes = 4'096;

[[nodiscard]] bool asks_for_health(std::string_view head) {
    return head.starts_with("GET /healthz HTTP/1.");
}

} // namespace

/// One client. Lives in its own handlers.
class health_places::visitor : public std::enable_shared_from_this<visitor> {
public:
    visitor(tcp::socket&& from, const client_address& client, http_response otherwise,
            socket_hall& hall, std::function<http_response()> answer)
        : client_{client},
          socket_{std::move(from)},
          late_{socket_.get_executor()},
          otherwise_{std::move(otherwise)},
          hall_{hall},
          answer_{std::move(answer)} {}

    void begin() {
        late_.expires_after(patience);
        late_.async_wait([self = weak_from_this()](asio::error_code failed) {
            const auto held = self.lock();
            if (!failed && held) held->refuse();
        });
        asio::async_read_until(socket_, asio::dynamic_buffer(text_, most_bytes), "\r\n\r\n",
                               [self = shared_from_this()](asio::error_code failed, std::size_t) {
                                   if (failed || !asks_for_health(self->text_)) {
                                       return self->refuse();
                                   }
                                   self->answer();
                               });
    }
    /// Closes without a word when it has its answer already.
    void refuse() {
        if (std::exchange(over_, true)) return;
        late_.cancel();
        asio::error_code ignored;
        if (answering_) {
            socket_.close(ignored);
            return;
        }
        socket_.cancel(ignored);
        say_and_close(std::move(socket_), otherwise_, hall_);
    }
    [[nodiscard]] const client_address& client() const noexcept { return client_; }

private:
    /// In this place, for others can use up all the farewells that there are.
    void answer() {
        if (over_) return;
        answering_ = true;
        text_ = to_wire(answer_(), {});
        asio::async_write(socket_, asio::buffer(text_),
                          [self = shared_from_this()](asio::error_code failed, std::size_t) {
                              if (failed || self->over_) return self->refuse();
                              asio::error_code ignored;
                              self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
                              self->wait_for_end();
                          });
    }
    void wait_for_end() {
        socket_.async_read_some(
            asio::buffer(scrap_),
            [self = shared_from_this()](asio::error_code, std::size_t) { self->refuse(); });
    }

    client_address client_;
    tcp::socket socket_;
    asio::steady_timer late_;
    http_response otherwise_;
    socket_hall& hall_;
    std::function<http_response()> answer_;
    std::string text_; ///< The request, and then the answer.
    std::array<char, 512> scrap_{};
    bool answering_ = false;
    bool over_ = false;
};

void health_places::take(tcp::socket&& from, const client_address& client,
                         http_response otherwise) {
    std::erase_if(open_, [](const auto& one) { return one.expired(); });
    const auto is_theirs = [&](const auto& one) {
        const auto held = one.lock();
        return held != nullptr && held->client() == client;
    };
    // A probe asks as soon as it is connected, so the oldest is the least likely to be one.
    const auto has = static_cast<std::size_t>(std::ranges::count_if(open_, is_theirs));
    if (has >= most_of_one || open_.size() >= most) {
        const auto oldest =
            has >= most_of_one ? std::ranges::find_if(open_, is_theirs) : open_.begin();
        if (const auto held = oldest->lock()) held->refuse();
        open_.erase(oldest);
    }
    const auto made =
        std::make_shared<visitor>(std::move(from), client, std::move(otherwise), hall_, answer_);
    open_.push_back(made);
    made->begin();
}

} // namespace softswitch
