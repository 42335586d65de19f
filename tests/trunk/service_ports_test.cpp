// Targets of a service that name no port.
#include <trunkline/trunk/gateway_names.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/dns_text.hpp"
#include "support/print.hpp"

namespace trunkline::trunks {
namespace {

using namespace std::chrono_literals;

TEST_CASE("trunks::gateway_names: a target at port 0 is nowhere to call, and the next one is") {
    timer_wheel wheel;
    seeded_entropy random{4};
    gateway_names names{wheel, random};
    outbox out;
    const time_point now{100s};
    const gateway_name carrier{"example.net"};
    names.keep({carrier}, now, out);
    // Whatever is asked is answered, until nothing is asked any more.
    for (int round = 0; round < 4; ++round) {
        std::vector<std::pair<effects::resolve, std::string>> asked;
        for (const auto& what : out) {
            if (const auto* name = std::get_if<effects::resolve>(&what)) {
                asked.emplace_back(*name, std::string{name->name});
            }
        }
        out.clear();
        for (const auto& [question, name] : asked) {
            support::dns_message made{name, question.type};
            if (question.type == record_type::srv) {
                made.add(sip::dns::service{1, 0, 0, "a.example.net"}, 100);
                made.add(sip::dns::service{2, 0, 5080, "b.example.net"}, 100);
            } else if (question.type == record_type::a) {
                if (name == "a.example.net") made.add(address::v4(198, 51, 100, 1), 100);
                if (name == "b.example.net") made.add(address::v4(198, 51, 100, 2), 100);
            }
            CHECK(names.receive({question.asked, made.bytes(), {}}, now, out));
        }
    }
    CHECK(names.find(carrier) == std::vector<endpoint>{{address::v4(198, 51, 100, 2), 5080}});
}

} // namespace
} // namespace trunkline::trunks
