// A REST server with a real store and a switch that calls nobody, for openapi.py: prints its port
// and a token, and serves until standard input ends.
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "rest/server.hpp"
#include "scratch.hpp"
#include "softswitch/support/fake_switch.hpp"
#include "store/secret_box.hpp"
#include "store/sqlite_store.hpp"
#include "store/token.hpp"

int main() {
    using namespace softswitch;
    spdlog::set_level(spdlog::level::off); // Standard output is a pipe that is not read to its end.
    const scratch folder;
    secret_key key{};
    key.fill(7);
    auto opened = open_store(folder.path / "softswitch.db", secret_box{key});
    const auto token = make_token();
    if (!opened || !token || !(*opened)->add_token({"test", "now"}, token_hash(*token))) return 1;
    testing::fake_switch running;
    const rest_server server{*trunkline::endpoint::parse("127.0.0.1:0"), **opened, running};
    fmt::print("{} {}\n", server.listening().port, *token);
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}
