#include <trunkline/sip/digest.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/print.hpp"
#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using namespace std::chrono_literals;
using crypto::hash_algorithm;
using verdict = digest_server::verdict;

TEST_CASE("sip::digest: computes RFC 7616 3.9.1, RFC 2617 3.5 and RFC 2069's form without qop") {
    const std::string_view nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    const std::string_view cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    digest_input from{hash_algorithm::md5,
                      "Mufasa",
                      "Circle of Life",
                      "http-auth@example.org",
                      nonce,
                      "00000001",
                      cnonce,
                      "GET",
                      "/dir/index.html",
                      true};
    CHECK(digest_response(from).view() == "8ca523f5e9506fed4657c9700eebdbec");
    from.algorithm = hash_algorithm::sha256;
    CHECK(digest_response(from).view() ==
          "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");

    const std::string_view old = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    from = {hash_algorithm::md5,
            "Mufasa",
            "Circle Of Life",
            "testrealm@host.com",
            old,
            "00000001",
            "0a4f113b",
            "GET",
            "/dir/index.html",
            true};
    CHECK(digest_response(from).view() == "6629fae49393a05397450978507c4ef1");
    // The example of RFC 2069 section 2.4 as its erratum 749 corrects it.
    from.password = "CircleOfLife";
    from.qop_auth = false;
    CHECK(digest_response(from).view() == "1949323746fe6a43ef61f9606e7febea");
}

TEST_CASE("sip::digest: reads challenges as servers write them") {
    const auto full = challenge_view::parse(
        R"(Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth-int, auth" , )"
        R"(nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=TRUE, algorithm=MD5)");
    REQUIRE(full.has_value());
    CHECK(full->realm == "atlanta.com");
    CHECK(full->nonce == "f84f1cec41e6cbe5aea9c8e88d359");
    CHECK(full->opaque.empty());
    CHECK(full->algorithm == hash_algorithm::md5);
    CHECK(full->algorithm_text == "MD5");
    CHECK(full->qop_auth);
    CHECK(full->stale);

    const auto bare = challenge_view::parse("dIgEsT\tnonce=abc,,realm=\"a, b\"");
    REQUIRE(bare.has_value());
    CHECK(bare->realm == "a, b");
    CHECK(bare->algorithm_text.empty());
    CHECK_FALSE(bare->qop_auth);
    CHECK_FALSE(bare->stale);
    CHECK(challenge_view::parse("Digest nonce=x,algorithm=\"sha-256\"")->algorithm ==
          hash_algorithm::sha256);
}

TEST_CASE("sip::digest: says what is wrong with a challenge, and where") {
    struct row {
        std::string_view text;
        errc code;
        std::uint32_t offset;
    };
    const row table[] = {
        {"", errc::not_supported, 0},
        {"Basic realm=\"x\"", errc::not_supported, 0},
        {"Digestnonce=x", errc::not_supported, 0},
        {"Digest", errc::missing, 6},
        {"Digest realm=\"x\"", errc::missing, 16},
        {"Digest nonce", errc::bad_token, 12},
        {"Digest nonce=", errc::bad_token, 13},
        {"Digest nonce=\"x", errc::bad_quote, 13},
        {"Digest nonce=\"a\\", errc::bad_quote, 13},
        {"Digest nonce=\"a\x01\"", errc::bad_token, 15},
        {"Digest nonce=x y", errc::trailing_bytes, 15},
        {"Digest nonce=x;stale=true", errc::trailing_bytes, 14},
        {"Digest =x", errc::bad_token, 7},
        {"Digest nonce=x, algorithm=MD5-sess", errc::not_supported, 34},
        {"Digest nonce=x, algorithm=SHA-512-256", errc::not_supported, 37},
        {"Digest nonce=x, qop=\"auth-int\"", errc::not_supported, 30},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = challenge_view::parse(row.text);
        CHECK_FALSE(read.has_value());
        if (read) continue;
        CHECK(read.reason() == error{.code = row.code, .offset = row.offset});
    }
    CHECK_FALSE(authorization_view::parse("Basic QWxhZGRpbjo=").has_value());
    CHECK_FALSE(authorization_view::parse("Digest algorithm=x").has_value());
}

