#include "ladder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

/// Whatever came by, what is drawn of it is whole lines of ASCII, none of them without end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using softswitch::ladder;
    static ladder drawer{"", {}};
    const softswitch::tapped what{
        {}, false, {}, {}, std::string{reinterpret_cast<const char*>(data), size}};
    const auto drawn = drawer.draw(what);
    require(drawn.empty() || drawn.back() == '\n');
    std::size_t line = 0;
    for (const char c : drawn) {
        require(c == '\n' || (c >= ' ' && c <= '~'));
        line = c == '\n' ? 0 : line + 1;
        // A label of escapes, addresses, a header's name of any length, and its value.
        require(line <= size * 4 + ladder::widest + 512);
    }
    return 0;
}
