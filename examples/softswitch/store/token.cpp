#include "token.hpp"

#include <openssl/rand.h>

#include <trunkline/crypto/hash.hpp>

#include "base64.hpp"

namespace softswitch {

std::optional<std::string> make_token() {
    std::string bytes(32, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                   static_cast<int>(bytes.size())) != 1) {
        return std::nullopt;
    }
    return "tl_" + to_base64url(bytes);
}

std::string token_hash(std::string_view token) {
    return std::string{
        trunkline::crypto::hash(trunkline::crypto::hash_algorithm::sha256, {token}).view()};
}

} // namespace softswitch
