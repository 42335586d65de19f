#include <trunkline/sip/via.hpp>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

namespace trunkline::sip {

using namespace grammar;

/// via-parm = sent-protocol LWS sent-by *( SEMI via-params ), sent-protocol = "SIP" SLASH version
/// SLASH transport, with white space around every separator.
result<via_view> via_view::parse(std::string_view text) noexcept {
    via_view read;
    std::size_t at = skip_blank(text, 0);
    const auto start = at;
    const auto name = run(text, at, set::token);
    if (!iequals(text.substr(at, name), "SIP")) return wrong(errc::bad_token, at);
    at += name;
    for (auto* part : {&read.version, &read.transport}) {
        at = skip_blank(text, at);
        if (at == text.size() || text[at] != '/') return wrong(errc::bad_token, at);
        at = skip_blank(text, at + 1);
        const auto length = run(text, at, set::token);
        if (length == 0) return wrong(errc::bad_token, at);
        *part = text.substr(at, length);
        at += length;
    }
    read.sent_protocol = text.substr(start, at - start);
    const auto blank = at;
    at = skip_blank(text, at);
    if (at == blank) return wrong(errc::bad_token, at);
    const auto where = read_host_port(text, at, true);
    if (!where) return where.reason();
    read.sent_by = text.substr(at, where->end - at);
    read.host = where->host;
    read.port = where->port;
    read.has_port = where->has_port;
    at = where->end;
    const auto parameters = parameters_view::parse(text.substr(at));
    if (!parameters) return shifted(parameters.reason(), at);
    read.parameters = *parameters;
    read.branch = read.parameters.find("branch").value_or(std::string_view{});
    return read;
}

} // namespace trunkline::sip
