// TLS as a machine from bytes to bytes, over OpenSSL's memory BIOs: no socket, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tls_context.hpp"

namespace trunkline::net {

/// One connection. What it has for the peer is taken after every call that may produce some.
class tls_session {
public:
    /// `name` is who the peer has to be: a host name or an IP address. A server expects nobody.
    tls_session(std::shared_ptr<const tls_context> around, std::string_view name);
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;
    ~tls_session() = default;

    enum class state : std::uint8_t {
        handshake,
        open,
        ended,  ///< The peer said that nothing more comes.
        failed, ///< See reason().
    };
    [[nodiscard]] state current() const noexcept { return state_; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    /// By an alert of the peer's, after it was open.
    [[nodiscard]] bool refused() const noexcept { return refused_; }

    /// A client's first words.
    void begin() { advance(); }
    /// From the peer, cut anywhere.
    void receive(std::span<const std::byte> secret);
    /// What the peer said; empty when all was read.
    [[nodiscard]] std::span<std::byte> read(std::span<std::byte> into);
    /// Whole or not at all; false unless open.
    [[nodiscard]] bool write(std::span<const std::byte> plain);
    /// Says that nothing more is coming.
    void close();
    /// Appends what is for the peer.
    void take(std::vector<std::byte>& into);

private:
    static int verify(int good, X509_STORE_CTX* about);
    void advance();
    void fail(std::string why);

    std::shared_ptr<const tls_context> context_;
    std::unique_ptr<SSL, freed_by<SSL_free>> ssl_;
    BIO* from_peer_ = nullptr; ///< Both belong to ssl_.
    BIO* to_peer_ = nullptr;
    std::string name_; ///< Of the peer; empty when it may be anybody.
    state state_ = state::handshake;
    std::string reason_;
    bool refused_ = false;
};

} // namespace trunkline::net
