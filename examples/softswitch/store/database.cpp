#include "database.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <sqlite3.h>

#include "text.hpp"

namespace softswitch {

namespace {

/// How long a statement waits for another process, as `softswitch token` beside a running switch.
constexpr int patience_ms = 5'000;

struct statement_deleter {
    void operator()(sqlite3_stmt* what) const { sqlite3_finalize(what); }
};
using statement = std::unique_ptr<sqlite3_stmt, statement_deleter>;

[[nodiscard]] std::string error_text(int number) {
    return std::generic_category().message(number);
}

[[nodiscard]] int bind(sqlite3_stmt* into, int at, const sql_value& what) {
    if (const auto* const number = std::get_if<std::int64_t>(&what); number != nullptr) {
        return sqlite3_bind_int64(into, at, *number);
    }
    const auto text = std::get<std::string_view>(what);
    // Without bytes it would be NULL.
    const auto* const bytes = text.data() != nullptr ? text.data() : "";
    return sqlite3_bind_text64(into, at, bytes, text.size(),
                               SQLITE_TRANSIENT, // NOLINT(cppcoreguidelines-pro-type-cstyle-cast)
                               SQLITE_UTF8);
}

} // namespace

std::string sql_row::text(int column) const {
    const auto* const bytes = reinterpret_cast<const char*>(sqlite3_column_text(of_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(of_, column))};
}

std::int64_t sql_row::integer(int column) const {
    return sqlite3_column_int64(of_, column);
}

store_error database::failure(int code) const {
    const auto name = printable(file_.string());
    const auto broken = [](std::string sentence) {
        return store_error{store_fault::broken, {}, std::move(sentence)};
    };
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return {store_fault::taken, {}, {}};
    }
    switch (code & 0xff) {
    case SQLITE_FULL:
        return broken(fmt::format("the disk of {} is full: make room, and try again", name));
    case SQLITE_CORRUPT:
        return broken(fmt::format("{} is damaged: put a backup in its place, or move it away to "
                                  "begin anew",
                                  name));
    case SQLITE_NOTADB:
        return broken(fmt::format("{} is no database: name another file, or move it away", name));
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return broken(fmt::format("{} cannot be written: give its owner, and that of its folder, "
                                  "to whom softswitch runs as",
                                  name));
    case SQLITE_CANTOPEN:
        return broken(fmt::format("{} cannot be opened: {}", name,
                                  error_text(sqlite3_system_errno(handle_))));
    case SQLITE_IOERR:
        return broken(fmt::format("the disk of {} does not work: {}", name,
                                  error_text(sqlite3_system_errno(handle_))));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return broken(fmt::format("{} is in use by another process for more than {} seconds: end "
                                  "that, and try again",
                                  name, patience_ms / 1'000));
    default: return broken(fmt::format("{}: {}", name, sqlite3_errmsg(handle_)));
    }
}

stored<void> database::prepare_file() {
    const auto refused = [&](std::string_view why) {
        return store_error{
            store_fault::broken, {}, fmt::format("{} {}", printable(file_.string()), why)};
    };
    std::error_code failed;
    if (std::filesystem::is_directory(file_, failed)) {
        return refused("is a folder: name a file in it");
    }
    const auto folder = file_.has_parent_path() ? file_.parent_path() : std::filesystem::path{"."};
    if (!std::filesystem::is_directory(folder, failed)) {
        return refused("would be in a folder that does not exist: make it, or name another file");
    }
    // SQLite gives the files beside it the same mode. One that is there is not opened by us:
    // closing it would let go of the locks of whoever else in this process has it open.
    const int made =
        ::open(file_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (made < 0) {
        if (errno == EEXIST) return {};
        return refused(fmt::format("cannot be made: {}", error_text(errno)));
    }
    ::close(made);
    // The name is to be there after a power cut, too.
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        ::fsync(directory);
        ::close(directory);
    }
    return {};
}

stored<void> database::connect() {
    const auto code = sqlite3_open_v2(
        file_.c_str(), &handle_,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK) return failure(code);
    if (sqlite3_db_readonly(handle_, "main") == 1) return failure(SQLITE_READONLY);
    sqlite3_busy_timeout(handle_, patience_ms);
    // A schema that somebody tampered with runs nothing, and no statement can damage the file.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // "x" is a column and never text.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);

    std::string said;
    const auto keep = [&](const sql_row& row) { said = row.text(0); };
    if (auto asked = each("PRAGMA journal_mode = WAL", {}, keep); !asked) return asked.reason();
    if (said != "wal") {
        return store_error{store_fault::broken,
                           {},
                           fmt::format("{} is on a file system without shared memory: name a file "
                                       "on a local disk",
                                       printable(file_.string()))};
    }
    if (auto set = script("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"); !set) return set;
    if (auto asked = each("PRAGMA quick_check(1)", {}, keep); !asked) return asked.reason();
    if (said != "ok") return failure(SQLITE_CORRUPT);
    return {};
}

stored<std::unique_ptr<database>> database::open(const std::filesystem::path& file) {
    std::unique_ptr<database> made{new database{file}};
    if (auto prepared = made->prepare_file(); !prepared) return prepared.reason();
    if (auto connected = made->connect(); !connected) return connected.reason();
    return made;
}

database::~database() {
    sqlite3_close(handle_);
}

database::rollback::~rollback() {
    // SQLite may have given up the transaction by itself, as on a full disk.
    if (sqlite3_get_autocommit(of.handle_) == 0) static_cast<void>(of.script("ROLLBACK"));
}

stored<std::int64_t> database::each(std::string_view sql, sql_values values,
                                    const std::function<void(const sql_row&)>& visit) {
    sqlite3_stmt* raw = nullptr;
    auto code =
        sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
    const statement prepared{raw};
    if (code != SQLITE_OK) return failure(code);
    int at = 0;
    for (const auto& value : values) {
        code = bind(raw, ++at, value);
        if (code != SQLITE_OK) return failure(code);
    }
    std::int64_t rows = 0;
    while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
        ++rows;
        if (visit) visit(sql_row{raw});
    }
    if (code != SQLITE_DONE) return failure(code);
    return rows;
}

stored<std::int64_t> database::run(std::string_view sql, sql_values values) {
    if (auto done = each(sql, values, nullptr); !done) return done;
    return std::int64_t{sqlite3_changes(handle_)};
}

stored<bool> database::any(std::string_view sql, sql_values values) {
    const auto found = each(sql, values, nullptr);
    if (!found) return found.reason();
    return *found != 0;
}

stored<std::int64_t> database::number(std::string_view sql, sql_values values) {
    std::int64_t value = 0;
    const auto found = each(sql, values, [&](const sql_row& row) { value = row.integer(0); });
    if (!found) return found.reason();
    return value;
}

stored<void> database::script(const char* sql) {
    const auto code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(code);
    return {};
}

} // namespace softswitch
