#include <trunkline/sip/name_addr.hpp>

#include <algorithm>

#include <trunkline/sip/grammar.hpp>

namespace trunkline::sip {

using namespace grammar;

namespace {

/// [ display-name ] LAQUOT: the position of the "<".
[[nodiscard]] result<std::size_t> read_display(std::string_view text, name_addr_view& into) {
    auto at = skip_blank(text, 0);
    const auto start = at;
    if (at < text.size() && text[at] == '"') {
        const auto end = after_quoted(text, at);
        if (!end) return end.reason();
        into.display = text.substr(start, *end - start);
        at = skip_blank(text, *end);
        if (at == text.size() || text[at] != '<') return wrong(errc::bad_token, at);
        return at;
    }
    auto end = at;
    while (at < text.size() && text[at] != '<') {
        const auto length = run(text, at, set::token);
        if (length == 0) return wrong(errc::bad_token, at);
        end = at + length;
        at = skip_blank(text, end);
    }
    into.display = text.substr(start, end - start);
    return at;
}

} // namespace

result<name_addr_view> name_addr_view::parse(std::string_view text) noexcept {
    name_addr_view read;
    std::size_t uri_at = skip_blank(text, 0);
    std::size_t uri_end = 0;
    std::size_t rest_at = 0;
    // A quoted display name may hold a "<", so only an unquoted start is searched for one.
    const bool quoted = uri_at < text.size() && text[uri_at] == '"';
    const auto bracket = text.find('<');
    const auto semicolon = text.find(';');
    read.bracketed = quoted || (bracket != std::string_view::npos && bracket < semicolon);
    if (read.bracketed) {
        const auto opening = read_display(text, read);
        if (!opening) return opening.reason();
        uri_at = *opening + 1;
        uri_end = text.find('>', uri_at);
        if (uri_end == std::string_view::npos) return wrong(errc::need_more, text.size());
        rest_at = uri_end + 1;
    } else {
        uri_end = std::min(semicolon, text.size());
        while (uri_end > uri_at && (text[uri_end - 1] == ' ' || text[uri_end - 1] == '\t')) {
            --uri_end;
        }
        rest_at = uri_end;
    }
    const auto uri = uri_view::parse(text.substr(uri_at, uri_end - uri_at));
    if (!uri) return shifted(uri.reason(), uri_at);
    // Section 20: a URI with a comma, a question mark or a semicolon needs the brackets.
    if (!read.bracketed && uri->text.find_first_of(",?") != std::string_view::npos) {
        return wrong(errc::bad_token, uri_at);
    }
    read.uri = *uri;
    const auto parameters = parameters_view::parse(text.substr(rest_at));
    if (!parameters) return shifted(parameters.reason(), rest_at);
    read.parameters = *parameters;
    return read;
}

} // namespace trunkline::sip
