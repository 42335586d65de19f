#include "store/database.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "scratch.hpp"
#include "store/migrations.hpp"
#include "store/sqlite_store.hpp"
#include "store_rows.hpp"

namespace softswitch {
namespace {

const secret_box box{key_of(1)};

[[nodiscard]] std::string refusal(const std::filesystem::path& file, const secret_box& with = box) {
    const auto opened = open_store(file, with);
    if (opened) return "it opened";
    CHECK(opened.reason().fault == store_fault::broken);
    return opened.reason().message;
}

[[nodiscard]] std::unique_ptr<database> opened(const std::filesystem::path& file) {
    auto made = database::open(file);
    if (!made) FAIL(made.reason().message);
    return *std::move(made);
}

[[nodiscard]] std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

[[nodiscard]] bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

TEST_CASE("softswitch::database: its files are their owner's alone, and commits reach the disk") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    const auto rows = opened(file);
    REQUIRE(rows->script("CREATE TABLE t (x INTEGER) STRICT"));
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder.path}) {
        struct stat found {};
        REQUIRE(::stat(entry.path().c_str(), &found) == 0);
        INFO(entry.path());
        CHECK((found.st_mode & 0777) == 0600);
        ++files;
    }
    CHECK(files == 3); // With -wal and -shm.
    CHECK(*rows->number("PRAGMA synchronous") == 2);
    CHECK(*rows->number("PRAGMA foreign_keys") == 1);
    CHECK(*rows->number("PRAGMA trusted_schema") == 0);
    CHECK(*rows->number("PRAGMA busy_timeout") == 5'000);
}

