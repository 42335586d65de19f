#include <trunkline/sip/via.hpp>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

/// via-parm = sent-protocol LWS sent-by *( SEMI via-params ), sent-protocol = "SIP" SLASH version
/// SLASH transport, with white space around every separator.
bool value_reader::via(std::size_t at, std::size_t to, via_view& into) noexcept {
    const auto start = skip_blank(at, to);
    at = run_end(start, to, set::token);
    if (cut(start, at) != "SIP" && !iequals(cut(start, at), "SIP")) {
        return fail(errc::bad_token, start);
    }
    for (auto* part : {&into.version, &into.transport}) {
        at = skip_blank(at, to);
        if (!stands('/', at, to)) return fail(errc::bad_token, at);
        const auto word = skip_blank(at + 1, to);
        at = run_end(word, to, set::token);
        if (at == word) return fail(errc::bad_token, at);
        *part = cut(word, at);
    }
    into.sent_protocol = cut(start, at);
    const auto sent_by = skip_blank(at, to);
    if (sent_by == at) return fail(errc::bad_token, at);
    const auto end = host_port<true>(sent_by, to, into);
    if (end == none) return false;
    into.sent_by = cut(sent_by, end);
    into.branch = {};
    return parameters(end, to, into.parameters, "branch", into.branch);
}

result<via_view> via_view::parse(std::string_view text) noexcept {
    via_view read;
    value_reader in{text};
    if (!in.via(0, text.size(), read)) return in.reason();
    return read;
}

} // namespace trunkline::sip
