#include "secret_key.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include <trunkline/core/text.hpp>

#include "base64.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

/// A key with blanks around it is shorter than that.
constexpr std::size_t most_read = 1'024;

[[nodiscard]] key_or_reason<secret_key> of_hex(std::string_view text) {
    secret_key made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
        const auto* const at = text.data() + 2 * i;
        std::from_chars(at, at + 2, made[i], 16);
    }
    return made;
}

} // namespace

key_or_reason<secret_key> parse_secret_key(std::string_view text) {
    text = trunkline::trimmed(text);
    constexpr std::string_view rule =
        "it has to be 32 bytes, as 64 hex digits or as base64; `openssl rand -hex 32` makes one";
    if (text.empty()) return fmt::format("is empty: {}", rule);
    const bool hex = text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (hex && text.size() == 2 * secret_key{}.size()) return of_hex(text);
    const auto bytes = from_base64(text);
    if (!bytes) return fmt::format("is no key: {}", rule);
    if (bytes->size() != secret_key{}.size())
        return fmt::format("is of the wrong length: {}", rule);
    secret_key made{};
    std::memcpy(made.data(), bytes->data(), made.size());
    return made;
}

key_or_reason<secret_key> secret_key_of_file(const std::filesystem::path& file) {
    const auto name = printable(file.string());
    std::error_code failed;
    if (!std::filesystem::exists(file, failed)) {
        return fmt::format("{} does not exist; `(umask 077; openssl rand -hex 32 > {})` makes one",
                           name, name);
    }
    if (std::filesystem::is_directory(file, failed)) {
        return fmt::format("{} is a folder; name the file in it", name);
    }
    std::ifstream stream{file, std::ios::binary};
    std::string text(most_read, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.eof()) return fmt::format("{} cannot be read, or holds more than a key", name);
    text.resize(static_cast<std::size_t>(stream.gcount()));
    auto read = parse_secret_key(text);
    if (!read) return fmt::format("{} {}", name, read.reason());
    return read;
}

key_or_reason<secret_key> secret_key_of_variable(const std::string& name) {
    // Before any thread is started, and nobody here calls setenv.
    const char* const value = std::getenv(name.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
        return fmt::format("the environment variable {} is not set", printable(name));
    }
    auto read = parse_secret_key(value);
    if (!read) return fmt::format("the environment variable {} {}", printable(name), read.reason());
    return read;
}

bool others_may_read(const std::filesystem::path& file) {
    std::error_code failed;
    const auto mode = std::filesystem::status(file, failed).permissions();
    if (failed) return false;
    using std::filesystem::perms;
    return (mode & (perms::group_read | perms::others_read)) != perms::none;
}

} // namespace softswitch
