// Which connections a trunk is served by: at least as good as the one that it asks for.
#include <string>
#include <vector>

#include "trunk/by_stream.hpp"

namespace trunkline {
namespace {

using support::carrier_port;
using support::exchange_by_stream;
using support::options;

std::string over(std::string text, const std::string& which) {
    return support::replaced(std::move(text), "SIP/2.0/UDP", "SIP/2.0/" + which);
}

TEST_CASE_FIXTURE(exchange_by_stream, "trunks::streams: a trunk of TCP takes a call by TLS") {
    add(wanted);
    const auto flow = accept(carrier_port, transport::tls);
    receive(flow, over(options(1).text(), "TLS"));
    CHECK(statuses() == std::vector<std::string>{"200"});
}

TEST_CASE_FIXTURE(exchange_by_stream, "trunks::streams: a trunk of TLS takes no call by TCP") {
    wanted.transport = transport::tls;
    add(wanted);
    const auto flow = accept(carrier_port, transport::tcp);
    receive(flow, over(options(1).text(), "TCP"));
    CHECK(statuses() != std::vector<std::string>{"200"});
}

TEST_CASE_FIXTURE(exchange_by_stream, "trunks::streams: a trunk of TCP takes no call by UDP") {
    add(wanted);
    receive(options(1).text());
    CHECK(statuses() != std::vector<std::string>{"200"});
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: the second gateway's own transport serves its trunk as well") {
    wanted.gateways[1].transport = transport::udp;
    add(wanted);
    receive(options(1).text());
    CHECK(statuses() == std::vector<std::string>{"200"});
}

} // namespace
} // namespace trunkline
