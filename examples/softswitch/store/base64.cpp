#include "base64.hpp"

#include <algorithm>
#include <cstddef>

#include <openssl/evp.h>

namespace softswitch {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Longer ones are nobody's key, and OpenSSL counts in int.
constexpr std::size_t most = 1'048'576;

[[nodiscard]] unsigned char* octets(std::string& of) {
    return reinterpret_cast<unsigned char*>(of.data());
}
[[nodiscard]] const unsigned char* octets(std::string_view of) {
    return reinterpret_cast<const unsigned char*>(of.data());
}

} // namespace

std::string to_base64url(std::string_view bytes) {
    bytes = bytes.substr(0, most);
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0'); // OpenSSL ends it with a zero.
    const auto size = EVP_EncodeBlock(octets(text), octets(bytes), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    text.resize(std::min(text.size(), text.find('=')));
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    // Who pads, pads to four.
    if (text.size() % 4 == 0) {
        for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    }
    if (text.size() > most || text.size() % 4 == 1) return std::nullopt;
    std::string whole{text};
    std::ranges::replace(whole, '-', '+');
    std::ranges::replace(whole, '_', '/');
    // OpenSSL would skip blanks and take padding for zeros.
    if (whole.find_first_not_of(alphabet) != std::string::npos) return std::nullopt;
    const auto size = whole.size() * 3 / 4;
    whole.resize((whole.size() + 3) / 4 * 4, '=');
    std::string bytes(whole.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(octets(bytes), octets(std::string_view{whole}),
                        static_cast<int>(whole.size())) < 0) {
        return std::nullopt;
    }
    bytes.resize(size);
    return bytes;
}

} // namespace softswitch
