#include <trunkline/sip/multipart.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using namespace trunkline;
using namespace trunkline::sip;

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

/// The first line is the Content-Type, all else the body. Every part lies in its own place of the
/// text, behind the one before it; no delimiter of the outermost whole is left in a part that is
/// not nested; and what was read is read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<char> copy(data, data + size); // Exactly as long, for AddressSanitizer.
    const std::string_view text{copy.data(), copy.size()};
    const auto line = std::min(text.find('\n'), text.size());
    const auto type = text.substr(0, line);
    const auto body = text.substr(std::min(line + 1, text.size()));
    body_parts parts;
    const auto read = parts.read(type, body);
    const auto inside = [&](std::string_view part) {
        require(part.empty() || (part.data() >= text.data() &&
                                 part.data() + part.size() <= text.data() + text.size()));
    };
    require(parts.all().size() <= limits::body_parts);
    const char* before = body.data();
    for (const auto& one : parts.all()) {
        for (const auto part :
             {one.content_type, one.disposition, one.content_id, one.content, one.type()}) {
            inside(part);
        }
        require(!one.is_optional() || !one.is_required());
        if (one.content.empty()) continue;
        require(one.content.data() >= before);
        before = one.content.data() + one.content.size();
    }
    if (!read) require(read.reason().offset <= body.size());
    body_parts again;
    const auto second = again.read(type, body);
    require(second.has_value() == read.has_value() && again.all().size() == parts.all().size());
    return 0;
}
