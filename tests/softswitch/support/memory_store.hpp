// A store without a disk: what the API does with any store is tested without SQLite. It can be told
// to break, which a disk does when it likes.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "store/store.hpp"

namespace softswitch::testing {

class memory_store final : public store {
public:
    bool broken = false;
    std::size_t writes = 0; ///< That were acknowledged.
    std::set<std::string, std::less<>> token_hashes;

    stored<std::vector<trunk_row>> trunks() override {
        if (broken) return disk();
        return rows_;
    }
    stored<trunk_row> trunk(std::string_view id) override {
        if (broken) return disk();
        const auto at = std::ranges::find(rows_, id, &trunk_row::id);
        if (at == rows_.end()) return absent("trunk", id);
        return *at;
    }
    stored<void> insert_trunk(const trunk_row& what) override {
        if (broken) return disk();
        if (named(what.name) != nullptr) return taken_name();
        rows_.push_back(what);
        return wrote();
    }
    stored<void> update_trunk(const trunk_row& what) override {
        return in(what.id, [&](trunk_row& row) -> stored<void> {
            const auto* const other = named(what.name);
            if (other != nullptr && other != &row) return taken_name();
            auto changed = what;
            changed.gateways = std::move(row.gateways);
            changed.ip_acls = std::move(row.ip_acls);
            changed.numbers = std::move(row.numbers);
            row = std::move(changed);
            return wrote();
        });
    }
    stored<void> erase_trunk(std::string_view id) override {
        if (broken) return disk();
        if (std::erase_if(rows_, [&](const auto& row) { return row.id == id; }) == 0) {
            return absent("trunk", id);
        }
        return wrote();
    }

    stored<void> insert_gateway(std::string_view trunk_id, const gateway_row& what) override {
        return in(trunk_id, [&](trunk_row& row) { return insert(row.gateways, what); });
    }
    stored<void> update_gateway(std::string_view trunk_id, const gateway_row& what) override {
        return in(trunk_id, [&](trunk_row& row) { return update(row.gateways, what); });
    }
    stored<void> erase_gateway(std::string_view trunk_id, std::string_view id) override {
        return in(trunk_id, [&](trunk_row& row) { return erase(row.gateways, id); });
    }
    stored<void> insert_ip_acl(std::string_view trunk_id, const ip_acl_row& what) override {
        return in(trunk_id, [&](trunk_row& row) { return insert(row.ip_acls, what); });
    }
    stored<void> erase_ip_acl(std::string_view trunk_id, std::string_view id) override {
        return in(trunk_id, [&](trunk_row& row) { return erase(row.ip_acls, id); });
    }
    stored<void> insert_number(const number_row& what) override {
        return in(what.trunk_id, [&](trunk_row& row) -> stored<void> {
            if (std::ranges::find(row.numbers, what.e164, &number_row::e164) != row.numbers.end()) {
                return store_error{store_fault::taken, "e164", "stands in the trunk already"};
            }
            return insert(row.numbers, what);
        });
    }
    stored<void> update_number(const number_row& what) override {
        return in(what.trunk_id, [&](trunk_row& row) { return update(row.numbers, what); });
    }
    stored<void> erase_number(std::string_view id) override {
        const auto found = number(id);
        if (!found) return found.reason();
        return in(found->trunk_id, [&](trunk_row& row) { return erase(row.numbers, id); });
    }
    stored<number_row> number(std::string_view id) override {
        if (broken) return disk();
        for (const auto& row : rows_) {
            const auto at = std::ranges::find(row.numbers, id, &number_row::id);
            if (at != row.numbers.end()) return *at;
        }
        return absent("number", id);
    }

    stored<void> add_token(const token_row& /*unnamed*/, std::string_view hash) override {
        token_hashes.emplace(hash);
        return {};
    }
    stored<std::optional<std::string>> find_token(std::string_view hash) override {
        if (broken) return disk();
        return token_hashes.contains(hash) ? std::optional<std::string>{"tester"} : std::nullopt;
    }
    stored<std::vector<token_row>> tokens() override { return std::vector<token_row>{}; }
    stored<void> erase_token(std::string_view name) override { return absent("token", name); }

    stored<std::optional<kept_answer>> find_answer(std::string_view key,
                                                   std::int64_t /*nothing is forgotten*/) override {
        if (broken) return disk();
        const auto at = kept_.find(std::string{key});
        return at == kept_.end() ? std::optional<kept_answer>{} : std::optional{at->second};
    }
    stored<std::optional<kept_answer>> keep_answer(std::string_view key, const kept_answer& what,
                                                   std::int64_t /*nothing is forgotten*/) override {
        if (broken) return disk();
        const auto [at, is_new] = kept_.emplace(key, what);
        return is_new ? std::optional<kept_answer>{} : std::optional{at->second};
    }

private:
    [[nodiscard]] static store_error disk() {
        return {store_fault::broken, {}, "the disk is full"};
    }
    [[nodiscard]] static store_error absent(std::string_view what, std::string_view id) {
        return {store_fault::absent,
                {},
                "there is no " + std::string{what} + " `" + std::string{id} + "`"};
    }
    [[nodiscard]] static store_error taken_name() {
        return {store_fault::taken, "name", "is the name of another trunk"};
    }
    [[nodiscard]] const trunk_row* named(std::string_view name) const {
        const auto at = std::ranges::find(rows_, name, &trunk_row::name);
        return at == rows_.end() ? nullptr : &*at;
    }
    stored<void> wrote() {
        ++writes;
        return {};
    }
    template <class Change>
    stored<void> in(std::string_view trunk_id, const Change& change) {
        if (broken) return disk();
        const auto at = std::ranges::find(rows_, trunk_id, &trunk_row::id);
        if (at == rows_.end()) return absent("trunk", trunk_id);
        return change(*at);
    }
    template <class Row>
    stored<void> insert(std::vector<Row>& rows, const Row& what) {
        rows.push_back(what);
        return wrote();
    }
    template <class Row>
    stored<void> update(std::vector<Row>& rows, const Row& what) {
        const auto at = std::ranges::find(rows, what.id, &Row::id);
        if (at == rows.end()) return absent("row", what.id);
        *at = what;
        return wrote();
    }
    template <class Row>
    stored<void> erase(std::vector<Row>& rows, std::string_view id) {
        if (std::erase_if(rows, [&](const auto& row) { return row.id == id; }) == 0) {
            return absent("row", id);
        }
        return wrote();
    }

    std::vector<trunk_row> rows_;
    std::map<std::string, kept_answer, std::less<>> kept_;
};

} // namespace softswitch::testing