TEST_CASE("softswitch::database: what is no usable file is refused with what to do") {
    const scratch folder;
    CHECK(contains(refusal(folder.path), "is a folder: name a file in it"));
    CHECK(contains(refusal(folder.path / "no" / "s.db"), "a folder that does not exist"));
    // Nobody can make a file there, not even root: as on a disk that is mounted read-only.
    CHECK(contains(refusal("/proc/softswitch.db"), "/proc/softswitch.db cannot be made: "));
    const auto text = folder.path / "text.db";
    std::ofstream{text} << std::string(10'000, 'x');
    CHECK(contains(refusal(text), "is no database: name another file"));
    CHECK(bytes_of(text) == std::string(10'000, 'x'));
}

TEST_CASE("softswitch::database: a damaged file is refused when it is opened") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    {
        auto rows = open_store(file, box);
        REQUIRE(rows);
        auto trunk = full_trunk("one");
        for (int i = 0; i < 2'000; ++i) {
            trunk.numbers.push_back(
                {fmt::format("n{}", i), "one", fmt::format("+1{}", i), "", "", ""});
        }
        REQUIRE((*rows)->insert_trunk(trunk));
    }
    auto bytes = bytes_of(file);
    REQUIRE(bytes.size() > 100'000);
    // Each page but the first, whose loss makes it no database at all.
    for (std::size_t at = 8'192; at < bytes.size(); at += 4'096) {
        for (std::size_t i = 0; i < 64; ++i) bytes[at + i] = static_cast<char>(0xa5);
    }
    std::ofstream{file, std::ios::binary} << bytes;
    CHECK(contains(refusal(file), "s.db is damaged: put a backup in its place"));
}

TEST_CASE("softswitch::database: a full disk is said, and leaves all as it was") {
    const scratch folder;
    const auto rows = opened(folder.path / "s.db");
    REQUIRE(rows->script("CREATE TABLE t (x TEXT) STRICT; INSERT INTO t VALUES ('before')"));
    REQUIRE(rows->script("PRAGMA max_page_count = 4"));
    const std::string large(100'000, 'x');
    const auto done = rows->whole([&]() -> stored<void> {
        if (auto first = rows->run("INSERT INTO t VALUES ('small')"); !first) {
            return first.reason();
        }
        if (auto second = rows->run("INSERT INTO t VALUES (?)", {large}); !second) {
            return second.reason();
        }
        return {};
    });
    REQUIRE(!done);
    CHECK(done.reason().fault == store_fault::broken);
    CHECK(contains(done.reason().message, "s.db is full: make room, and try again"));
    CHECK(*rows->number("SELECT count(*) FROM t") == 1);
    REQUIRE(rows->script("PRAGMA max_page_count = 1000"));
    CHECK(rows->run("INSERT INTO t VALUES (?)", {large}));
}

TEST_CASE("softswitch::database: a text that is one too many is taken, and a bad one is refused") {
    const scratch folder;
    const auto rows = opened(folder.path / "s.db");
    REQUIRE(rows->script("CREATE TABLE t (x TEXT UNIQUE CHECK (x <> '')) STRICT"));
    CHECK(*rows->run("INSERT INTO t VALUES (?)", {"a"}) == 1);
    CHECK(rows->run("INSERT INTO t VALUES (?)", {"a"}).reason().fault == store_fault::taken);
    CHECK(rows->run("INSERT INTO t VALUES (?)", {std::string_view{}}).reason().fault ==
          store_fault::broken);
    CHECK(rows->run("UPDATE t SET x = ?", {7}).has_value()); // STRICT makes it the text "7".
    CHECK(contains(rows->script("NO SUCH WORD").reason().message, "syntax error"));
}

TEST_CASE("softswitch::database: another key is found out when it is opened") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    REQUIRE(open_store(file, box));
    CHECK(contains(refusal(file, secret_box{key_of(2)}),
                   "is encrypted with another key: give the one that it was made with"));
    CHECK(open_store(file, box));
}

TEST_CASE("softswitch::database: passwords and tokens cannot be read from the file") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    REQUIRE((*open_store(file, box))->insert_trunk(full_trunk("one")));
    const auto bytes = bytes_of(file);
    CHECK(contains(bytes, "name-one"));
    CHECK(!contains(bytes, "hunter2"));
}

TEST_CASE("softswitch::database: a password that was moved to another trunk is refused") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    {
        auto rows = open_store(file, box);
        REQUIRE((*rows)->insert_trunk(full_trunk("one")));
        REQUIRE((*rows)->insert_trunk(full_trunk("two")));
    }
    REQUIRE(opened(file)->run("UPDATE trunk SET auth_password = "
                              "(SELECT auth_password FROM trunk WHERE id = 'one')"));
    auto rows = open_store(file, box);
    REQUIRE(rows);
    CHECK((*rows)->trunk("one")->auth_password == "hunter2-one");
    const auto wrong = (*rows)->trunks();
    REQUIRE(!wrong);
    CHECK(contains(wrong.reason().message, "the password of trunk `name-two`"));
}

TEST_CASE("softswitch::migrations: a newer database, or another program's, is left as it is") {
    const scratch folder;
    const auto newer = folder.path / "newer.db";
    REQUIRE(open_store(newer, box));
    REQUIRE(opened(newer)->script("PRAGMA user_version = 99"));
    CHECK(contains(refusal(newer), "is of version 99, and this softswitch knows versions up to"));
    CHECK(*opened(newer)->number("PRAGMA user_version") == 99);
    const auto foreign = folder.path / "foreign.db";
    REQUIRE(opened(foreign)->script("CREATE TABLE theirs (x)"));
    CHECK(contains(refusal(foreign), "is the database of another program"));
    CHECK(*opened(foreign)->number("SELECT count(*) FROM sqlite_schema") == 1);
}

/// As trunks are that are older than what says which numbers they dial.
void without_guard(trunk_row& what) {
    const trunk_row fresh;
    what.allow_prefixes = fresh.allow_prefixes;
    what.deny_prefixes = fresh.deny_prefixes;
    what.calls_per_token = fresh.calls_per_token;
    what.allow_emergency = fresh.allow_emergency;
    what.rtp_symmetric = fresh.rtp_symmetric;
    what.media_from = fresh.media_from;
}

TEST_CASE("softswitch::migrations: trunks of the first version go on, and register if told to") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    auto old = full_trunk("one");
    old.register_expires = 0;
    old.cps = trunkline::trunk_config{}.calls_per_second;
    without_guard(old);
    REQUIRE((*open_store(file, box))->insert_trunk(old));
    REQUIRE(opened(file)->script("ALTER TABLE trunk DROP COLUMN register_expires;"
                                 "ALTER TABLE trunk DROP COLUMN cps;"
                                 "ALTER TABLE trunk DROP COLUMN allow_prefixes;"
                                 "ALTER TABLE trunk DROP COLUMN deny_prefixes;"
                                 "ALTER TABLE trunk DROP COLUMN calls_per_token;"
                                 "ALTER TABLE trunk DROP COLUMN allow_emergency;"
                                 "ALTER TABLE trunk DROP COLUMN rtp_symmetric;"
                                 "ALTER TABLE trunk DROP COLUMN media_from;"
                                 "PRAGMA user_version = 1"));
    auto rows = *open_store(file, box);
    CHECK(text_of(*rows->trunk("one")) == text_of(old));
    old.register_expires = 120;
    REQUIRE(rows->update_trunk(old));
    CHECK(text_of(*rows->trunk("one")) == text_of(old));
}

