// A caller's digest credentials, computed here and not by the library's client.
#pragma once

#include <string>

#include "trunk/driver.hpp"

namespace trunkline::support {

using crypto::hash_algorithm;

struct credentials {
    hash_algorithm algorithm = hash_algorithm::md5;
    std::string username = "carrier";
    std::string password = "secret";
    std::string realm = "here";
    std::string nonce{};
    std::string nc = "00000001";
    std::string cnonce = "c0ffee";
    std::string method = "INVITE";
    std::string uri = "sip:+4930123@192.0.2.1";

    /// RFC 7616 section 3.4.1, put together here.
    [[nodiscard]] std::string response() const {
        const auto a1 = crypto::hash(algorithm, {username + ':' + realm + ':' + password});
        const auto a2 = crypto::hash(algorithm, {method + ':' + uri});
        const auto all = std::string{a1.view()} + ':' + nonce + ':' + nc + ':' + cnonce +
                         ":auth:" + std::string{a2.view()};
        return std::string{crypto::hash(algorithm, {all}).view()};
    }
    [[nodiscard]] std::string line() const {
        return "Authorization: Digest username=\"" + username + "\", realm=\"" + realm +
               "\", nonce=\"" + nonce + "\", uri=\"" + uri + "\", response=\"" + response() +
               "\", algorithm=" + (algorithm == hash_algorithm::md5 ? "MD5" : "SHA-256") +
               ", cnonce=\"" + cnonce + "\", qop=auth, nc=" + nc + "\n";
    }
};

} // namespace trunkline::support
