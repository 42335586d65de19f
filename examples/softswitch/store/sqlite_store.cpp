#include "sqlite_store.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "database.hpp"
#include "migrations.hpp"
#include "rtp_symmetry_name.hpp"
#include "text.hpp"
#include "trunk_reader.hpp"
#include "trunk_writer.hpp"

namespace softswitch {

namespace {

/// How long an Idempotency-Key is known.
constexpr std::int64_t answer_lifetime_s = 86'400;

constexpr std::string_view key_check_place = "key_check";
constexpr std::string_view key_check_text = "softswitch";

[[nodiscard]] store_error absent(std::string_view what, std::string_view id) {
    return {store_fault::absent, {}, fmt::format("there is no {} `{}`", what, printable(id))};
}

[[nodiscard]] store_error taken(std::string field, std::string sentence) {
    return {store_fault::taken, std::move(field), std::move(sentence)};
}

/// An UPDATE or DELETE that found no row is about something that is not there.
[[nodiscard]] stored<void> at_least_one(const stored<std::int64_t>& changed, std::string_view what,
                                        std::string_view id) {
    if (!changed) return changed.reason();
    if (*changed == 0) return absent(what, id);
    return {};
}

/// All that is unique was asked for before an INSERT, but for the ids, which are made at random.
[[nodiscard]] stored<void> inserted(const stored<std::int64_t>& done, std::string_view what,
                                    std::string_view id) {
    if (done) return {};
    auto why = done.reason();
    if (why.fault == store_fault::taken && why.message.empty()) {
        return taken("id", fmt::format("there is a {} `{}` already", what, printable(id)));
    }
    return why;
}

class sqlite_store final : public store {
public:
    sqlite_store(std::unique_ptr<database> in, const secret_box& secrets)
        : in_{std::move(in)},
          secrets_{secrets} {}

    [[nodiscard]] stored<void> check_key();

    [[nodiscard]] stored<std::vector<trunk_row>> trunks() override;
    [[nodiscard]] stored<trunk_row> trunk(std::string_view id) override;
    stored<void> insert_trunk(const trunk_row& what) override;
    stored<void> update_trunk(const trunk_row& what) override;
    stored<void> erase_trunk(std::string_view id) override;

    stored<void> insert_gateway(std::string_view trunk_id, const gateway_row& what) override;
    stored<void> update_gateway(std::string_view trunk_id, const gateway_row& what) override;
    stored<void> erase_gateway(std::string_view trunk_id, std::string_view id) override;
    stored<void> insert_ip_acl(std::string_view trunk_id, const ip_acl_row& what) override;
    stored<void> erase_ip_acl(std::string_view trunk_id, std::string_view id) override;
    stored<void> insert_number(const number_row& what) override;
    stored<void> update_number(const number_row& what) override;
    stored<void> erase_number(std::string_view id) override;
    [[nodiscard]] stored<number_row> number(std::string_view id) override;

    stored<void> add_token(const token_row& what, std::string_view sha256_hex) override;
    [[nodiscard]] stored<std::optional<std::string>>
    find_token(std::string_view sha256_hex) override;
    [[nodiscard]] stored<std::vector<token_row>> tokens() override;
    stored<void> erase_token(std::string_view name) override;

    [[nodiscard]] stored<std::optional<kept_answer>> find_answer(std::string_view key,
                                                                 std::int64_t now_unix_s) override;
    stored<std::optional<kept_answer>> keep_answer(std::string_view key, const kept_answer& what,
                                                   std::int64_t now_unix_s) override;

private:
    // Parts of a transaction.
    [[nodiscard]] stored<void> is_there(std::string_view trunk_id);
    [[nodiscard]] stored<void> name_is_free(const trunk_row& of);
    [[nodiscard]] stored<void> number_is_free(const number_row& what);
    [[nodiscard]] stored<std::string> sealed_password(const trunk_row& of);
    [[nodiscard]] stored<void> add_trunk(const trunk_row& what);
    [[nodiscard]] stored<void> add(std::string_view trunk_id, const gateway_row& what);
    [[nodiscard]] stored<void> add(std::string_view trunk_id, const ip_acl_row& what);
    [[nodiscard]] stored<void> add(std::string_view trunk_id, const number_row& what);

