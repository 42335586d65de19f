#include "secret_box.hpp"

#include <array>
#include <cstddef>
#include <memory>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base64.hpp"

namespace softswitch {

namespace {

constexpr std::string_view version = "v1.";
constexpr std::size_t nonce_size =
    12; // The size that GCM takes as it is (NIST SP 800-38D, 5.2.1.1).
constexpr std::size_t tag_size = 16;
/// No password is as long, and OpenSSL counts in int.
constexpr std::size_t most = 65'536;

struct context_deleter {
    void operator()(EVP_CIPHER_CTX* what) const { EVP_CIPHER_CTX_free(what); }
};
using context = std::unique_ptr<EVP_CIPHER_CTX, context_deleter>;

[[nodiscard]] unsigned char* octets(std::string& of, std::size_t at = 0) {
    return reinterpret_cast<unsigned char*>(of.data()) + at;
}
[[nodiscard]] const unsigned char* octets(std::string_view of) {
    return reinterpret_cast<const unsigned char*>(of.data());
}

/// Feeds what is authenticated and not encrypted: the version is part of it, so that no ciphertext
/// can be passed off as one of another version.
[[nodiscard]] bool authenticate(EVP_CIPHER_CTX* with, bool sealing, std::string_view place) {
    int size = 0;
    for (const auto part : {version, place}) {
        const auto fed = sealing ? EVP_EncryptUpdate(with, nullptr, &size, octets(part),
                                                     static_cast<int>(part.size()))
                                 : EVP_DecryptUpdate(with, nullptr, &size, octets(part),
                                                     static_cast<int>(part.size()));
        if (fed != 1) return false;
    }
    return true;
}

} // namespace

std::optional<std::string> secret_box::seal(std::string_view secret, std::string_view place) const {
    if (secret.size() > most || place.size() > most) return std::nullopt;
    std::string sealed(nonce_size + secret.size() + tag_size, '\0');
    if (RAND_bytes(octets(sealed), nonce_size) != 1) return std::nullopt;
    const context with{EVP_CIPHER_CTX_new()};
    int size = 0;
    if (!with ||
        EVP_EncryptInit_ex(with.get(), EVP_aes_256_gcm(), nullptr, key_.data(), octets(sealed)) !=
            1 ||
        !authenticate(with.get(), true, place) ||
        EVP_EncryptUpdate(with.get(), octets(sealed, nonce_size), &size, octets(secret),
                          static_cast<int>(secret.size())) != 1 ||
        EVP_EncryptFinal_ex(with.get(), octets(sealed, nonce_size + secret.size()), &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(with.get(), EVP_CTRL_GCM_GET_TAG, tag_size,
                            octets(sealed, nonce_size + secret.size())) != 1) {
        return std::nullopt;
    }
    return std::string{version} + to_base64url(sealed);
}

std::optional<std::string> secret_box::open(std::string_view sealed, std::string_view place) const {
    if (!sealed.starts_with(version) || place.size() > most) return std::nullopt;
    auto bytes = from_base64(sealed.substr(version.size()));
    if (!bytes || bytes->size() < nonce_size + tag_size) return std::nullopt;
    std::string secret(bytes->size() - nonce_size - tag_size, '\0');
    if (secret.size() > most) return std::nullopt;
    const context with{EVP_CIPHER_CTX_new()};
    int size = 0;
    if (!with ||
        EVP_DecryptInit_ex(with.get(), EVP_aes_256_gcm(), nullptr, key_.data(), octets(*bytes)) !=
            1 ||
        !authenticate(with.get(), false, place) ||
        EVP_DecryptUpdate(with.get(), octets(secret), &size, octets(*bytes, nonce_size),
                          static_cast<int>(secret.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(with.get(), EVP_CTRL_GCM_SET_TAG, tag_size,
                            octets(*bytes, nonce_size + secret.size())) != 1 ||
        EVP_DecryptFinal_ex(with.get(), octets(*bytes), &size) != 1) {
        return std::nullopt;
    }
    return secret;
}

} // namespace softswitch
