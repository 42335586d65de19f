#include "store/sqlite_store.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scratch.hpp"
#include "store/token.hpp"
#include "store_rows.hpp"

namespace softswitch {
namespace {

using namespace std::string_literals;

/// A store in a file of its own.
struct filed {
    scratch folder{};
    std::filesystem::path file = folder.path / "s.db";
    std::unique_ptr<store> rows = open();

    [[nodiscard]] std::unique_ptr<store> open() const {
        auto opened = open_store(file, secret_box{key_of(1)});
        if (!opened) FAIL(opened.reason().message);
        return *std::move(opened);
    }
    /// What there is, as the next process finds it.
    [[nodiscard]] std::string found() {
        rows.reset();
        rows = open();
        const auto all = rows->trunks();
        if (!all) FAIL(all.reason().message);
        std::string text;
        for (const auto& one : *all) text += text_of(one);
        return text;
    }
};

void check_fault(const stored<void>& what, store_fault fault, std::string_view field,
                 std::string_view sentence) {
    REQUIRE(!what);
    CHECK(what.reason().fault == fault);
    CHECK(what.reason().field == field);
    CHECK(what.reason().message == sentence);
}

TEST_CASE("softswitch::store: a trunk is found again with all that is in it, in the same order") {
    filed in;
    CHECK(in.found().empty());
    const auto one = full_trunk("one");
    auto two = full_trunk("two");
    std::swap(two.gateways[0], two.gateways[1]);
    std::swap(two.numbers[0], two.numbers[1]);
    trunk_row bare;
    bare.id = "bare";
    bare.name = "bare";
    for (const auto& trunk : {two, bare, one}) REQUIRE(in.rows->insert_trunk(trunk));
    CHECK(in.found() == text_of(two) + text_of(bare) + text_of(one));
    const auto read = in.rows->trunk("one");
    REQUIRE(read);
    CHECK(text_of(*read) == text_of(one));
    check_fault(in.rows->trunk("three") ? stored<void>{} : in.rows->trunk("three").reason(),
                store_fault::absent, "", "there is no trunk `three`");
    CHECK(!in.rows->trunk(""));
}

TEST_CASE("softswitch::store: an update changes a trunk's own columns and nothing else") {
    filed in;
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    REQUIRE(in.rows->insert_trunk(full_trunk("two")));
    trunk_row changed;
    changed.id = "one";
    changed.name = "another name";
    changed.auth_password = "other";
    changed.updated_at = "2026-08-03T00:00:00.000Z";
    REQUIRE(in.rows->update_trunk(changed));
    changed.created_at = full_trunk("one").created_at;
    changed.gateways = full_trunk("one").gateways;
    changed.ip_acls = full_trunk("one").ip_acls;
    changed.numbers = full_trunk("one").numbers;
    CHECK(in.found() == text_of(changed) + text_of(full_trunk("two")));
    changed.id = "three";
    changed.name = "three";
    check_fault(in.rows->update_trunk(changed), store_fault::absent, "",
                "there is no trunk `three`");
}

TEST_CASE("softswitch::store: names are unique, and a trunk may keep its own") {
    filed in;
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    auto other = full_trunk("two");
    other.name = "name-one";
    const auto sentence = "there is a trunk `name-one` already: choose another name";
    check_fault(in.rows->insert_trunk(other), store_fault::taken, "name", sentence);
    CHECK(in.found() == text_of(full_trunk("one")));
    REQUIRE(in.rows->insert_trunk(full_trunk("two")));
    check_fault(in.rows->update_trunk(other), store_fault::taken, "name", sentence);
    CHECK(in.rows->update_trunk(full_trunk("two")));
    CHECK(in.found() == text_of(full_trunk("one")) + text_of(full_trunk("two")));
}

TEST_CASE("softswitch::store: a number stands once in a trunk, with or without plus") {
    filed in;
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    REQUIRE(in.rows->insert_trunk(full_trunk("two"))); // The same numbers, another trunk.
    check_fault(in.rows->insert_number({"x", "one", "14155550100", "", "", ""}), store_fault::taken,
                "e164", "the number 14155550100 stands already in trunk `name-one`");
    check_fault(in.rows->insert_number({"x", "one", "*", "", "", ""}), store_fault::taken, "e164",
                "the number * stands already in trunk `name-one`");
    REQUIRE(in.rows->insert_number({"x", "one", "14155550101", "", "", ""}));
    check_fault(in.rows->update_number({"x", "one", "+14155550100", "", "", ""}),
                store_fault::taken, "e164",
                "the number +14155550100 stands already in trunk `name-one`");
    CHECK(in.rows->update_number({"x", "one", "+14155550101", "k", "hold", "echo"}));
    auto one = full_trunk("one");
    one.numbers.push_back({"x", "one", "+14155550101", "k", "hold", "echo"});
    CHECK(in.found() == text_of(one) + text_of(full_trunk("two")));
}

TEST_CASE("softswitch::store: a trunk of which one number is taken is not there at all") {
    filed in;
    auto wrong = full_trunk("one");
    wrong.numbers.push_back({"x", "one", "14155550100", "", "", ""});
    check_fault(in.rows->insert_trunk(wrong), store_fault::taken, "e164",
                "the number 14155550100 stands already in trunk `name-one`");
    CHECK(in.found().empty());
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    wrong = full_trunk("two");
    wrong.numbers[1].id = "one-n1";
    check_fault(in.rows->insert_trunk(wrong), store_fault::taken, "id",
                "there is a number `one-n1` already");
    CHECK(in.found() == text_of(full_trunk("one")));
}

TEST_CASE("softswitch::store: gateways and sources come and go one by one") {
    filed in;
    auto want = full_trunk("one");
    REQUIRE(in.rows->insert_trunk(want));
    REQUIRE(in.rows->insert_gateway("one", {"g", "192.0.2.9", 5099, 3}));
    REQUIRE(in.rows->insert_ip_acl("one", {"a", "192.0.2.9/32"}));
    REQUIRE(in.rows->update_gateway("one", {"one-g1", "192.0.2.7", 5070, 0}));
    REQUIRE(in.rows->erase_gateway("one", "one-g2"));
    REQUIRE(in.rows->erase_ip_acl("one", "one-a1"));
    REQUIRE(in.rows->erase_number("one-n1"));
    want.gateways = {{"one-g1", "192.0.2.7", 5070, 0}, {"g", "192.0.2.9", 5099, 3}};
    want.ip_acls = {want.ip_acls[1], {"a", "192.0.2.9/32"}};
    want.numbers.erase(want.numbers.begin());
    CHECK(in.found() == text_of(want));
}

TEST_CASE("softswitch::store: what is not there, or in another trunk, is absent") {
    filed in;
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    REQUIRE(in.rows->insert_trunk(full_trunk("two")));
    const auto before = in.found();
    const auto absent = store_fault::absent;
    check_fault(in.rows->insert_gateway("no", {"g", "h", 1, 1}), absent, "",
                "there is no trunk `no`");
    check_fault(in.rows->insert_ip_acl("no", {"a", "c"}), absent, "", "there is no trunk `no`");
    check_fault(in.rows->insert_number({"n", "no", "+1", "", "", ""}), absent, "",
                "there is no trunk `no`");
    check_fault(in.rows->update_gateway("two", {"one-g1", "h", 1, 1}), absent, "",
                "there is no gateway `one-g1`");
    check_fault(in.rows->erase_gateway("two", "one-g1"), absent, "",
                "there is no gateway `one-g1`");
    check_fault(in.rows->erase_ip_acl("two", "one-a1"), absent, "", "there is no source `one-a1`");
    check_fault(in.rows->update_number({"one-n1", "two", "+1", "", "", ""}), absent, "",
                "there is no number `one-n1`");
    check_fault(in.rows->erase_number("no"), absent, "", "there is no number `no`");
    check_fault(in.rows->erase_trunk("no"), absent, "", "there is no trunk `no`");
    CHECK(!in.rows->number("no"));
    CHECK(text_of(*in.rows->number("one-n1")) == text_of(full_trunk("one").numbers[0]));
    CHECK(in.found() == before);
}

TEST_CASE("softswitch::store: what was in a trunk goes with it") {
    filed in;
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    REQUIRE(in.rows->erase_trunk("one"));
    CHECK(!in.rows->number("one-n1"));
    // Ids are free again, so nothing is left of it.
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    CHECK(in.found() == text_of(full_trunk("one")));
}

TEST_CASE("softswitch::store: text that peers or people sent is data and comes back as it was") {
    filed in;
    auto odd = full_trunk("one");
    odd.name = "'); DROP TABLE trunk; --";
    odd.description = "a\0b\n\"?1 \xff\xf0\x9f\x93\x9e"s;
    odd.auth_password = "p'\"%";
    REQUIRE(in.rows->insert_trunk(odd));
    CHECK(in.found() == text_of(odd));
    CHECK(!in.rows->erase_trunk("' OR 1=1 --"));
    CHECK(!in.rows->erase_trunk("%"));
    odd.id = "two";
    odd.name = std::string(101, 'x');
    CHECK(in.rows->insert_trunk(odd).reason().fault == store_fault::broken);
}

TEST_CASE("softswitch::store: a token is known by its hash until it is revoked") {
    filed in;
    const auto hash = token_hash("tl_secret");
    CHECK_FALSE(*in.rows->find_token(hash));
    REQUIRE(in.rows->add_token({"laptop", "2026-08-02T06:30:00.123Z"}, hash));
    REQUIRE(in.rows->add_token({"ci", "2026-08-02T06:31:00.123Z"}, token_hash("tl_other")));
    check_fault(in.rows->add_token({"ci", ""}, token_hash("x")), store_fault::taken, "name",
                "there is a token `ci` already: revoke it, or choose another name");
    in.rows = in.open();
    CHECK(**in.rows->find_token(hash) == "laptop");
    CHECK_FALSE(*in.rows->find_token("tl_secret"));
    CHECK_FALSE(*in.rows->find_token(""));
    const auto all = in.rows->tokens();
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    CHECK((*all)[0].name == "laptop");
    CHECK((*all)[1].created_at == "2026-08-02T06:31:00.123Z");
    REQUIRE(in.rows->erase_token("laptop"));
    CHECK_FALSE(*in.rows->find_token(hash));
    check_fault(in.rows->erase_token("laptop"), store_fault::absent, "",
                "there is no token `laptop`");
}

TEST_CASE("softswitch::store: an answer is kept for a day, and the first one counts") {
    filed in;
    constexpr std::int64_t now = 1'785'652'200;
    CHECK(*in.rows->keep_answer("key", {"digest", 201, "{}"}, now) == std::nullopt);
    in.rows = in.open();
    const auto kept = in.rows->keep_answer("key", {"another", 202, "[]"}, now + 86'399);
    REQUIRE(kept);
    REQUIRE(*kept);
    CHECK((*kept)->request_digest == "digest");
    CHECK((*kept)->status == 201);
    CHECK((*kept)->body == "{}");
    CHECK(*in.rows->keep_answer("other", {"d", 200, ""}, now + 86'399) == std::nullopt);
    CHECK(*in.rows->keep_answer("key", {"another", 202, "[]"}, now + 86'400) == std::nullopt);
    CHECK((*in.rows->keep_answer("key", {}, now + 86'400))->status == 202);
}

TEST_CASE("softswitch::store: an answer is found for a day to the second, and not after it") {
    filed in;
    constexpr std::int64_t now = 1'785'652'200;
    CHECK(*in.rows->find_answer("key", now) == std::nullopt);
    REQUIRE(in.rows->keep_answer("key", {"digest", 201, "{}"}, now));
    REQUIRE(in.rows->keep_answer("later", {"digest", 201, "{}"}, now + 1));
    CHECK((*in.rows->find_answer("key", now + 86'399))->status == 201);
    CHECK(*in.rows->find_answer("key", now + 86'400) == std::nullopt);
    CHECK((*in.rows->find_answer("later", now + 86'400))->status == 201);
    CHECK(*in.rows->find_answer("another", now) == std::nullopt);
}

TEST_CASE("softswitch::store: two processes may have it open, and see what the other one did") {
    filed in;
    const auto other = in.open();
    REQUIRE(other->add_token({"ci", ""}, token_hash("x")));
    CHECK(*in.rows->find_token(token_hash("x")));
    REQUIRE(in.rows->insert_trunk(full_trunk("one")));
    CHECK(other->trunks()->size() == 1);
    REQUIRE(other->erase_token("ci"));
    CHECK_FALSE(*in.rows->find_token(token_hash("x")));
}

} // namespace
} // namespace softswitch
