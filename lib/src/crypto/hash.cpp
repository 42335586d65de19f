#include <trunkline/crypto/hash.hpp>

#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace trunkline::crypto {

namespace {

struct context_deleter {
    void operator()(EVP_MD_CTX* gone) const noexcept { EVP_MD_CTX_free(gone); }
};

} // namespace

hex_digest hash(hash_algorithm which, std::initializer_list<std::string_view> parts) {
    static constexpr std::string_view digits = "0123456789abcdef";
    hex_digest made;
    const std::unique_ptr<EVP_MD_CTX, context_deleter> context{EVP_MD_CTX_new()};
    const auto* algorithm = which == hash_algorithm::md5 ? EVP_md5() : EVP_sha256();
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned size = 0;
    if (!context || EVP_DigestInit_ex(context.get(), algorithm, nullptr) != 1) return made;
    for (const auto part : parts) {
        if (EVP_DigestUpdate(context.get(), part.data(), part.size()) != 1) return made;
    }
    if (EVP_DigestFinal_ex(context.get(), raw.data(), &size) != 1) return made;
    for (unsigned i = 0; i < size; ++i) {
        made.text[made.size++] = digits[raw[i] >> 4];
        made.text[made.size++] = digits[raw[i] & 15];
    }
    return made;
}

mac hmac_sha256(std::span<const std::byte> key, std::string_view text) {
    mac made{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(made.data()), &size);
    return made;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace trunkline::crypto
