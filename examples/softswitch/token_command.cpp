#include "token_command.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "cdr.hpp"
#include "store/sqlite_store.hpp"
#include "store/token.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

constexpr int good = 0;
constexpr int refused = 2;
constexpr std::size_t longest_name = 100;

[[nodiscard]] int fail(std::string_view sentence) {
    fmt::print(stderr, "softswitch token: {}\n", sentence);
    return refused;
}

[[nodiscard]] std::string now_text() {
    using namespace std::chrono;
    return utc_text(duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
}

[[nodiscard]] int make(store& in, const std::string& name) {
    const auto created = now_text();
    const auto& called = name.empty() ? created : name;
    if (called.size() > longest_name) {
        return fail(fmt::format("a name has at most {} characters", longest_name));
    }
    const auto made = make_token();
    if (!made) return fail("there are no random numbers");
    if (const auto added = in.add_token({called, created}, token_hash(*made)); !added) {
        return fail(added.reason().message);
    }
    fmt::print("{}\n", *made);
    fmt::print(stderr, "That is token `{}`. It is not shown again: only its hash is kept.\n",
               printable(called));
    return good;
}

[[nodiscard]] int list(store& in) {
    const auto all = in.tokens();
    if (!all) return fail(all.reason().message);
    for (const auto& one : *all) fmt::print("{}  {}\n", one.created_at, printable(one.name));
    return good;
}

} // namespace

int token(const configuration& of, const token_options& how) {
    if (!of.rest) return fail("the configuration has no [rest], and nothing else asks for tokens");
    const auto opened = open_store(of.rest->database, secret_box{of.rest->key});
    if (!opened) return fail(opened.reason().message);
    if (how.list) return list(**opened);
    if (!how.revoke) return make(**opened, how.name);
    const auto gone = (*opened)->erase_token(*how.revoke);
    return gone ? good : fail(gone.reason().message);
}

} // namespace softswitch
