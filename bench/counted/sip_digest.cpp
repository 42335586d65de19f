// sip_digest known|unknown CHECKS: what it takes to turn a wrong password away. The user is the one
// that is wanted, or one that nobody knows: whoever counts or times the answers is to learn
// nothing.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <trunkline/sip/digest.hpp>

#include "counting.hpp"

namespace {

using namespace std::chrono_literals;
namespace sip = trunkline::sip;

[[nodiscard]] std::string credentials(std::string_view user, std::string_view nonce) {
    return "Digest username=\"" + std::string{user} + "\",realm=\"here\",nonce=\"" +
           std::string{nonce} +
           "\",uri=\"sip:+4930123@192.0.2.1\",response=\"0123456789abcdef0123456789abcdef\","
           "algorithm=MD5,cnonce=\"c0ffee\",qop=auth,nc=00000001";
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const bool known = std::string_view{argv[1]} == "known";
    const auto checks = std::strtoull(argv[2], nullptr, 10);
    const trunkline::endpoint source{trunkline::address::v4(198, 51, 100, 20), 5060};
    constexpr trunkline::time_point now{1000s};
    sip::digest_server server{sip::digest_server::key{std::byte{7}}};
    std::array<std::byte, 1024> room{};
    sip::writer to{room};
    server.write_challenge(to, "here", source, "call", false, now, true);
    const std::string_view challenge{reinterpret_cast<const char*>(room.data()), to.size()};
    const auto nonce = challenge.substr(challenge.find("nonce=\"") + 7, 48);
    const auto value = credentials(known ? "carrier" : "nobody!", nonce);
    const auto given = sip::authorization_view::parse(value);
    const auto uri = sip::uri_view::parse("sip:+4930123@192.0.2.1");
    if (!given || !uri) return 1;
    std::size_t wrong = 0;
    const auto check = [&] {
        const auto said = server.check(*given, {"here", "carrier", "a long secret"},
                                       {"INVITE", *uri, source, "call"}, now);
        if (said == sip::digest_server::verdict::wrong) ++wrong;
    };
    for (std::size_t i = 0; i < 100; ++i) check();
    bench::prepared();
    {
        const bench::counting here{true};
        for (std::size_t i = 0; i < checks; ++i) check();
    }
    std::printf("checks=%zu done\n", wrong - 100);
    return wrong == checks + 100 ? 0 : 1;
}
