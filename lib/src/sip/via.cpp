#include <trunkline/sip/via.hpp>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

/// SLASH token, and the position after it.
std::size_t value_reader::word_behind_slash(std::size_t at, std::size_t to,
                                            std::string_view& word) noexcept {
    at = skip_blank(at, to);
    if (!stands('/', at, to)) return nowhere(errc::bad_token, at);
    const auto begin = skip_blank(at + 1, to);
    const auto end = run_end(begin, to, set::token);
    if (end == begin) return nowhere(errc::bad_token, end);
    word = cut(begin, end);
    return end;
}

/// via-parm = sent-protocol LWS sent-by *( SEMI via-params ), sent-protocol = "SIP" SLASH version
/// SLASH transport, with white space around every separator.
bool value_reader::via(std::size_t at, std::size_t to, via_view& into) noexcept {
    const auto start = skip_blank(at, to);
    if (cut(start, to).starts_with("SIP/2.0/")) { // As everybody writes it.
        at = start + 7;
        into.version = cut(start + 4, at);
    } else {
        at = run_end(start, to, set::token);
        if (!iequals(cut(start, at), "SIP")) return fail(errc::bad_token, start);
        at = word_behind_slash(at, to, into.version);
        if (at == none) return false;
    }
    at = word_behind_slash(at, to, into.transport);
    if (at == none) return false;
    into.sent_protocol = cut(start, at);
    const auto sent_by = skip_blank(at, to);
    if (sent_by == at) return fail(errc::bad_token, at);
    const auto end = host_port<true>(sent_by, to, into);
    if (end == none) return false;
    into.sent_by = cut(sent_by, end);
    into.branch = {};
    bool is_found = false;
    return parameters(end, to, into.parameters, [&](std::string_view name, std::string_view value) {
        if (is_found || !iequals(name, "branch")) return;
        is_found = true;
        into.branch = value;
    });
}

result<via_view> via_view::parse(std::string_view text) noexcept {
    result<via_view> read{via_view{}};
    value_reader in{text};
    if (!in.via(0, text.size(), *read)) read = in.reason();
    return read;
}

} // namespace trunkline::sip
