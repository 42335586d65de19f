#include <trunkline/sip/digest.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

using namespace trunkline;
using namespace trunkline::sip;

void require(bool holds) {
    if (!holds) std::abort();
}

/// A challenge that was accepted can be answered, and the answer reads back with what it was given.
void answer(const challenge_view& challenge) {
    digest_client client;
    seeded_entropy random{1};
    require(client.take(challenge, false));
    require(client.take(challenge, true) == challenge.stale);
    std::array<std::byte, 16'384> room{};
    writer to{room};
    client.write(to, "user", "password", "INVITE", "sip:b@h", random);
    if (to.failed()) return; // It does not fit.
    std::string_view line{reinterpret_cast<const char*>(room.data()), to.size()};
    constexpr std::string_view name = "Proxy-Authorization: ";
    require(line.starts_with(name) && line.ends_with("\r\n"));
    line.remove_prefix(name.size());
    line.remove_suffix(2);
    const auto read = authorization_view::parse(line);
    require(read.has_value());
    require(read->realm == challenge.realm && read->nonce == challenge.nonce &&
            read->algorithm == challenge.algorithm && read->username == "user" &&
            (read->qop == "auth") == challenge.qop_auth);
    const auto expected =
        digest_response({read->algorithm, "user", "password", without_escapes(read->realm),
                         without_escapes(read->nonce), read->nc, read->cnonce, "INVITE", "sip:b@h",
                         challenge.qop_auth});
    require(expected.view() == read->response);
}

} // namespace

/// The server never says that credentials are good which were made without its password.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto challenge = challenge_view::parse(text)) {
        require(!challenge->nonce.empty());
        answer(*challenge);
    } else {
        require(challenge.reason().offset <= size);
    }
    const auto read = authorization_view::parse(text);
    if (!read) {
        require(read.reason().offset <= size);
        return 0;
    }
    static digest_server server{digest_server::key{std::byte{1}}};
    const auto uri = uri_view::parse("sip:+4930123@192.0.2.1");
    const auto said =
        server.check(*read, {"realm", "user", "a password that is not guessed"},
                     {"INVITE", *uri, {}, "call"}, time_point{std::chrono::seconds{100}});
    require(said != digest_server::verdict::good && said != digest_server::verdict::stale);
    return 0;
}
