#include <trunkline/net/hosts_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

/// What was read, written one line a name, reads the same; and every line is found by its own name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trunkline;
    const std::string_view text{reinterpret_cast<const char*>(data), size};

    const auto read = net::hosts_file::parse(text);
    std::string written;
    for (const auto& [at, name] : read.lines()) {
        written += to_text(at) + ' ' + name + ".\n";
        std::vector<address> found;
        read.find(name, at.is_v4(), found);
        if (std::ranges::find(found, at) == found.end()) std::abort();
    }
    if (net::hosts_file::parse(written).lines() != read.lines()) std::abort();
    return 0;
}
