#include "handshake.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <trunkline/core/text.hpp>

#include "text.hpp"

namespace softswitch {

namespace {

using trunkline::iequals;
using trunkline::trimmed;

[[nodiscard]] std::string sha1(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

[[nodiscard]] std::string hmac_sha1(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

/// Is `token` one of a list with commas?
[[nodiscard]] bool lists(std::string_view value, std::string_view token) {
    while (!value.empty()) {
        const auto comma = value.find(',');
        if (iequals(trimmed(value.substr(0, comma)), token)) return true;
        value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    }
    return false;
}

} // namespace

std::string to_base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                      static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

handshake::handshake(const socket_url& to, const socket_identity& who, std::string nonce)
    : accept_{to_base64(sha1(nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))} {
    request_ = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
                           "Sec-WebSocket-Version: 13\r\nUser-Agent: {}\r\n",
                           to.target, to.authority(), nonce, who.user_agent);
    if (!who.auth_token.empty()) {
        request_ += fmt::format("X-Twilio-Signature: {}\r\n",
                                to_base64(hmac_sha1(who.auth_token, to.text)));
    }
    request_ += "\r\n";
}

trunkline::result<std::optional<std::size_t>, std::string>
handshake::receive(std::string_view bytes) const {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        if (bytes.size() >= longest_head) return std::string{"its answer has no end"};
        return std::optional<std::size_t>{};
    }
    auto head = bytes.substr(0, end + 2);
    const auto status = head.substr(0, head.find("\r\n"));
    head.remove_prefix(status.size() + 2);
    if (!status.starts_with("HTTP/1.1 101")) {
        return fmt::format("it answered `{}` and not 101", printable(status.substr(0, 100)));
    }
    bool upgrade = false;
    bool connection = false;
    bool accepted = false;
    while (!head.empty()) {
        const auto line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(std::min(line.size() + 2, head.size()));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const auto name = line.substr(0, colon);
        const auto value = trimmed(line.substr(colon + 1));
        if (iequals(name, "Upgrade")) upgrade = iequals(value, "websocket");
        if (iequals(name, "Connection")) connection = connection || lists(value, "upgrade");
        if (iequals(name, "Sec-WebSocket-Accept")) accepted = value == accept_;
        // Section 4.1: what we did not ask for, it may not agree to.
        if (iequals(name, "Sec-WebSocket-Extensions") || iequals(name, "Sec-WebSocket-Protocol")) {
            return fmt::format("it answered with a {} that nobody asked for", name);
        }
    }
    if (!upgrade || !connection) return std::string{"it does not speak WebSocket"};
    if (!accepted) return std::string{"its Sec-WebSocket-Accept is not ours"};
    return std::optional<std::size_t>{end + 4};
}

} // namespace softswitch
