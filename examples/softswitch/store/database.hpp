// SQLite as the store uses it: one file, statements with parameters, and errors as sentences.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace softswitch {

/// What stands for a "?".
using sql_value = std::variant<std::int64_t, std::string_view>;

/// The values of one statement, in their order: {a, b}, or a vector. Borrows.
class sql_values {
public:
    sql_values() = default;
    sql_values(std::initializer_list<sql_value> values) : values_{values.begin(), values.size()} {}
    sql_values(const std::vector<sql_value>& values) : values_{values} {}
    [[nodiscard]] auto begin() const { return values_.begin(); }
    [[nodiscard]] auto end() const { return values_.end(); }

private:
    std::span<const sql_value> values_;
};

/// A row of an answer, for as long as it is looked at.
class sql_row {
public:
    explicit sql_row(sqlite3_stmt* of) : of_{of} {}
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;

private:
    sqlite3_stmt* of_;
};

class database {
public:
    /// Makes the file when there is none, for its owner alone. Refuses a damaged one. What is
    /// committed is on the disk before commit() returns: WAL, and fsync each time.
    [[nodiscard]] static stored<std::unique_ptr<database>> open(const std::filesystem::path& file);

    database(const database&) = delete;
    database& operator=(const database&) = delete;
    ~database();

    /// One statement; how many rows it changed. `taken` without words when a row is one too many.
    stored<std::int64_t> run(std::string_view sql, sql_values values = {});
    /// One query; `visit` sees each row. How many there were.
    stored<std::int64_t> each(std::string_view sql, sql_values values,
                              const std::function<void(const sql_row&)>& visit);
    /// Whether the query has a row.
    [[nodiscard]] stored<bool> any(std::string_view sql, sql_values values = {});
    /// The number in the first row; 0 when there is none.
    [[nodiscard]] stored<std::int64_t> number(std::string_view sql, sql_values values = {});
    /// Several statements without parameters.
    stored<void> script(const char* sql);

    /// Does `work`, which returns stored<void>, as a whole or not at all.
    template <class Work>
    stored<void> whole(Work&& work) {
        if (auto begun = script("BEGIN IMMEDIATE"); !begun) return begun;
        const rollback otherwise{*this};
        if (auto done = std::forward<Work>(work)(); !done) return done;
        return script("COMMIT");
    }

    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

private:
    /// Ends a transaction that was not committed.
    struct rollback {
        database& of;
        explicit rollback(database& which) : of{which} {}
        rollback(const rollback&) = delete;
        rollback& operator=(const rollback&) = delete;
        ~rollback();
    };

    explicit database(std::filesystem::path file) : file_{std::move(file)} {}

    [[nodiscard]] stored<void> prepare_file();
    [[nodiscard]] stored<void> connect();
    [[nodiscard]] store_error failure(int code) const;

    std::filesystem::path file_;
    sqlite3* handle_ = nullptr;
};

} // namespace softswitch
