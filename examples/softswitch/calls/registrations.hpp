// How the trunks that register stand: what REST shows, and what the log says when that changes.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <trunkline/trunk/registration_status.hpp>

namespace softswitch {

struct registration_view {
    trunkline::registration_state state = trunkline::registration_state::idle;
    std::string gateway{};
    int sip_code = 0; ///< 0: the carrier has said nothing.
    std::string reason{};
    std::optional<std::int64_t> expires_unix_ns{};
    std::optional<std::int64_t> retry_unix_ns{};
};

/// Any member may be called from any thread.
class registrations {
public:
    /// Those that have ended are forgotten.
    void write(const trunkline::registration_status& how);
    [[nodiscard]] std::optional<registration_view> find(std::string_view trunk) const;

private:
    mutable std::mutex guard_;
    std::map<std::string, registration_view, std::less<>> known_; ///< By the trunk's name.
};

/// One line, as "trunk `carrier` is registered at 198.51.100.10".
[[nodiscard]] std::string in_words(std::string_view trunk, const registration_view& how,
                                   std::int64_t now_unix_ns);

} // namespace softswitch