    std::unique_ptr<database> in_;
    secret_box secrets_;
};

stored<void> sqlite_store::check_key() {
    std::string sealed;
    const auto keep = [&](const sql_row& row) { sealed = row.text(0); };
    constexpr std::string_view ask = "SELECT sealed FROM key_check";
    if (const auto read = in_->each(ask, {}, keep); !read) return read.reason();
    if (sealed.empty()) {
        const auto made = secrets_.seal(key_check_text, key_check_place);
        if (!made) return store_error{store_fault::broken, {}, "there are no random numbers"};
        // Another process may have been faster, with another key.
        const auto added = in_->run("INSERT OR IGNORE INTO key_check VALUES (1, ?)", {*made});
        if (!added) return added.reason();
        if (const auto read = in_->each(ask, {}, keep); !read) return read.reason();
    }
    if (secrets_.open(sealed, key_check_place) == key_check_text) return {};
    return store_error{store_fault::broken,
                       {},
                       fmt::format("{} is encrypted with another key: give the one that it was "
                                   "made with, or name another file",
                                   printable(in_->file().string()))};
}

// Trunks.

stored<std::vector<trunk_row>> sqlite_store::trunks() {
    return read_trunks(*in_, secrets_);
}

stored<trunk_row> sqlite_store::trunk(std::string_view id) {
    if (id.empty()) return absent("trunk", id);
    auto found = read_trunks(*in_, secrets_, id);
    if (!found) return found.reason();
    if (found->empty()) return absent("trunk", id);
    return std::move(found->front());
}

stored<void> sqlite_store::is_there(std::string_view trunk_id) {
    const auto found = in_->any("SELECT 1 FROM trunk WHERE id = ?", {trunk_id});
    if (!found) return found.reason();
    if (!*found) return absent("trunk", trunk_id);
    return {};
}

stored<void> sqlite_store::name_is_free(const trunk_row& of) {
    const auto found = in_->any("SELECT 1 FROM trunk WHERE name = ? AND id <> ?", {of.name, of.id});
    if (!found) return found.reason();
    if (*found) {
        return taken("name", fmt::format("there is a trunk `{}` already: choose another name",
                                         printable(of.name)));
    }
    return {};
}

stored<std::string> sqlite_store::sealed_password(const trunk_row& of) {
    if (of.auth_password.empty()) return std::string{};
    auto sealed = secrets_.seal(of.auth_password, password_place(of.id));
    if (!sealed) {
        return store_error{store_fault::broken, "auth_password",
                           "the password cannot be encrypted: it is too long, or there are no "
                           "random numbers"};
    }
    return *std::move(sealed);
}

stored<void> sqlite_store::add_trunk(const trunk_row& what) {
    if (auto free = name_is_free(what); !free) return free;
    const auto password = sealed_password(what);
    if (!password) return password.reason();
    return inserted(insert_trunk_row(*in_, what, *password), "trunk", what.id);
}

stored<void> sqlite_store::insert_trunk(const trunk_row& what) {
    return in_->whole([&]() -> stored<void> {
        if (auto done = add_trunk(what); !done) return done;
        for (const auto& gateway : what.gateways) {
            if (auto done = add(what.id, gateway); !done) return done;
        }
        for (const auto& ip_acl : what.ip_acls) {
            if (auto done = add(what.id, ip_acl); !done) return done;
        }
        for (const auto& number : what.numbers) {
            if (auto done = add(what.id, number); !done) return done;
        }
        return {};
    });
}

stored<void> sqlite_store::update_trunk(const trunk_row& what) {
    return in_->whole([&]() -> stored<void> {
        if (auto free = name_is_free(what); !free) return free;
        const auto password = sealed_password(what);
        if (!password) return password.reason();
        return at_least_one(update_trunk_row(*in_, what, *password), "trunk", what.id);
    });
}

stored<void> sqlite_store::erase_trunk(std::string_view id) {
    return at_least_one(in_->run("DELETE FROM trunk WHERE id = ?", {id}), "trunk", id);
}

// Gateways and sources.

stored<void> sqlite_store::add(std::string_view trunk_id, const gateway_row& what) {
    return inserted(in_->run("INSERT INTO gateway (id, trunk_id, host, port, priority) "
                             "VALUES (?, ?, ?, ?, ?)",
                             {what.id, trunk_id, what.host, what.port, what.priority}),
                    "gateway", what.id);
}

stored<void> sqlite_store::insert_gateway(std::string_view trunk_id, const gateway_row& what) {
    return in_->whole([&]() -> stored<void> {
        if (auto found = is_there(trunk_id); !found) return found;
        return add(trunk_id, what);
    });
}

stored<void> sqlite_store::update_gateway(std::string_view trunk_id, const gateway_row& what) {
    return at_least_one(in_->run("UPDATE gateway SET host = ?, port = ?, priority = ? "
                                 "WHERE trunk_id = ? AND id = ?",
                                 {what.host, what.port, what.priority, trunk_id, what.id}),
                        "gateway", what.id);
}

stored<void> sqlite_store::erase_gateway(std::string_view trunk_id, std::string_view id) {
    return at_least_one(
        in_->run("DELETE FROM gateway WHERE trunk_id = ? AND id = ?", {trunk_id, id}), "gateway",
        id);
}

stored<void> sqlite_store::add(std::string_view trunk_id, const ip_acl_row& what) {
    return inserted(in_->run("INSERT INTO ip_acl (id, trunk_id, cidr) VALUES (?, ?, ?)",
                             {what.id, trunk_id, what.cidr}),
                    "source", what.id);
}

stored<void> sqlite_store::insert_ip_acl(std::string_view trunk_id, const ip_acl_row& what) {
    return in_->whole([&]() -> stored<void> {
        if (auto found = is_there(trunk_id); !found) return found;
        return add(trunk_id, what);
    });
}

stored<void> sqlite_store::erase_ip_acl(std::string_view trunk_id, std::string_view id) {
    return at_least_one(
        in_->run("DELETE FROM ip_acl WHERE trunk_id = ? AND id = ?", {trunk_id, id}), "source", id);
}

// Numbers.

stored<void> sqlite_store::number_is_free(const number_row& what) {
    std::string trunk;
    const auto found = in_->each(
        "SELECT trunk.name FROM number JOIN trunk ON trunk.id = number.trunk_id "
        "WHERE trunk_id = ? AND ltrim(e164, '+') = ltrim(?, '+') AND number.id <> ?",
        {what.trunk_id, what.e164, what.id}, [&](const sql_row& row) { trunk = row.text(0); });
    if (!found) return found.reason();
    if (*found == 0) return {};
    return taken("e164", fmt::format("the number {} stands already in trunk `{}`",
                                     printable(what.e164), printable(trunk)));
}

stored<void> sqlite_store::add(std::string_view trunk_id, const number_row& what) {
    auto placed = what;
    placed.trunk_id = trunk_id;
    if (auto free = number_is_free(placed); !free) return free;
    return inserted(in_->run("INSERT INTO number (id, trunk_id, e164, destination_key, agent_id, "
                             "fallback_agent_id) VALUES (?, ?, ?, ?, ?, ?)",
                             {what.id, trunk_id, what.e164, what.destination_key, what.agent_id,
                              what.fallback_agent_id}),
                    "number", what.id);
}

stored<void> sqlite_store::insert_number(const number_row& what) {
    return in_->whole([&]() -> stored<void> {
        if (auto found = is_there(what.trunk_id); !found) return found;
        return add(what.trunk_id, what);
    });
}

stored<void> sqlite_store::update_number(const number_row& what) {
    return in_->whole([&]() -> stored<void> {
        if (auto free = number_is_free(what); !free) return free;
        return at_least_one(in_->run("UPDATE number SET e164 = ?, destination_key = ?, "
                                     "agent_id = ?, fallback_agent_id = ? "
                                     "WHERE trunk_id = ? AND id = ?",
                                     {what.e164, what.destination_key, what.agent_id,
                                      what.fallback_agent_id, what.trunk_id, what.id}),
                            "number", what.id);
    });
}

stored<void> sqlite_store::erase_number(std::string_view id) {
    return at_least_one(in_->run("DELETE FROM number WHERE id = ?", {id}), "number", id);
}

stored<number_row> sqlite_store::number(std::string_view id) {
    auto found = read_number(*in_, id);
    if (!found) return found.reason();
    if (found->empty()) return absent("number", id);
    return std::move(found->front());
}

// Tokens and answers.

stored<void> sqlite_store::add_token(const token_row& what, std::string_view sha256_hex) {
    return in_->whole([&]() -> stored<void> {
        const auto found = in_->any("SELECT 1 FROM token WHERE name = ?", {what.name});
        if (!found) return found.reason();
        if (*found) {
            return taken("name", fmt::format("there is a token `{}` already: revoke it, or choose "
                                             "another name",
                                             printable(what.name)));
        }
        return inserted(in_->run("INSERT INTO token (name, sha256, created_at) VALUES (?, ?, ?)",
                                 {what.name, sha256_hex, what.created_at}),
                        "token", what.name);
    });
}

stored<std::optional<std::string>> sqlite_store::find_token(std::string_view sha256_hex) {
    std::optional<std::string> name;
    const auto read = in_->each("SELECT name FROM token WHERE sha256 = ?", {sha256_hex},
                                [&](const sql_row& row) { name = row.text(0); });
    if (!read) return read.reason();
    return name;
}

stored<std::vector<token_row>> sqlite_store::tokens() {
    std::vector<token_row> made;
    const auto read = in_->each("SELECT name, created_at FROM token ORDER BY position", {},
                                [&](const sql_row& row) {
                                    made.push_back({row.text(0), row.text(1)});
                                });
    if (!read) return read.reason();
    return made;
}

stored<void> sqlite_store::erase_token(std::string_view name) {
    return at_least_one(in_->run("DELETE FROM token WHERE name = ?", {name}), "token", name);
}

stored<std::optional<kept_answer>> sqlite_store::find_answer(std::string_view key,
                                                             std::int64_t now_unix_s) {
    std::optional<kept_answer> kept;
    const auto read = in_->each(
        "SELECT request_digest, status, body FROM answer WHERE key = ? AND kept_unix_s > ?",
        {key, now_unix_s - answer_lifetime_s}, [&](const sql_row& row) {
            kept = {row.text(0), static_cast<int>(row.integer(1)), row.text(2)};
        });
    if (!read) return read.reason();
    return kept;
}

stored<std::optional<kept_answer>>
sqlite_store::keep_answer(std::string_view key, const kept_answer& what, std::int64_t now_unix_s) {
    std::optional<kept_answer> kept;
    const auto done = in_->whole([&]() -> stored<void> {
        const auto forgotten =
            in_->run("DELETE FROM answer WHERE kept_unix_s <= ?", {now_unix_s - answer_lifetime_s});
        if (!forgotten) return forgotten.reason();
        auto known = find_answer(key, now_unix_s);
        if (!known) return known.reason();
        kept = *std::move(known);
        if (kept) return {};
        const auto added = in_->run("INSERT INTO answer (key, request_digest, status, body, "
                                    "kept_unix_s) VALUES (?, ?, ?, ?, ?)",
                                    {key, what.request_digest, what.status, what.body, now_unix_s});
        if (!added) return added.reason();
        return {};
    });
    if (!done) return done.reason();
    return kept;
}

} // namespace

stored<std::unique_ptr<store>> open_store(const std::filesystem::path& file,
                                          const secret_box& secrets) {
    auto opened = database::open(file);
    if (!opened) return opened.reason();
    if (auto migrated = migrate(**opened); !migrated) return migrated.reason();
    auto made = std::make_unique<sqlite_store>(*std::move(opened), secrets);
    if (auto checked = made->check_key(); !checked) return checked.reason();
    return std::unique_ptr<store>{std::move(made)};
}

} // namespace softswitch
