#include <trunkline/crypto/aes_ctr.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <trunkline/core/assert.hpp>

namespace trunkline::crypto {

namespace {

[[nodiscard]] const unsigned char* raw(const std::byte* bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes);
}

} // namespace

struct aes_ctr::state {
    state() : context{EVP_CIPHER_CTX_new()} { TRUNKLINE_ASSERT(context != nullptr); }
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() { EVP_CIPHER_CTX_free(context); }
    EVP_CIPHER_CTX* context;
};

aes_ctr::aes_ctr(const key& with) : state_{std::make_unique<state>()} {
    const int done =
        EVP_EncryptInit_ex(state_->context, EVP_aes_128_ctr(), nullptr, raw(with.data()), nullptr);
    TRUNKLINE_ASSERT(done == 1);
}
aes_ctr::aes_ctr(aes_ctr&&) noexcept = default;
aes_ctr& aes_ctr::operator=(aes_ctr&&) noexcept = default;
aes_ctr::~aes_ctr() = default;

void aes_ctr::apply(const counter& from, std::span<std::byte> bytes) {
    auto* text = reinterpret_cast<unsigned char*>(bytes.data());
    int size = 0;
    const int begun =
        EVP_EncryptInit_ex(state_->context, nullptr, nullptr, nullptr, raw(from.data()));
    const int done =
        EVP_EncryptUpdate(state_->context, text, &size, text, static_cast<int>(bytes.size()));
    TRUNKLINE_ASSERT(begun == 1 && done == 1);
}

sha1_mac hmac_sha1(std::span<const std::byte> key, std::span<const std::byte> bytes) {
    sha1_mac made{};
    unsigned size = 0;
    HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), raw(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(made.data()), &size);
    return made;
}

} // namespace trunkline::crypto