/// What the writer put into a header line, without the name.
template <class Write>
[[nodiscard]] std::string line_of(Write write) {
    std::array<std::byte, 2048> room{};
    writer to{room};
    write(to);
    REQUIRE_FALSE(to.failed());
    return std::string{as_text(std::span{room}.first(to.size()))};
}

TEST_CASE("sip::digest_client: answers with what the challenge named, counting the nonce's uses") {
    digest_client client;
    seeded_entropy random{1};
    const auto write = [&](std::string_view method) {
        return line_of([&](writer& to) {
            client.write(to, "bob", "zanzibar", method, "sip:bob@biloxi.com", random);
        });
    };
    CHECK_FALSE(client.ready());
    CHECK(write("INVITE").empty());
    const auto first = challenge_view::parse(
        R"(Digest realm="biloxi.com", nonce="n1", qop="auth", opaque="o", algorithm=MD5)");
    CHECK(client.take(*first, false));
    const auto once = write("INVITE");
    CHECK(once.starts_with("Authorization: Digest username=\"bob\",realm=\"biloxi.com\","
                           "nonce=\"n1\",uri=\"sip:bob@biloxi.com\",response=\""));
    CHECK(once.find(",algorithm=MD5,qop=auth,nc=00000001,cnonce=\"") != std::string::npos);
    CHECK(once.ends_with(",opaque=\"o\"\r\n"));
    CHECK(write("BYE").find(",nc=00000002,") != std::string::npos);

    const auto again = challenge_view::parse(R"(Digest realm="biloxi.com", nonce="n2")");
    CHECK_FALSE(client.take(*again, false)); // Asked again: the password is wrong,
    const auto stale =
        challenge_view::parse(R"(Digest realm="biloxi.com", nonce="n3", stale=true)");
    CHECK(client.take(*stale, true)); // unless it only came too late.
    const auto proxy = write("INVITE");
    CHECK(proxy.starts_with("Proxy-Authorization: Digest "));
    CHECK(proxy.find("nonce=\"n3\"") != std::string::npos);
    // Without qop in the challenge there is none in the answer, and no count (RFC 7616 3.4).
    for (const std::string_view absent : {"qop=", "nc=", "algorithm=", "opaque="}) {
        CHECK(proxy.find(absent) == std::string::npos);
    }
}

