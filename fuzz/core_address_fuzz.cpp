#include <trunkline/core/address.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// What was read is written, and read again it is the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto read = trunkline::address::parse(text)) {
        if (trunkline::address::parse(trunkline::to_text(*read)) != read) std::abort();
    }
    if (const auto read = trunkline::endpoint::parse(text)) {
        if (trunkline::endpoint::parse(trunkline::to_text(*read)) != read) std::abort();
    }
    if (const auto read = trunkline::cidr::parse(text)) {
        if (trunkline::cidr::parse(trunkline::to_text(*read)) != read) std::abort();
        if (!read->contains(read->network)) std::abort();
    }
    return 0;
}
