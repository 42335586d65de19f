// The API without its sockets: a request in, a response out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "exchange.hpp"
#include "http.hpp"

namespace softswitch {

struct route {
    std::string_view method{};
    std::string_view pattern{}; ///< "/trunks/{id}"
    handler handle = nullptr;
    bool open = false;      ///< Needs no token.
    bool has_query = false; ///< Others refuse one.
};

/// All there are: what openapi.json describes, and the tests hold the two against each other.
[[nodiscard]] std::span<const route> routes() noexcept;

/// Used by one thread at a time, as the store is.
class api {
public:
    using clock = std::function<std::int64_t()>; ///< Nanoseconds since 1970.

    /// Both have to outlive it.
    api(store& rows, switch_port& running, clock now);

    /// Never throws: what nobody thought of is a 500. HEAD is answered as GET is, and whoever sends
    /// the answer leaves the body out.
    [[nodiscard]] http_response handle(const http_request& request) noexcept;

    /// What GET /healthz is answered.
    [[nodiscard]] http_response health() const noexcept;

private:
    [[nodiscard]] http_response answer(const http_request& request);
    /// The token's name goes into `who`; an answer when there is no such token.
    [[nodiscard]] std::optional<http_response> stranger(const http_request& request,
                                                        std::string& who);

    store& rows_;
    switch_port& running_;
    clock now_;
};

} // namespace softswitch
