// Where what the operator said by REST is kept. Whatever a member answered with success is on the
// disk, and is there after a power cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/result.hpp>

#include "rows.hpp"

namespace softswitch {

enum class store_fault : std::uint8_t {
    absent, ///< There is no such row.
    taken,  ///< Something unique is there already; `field` says what.
    broken, ///< The disk is full, the file is damaged, or the key is another one.
};

struct store_error {
    store_fault fault = store_fault::broken;
    std::string field{};   ///< "name", "e164"; empty where no field is to blame.
    std::string message{}; ///< A sentence.
};

template <class Value>
using stored = trunkline::result<Value, store_error>;

/// What a request was answered that came with an Idempotency-Key.
struct kept_answer {
    std::string request_digest{}; ///< SHA-256 of what was asked for, so that a key means one thing.
    int status = 0;
    std::string body{};
};

/// A token without its text: only its hash is known.
struct token_row {
    std::string name{};
    std::string created_at{};
};

/// Rows come with their ids and times made; one call is one transaction. Used by one thread at a
/// time.
class store {
public:
    store() = default;
    store(const store&) = delete;
    store& operator=(const store&) = delete;
    virtual ~store() = default;

    /// With their gateways, sources and numbers, in the order in which they were added.
    [[nodiscard]] virtual stored<std::vector<trunk_row>> trunks() = 0;
    [[nodiscard]] virtual stored<trunk_row> trunk(std::string_view id) = 0;

    virtual stored<void> insert_trunk(const trunk_row& what) = 0; ///< With all that is in it.
    /// Its own columns; gateways, sources and numbers are as they were.
    virtual stored<void> update_trunk(const trunk_row& what) = 0;
    virtual stored<void> erase_trunk(std::string_view id) = 0; ///< With all that is in it.

    virtual stored<void> insert_gateway(std::string_view trunk_id, const gateway_row& what) = 0;
    virtual stored<void> update_gateway(std::string_view trunk_id, const gateway_row& what) = 0;
    virtual stored<void> erase_gateway(std::string_view trunk_id, std::string_view id) = 0;
    virtual stored<void> insert_ip_acl(std::string_view trunk_id, const ip_acl_row& what) = 0;
    virtual stored<void> erase_ip_acl(std::string_view trunk_id, std::string_view id) = 0;
    virtual stored<void> insert_number(const number_row& what) = 0; ///< Into its trunk_id.
    virtual stored<void> update_number(const number_row& what) = 0;
    virtual stored<void> erase_number(std::string_view id) = 0;
    [[nodiscard]] virtual stored<number_row> number(std::string_view id) = 0;

    /// Of bearer tokens only SHA-256 is kept.
    virtual stored<void> add_token(const token_row& what, std::string_view sha256_hex) = 0;
    /// The token's name; nothing when there is none of that hash.
    [[nodiscard]] virtual stored<std::optional<std::string>>
    find_token(std::string_view sha256_hex) = 0;
    [[nodiscard]] virtual stored<std::vector<token_row>> tokens() = 0;
    virtual stored<void> erase_token(std::string_view name) = 0;

    /// What was answered under a key within the last day.
    [[nodiscard]] virtual stored<std::optional<kept_answer>>
    find_answer(std::string_view key, std::int64_t now_unix_s) = 0;
    /// Keeps the answer unless the key is known; then says what was kept. Keys are forgotten
    /// after a day.
    virtual stored<std::optional<kept_answer>>
    keep_answer(std::string_view key, const kept_answer& what, std::int64_t now_unix_s) = 0;
};

} // namespace softswitch
