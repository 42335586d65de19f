// An SSL_CTX of OpenSSL with our rules on it.
#pragma once

#include <memory>

#include <openssl/ssl.h>

#include <trunkline/net/tls.hpp>

namespace trunkline::net {

/// Deletes what OpenSSL made.
template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* gone) const noexcept {
        Free(gone);
    }
};

class tls_context {
public:
    tls_context(SSL_CTX* made, const tls_settings& rules, bool server)
        : context_{made},
          verify_{rules.verify},
          wildcards_{rules.wildcards},
          server_{server} {}

    [[nodiscard]] SSL_CTX* get() const noexcept { return context_.get(); }
    [[nodiscard]] bool verifies() const noexcept { return verify_; }
    [[nodiscard]] bool wildcards() const noexcept { return wildcards_; }
    [[nodiscard]] bool is_server() const noexcept { return server_; }

private:
    std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>> context_;
    bool verify_;
    bool wildcards_;
    bool server_;
};

} // namespace trunkline::net