TEST_CASE("softswitch::migrations: a trunk from before the dialling guard denies what is costly") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    REQUIRE((*open_store(file, box))->insert_trunk(full_trunk("one")));
    REQUIRE(opened(file)->script("ALTER TABLE trunk DROP COLUMN allow_prefixes;"
                                 "ALTER TABLE trunk DROP COLUMN deny_prefixes;"
                                 "ALTER TABLE trunk DROP COLUMN calls_per_token;"
                                 "ALTER TABLE trunk DROP COLUMN allow_emergency;"
                                 "ALTER TABLE trunk DROP COLUMN rtp_symmetric;"
                                 "ALTER TABLE trunk DROP COLUMN media_from;"
                                 "PRAGMA user_version = 3"));
    auto rows = *open_store(file, box);
    auto expected = full_trunk("one");
    without_guard(expected);
    CHECK(text_of(*rows->trunk("one")) == text_of(expected));
    CHECK_FALSE(rows->trunk("one")->deny_prefixes); // The library's own.
    // An empty list is another thing than none.
    expected.deny_prefixes.emplace();
    REQUIRE(rows->update_trunk(expected));
    REQUIRE(rows->trunk("one")->deny_prefixes);
    CHECK(rows->trunk("one")->deny_prefixes->empty());
}

TEST_CASE("softswitch::migrations: an empty file becomes a database, once") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    std::ofstream{file} << "";
    const auto rows = opened(file);
    REQUIRE(migrate(*rows));
    CHECK(*rows->number("PRAGMA user_version") == newest_version());
    CHECK(*rows->number("SELECT count(*) FROM sqlite_schema WHERE sql NOT LIKE '%STRICT%' "
                        "AND type = 'table'") == 0);
    REQUIRE(rows->run("INSERT INTO key_check VALUES (1, 'x')"));
    REQUIRE(migrate(*rows));
    CHECK(*rows->number("SELECT count(*) FROM key_check") == 1);
}

TEST_CASE("softswitch::migrations: a trunk from before there was a rate has the library's") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    {
        const auto rows = open_store(file, box);
        REQUIRE(rows);
        REQUIRE((*rows)->insert_trunk(full_trunk("one")));
    }
    REQUIRE(opened(file)->script("ALTER TABLE trunk DROP COLUMN cps;"
                                 "ALTER TABLE trunk DROP COLUMN allow_prefixes;"
                                 "ALTER TABLE trunk DROP COLUMN deny_prefixes;"
                                 "ALTER TABLE trunk DROP COLUMN calls_per_token;"
                                 "ALTER TABLE trunk DROP COLUMN allow_emergency;"
                                 "ALTER TABLE trunk DROP COLUMN rtp_symmetric;"
                                 "ALTER TABLE trunk DROP COLUMN media_from;"
                                 "PRAGMA user_version = 2"));
    const auto rows = open_store(file, box);
    REQUIRE(rows);
    const auto read = (*rows)->trunk("one");
    REQUIRE(read);
    auto expected = full_trunk("one");
    expected.cps = trunkline::trunk_config{}.calls_per_second;
    without_guard(expected);
    CHECK(text_of(*read) == text_of(expected));
}

TEST_CASE("softswitch::database: one number more leaves ten thousand others where they are") {
    const scratch folder;
    const auto file = folder.path / "s.db";
    auto rows = open_store(file, box);
    REQUIRE(rows);
    auto trunk = full_trunk("one");
    for (int i = 0; i < 10'000; ++i) {
        trunk.numbers.push_back(
            {fmt::format("n{:05}", i), "one", fmt::format("+1415{:07}", i), "", "echo", ""});
    }
    REQUIRE((*rows)->insert_trunk(trunk));
    // All of them are taken over from the WAL, which then begins anew.
    rows = open_store(file, box);
    REQUIRE(opened(file)->script("PRAGMA wal_checkpoint(TRUNCATE)"));
    const auto wal = folder.path / "s.db-wal";
    REQUIRE(std::filesystem::file_size(wal) == 0);
    REQUIRE((*rows)->insert_number({"n", "one", "+442071838750", "", "", ""}));
    // The row, two unique indices and what is above them: three pages of 4 KiB, not two hundred.
    CHECK(std::filesystem::file_size(wal) < std::uintmax_t{8} * 4'120);
}

} // namespace
} // namespace softswitch
