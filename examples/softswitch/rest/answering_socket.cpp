#include "answering_socket.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string_view>

#include <asio/buffer.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

namespace softswitch {

namespace {

/// At a time; who is refused after that is closed without a word.
constexpr std::size_t most_farewells = 64;
constexpr std::chrono::seconds farewell_patience{2};
constexpr std::size_t farewell_bytes = std::size_t{16} << 20U;

/// One connection that is told why it ends. Lives in its own handlers.
class farewell : public std::enable_shared_from_this<farewell> {
public:
    farewell(asio::ip::tcp::socket&& to, std::string text, socket_hall& hall)
        : socket_{std::move(to)},
          late_{socket_.get_executor()},
          text_{std::move(text)},
          hall_{hall} {
        ++hall_.farewells;
    }
    farewell(const farewell&) = delete;
    farewell& operator=(const farewell&) = delete;
    ~farewell() { --hall_.farewells; }

    void begin() {
        late_.expires_after(farewell_patience);
        late_.async_wait([self = weak_from_this()](asio::error_code failed) {
            const auto held = self.lock();
            asio::error_code ignored;
            if (!failed && held) held->socket_.close(ignored);
        });
        asio::async_write(socket_, asio::buffer(text_),
                          [self = shared_from_this()](asio::error_code failed, std::size_t) {
                              if (failed) return;
                              asio::error_code ignored;
                              self->socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
                              self->read_away();
                          });
    }

private:
    void read_away() {
        socket_.async_read_some(
            asio::buffer(scrap_),
            [self = shared_from_this()](asio::error_code failed, std::size_t count) {
                self->read_ += count;
                if (!failed && self->read_ < farewell_bytes) self->read_away();
            });
    }

    asio::ip::tcp::socket socket_;
    asio::steady_timer late_;
    std::string text_;
    socket_hall& hall_;
    std::array<char, 16'384> scrap_{};
    std::size_t read_ = 0;
};

[[nodiscard]] bool names_any(std::string_view error, std::initializer_list<std::string_view> of) {
    for (const auto one : of) {
        if (error.find(one) != std::string_view::npos) return true;
    }
    return false;
}

} // namespace

void say_and_close(asio::ip::tcp::socket&& to, const http_response& what, socket_hall& hall) {
    auto socket = std::move(to);
    if (hall.farewells >= most_farewells) return;
    std::make_shared<farewell>(std::move(socket), to_wire(what, {}), hall)->begin();
}

client_address client_of(const asio::ip::address& what) {
    client_address made{};
    const bool mapped = what.is_v6() && what.to_v6().is_v4_mapped();
    if (what.is_v4() || mapped) {
        const auto bytes =
            (mapped ? asio::ip::make_address_v4(asio::ip::v4_mapped, what.to_v6()) : what.to_v4())
                .to_bytes();
        std::copy(bytes.begin(), bytes.end(), made.begin() + 4);
        return made;
    }
    const auto bytes = what.to_v6().to_bytes();
    std::copy(bytes.begin(), bytes.begin() + 8, made.begin());
    return made;
}

std::size_t socket_hall::open_of(const client_address& client) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        open, [&](const auto& one) { return one.second->client() == client; }));
}

answering_socket::answering_socket(base&& from, socket_hall& hall, std::uint64_t id,
                                   client_address of)
    : base{std::move(from)},
      hall_{&hall},
      id_{id},
      client_{of} {
    hall_->open[id_] = this;
}

answering_socket::answering_socket(answering_socket&& from) noexcept
    : base{std::move(from)},
      hall_{from.hall_},
      id_{from.id_},
      client_{from.client_} {
    if (const auto at = hall_->open.find(id_); at != hall_->open.end()) at->second = this;
}

answering_socket::~answering_socket() {
    const auto at = hall_->open.find(id_);
    if (at != hall_->open.end() && at->second == this) hall_->open.erase(at);
}

void answering_socket::after_read(asio::error_code& failed, std::size_t count) {
    reading_ = false;
    hall_->last_error.clear();
    received_ += count;
    // RESTinio limits the body; chunks of one byte each would be six times that, and a note for
    // each.
    if (received_ > hall_->most_request_bytes) failed = asio::error::message_size;
}

http_response answering_socket::last_word() const {
    const std::string_view error = hall_->last_error;
    if (received_ > hall_->most_request_bytes ||
        names_any(error, {"HPE_CB_headers_complete", "HPE_CB_body"})) {
        return hall_->too_long;
    }
    if (names_any(error, {"HPE_CB_url"})) return error_response(414, "the path is too long");
    if (names_any(error, {"HPE_CB_header_field", "HPE_CB_header_value", "HPE_HEADER_OVERFLOW"})) {
        return error_response(431, "there are too many headers, or one of them is too long");
    }
    if (names_any(error, {"parser error"})) {
        return error_response(400, "this is not HTTP as we know it");
    }
    http_response none;
    none.status = 0;
    // Between two requests a connection may end whenever somebody likes.
    if (received_ == 0) return none;
    if (reading_) return hall_->too_late;
    return error_response(400, "the request ended before it was complete");
}

void answering_socket::close() {
    asio::error_code ignored;
    if (!is_open()) return;
    const auto word = last_word();
    hall_->last_error.clear();
    received_ = 0;
    if (word.status == 0) {
        base::shutdown(shutdown_both, ignored);
        base::close(ignored);
        return;
    }
    cancel(ignored);
    say_and_close(std::move(*this), word, *hall_);
}

bool answering_socket::at_end() {
    std::array<char, 1> byte{};
    asio::error_code failed;
    const auto count = receive(asio::buffer(byte), message_peek, failed);
    return failed ? failed != asio::error::would_block : count == 0;
}

} // namespace softswitch
