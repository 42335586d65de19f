#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rest/http.hpp"
#include "rest/json_reader.hpp"
#include "rest/trunk_json.hpp"
#include "text.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// What is wrong is a sentence that a terminal can show, about a field that it can show.
void require_clear(const softswitch::first_problem& what) {
    if (!what) return;
    require(!what->message.empty());
    for (const char c : what->field) require(c >= ' ' && c <= '~');
    for (const char c : what->message) require(c >= ' ' && c <= '~');
}

void read_path(std::string_view text) {
    const auto segments = softswitch::path_segments(text);
    if (!segments) return;
    for (const auto& one : *segments) require(one.size() <= text.size());
    (void)softswitch::query_parameters(text);
}

} // namespace

/// A trunk that is taken is within its limits, and is taken again as it is told; a change leaves
/// what is good as good. Whatever else comes is a clear complaint.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace softswitch;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    read_path(text);
    const auto parsed = parse_json(text);
    if (!parsed) {
        require_clear(parsed.reason());
        return 0;
    }
    first_problem wrong;
    const auto trunk = read_new_trunk(*parsed, wrong);
    require_clear(wrong);
    if (!wrong) {
        require(!trunk.name.empty() && characters(trunk.name) <= 100);
        require(trunk.channels >= 1 && trunk.channels <= 1'000);
        require(!trunk.codecs.empty() && trunk.codecs.size() <= 2);
        require(trunk.auth_username.empty() == trunk.auth_password.empty());
        require(trunk.gateways.size() <= max_gateways && trunk.ip_acls.size() <= max_ip_acls);
        for (const auto& one : trunk.gateways) require(!one.host.empty() && one.port != 0);
        for (const auto& one : trunk.numbers) require(is_e164(one.e164));
        const auto told = to_json(trunk, {}, false);
        require(told.dump().find("\"auth_password\"") == std::string::npos);
        for (const auto& one : told["gateways"]) {
            first_problem again;
            auto as_told = one;
            as_told.erase("id");
            (void)read_gateway(nlohmann::json(as_told), "x", again);
            require(!again);
        }
    }
    trunk_row changed;
    changed.name = "a";
    first_problem wrong_change;
    read_trunk_changes(*parsed, changed, wrong_change);
    require_clear(wrong_change);
    number_row number;
    first_problem wrong_number;
    read_number_changes(*parsed, number, wrong_number);
    require_clear(wrong_number);
    return 0;
}
