#include <trunkline/crypto/hash.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace trunkline::crypto {
namespace {

[[nodiscard]] std::string hex(const mac& bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const auto byte : bytes) {
        text += digits[static_cast<unsigned>(byte) >> 4];
        text += digits[static_cast<unsigned>(byte) & 15];
    }
    return text;
}

TEST_CASE("crypto::hash: computes the vectors of RFC 1321 A.5 and FIPS 180-2") {
    const auto md5 = [](std::string_view text) {
        return std::string{hash(hash_algorithm::md5, {text}).view()};
    };
    CHECK(md5("") == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(md5("a") == "0cc175b9c0f1b6a831c399e269772661");
    CHECK(md5("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
    CHECK(md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
          "57edf4a22be3c955ac49da2e2107b67a");
    CHECK(hash(hash_algorithm::sha256, {"abc"}).view() ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hash(hash_algorithm::sha256, {std::string(1'000'000, 'a')}).view() ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("crypto::hash: parts are hashed as if they stood in one") {
    CHECK(hash(hash_algorithm::md5, {"message", "", " ", "digest"}).view() ==
          "f96b697d7cb7938d525a2f31aaf161d0");
    CHECK(hash(hash_algorithm::md5, {}).view() == "d41d8cd98f00b204e9800998ecf8427e");
}

TEST_CASE("crypto::hmac_sha256: computes the vectors of RFC 4231") {
    const auto key = [](std::string_view text) { return std::as_bytes(std::span{text}); };
    CHECK(hex(hmac_sha256(key(std::string(20, '\x0b')), "Hi There")) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(hex(hmac_sha256(key("Jefe"), "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(hex(hmac_sha256(key(std::string(131, '\xaa')),
                          "Test Using Larger Than Block-Size Key - Hash Key First")) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("crypto::equal_in_constant_time: is equality") {
    CHECK(equal_in_constant_time("", ""));
    CHECK(equal_in_constant_time("abc", "abc"));
    CHECK_FALSE(equal_in_constant_time("abc", "abd"));
    CHECK_FALSE(equal_in_constant_time("abc", "xbc"));
    CHECK_FALSE(equal_in_constant_time("abc", "ab"));
    CHECK_FALSE(equal_in_constant_time("", "a"));
}

} // namespace
} // namespace trunkline::crypto
