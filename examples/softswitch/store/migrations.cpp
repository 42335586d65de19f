#include "migrations.hpp"

#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "text.hpp"

namespace softswitch {

namespace {

/// "tkln": what tells our files from those of other programs that use SQLite.
constexpr std::int64_t application_id = 0x746b'6c6e;

/// `position` is the order in which rows were added. E.164 numbers with and without "+" are the
/// same number.
constexpr const char* first = R"sql(
CREATE TABLE key_check (
    position INTEGER PRIMARY KEY CHECK (position = 1),
    sealed TEXT NOT NULL
) STRICT;

CREATE TABLE trunk (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (id <> ''),
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    description TEXT NOT NULL,
    preset TEXT NOT NULL,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    inbound_enabled INTEGER NOT NULL CHECK (inbound_enabled IN (0, 1)),
    outbound_enabled INTEGER NOT NULL CHECK (outbound_enabled IN (0, 1)),
    channels INTEGER NOT NULL CHECK (channels BETWEEN 1 AND 1000),
    default_inbound_agent_id TEXT NOT NULL,
    fallback_agent_id TEXT NOT NULL,
    auth_username TEXT NOT NULL,
    auth_password TEXT NOT NULL CHECK (auth_password = '' OR auth_password LIKE 'v1.%'),
    transport TEXT NOT NULL,
    outbound_leading_plus_enabled INTEGER NOT NULL CHECK (outbound_leading_plus_enabled IN (0, 1)),
    caller_id TEXT NOT NULL,
    codecs TEXT NOT NULL CHECK (codecs <> ''),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE gateway (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (id <> ''),
    trunk_id TEXT NOT NULL REFERENCES trunk (id) ON DELETE CASCADE,
    host TEXT NOT NULL CHECK (host <> ''),
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    priority INTEGER NOT NULL CHECK (priority >= 0)
) STRICT;
CREATE INDEX gateway_of_trunk ON gateway (trunk_id);

CREATE TABLE ip_acl (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (id <> ''),
    trunk_id TEXT NOT NULL REFERENCES trunk (id) ON DELETE CASCADE,
    cidr TEXT NOT NULL CHECK (cidr <> '')
) STRICT;
CREATE INDEX ip_acl_of_trunk ON ip_acl (trunk_id);

CREATE TABLE number (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (id <> ''),
    trunk_id TEXT NOT NULL REFERENCES trunk (id) ON DELETE CASCADE,
    e164 TEXT NOT NULL CHECK (e164 <> ''),
    destination_key TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    fallback_agent_id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX number_of_trunk ON number (trunk_id, ltrim(e164, '+'));

CREATE TABLE token (
    position INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE answer (
    key TEXT PRIMARY KEY,
    request_digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    kept_unix_s INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_by_age ON answer (kept_unix_s);
)sql";

/// Trunks that register, and for how many seconds; 0 for all others.
constexpr const char* second = R"sql(
ALTER TABLE trunk ADD COLUMN register_expires INTEGER NOT NULL DEFAULT 0
    CHECK (register_expires = 0 OR register_expires BETWEEN 60 AND 3600);
)sql";

/// What trunks had before was no limit; this one is what the library has where nothing is said.
constexpr const char* third = R"sql(
ALTER TABLE trunk ADD COLUMN cps INTEGER NOT NULL DEFAULT 30 CHECK (cps BETWEEN 1 AND 10000);
)sql";

/// Which numbers are dialled: lists with commas. "*" stands for the library's own list of what is
/// not, which trunks from before have from now on, too.
constexpr const char* fourth = R"sql(
ALTER TABLE trunk ADD COLUMN allow_prefixes TEXT NOT NULL DEFAULT '';
ALTER TABLE trunk ADD COLUMN deny_prefixes TEXT NOT NULL DEFAULT '*';
ALTER TABLE trunk ADD COLUMN calls_per_token INTEGER NOT NULL DEFAULT 0
    CHECK (calls_per_token BETWEEN 0 AND 1000);
ALTER TABLE trunk ADD COLUMN allow_emergency INTEGER NOT NULL DEFAULT 0
    CHECK (allow_emergency IN (0, 1));
)sql";

/// Which sources of media are believed, as the library has it where nothing is said.
constexpr const char* fifth = R"sql(
ALTER TABLE trunk ADD COLUMN rtp_symmetric TEXT NOT NULL DEFAULT 'auto'
    CHECK (rtp_symmetric IN ('off', 'auto', 'any'));
ALTER TABLE trunk ADD COLUMN media_from TEXT NOT NULL DEFAULT '';
)sql";

/// A step that was released is never changed: the next one changes what it made.
constexpr std::array steps{first, second, third, fourth, fifth};

[[nodiscard]] stored<void> is_ours(database& what, std::int64_t version) {
    const auto refused = [&](std::string sentence) {
        return store_error{store_fault::broken, {}, std::move(sentence)};
    };
    const auto name = printable(what.file().string());
    const auto mark = what.number("PRAGMA application_id");
    if (!mark) return mark.reason();
    const auto filled = what.any("SELECT 1 FROM sqlite_schema LIMIT 1");
    if (!filled) return filled.reason();
    if (*filled && *mark != application_id) {
        return refused(
            fmt::format("{} is the database of another program: name another file", name));
    }
    if (version < 0 || version > newest_version()) {
        return refused(fmt::format("{} is of version {}, and this softswitch knows versions up to "
                                   "{}: run the newer one, or name another file",
                                   name, version, newest_version()));
    }
    return {};
}

} // namespace

std::int64_t newest_version() {
    return static_cast<std::int64_t>(steps.size());
}

stored<void> migrate(database& what) {
    for (;;) {
        auto version = what.number("PRAGMA user_version");
        if (!version) return version.reason();
        if (auto ours = is_ours(what, *version); !ours) return ours;
        if (*version == newest_version()) return {};
        auto stepped = what.whole([&]() -> stored<void> {
            // Another process may have been faster.
            version = what.number("PRAGMA user_version");
            if (!version) return version.reason();
            if (*version >= newest_version()) return {};
            if (auto done = what.script(steps.at(static_cast<std::size_t>(*version))); !done) {
                return done;
            }
            return what.script(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                           application_id, *version + 1)
                                   .c_str());
        });
        if (!stepped) return stepped;
    }
}

} // namespace softswitch
