#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sockets/handshake.hpp"
#include "sockets/socket_url.hpp"

namespace {

using namespace softswitch;

void require(bool holds) {
    if (!holds) std::abort();
}

/// RFC 6455 section 1.3: the example's key, and what shows that it was read.
constexpr auto nonce = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A URL that is taken puts no line of its own into the request.
void require_request(std::string_view text) {
    const auto to = socket_url::parse(text);
    if (!to) return;
    require(!to->host.empty() && to->port != 0 && to->target.starts_with('/'));
    const auto request = handshake{*to, {}, nonce}.request();
    require(request.find("\r\n\r\n") == request.size() - 4);
    std::size_t lines = 0;
    for (const char c : request) lines += c == '\n';
    require(lines == 8);
    for (const char c : request) require((c >= ' ' && c <= '~') || c == '\r' || c == '\n');
}

} // namespace

/// The first line is a URL, what follows is an agent's answer. An answer that is taken is a 101
/// with our key's echo; what comes behind it changes nothing, and what is whole was not whole
/// before.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto url = text.substr(0, text.find('\n'));
    require_request(url);
    const auto answer = text.substr(url.size() < size ? url.size() + 1 : url.size());
    const handshake hands{*socket_url::parse("ws://agent.example/"), {}, nonce};
    const auto whole = hands.receive(answer);
    if (!whole) {
        require(!whole.reason().empty());
        return 0;
    }
    if (!*whole) return 0;
    const auto head = answer.substr(0, **whole);
    require(head.starts_with("HTTP/1.1 101") && head.ends_with("\r\n\r\n"));
    require(head.find(accept) != std::string_view::npos);
    const auto more = hands.receive(std::string{head} + "\x81\x05hello");
    require(more && *more && **more == **whole);
    const auto less = hands.receive(head.substr(0, head.size() - 1));
    require(less && !*less);
    return 0;
}
