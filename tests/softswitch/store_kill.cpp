// kill -9 at random moments of a process that writes to the store: whatever it said was written is
// there, whatever it did not say is there as a whole or not at all, and the file always opens.
// store_kill [ROUNDS [SEED]]
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <trunkline/core/entropy.hpp>

#include "scratch.hpp"
#include "store/database.hpp"
#include "store/sqlite_store.hpp"
#include "store_rows.hpp"

namespace {

using namespace softswitch;

using rows = std::vector<trunk_row>;

/// How many there are at a time.
constexpr std::uint64_t kept_trunks = 6;
constexpr std::uint64_t longest_us = 1'000'000;

[[nodiscard]] trunk_row large_trunk(std::uint64_t number) {
    auto made = full_trunk(fmt::format("t{}", number));
    for (int i = 0; i < 40; ++i) {
        made.numbers.push_back({fmt::format("t{}-m{}", number, i), made.id,
                                fmt::format("+4420718387{:02}", i), "", "echo", ""});
    }
    return made;
}

[[nodiscard]] number_row one_number(std::uint64_t operation, const std::string& trunk) {
    return {fmt::format("n{}", operation), trunk, fmt::format("+1415{:07}", operation), "", "", ""};
}

/// Operation after operation, each decided by its number: on the database, and on what we expect of
/// it.
[[nodiscard]] bool write(store& to, std::uint64_t operation) {
    const auto group = operation / 4;
    const auto trunk = fmt::format("t{}", group);
    switch (operation % 4) {
    case 0: return to.insert_trunk(large_trunk(group)).has_value();
    case 1: return to.insert_number(one_number(operation, trunk)).has_value();
    case 2: {
        auto changed = large_trunk(group);
        changed.description = fmt::format("changed by {}", operation);
        changed.auth_password = fmt::format("password {}", operation);
        return to.update_trunk(changed).has_value();
    }
    default:
        if (group < kept_trunks) return true;
        return to.erase_trunk(fmt::format("t{}", group - kept_trunks)).has_value();
    }
}

void expect(rows& of, std::uint64_t operation) {
    const auto group = operation / 4;
    switch (operation % 4) {
    case 0: of.push_back(large_trunk(group)); break;
    case 1: of.back().numbers.push_back(one_number(operation, of.back().id)); break;
    case 2:
        of.back().description = fmt::format("changed by {}", operation);
        of.back().auth_password = fmt::format("password {}", operation);
        break;
    default:
        if (group >= kept_trunks) of.erase(of.begin());
    }
}

[[nodiscard]] std::string text_of(const rows& all) {
    std::string text;
    for (const auto& one : all) text += softswitch::text_of(one);
    return text;
}

[[nodiscard]] secret_box box() {
    return secret_box{key_of(7)};
}

/// The child: opens, writes, and says the number of each operation that was done.
[[noreturn]] void write_until_killed(const std::filesystem::path& file, std::uint64_t next,
                                     int acknowledge) {
    auto to = open_store(file, box());
    if (!to) {
        fmt::print(stderr, "the writer: {}\n", to.reason().message);
        std::_Exit(1);
    }
    for (;; ++next) {
        if (!write(**to, next)) {
            fmt::print(stderr, "the writer: operation {} was refused\n", next);
            std::_Exit(1);
        }
        if (::write(acknowledge, &next, sizeof next) != sizeof next) std::_Exit(1);
    }
}

/// One child, killed after so long; how many operations it said were done. False when it ended by
/// itself.
[[nodiscard]] bool run_and_kill(const std::filesystem::path& file, std::uint64_t& next,
                                unsigned microseconds) {
    int ends[2];
    if (::pipe(ends) != 0) return false;
    const auto child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        write_until_killed(file, next, ends[1]);
    }
    ::close(ends[1]);
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    std::uint64_t done = 0;
    while (::read(ends[0], &done, sizeof done) == sizeof done) next = done + 1;
    ::close(ends[0]);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

[[nodiscard]] bool is_sound(const std::filesystem::path& file) {
    const auto opened = database::open(file);
    if (!opened) return false;
    std::string said;
    const auto checked = (*opened)->each("PRAGMA integrity_check", {},
                                         [&](const sql_row& row) { said += row.text(0); });
    const auto orphans = (*opened)->any("PRAGMA foreign_key_check");
    return checked && said == "ok" && orphans && !*orphans;
}

} // namespace

int main(int argc, char** argv) {
    const auto rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
    const auto seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    trunkline::seeded_entropy random{seed};
    const scratch folder;
    const auto file = folder.path / "s.db";
    rows wanted;
    std::uint64_t next = 0;
    std::uint64_t span = 40'000;
    unsigned long midway = 0;
    unsigned long unacknowledged = 0;
    const auto fail = [&](unsigned long round, const std::string& what) {
        fmt::print(stderr, "round {}, operation {}: {}\n", round, next, what);
        return 1;
    };
    for (unsigned long round = 0; round < rounds; ++round) {
        const auto first = next;
        // Short ones end while the file is made or opened, long ones among writes: on a slow
        // machine, they are longer.
        if (2 * midway < round && span < longest_us) span *= 2;
        const auto after = random.below(round % 4 == 0 ? span / 4 : span);
        if (!run_and_kill(file, next, static_cast<unsigned>(after))) {
            return fail(round, "the writer ended by itself");
        }
        for (auto done = first; done < next; ++done) expect(wanted, done);
        midway += next != first ? 1 : 0;
        auto reopened = open_store(file, box());
        if (!reopened) return fail(round, reopened.reason().message);
        const auto found = (*reopened)->trunks();
        if (!found) return fail(round, found.reason().message);
        const auto text = text_of(*found);
        if (text != text_of(wanted)) {
            // The one that was being written may have been done; no other, and not a part of it.
            expect(wanted, next++);
            ++unacknowledged;
            if (text != text_of(wanted)) return fail(round, "a write was lost, or half done");
        }
        if (!is_sound(file)) return fail(round, "the file is not sound");
    }
    fmt::print("{} kills, {} of them among writes, {} of a write that was done and not yet said; "
               "{} writes were acknowledged, none is lost\n",
               rounds, midway, unacknowledged, next - unacknowledged);
    return midway * 4 >= rounds ? 0 : fail(rounds, "hardly a kill came among writes");
}
