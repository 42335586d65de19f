// Agents behind sockets that say every frame back at once: echo_bots PORTS listens on so many ports
// of loopback, and says which. In C++, because what is measured is the switch between them and the
// callers (crowd/main.cpp).
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <wslay/wslay.h>

namespace {

using asio::ip::tcp;

[[nodiscard]] std::string accept_of(std::string_view key) {
    const auto text = fmt::format("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::array<unsigned char, 32> made{};
    const int size = EVP_EncodeBlock(made.data(), digest.data(), static_cast<int>(digest.size()));
    return {reinterpret_cast<const char*>(made.data()), static_cast<std::size_t>(size)};
}

/// What stands between these words and the next quote: enough for a protocol whose other side is
/// known.
[[nodiscard]] std::string_view between(std::string_view text, std::string_view words, char end) {
    const auto at = text.find(words);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + words.size());
    return text.substr(0, text.find(end));
}

class conversation : public std::enable_shared_from_this<conversation> {
public:
    explicit conversation(tcp::socket socket) : socket_{std::move(socket)} {}
    conversation(const conversation&) = delete;
    conversation& operator=(const conversation&) = delete;
    ~conversation() { wslay_event_context_free(frames_); }

    void begin() {
        socket_.set_option(tcp::no_delay{true});
        asio::async_read_until(socket_, asio::dynamic_buffer(head_), "\r\n\r\n",
                               [self = shared_from_this()](asio::error_code failed, std::size_t) {
                                   if (!failed) self->shake_hands();
                               });
    }

private:
    void shake_hands() {
        writing_ = fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                               accept_of(between(head_, "Sec-WebSocket-Key: ", '\r')));
        wslay_event_callbacks calls{};
        calls.recv_callback = [](wslay_event_context_ptr frames, std::uint8_t* into,
                                 std::size_t most, int, void* self) -> ssize_t {
            auto& unread = static_cast<conversation*>(self)->unread_;
            const auto part = std::min(most, unread.size());
            if (part == 0) {
                wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
                return -1;
            }
            std::memcpy(into, unread.data(), part);
            unread.remove_prefix(part);
            return static_cast<ssize_t>(part);
        };
        calls.send_callback = [](wslay_event_context_ptr, const std::uint8_t* bytes,
                                 std::size_t size, int, void* self) -> ssize_t {
            static_cast<conversation*>(self)->waiting_.append(reinterpret_cast<const char*>(bytes),
                                                              size);
            return static_cast<ssize_t>(size);
        };
        calls.on_msg_recv_callback = [](wslay_event_context_ptr frames,
                                        const wslay_event_on_msg_recv_arg* what, void* self) {
            if (what->opcode != WSLAY_TEXT_FRAME) return;
            static_cast<conversation*>(self)->hear(
                frames, {reinterpret_cast<const char*>(what->msg), what->msg_length});
        };
        wslay_event_context_server_init(&frames_, &calls, this);
        write();
        read();
    }

    void hear(wslay_event_context_ptr frames, std::string_view message) {
        if (message.starts_with(R"({"event":"start")")) {
            stream_ = between(message, R"("streamSid":")", '"');
        }
        if (!message.starts_with(R"({"event":"media")")) return;
        const auto payload = between(message, R"("payload":")", '"');
        // Silence is not said: whatever had to wait catches up meanwhile.
        if (payload.find_first_not_of("/w=") == std::string_view::npos) return;
        const auto said = fmt::format(
            R"({{"event":"media","streamSid":"{}","media":{{"payload":"{}"}}}})", stream_, payload);
        const wslay_event_msg frame{
            WSLAY_TEXT_FRAME, reinterpret_cast<const std::uint8_t*>(said.data()), said.size()};
        wslay_event_queue_msg(frames, &frame);
    }

    void read() {
        socket_.async_read_some(
            asio::buffer(room_),
            [self = shared_from_this()](asio::error_code failed, std::size_t size) {
                if (failed) return;
                self->unread_ = {self->room_.data(), size};
                if (wslay_event_recv(self->frames_) != 0) return;
                if (wslay_event_send(self->frames_) != 0) return;
                self->write();
                if (wslay_event_get_close_received(self->frames_) == 0) self->read();
            });
    }

    void write() {
        if (in_flight_) return;
        if (writing_.empty()) writing_.swap(waiting_);
        if (writing_.empty()) return;
        in_flight_ = true;
        asio::async_write(socket_, asio::buffer(writing_),
                          [self = shared_from_this()](asio::error_code failed, std::size_t) {
                              self->in_flight_ = false;
                              self->writing_.clear();
                              if (!failed) self->write();
                          });
    }

    tcp::socket socket_;
    wslay_event_context_ptr frames_ = nullptr;
    std::string head_;
    std::array<char, 16'384> room_{};
    std::string_view unread_;
    std::string stream_;
    std::string writing_;
    std::string waiting_;
    bool in_flight_ = false;
};

void accept_on(tcp::acceptor& door) {
    door.async_accept([&door](asio::error_code failed, tcp::socket socket) {
        if (failed) return;
        std::make_shared<conversation>(std::move(socket))->begin();
        accept_on(door);
    });
}

} // namespace

int main(int count, char** words) try {
    int ports = 0;
    const std::string_view text{count > 1 ? words[1] : ""};
    std::from_chars(text.data(), text.data() + text.size(), ports);
    if (ports < 1) {
        std::fprintf(stderr, "echo_bots PORTS: on how many ports to listen\n");
        return 2;
    }
    asio::io_context io{1};
    std::deque<tcp::acceptor> doors;
    std::string listening;
    for (int i = 0; i < ports; ++i) {
        doors.emplace_back(io, tcp::endpoint{asio::ip::address_v4::loopback(), 0});
        accept_on(doors.back());
        listening += fmt::format(" {}", doors.back().local_endpoint().port());
    }
    std::printf("listening on%s\n", listening.c_str());
    std::fflush(stdout);
    io.run();
    return 0;
} catch (const std::exception& trouble) {
    std::fprintf(stderr, "echo_bots: %s\n", trouble.what());
    return 1;
}
