#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sockets/twilio.hpp"

namespace {

using namespace softswitch;

void require(bool holds) {
    if (!holds) std::abort();
}

/// What a bot is told is JSON of the stream, whatever name the bot gave its mark.
void require_mark(twilio& protocol, const std::string& name) {
    wire_message out;
    protocol.write_mark(name, out);
    require(!out.binary);
    const auto told = nlohmann::json::parse(out.bytes, nullptr, false);
    require(!told.is_discarded() && told["event"] == "mark" && told["mark"]["name"] == name);
}

} // namespace

/// Messages of an agent, one a line. Audio is never more than its base64 was, and a mark that is
/// taken comes back by the name that it had.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest{reinterpret_cast<const char*>(data), size};
    twilio protocol;
    std::vector<wire_message> opening;
    protocol.write_start({.account_sid = "AC0123456789abcdef0123456789abcdef",
                          .call_sid = "CA0123456789abcdef0123456789abcdef",
                          .stream_sid = "MZ0123456789abcdef0123456789abcdef",
                          .parameters = {{"from_number", "+1"}}},
                         opening);
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
        wire_message message{.binary = line.starts_with('\x01'), .bytes = std::string{line}};
        const auto what = protocol.read(message);
        require(what.audio.size() <= line.size() / 4 * 3);
        require(what.name.size() <= twilio::longest_name);
        require(what.audio.empty() || what.kind == said::what::audio);
        if (what.kind == said::what::mark) require_mark(protocol, std::string{what.name});
    }
    return 0;
}
