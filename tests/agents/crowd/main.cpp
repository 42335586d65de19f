// Many telephones in one thread: crowd PORT, of a softswitch on loopback. Commands come on standard
// input, one a line, what happens goes to standard output, one JSON object a line; the end of its
// input ends it.
//
//     call NUMBER         the next call, counted from 0
//     hang_up             all of them
//     window NAME         frames that leave from now on are counted under this name
//     listen              tell of each call when something that is no echo begins
//     tell                the windows so far
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/streambuf.hpp>
#include <unistd.h>

#include "caller.hpp"

namespace {

using namespace crowd;

class telephones {
public:
    telephones(asio::io_context& io, std::uint16_t port)
        : io_{io},
          to_{asio::ip::address_v4::loopback(), port},
          input_{io, ::dup(STDIN_FILENO)} {
        read();
    }

private:
    void read() {
        asio::async_read_until(input_, typed_, '\n', [this](asio::error_code failed, std::size_t) {
            if (failed) return io_.stop();
            std::istream lines{&typed_};
            std::string line;
            std::getline(lines, line);
            obey(line);
            read();
        });
    }
    void obey(const std::string& line) {
        std::istringstream words{line};
        std::string command;
        std::string argument;
        words >> command >> argument;
        if (command == "call") {
            const auto index = static_cast<std::uint32_t>(callers_.size());
            callers_.emplace_back(io_, index, to_, argument, windows_, print).call();
        } else if (command == "hang_up") {
            for (auto& one : callers_) one.hang_up();
        } else if (command == "window") {
            windows_.begin(argument);
        } else if (command == "listen") {
            for (auto& one : callers_) one.listen_for_others();
        } else if (command == "tell") {
            print({{"event", "windows"}, {"windows", windows_.told()}});
        } else {
            print({{"event", "unknown"}, {"command", line}});
        }
    }
    static void print(const nlohmann::json& what) {
        std::cout << what.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)
                  << std::endl;
    }

    asio::io_context& io_;
    asio::ip::udp::endpoint to_;
    asio::posix::stream_descriptor input_;
    asio::streambuf typed_;
    windows windows_;
    std::deque<caller> callers_;
};

} // namespace

int main(int count, char** words) try {
    std::uint16_t port = 0;
    const std::string_view text{count > 1 ? words[1] : ""};
    std::from_chars(text.data(), text.data() + text.size(), port);
    if (port == 0) {
        std::fprintf(stderr, "crowd PORT: of a softswitch on 127.0.0.1\n");
        return 2;
    }
    asio::io_context io{1};
    const telephones all{io, port};
    io.run();
    return 0;
} catch (const std::exception& trouble) {
    std::fprintf(stderr, "crowd: %s\n", trouble.what());
    return 1;
}
