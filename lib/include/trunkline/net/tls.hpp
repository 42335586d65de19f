// Who we are by TLS and whom we believe: certificates in files, and the rules of RFC 5922.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::net {

/// Files hold PEM. TLS 1.2 at least, whatever the peer would like.
struct tls_settings {
    std::string ca{};          ///< Who vouches for peers; empty: whom the system trusts.
    std::string certificate{}; ///< Ours, its chain behind it; empty: none is shown.
    std::string key{};
    /// Of a client: the server has to be vouched for and to be who was asked for. Of a server:
    /// every client has to show a certificate that is vouched for.
    bool verify = true;
    bool wildcards = false; ///< "*.example.net" stands for one label, which RFC 5922 7.2 forbids.
};

class tls_context; // OpenSSL's: no header of theirs is in one of ours.

/// What is wrong with settings: which of their fields, and a sentence.
struct tls_error {
    std::string field{};
    std::string message{};
};

/// Reads the files. It may be shared by threads, and by connections that outlive its replacement.
[[nodiscard]] TRUNKLINE_EXPORT result<std::shared_ptr<const tls_context>, tls_error>
open_tls_client(const tls_settings& from);
[[nodiscard]] TRUNKLINE_EXPORT result<std::shared_ptr<const tls_context>, tls_error>
open_tls_server(const tls_settings& from);

/// The contexts of a process, by the number that machines know them by. From any thread. Made by
/// std::make_shared: what add() returned may be let go of when there are no profiles any more.
class TRUNKLINE_EXPORT tls_profiles : public std::enable_shared_from_this<tls_profiles> {
public:
    /// A context that can be asked for by its number as long as this is held.
    struct lease {
        std::uint32_t number = 0;
        std::shared_ptr<const void> held{};
    };

    /// For connections to us; the certificate is not to be done without.
    void serve(std::shared_ptr<const tls_context> what);
    /// For connections of ours, by a number that no other one has had.
    [[nodiscard]] lease add(std::shared_ptr<const tls_context> what);

    [[nodiscard]] std::shared_ptr<const tls_context> server() const;
    [[nodiscard]] std::shared_ptr<const tls_context> client(std::uint32_t profile) const;

private:
    void forget(std::uint32_t profile) noexcept;

    mutable std::mutex guard_;
    std::shared_ptr<const tls_context> server_;
    std::map<std::uint32_t, std::shared_ptr<const tls_context>> clients_;
    std::uint32_t last_ = 0;
};

} // namespace trunkline::net
