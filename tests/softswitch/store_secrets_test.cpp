#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "scratch.hpp"
#include "store/base64.hpp"
#include "store/secret_box.hpp"
#include "store/secret_key.hpp"
#include "store/token.hpp"
#include "store_rows.hpp"

namespace softswitch {
namespace {

TEST_CASE("softswitch::base64: the vectors of RFC 4648 section 10, either way") {
    // Beside each: what RFC 4648 prints, without its padding.
    constexpr std::pair<std::string_view, std::string_view> vectors[]{
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (const auto& vector : vectors) {
        INFO(vector.first);
        CHECK(to_base64url(vector.first) == vector.second);
        CHECK(from_base64(vector.second) == vector.first);
        std::string padded{vector.second};
        while (padded.size() % 4 != 0) padded += '=';
        CHECK(from_base64(padded) == vector.first);
    }
    CHECK(to_base64url("\xfb\xff") == "-_8");
    CHECK(from_base64("-_8") == "\xfb\xff");
    CHECK(from_base64("+/8=") == "\xfb\xff");
    for (const std::string_view bad :
         {"Z", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm=v", "Zg===", "=", "Z*8"}) {
        INFO(bad);
        CHECK(!from_base64(bad));
    }
}

TEST_CASE("softswitch::secret_key: 64 hex digits and base64 of 32 bytes are the same key") {
    std::string hex;
    for (int i = 0; i < 32; ++i) hex += "a5";
    const std::string bytes(32, '\xa5');
    for (const auto& text : {hex, to_base64url(bytes), to_base64url(bytes) + "=\n"}) {
        INFO(text);
        const auto read = parse_secret_key(text);
        REQUIRE(read);
        CHECK(*read == key_of(0xa5));
    }
}

TEST_CASE("softswitch::secret_key: what is no key is told why, and none of it is shown") {
    const auto reason = [](std::string_view text) {
        const auto read = parse_secret_key(text);
        REQUIRE(!read);
        return read.reason();
    };
    CHECK(reason(" \n").starts_with("is empty: "));
    CHECK(reason("c2hvcnQ").starts_with("is of the wrong length: "));
    CHECK(reason(std::string(62, 'a')).starts_with("is of the wrong length: "));
    CHECK(reason("not a key!").starts_with("is no key: "));
    CHECK(reason("hunter2!").find("hunter2") == std::string::npos);
    CHECK(reason("").find("openssl rand -hex 32") != std::string::npos);
}

TEST_CASE("softswitch::secret_key: a file holds one key, and others may read it or not") {
    const scratch folder;
    const auto file = folder.path / "key";
    const auto reason = [&](const std::filesystem::path& path) {
        const auto read = secret_key_of_file(path);
        REQUIRE(!read);
        return read.reason();
    };
    CHECK(reason(file).find("does not exist") != std::string::npos);
    CHECK(reason(folder.path).find("is a folder") != std::string::npos);
    std::ofstream{file} << std::string(64, '7') << "\n";
    const auto read = secret_key_of_file(file);
    REQUIRE(read);
    CHECK(*read == key_of(0x77));
    std::filesystem::permissions(file, std::filesystem::perms{0600});
    CHECK(!others_may_read(file));
    std::filesystem::permissions(file, std::filesystem::perms{0640});
    CHECK(others_may_read(file));
    std::filesystem::permissions(file, std::filesystem::perms{0604});
    CHECK(others_may_read(file));
    std::ofstream{file} << std::string(100'000, '7');
    CHECK(reason(file).find("more than a key") != std::string::npos);
}

TEST_CASE("softswitch::secret_key: a variable of the environment holds one key") {
    REQUIRE(::setenv("TRUNKLINE_TEST_KEY", std::string(64, '7').c_str(), 1) == 0);
    const auto read = secret_key_of_variable("TRUNKLINE_TEST_KEY");
    REQUIRE(read);
    CHECK(*read == key_of(0x77));
    REQUIRE(::setenv("TRUNKLINE_TEST_KEY", "", 1) == 0);
    CHECK(secret_key_of_variable("TRUNKLINE_TEST_KEY").reason().find("is empty") !=
          std::string::npos);
    REQUIRE(::unsetenv("TRUNKLINE_TEST_KEY") == 0);
    CHECK(secret_key_of_variable("TRUNKLINE_TEST_KEY").reason() ==
          "the environment variable TRUNKLINE_TEST_KEY is not set");
}

TEST_CASE("softswitch::secret_box: opens what it sealed, and seals it another way each time") {
    const secret_box box{key_of(1)};
    std::set<std::string> seen;
    for (const auto& secret : {std::string{}, std::string{"hunter2"}, std::string(1'000, 'x'),
                               std::string{"\0\xff", 2}}) {
        for (int i = 0; i < 10; ++i) {
            const auto sealed = box.seal(secret, "trunk/1/auth_password");
            REQUIRE(sealed);
            CHECK(sealed->starts_with("v1."));
            CHECK((secret.empty() || sealed->find(secret) == std::string::npos));
            CHECK(box.open(*sealed, "trunk/1/auth_password") == secret);
            CHECK(seen.insert(*sealed).second);
        }
    }
    CHECK(!box.seal(std::string(1'000'000, 'x'), "p"));
}

TEST_CASE("softswitch::secret_box: another key, another place and another version open nothing") {
    const secret_box box{key_of(1)};
    const auto sealed = box.seal("hunter2", "trunk/1/auth_password").value();
    CHECK(!secret_box{key_of(2)}.open(sealed, "trunk/1/auth_password"));
    CHECK(!box.open(sealed, "trunk/2/auth_password"));
    CHECK(!box.open(sealed, "trunk/1/caller_id"));
    CHECK(!box.open("v2." + sealed.substr(3), "trunk/1/auth_password"));
    CHECK(!box.open(sealed.substr(3), "trunk/1/auth_password"));
}

TEST_CASE("softswitch::secret_box: a bit that was turned around anywhere is found out") {
    const secret_box box{key_of(1)};
    const auto sealed = box.seal("hunter2", "place").value();
    const auto bytes = from_base64(std::string_view{sealed}.substr(3)).value();
    for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
        auto changed = bytes;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        CHECK(!box.open("v1." + to_base64url(changed), "place"));
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        CHECK(!box.open(std::string_view{sealed}.substr(0, size), "place"));
    }
    CHECK(!box.open(sealed + "AAAA", "place"));
    CHECK(!box.open("v1.!!!!", "place"));
}

TEST_CASE("softswitch::secret_box: opens what another program sealed with AES-256-GCM") {
    // python3-cryptography's AESGCM: key 00..1f, nonce 00..0b, b"hunter2", b"v1.place".
    secret_key key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<unsigned char>(i);
    CHECK(secret_box{key}.open("v1.AAECAwQFBgcICQoLL3e4b6CX8IBbajxhlY4L7iztzVs8dTM", "place") ==
          "hunter2");
}

TEST_CASE("softswitch::token: 256 bits that were never seen before, and their SHA-256") {
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        const auto made = make_token();
        REQUIRE(made);
        CHECK(made->starts_with("tl_"));
        CHECK(made->size() == 3 + 43);
        CHECK(made->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_") == std::string::npos);
        CHECK(seen.insert(*made).second);
    }
    // FIPS 180-4's example of one block.
    CHECK(token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

} // namespace
} // namespace softswitch