TEST_CASE("sip::digest: quoted-pairs are hashed as what they say, and repeated as they stand") {
    const auto challenge = challenge_view::parse(
        R"(Digest realm="The \"Carrier\" \\ Inc", nonce="n\2", opaque="a\"b", info="\"x")");
    REQUIRE(challenge.has_value());
    CHECK(challenge->realm == R"(The \"Carrier\" \\ Inc)");
    CHECK(without_escapes(challenge->realm) == R"(The "Carrier" \ Inc)");
    digest_client client;
    seeded_entropy random{1};
    REQUIRE(client.take(*challenge, false));
    const auto line = line_of([&](writer& to) {
        client.write(to, R"(bo"b)", "zanzibar", "INVITE", "sip:bob@biloxi.com", random);
    });
    CHECK(line.find(R"(username="bo\"b",realm="The \"Carrier\" \\ Inc",nonce="n\2",)") !=
          std::string::npos);
    CHECK(line.find(R"(,opaque="a\"b")") != std::string::npos);
    // RFC 7616 section 3.4.1 without qop, spelled out.
    const auto a1 = crypto::hash(hash_algorithm::md5, {R"(bo"b:The "Carrier" \ Inc:zanzibar)"});
    const auto a2 = crypto::hash(hash_algorithm::md5, {"INVITE:sip:bob@biloxi.com"});
    const auto expected = crypto::hash(hash_algorithm::md5, {a1.view(), ":n2:", a2.view()});
    CHECK(line.find("response=\"" + std::string{expected.view()} + '"') != std::string::npos);
}

TEST_CASE("sip::digest_client: a new nonce is counted from one again") {
    digest_client client;
    seeded_entropy random{1};
    for (const auto* nonce : {"n1", "n2"}) {
        const auto text =
            "Digest realm=\"r\", qop=\"auth\", stale=true, nonce=\"" + std::string{nonce} + '"';
        REQUIRE(client.take(*challenge_view::parse(text), false));
        for (const auto* count : {",nc=00000001,", ",nc=00000002,"}) {
            const auto line = line_of(
                [&](writer& to) { client.write(to, "u", "p", "INVITE", "sip:b@h", random); });
            CHECK(line.find(count) != std::string::npos);
        }
    }
}

struct exchange {
    digest_server server{digest_server::key{std::byte{7}}};
    digest_server::account account{"example.com", "alice", "secret"};
    endpoint source{address::v4(192, 0, 2, 1), 5060};
    std::string requested = "sip:x@h";
    time_point now{1000s};

    /// A challenge value of ours; 0 is SHA-256, 1 is MD5.
    [[nodiscard]] std::string challenge(int which = 0, std::string_view call_id = "call") {
        const auto lines = line_of([&](writer& to) {
            server.write_challenge(to, account.realm, source, call_id, false, now);
        });
        const auto second = lines.find("\r\n") + 2;
        const auto line = which == 0 ? lines.substr(0, second) : lines.substr(second);
        return line.substr(18, line.size() - 20);
    }
    /// An Authorization value for it.
    [[nodiscard]] std::string answer(std::string_view to_what, std::string_view user,
                                     std::string_view password, unsigned uses = 1,
                                     std::string_view uri = "sip:x@h") {
        digest_client client;
        seeded_entropy random{uses};
        REQUIRE(client.take(*challenge_view::parse(to_what), false));
        std::string line;
        for (unsigned i = 0; i < uses; ++i) {
            line = line_of(
                [&](writer& to) { client.write(to, user, password, "INVITE", uri, random); });
        }
        return line.substr(15, line.size() - 17);
    }
    [[nodiscard]] verdict check(const std::string& value, std::string_view method = "INVITE",
                                std::string_view call_id = "call") {
        const auto read = authorization_view::parse(value);
        REQUIRE(read.has_value());
        const auto uri = uri_view::parse(requested);
        REQUIRE(uri.has_value());
        return server.check(*read, account, {method, *uri, source, call_id}, now);
    }
};

TEST_CASE("sip::digest_server: a challenge of MD5 alone names no other hash, and is answered") {
    exchange with;
    const auto line = line_of([&](writer& to) {
        with.server.write_challenge(to, with.account.realm, with.source, "call", false, with.now,
                                    true);
    });
    CHECK(line.find("SHA-256") == std::string::npos);
    REQUIRE(line.starts_with("WWW-Authenticate: "));
    CHECK(line.find("WWW-Authenticate", 1) == std::string::npos);
    const auto asked = line.substr(18, line.size() - 20);
    CHECK(with.check(with.answer(asked, "alice", "secret")) == verdict::good);
}

TEST_CASE("sip::digest_server: the right password is good once for each count, with both hashes") {
    exchange with;
    for (const int which : {0, 1}) {
        const auto asked = with.challenge(which);
        CHECK(challenge_view::parse(asked)->algorithm ==
              (which == 0 ? hash_algorithm::sha256 : hash_algorithm::md5));
        with.now += 1s;
    }
    const auto asked = with.challenge();
    const auto first = with.answer(asked, "alice", "secret");
    CHECK(with.check(first) == verdict::good);
    CHECK(with.check(first) == verdict::stale); // Replayed.
    CHECK(with.check(with.answer(asked, "alice", "secret", 2)) == verdict::good);
    CHECK(with.check(with.answer(asked, "alice", "secret", 9)) == verdict::good); // Some were lost.
    CHECK(with.check(with.answer(asked, "alice", "secret", 8)) == verdict::stale);
}

TEST_CASE("sip::digest_client: the uses of a new nonce are counted from one (RFC 7616 3.4)") {
    digest_client client;
    seeded_entropy random{1};
    const auto write = [&] {
        return line_of([&](writer& to) {
            client.write(to, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", random);
        });
    };
    for (const std::string nonce : {"n1", "n2", "n3"}) {
        const auto text = "Digest realm=\"r\",nonce=\"" + nonce + "\",qop=\"auth\",stale=true";
        CHECK(client.take(*challenge_view::parse(text), false));
        for (const auto* count : {"00000001", "00000002", "00000003"}) {
            const auto line = write();
            CHECK(line.find("nonce=\"" + nonce + '"') != std::string::npos);
            CHECK(line.find(",nc=" + std::string{count} + ',') != std::string::npos);
        }
    }
}

TEST_CASE("sip::digest_server: a nonce that was never used begins with its first use") {
    exchange with;
    const auto asked = with.challenge();
    for (const unsigned uses : {2U, 3U, 9U}) {
        CHECK(with.check(with.answer(asked, "alice", "secret", uses)) == verdict::stale);
    }
    CHECK(with.check(with.answer(asked, "alice", "secret", 1)) == verdict::good);
    CHECK(with.check(with.answer(asked, "alice", "secret", 2)) == verdict::good);
}

TEST_CASE("sip::digest_server: the first use of a nonce is its first, whatever realm it names") {
    exchange with;
    const auto asked = with.challenge();
    CHECK(with.check(with.answer(asked, "alice", "secret", 2)) == verdict::stale);
    CHECK(with.check(with.answer(asked, "alice", "secret", 1)) == verdict::good);
    with.now += 1s;
    with.account = {R"(the "realm")", R"(al\ice)", "secret"};
    const auto quoted = with.challenge();
    CHECK(quoted.starts_with(R"(Digest realm="the \"realm\"",)"));
    CHECK(with.check(with.answer(quoted, R"(al\ice)", "secret")) == verdict::good);
    CHECK(with.check(with.answer(with.challenge(1), R"(al\\ice)", "secret")) == verdict::wrong);
}

TEST_CASE("sip::digest_server: whatever is wrong is wrong alike") {
    exchange with;
    const auto asked = with.challenge();
    const auto right = with.answer(asked, "alice", "secret");
    CHECK(with.check(with.answer(asked, "alice", "wrong")) == verdict::wrong);
    CHECK(with.check(with.answer(asked, "mallory", "secret")) == verdict::wrong);
    CHECK(with.check(with.answer(asked, "Alice", "secret")) == verdict::wrong);
    CHECK(with.check(right, "BYE") == verdict::wrong);
    const auto changed = [&](std::string_view what, std::string_view by) {
        auto text = right;
        return text.replace(text.find(what), what.size(), by);
    };
    CHECK(with.check(changed("uri=\"sip:x@h\"", "uri=\"sip:x@i\"")) == verdict::wrong);
    CHECK(with.check(changed("realm=\"example.com\"", "realm=\"example.org\"")) == verdict::wrong);
    CHECK(with.check(changed("nc=00000001", "nc=00000002")) == verdict::wrong);
    CHECK(with.check(changed("qop=auth", "qop=auth-int")) == verdict::wrong);
    CHECK(with.check(changed("response=\"", "response=\"0")) == verdict::wrong);
    CHECK(with.check("Digest username=\"alice\",nonce=\"x\"") == verdict::none);
    CHECK(with.check("Digest") == verdict::none);
    CHECK(with.check(right) == verdict::good); // None of them used it up.
}

TEST_CASE("sip::digest_server: a nonce is for one source, one call and a short time") {
    exchange with;
    const auto right = with.answer(with.challenge(), "alice", "secret");
    CHECK(with.check(right, "INVITE", "other") == verdict::stale);
    with.source.address = address::v4(192, 0, 2, 2);
    CHECK(with.check(right) == verdict::stale);
    with.source = {address::v4(192, 0, 2, 1), 9999}; // A NAT may change the port.
    with.now -= 1s;
    CHECK(with.check(right) == verdict::stale); // From the future.
    with.now += 34s;
    CHECK(with.check(right) == verdict::stale);
    with.now -= 1s;
    CHECK(with.check(right) == verdict::good); // 32 seconds after it was made.
    digest_server other{digest_server::key{std::byte{8}}};
    const auto uri = uri_view::parse(with.requested);
    CHECK(other.check(*authorization_view::parse(right), with.account,
                      {"INVITE", *uri, with.source, "call"}, with.now) == verdict::stale);
}

TEST_CASE("sip::digest_server: credentials are for the callee of their request") {
    struct row {
        std::string_view requested;
        std::string_view given;
        verdict said;
    };
    const row table[] = {
        {"sip:+4930123@192.0.2.1", "sip:+4930123@192.0.2.1", verdict::good},
        // A callee has many names, and hosts are not what is compared.
        {"sip:+4930123@192.0.2.1", "sip:+4930123@example.com:5060;transport=udp", verdict::good},
        {"sip:+4930123@192.0.2.1", "sip:4930123@192.0.2.1", verdict::good},
        {"sip:+4930123@192.0.2.1", "sip:+49-30-123@192.0.2.1", verdict::good},
        {"sip:+4930123@192.0.2.1", "sip:%2B4930123@192.0.2.1", verdict::good},
        {"sip:+4930123@192.0.2.1", "tel:+49-30-123", verdict::good},
        {"sip:+4930123@192.0.2.1", "sips:+4930123@192.0.2.1", verdict::good},
        {"sip:desk@192.0.2.1", "sip:desk@example.com", verdict::good},
        {"sip:+4930123@192.0.2.1", "sip:example.com", verdict::good},
        {"sip:192.0.2.1", "sip:192.0.2.1", verdict::good},
        {"fax:1", "fax:1", verdict::good},
        {"sip:+4930123@192.0.2.1", "sip:+4930124@192.0.2.1", verdict::elsewhere},
        {"sip:+4930123@192.0.2.1", "sip:desk@192.0.2.1", verdict::elsewhere},
        {"sip:desk@192.0.2.1", "sip:Desk@192.0.2.1", verdict::elsewhere},
        {"sip:desk@192.0.2.1", "sip:+4930123@192.0.2.1", verdict::elsewhere},
        {"sip:192.0.2.1", "sip:+4930123@192.0.2.1", verdict::elsewhere},
        {"sip:+4930123@192.0.2.1", "fax:+4930123", verdict::elsewhere},
        {"sip:+4930123@192.0.2.1", "+4930123", verdict::elsewhere},
        {"sip:+4930123@192.0.2.1", "", verdict::elsewhere},
        {"sip:+4930123@192.0.2.1", "*", verdict::elsewhere},
    };
    for (const auto& row : table) {
        CAPTURE(row.requested);
        CAPTURE(row.given);
        exchange with;
        with.requested = row.requested;
        const auto asked = with.challenge();
        CHECK(with.check(with.answer(asked, "alice", "secret", 1, row.given)) == row.said);
        // It says nothing about who is known and what his password is.
        const auto wrong = row.said == verdict::good ? verdict::wrong : row.said;
        CHECK(with.check(with.answer(asked, "alice", "guess", 1, row.given)) == wrong);
        CHECK(with.check(with.answer(asked, "nobody", "secret", 1, row.given)) == wrong);
    }
}

TEST_CASE("sip::digest_server: of twenty thousand nonces in 32 s none is good for a second time") {
    exchange with;
    std::vector<std::pair<std::string, std::string>> heard;
    std::size_t stale = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (i % 2 == 0) with.now += 1ms;
        const auto call_id = "call-" + std::to_string(i);
        auto value = with.answer(with.challenge(1, call_id), "alice", "secret");
        if (with.check(value, "INVITE", call_id) == verdict::stale) ++stale;
        heard.emplace_back(std::move(value), call_id);
    }
    // More than the table holds; who meets one that gave way is only asked once more.
    CHECK(stale < 20);
    for (const auto& [value, call_id] : heard) {
        REQUIRE(with.check(value, "INVITE", call_id) == verdict::stale);
    }
    with.now += 1ms;
    CHECK(with.check(with.answer(with.challenge(), "alice", "secret")) == verdict::good);
}

TEST_CASE("sip::digest_server: a nonce that nobody made is stale for who knows the password only") {
    exchange with;
    for (const std::string_view nonce : {"x", "00000000000003e8", "zzzzzzzzzzzzzzzzz",
                                         "00000000000003e800000000000000000000000000000000"}) {
        const auto asked =
            "Digest realm=\"example.com\",qop=\"auth\",nonce=\"" + std::string{nonce} + "\"";
        CAPTURE(nonce);
        CHECK(with.check(with.answer(asked, "alice", "secret")) != verdict::good);
        CHECK(with.check(with.answer(asked, "alice", "wrong")) == verdict::wrong);
    }
}

} // namespace
} // namespace trunkline::sip
