#include <trunkline/net/shard.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "net/script.hpp"

namespace trunkline::net {
namespace {

using namespace std::chrono_literals;

/// Answers what it is asked with one record of raw bytes; names that begin with "none" do not
/// exist, and to those that begin with "deaf" it says nothing.
class name_server {
public:
    name_server() : thread_{[this] { serve(); }} {}
    name_server(const name_server&) = delete;
    name_server& operator=(const name_server&) = delete;
    ~name_server() {
        done_ = true;
        thread_.join();
    }
    [[nodiscard]] std::string at() const { return to_text(socket_.local()); }
    std::atomic<int> asked = 0;

private:
    void serve() {
        while (!done_) {
            pollfd waiting{socket_.fd(), POLLIN, 0};
            if (::poll(&waiting, 1, 5) != 1 || !socket_.receive()) continue;
            ++asked;
            const auto& query = socket_.text;
            const auto end_of_name = query.find('\0', 12);
            if (end_of_name == std::string::npos || query.size() < end_of_name + 5) continue;
            const auto first_label = std::string_view{query}.substr(13, 4);
            if (first_label == "deaf") continue;
            const bool none = first_label == "none";
            std::string reply = query.substr(0, 2);
            reply += none ? std::string_view{"\x81\x83\0\1\0\0\0\0\0\0", 10}
                          : std::string_view{"\x81\x80\0\1\0\1\0\0\0\0", 10};
            reply += query.substr(12, end_of_name + 5 - 12);
            if (!none) {
                reply += "\xc0\x0c";
                reply += query.substr(end_of_name + 1, 4);
                reply += std::string_view{"\0\0\0\x3c\0\4\xc0\0\2\7", 10}; // 60 s, four bytes.
            }
            socket_.send(socket_.from, reply);
        }
    }

    far_end socket_;
    std::atomic<bool> done_ = false;
    std::thread thread_;
};

struct fixture {
    std::string hosts =
        (std::filesystem::temp_directory_path() / ("trunkline_hosts_" + std::to_string(::getpid())))
            .string();
    name_server server;
    script saw;
    std::unique_ptr<net::shard> shard;

    fixture() {
        write_hosts("127.0.0.9 sip.example.net\n::9 sip.example.net\n");
        shard = std::make_unique<net::shard>(
            shard_config{.dns_servers = {server.at()}, .hosts_path = hosts});
        REQUIRE_FALSE(shard->open(saw));
    }
    ~fixture() { std::remove(hosts.c_str()); }
    fixture(const fixture&) = delete;
    fixture& operator=(const fixture&) = delete;

    void write_hosts(std::string_view text) const { std::ofstream{hosts} << text; }
    void ask(token asked, record_type type, std::string name) {
        REQUIRE(shard->post([=](time_point, outbox& out) { out.resolve(asked, type, name); }));
    }
    bool answered(std::size_t often) {
        return until({shard.get()}, [&] { return saw.answers.size() == often; });
    }
};

TEST_CASE_FIXTURE(fixture, "net::resolver: hands over the raw answer, under its token") {
    ask(token{1}, record_type::srv, "_sip._udp.example.net");
    ask(token{2}, record_type::naptr, "example.net");
    ask(token{3}, record_type::a, "gateway.example.net");
    REQUIRE(answered(3));
    std::map<token, std::string> messages;
    for (const auto& each : saw.answers) {
        CHECK(each.hosts.empty());
        messages[each.asked] = each.message;
    }
    for (const auto& [asked, type] : {std::pair{token{1}, 33}, {token{2}, 35}, {token{3}, 1}}) {
        const auto& message = messages[asked];
        REQUIRE(message.size() > 28);
        CHECK(message[7] == 1);
        CHECK(message[message.size() - 13] == type);
        CHECK(message.substr(message.size() - 4) == "\xc0" + std::string(1, '\0') + "\2\7");
    }
}

TEST_CASE_FIXTURE(fixture, "net::resolver: the hosts file counts first, for addresses only") {
    ask(token{1}, record_type::a, "SIP.example.net.");
    REQUIRE(answered(1));
    CHECK(saw.answers[0].hosts == std::vector{address::v4(127, 0, 0, 9)});
    CHECK(saw.answers[0].message.empty());
    ask(token{2}, record_type::aaaa, "sip.example.net");
    REQUIRE(answered(2));
    CHECK(saw.answers[1].hosts == std::vector{*address::parse("::9")});
    CHECK(server.asked == 0);
    ask(token{3}, record_type::srv, "sip.example.net");
    REQUIRE(answered(3));
    CHECK(saw.answers[2].hosts.empty());
    CHECK_FALSE(saw.answers[2].message.empty());
}

TEST_CASE_FIXTURE(fixture, "net::resolver: a hosts file that changed is read again") {
    ask(token{1}, record_type::a, "sip.example.net");
    REQUIRE(answered(1));
    write_hosts("127.0.0.8 sip.example.net\n");
    std::filesystem::last_write_time(hosts, std::filesystem::file_time_type::clock::now() + 2s);
    ask(token{2}, record_type::a, "sip.example.net");
    REQUIRE(answered(2));
    CHECK(saw.answers[1].hosts == std::vector{address::v4(127, 0, 0, 8)});
    std::filesystem::remove(hosts);
    ask(token{3}, record_type::a, "sip.example.net");
    REQUIRE(answered(3));
    CHECK(saw.answers[2].hosts.empty());
    CHECK_FALSE(saw.answers[2].message.empty());
}

TEST_CASE_FIXTURE(fixture, "net::resolver: that a name does not exist is an answer") {
    ask(token{1}, record_type::a, "none.example.net");
    REQUIRE(answered(1));
    REQUIRE(saw.answers[0].message.size() > 12);
    CHECK((saw.answers[0].message[3] & 0xf) == 3);
}

TEST_CASE_FIXTURE(fixture, "net::resolver: after two seconds of silence there is no answer") {
    const auto began = now();
    ask(token{1}, record_type::a, "deaf.example.net");
    ask(token{2}, record_type::a, "gateway.example.net");
    REQUIRE(answered(1));
    CHECK(saw.answers[0].asked == token{2}); // Nobody waits for another's name.
    REQUIRE(answered(2));
    CHECK(saw.answers[1].asked == token{1});
    CHECK(saw.answers[1].message.empty());
    CHECK(saw.answers[1].hosts.empty());
    CHECK(now() - began >= 1s);
    CHECK(now() - began < 3s);
    CHECK(server.asked >= 3); // It was asked more than once.
}

TEST_CASE_FIXTURE(fixture, "net::resolver: what cannot be asked comes back without an answer") {
    ask(token{1}, record_type::a, std::string(300, 'x') + ".example.net");
    ask(token{2}, record_type::a, "two..dots.example.net");
    ask(token{3}, record_type::a, std::string("nul\0in.example.net", 18));
    REQUIRE(answered(3));
    for (const auto& each : saw.answers) {
        CHECK(each.message.empty());
        CHECK(each.hosts.empty());
    }
}

TEST_CASE("net::resolver: a server that is none is refused when the shard is opened") {
    script saw;
    shard misconfigured{{.dns_servers = {"not an address"}}};
    CHECK(misconfigured.open(saw) == std::errc::invalid_argument);
}

} // namespace
} // namespace trunkline::net
