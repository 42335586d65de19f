// A server on a port of its own, with a switch and a store that a test can look into.
#pragma once

#include "rest/server.hpp"
#include "softswitch/support/fake_switch.hpp"
#include "softswitch/support/http_client.hpp"
#include "softswitch/support/memory_store.hpp"
#include "store/token.hpp"

namespace softswitch::testing {

struct rest_fixture {
    explicit rest_fixture(const rest_limits& limits = {})
        : server{(rows.token_hashes.insert(token_hash("tl_secret")),
                  *trunkline::endpoint::parse("127.0.0.1:0")),
                 rows, running, limits} {}

    [[nodiscard]] http_client client(int receive_buffer = 0, const char* from = nullptr) const {
        return http_client{server.listening(), receive_buffer, from};
    }

    memory_store rows;
    fake_switch running;
    rest_server server;
};

} // namespace softswitch::testing
