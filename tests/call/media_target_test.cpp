#include <trunkline/call/media_target.hpp>

#include <array>
#include <string_view>

#include <doctest/doctest.h>

namespace trunkline::calls {
namespace {

TEST_CASE("call::media_target: media goes nowhere that only harm would name") {
    const std::array services{*endpoint::parse("0.0.0.0:5060"), *endpoint::parse("127.0.0.1:8080"),
                              *endpoint::parse("[2001:db8::5]:5061")};
    const std::array ours{*address::parse("198.51.100.5"), *address::parse("10.0.0.5")};
    struct row {
        std::string_view named;
        std::string_view peer;
        target_fault fault;
    };
    const row table[] = {
        {"192.0.2.1:4000", "192.0.2.1", target_fault::none},
        {"10.1.1.1:4000", "192.0.2.1", target_fault::none}, // A NAT; see source_latch.
        {"198.51.100.5:5060", "192.0.2.1", target_fault::own_service},
        {"10.0.0.5:5060", "192.0.2.1", target_fault::own_service},
        {"127.0.0.1:5060", "127.0.0.1", target_fault::own_service},
        {"127.0.0.1:8080", "127.0.0.1", target_fault::own_service},
        {"[2001:db8::5]:5061", "2001:db8::1", target_fault::own_service},
        {"198.51.100.5:5062", "192.0.2.1", target_fault::none}, // A call to ourselves.
        {"192.0.2.1:5060", "192.0.2.1", target_fault::none},    // A port of theirs.
        {"224.0.0.251:4000", "192.0.2.1", target_fault::multicast},
        {"239.255.255.250:1900", "127.0.0.1", target_fault::multicast},
        {"[ff02::1]:4000", "2001:db8::1", target_fault::multicast},
        {"255.255.255.255:4000", "192.0.2.1", target_fault::broadcast},
        {"127.0.0.1:4000", "192.0.2.1", target_fault::loopback},
        {"127.9.9.9:4000", "10.0.0.1", target_fault::loopback},
        {"[::1]:4000", "2001:db8::1", target_fault::loopback},
        {"127.0.0.1:4000", "127.0.0.2", target_fault::none},
        {"169.254.1.1:4000", "192.0.2.1", target_fault::link_local},
        {"[fe80::1]:4000", "2001:db8::1", target_fault::link_local},
        {"169.254.1.1:4000", "169.254.7.7", target_fault::none},
        {"[fe80::1]:4000", "fe80::2", target_fault::none},
        {"0.0.0.0:4000", "192.0.2.1", target_fault::none}, // Hold.
        {"127.0.0.1:0", "192.0.2.1", target_fault::none},  // No stream.
    };
    for (const auto& row : table) {
        CAPTURE(row.named);
        CAPTURE(row.peer);
        CHECK(fault_of(*endpoint::parse(row.named), *address::parse(row.peer), services, ours) ==
              row.fault);
    }
}

} // namespace
} // namespace trunkline::calls
