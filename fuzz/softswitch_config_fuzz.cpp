#include "config.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

/// Whatever is wrong is wrong in a line of the file, and said in a sentence that a terminal can
/// show; what is right is in range.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    // The fuzzer must not read files of the machine, nor make sense of its folders.
    for (const auto* const word : {"play", "interrupt", "record", "_file", "_env"}) {
        if (text.find(word) != std::string_view::npos) return 0;
    }
    const auto read = softswitch::parse_configuration(text, "/nonexistent");
    if (read) {
        require(!read->trunks.empty() && !read->manager.listen.empty());
        require(read->manager.shards >= 1 && read->manager.shards <= 64);
        require(read->manager.media_ports.first < read->manager.media_ports.last);
        return 0;
    }
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    const auto found = read.reason();
    require(!found.empty());
    for (const auto& one : found) {
        require(one.line <= lines);
        require(!one.message.empty());
        for (const char c : to_text(one, "f")) require(c >= ' ' && c <= '~');
    }
    return 0;
}
