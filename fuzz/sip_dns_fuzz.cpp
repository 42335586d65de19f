#include <trunkline/sip/dns.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

/// Bounded whatever the counts say; and what lies behind the last record changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace dns = trunkline::sip::dns;
    const auto bytes = std::as_bytes(std::span{data, size});
    const auto parsed = dns::parse(bytes);
    if (!parsed) {
        require(parsed.reason().offset <= size);
        return 0;
    }
    require(size >= 12);
    require(parsed->addresses.size() + parsed->services.size() <= dns::most_records);
    for (const auto& one : parsed->services) require(one.target.size() <= 253);
    require(parsed->ttl.count() >= 0 && parsed->ttl.count() <= 0x7fff'ffff);
    require(parsed->rcode < 16);
    std::vector<std::byte> longer{bytes.begin(), bytes.end()};
    longer.resize(size + 40, std::byte{0xc0});
    const auto again = dns::parse(longer);
    require(again.has_value() && again->addresses == parsed->addresses &&
            again->services.size() == parsed->services.size() && again->ttl == parsed->ttl);
    return 0;
}
