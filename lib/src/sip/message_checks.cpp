// What the headers of a message have to be like, and what it costs when one is not.
#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>
#include <trunkline/sip/message.hpp>

#include "delta_seconds.hpp"
#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

namespace {

[[nodiscard]] bool is_call_id(std::string_view text) noexcept {
    value_reader in{text};
    const auto local = in.run_end(0, text.size(), set::word);
    if (local == 0 || local == text.size()) return local != 0;
    const auto host = local + 1;
    return text[local] == '@' && host < text.size() &&
           in.run_end(host, text.size(), set::word) == text.size();
}

/// m-type SLASH m-subtype *( SEMI m-parameter ), white space around the slash allowed.
[[nodiscard]] std::optional<std::size_t> bad_media_type(std::string_view value) noexcept {
    value_reader in{value};
    const auto size = value.size();
    const auto type = in.run_end(0, size, set::token);
    if (type == 0) return 0;
    const auto slash = skip_blank(value, type);
    if (slash == size || value[slash] != '/') return slash;
    const auto subtype = skip_blank(value, slash + 1);
    const auto end = in.run_end(subtype, size, set::token);
    if (end == subtype) return subtype;
    parameters_view parameters;
    if (!in.parameters(end, size, parameters)) return in.reason().offset;
    return std::nullopt;
}

/// Parameters of a Contact mean nothing in a call.
[[nodiscard]] bool without_parameters(std::string_view element, name_addr_view& into) noexcept {
    const auto end = element.find('>', std::min(element.find('<'), element.size()));
    if (end == std::string_view::npos) return false;
    const auto read = name_addr_view::parse(element.substr(0, end + 1));
    if (read) into = *read;
    return read.has_value();
}

} // namespace

void message_view::check(std::string_view whole) noexcept {
    const auto offset = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - whole.data());
    };
    for (const auto which :
         {header::via, header::from, header::to, header::call_id, header::cseq}) {
        if (!has(which)) fail(errc::missing, which, whole.size());
    }
    check_vias(whole);
    check_parties(whole);
    if (has(header::call_id) && (!is_call_id(call_id()) || call_id().size() > limits::call_id)) {
        fail(call_id().size() > limits::call_id ? errc::limit_exceeded : errc::bad_token,
             header::call_id, offset(call_id()));
    }
    if (has(header::cseq)) {
        const auto text = value(header::cseq);
        const auto read = cseq_view::parse(text);
        if (read) {
            cseq_ = *read;
        } else {
            fail(read.reason().code, header::cseq, offset(text) + read.reason().offset);
        }
        if (is_request() && !cseq_.method.empty() && cseq_.method != method_text_) {
            fail(errc::mismatch, header::cseq, offset(cseq_.method));
        }
    }
    name_addr_view other;
    for (const auto which : {header::contact, header::route, header::record_route}) {
        if (has(which)) check_addresses(which, whole, other);
    }
    check_numbers(whole);
    if (const auto type = value(header::content_type); has(header::content_type)) {
        if (const auto bad = bad_media_type(type)) {
            fail(errc::bad_token, header::content_type, offset(type) + *bad);
        }
    }
    if (has(header::replaces) || has(header::privacy)) check_words(whole);
    if (!index_.faults().empty()) judge_lines(whole);
}

/// To before From: whether a request belongs to a dialog decides what it needs.
void message_view::check_parties(std::string_view whole) noexcept {
    check_party(header::to, whole, to_);
    within_ = is_request() && !to_.tag().empty();
    check_party(header::from, whole, from_);
}

void message_view::check_party(header which, std::string_view whole,
                               name_addr_view& into) noexcept {
    const auto text = value(which);
    value_reader in{text};
    bool read = in.name_addr(0, text.size(), into);
    if (!read) {
        // RFC 4475 section 3.1.2.15 has an unquoted comma refused in an OPTIONS. Of a call's own
        // requests it costs the call, so there it is taken.
        const bool ping = is_request() && !within_ &&
                          (method_ == method::options || method_ == method::register_);
        read = in.odd_name_addr(0, text.size(), into, !ping);
    }
    if (read && !into.has_two_tags()) return;
    if (!has(which)) {
        into = {};
        return;
    }
    const auto at = static_cast<std::size_t>(text.data() - whole.data());
    if (read) {
        into = {};
        return fail(errc::duplicate, which, at);
    }
    // In a dialog and in a response the tag alone says which: the rest is only repeated.
    const bool known = !is_request() || which == header::to || within_;
    if (known && !bad_text(text) && value_reader::lone_tag(text, into)) {
        return ignore(in.reason().code, which, at + in.reason().offset);
    }
    into = {};
    fail(in.reason().code, which, at + in.reason().offset);
}

/// Lines that are wrong whatever their header means.
void message_view::judge_lines(std::string_view whole) noexcept {
    for (const auto& each : index_.faults()) {
        const auto which = static_cast<header>(each.field);
        // frame() has judged that of the length.
        if (which != header::content_length) fail(each.code, which, each.offset);
        if (each.code != errc::bad_token || wrong_.noted()) continue;
        // No control character gets any further.
        index_.blank(whole, each.offset);
        if (which != header::contact && which != header::other) index_.drop(which);
    }
}

/// Replaces (RFC 3891 section 6.1) and Privacy (RFC 3323 section 4.2).
void message_view::check_words(std::string_view whole) noexcept {
    const auto offset = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - whole.data());
    };
    if (const auto text = value(header::replaces); has(header::replaces)) {
        const auto semicolon = std::min(text.find(';'), text.size());
        const auto parameters = parameters_view::parse(text.substr(semicolon));
        const bool readable = is_call_id(trimmed(text.substr(0, semicolon))) && parameters &&
                              parameters->has("to-tag") && parameters->has("from-tag");
        if (!readable) fail(errc::bad_token, header::replaces, offset(text));
    }
    each(header::privacy, [&](std::string_view text) {
        auto rest = text;
        bool readable = !rest.empty();
        while (readable && !rest.empty()) {
            const auto end = std::min(rest.find_first_of(";,"), rest.size());
            const auto word = trimmed(rest.substr(0, end));
            readable = !word.empty() && all(word, set::token);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        if (!readable) fail(errc::bad_token, header::privacy, offset(text));
    });
}

void message_view::check_numbers(std::string_view whole) noexcept {
    const auto offset = [&](std::string_view part) {
        return static_cast<std::size_t>(part.data() - whole.data());
    };
    if (const auto hops = value(header::max_forwards); has(header::max_forwards)) {
        const auto number = delta_seconds(hops);
        if (!number || run(hops, 0, set::digit) != hops.size()) {
            fail(errc::bad_number, header::max_forwards, offset(hops));
        } else {
            hops_ = static_cast<std::uint8_t>(std::min(*number, 255U));
        }
    }
    for (const auto which : {header::expires, header::min_expires, header::min_se, header::rseq,
                             header::session_expires, header::retry_after}) {
        if (!has(which) || delta_seconds(value(which))) continue;
        fail(errc::bad_number, which, offset(value(which)));
        index_.drop(which);
    }
}

/// Every one, because a response copies them all.
void message_view::check_vias(std::string_view whole) noexcept {
    std::size_t vias = 0;
    via_view other;
    each(header::via, [&](std::string_view text) {
        value_reader in{text};
        // Most fields are one value: what can be read as one has no comma between two.
        if (in.via(0, text.size(), vias == 0 ? via_ : other)) {
            ++vias;
            return;
        }
        const auto begin = static_cast<std::size_t>(text.data() - whole.data());
        if (text.ends_with(',')) fail(errc::bad_token, header::via, begin + text.size());
        auto list = text;
        do {
            const auto element = next_element(list);
            const auto at = static_cast<std::size_t>(element.data() - text.data());
            const bool top = vias == 0;
            auto& into = top ? via_ : other;
            ++vias; // A bad one counts: what stands behind it is not the top.
            into.branch = {};
            if (in.via(at, at + element.size(), into)) continue;
            // Of a response the top one has to say whose it is, and nothing more.
            if (!is_request() && (!top || check_via(element, true, into))) {
                ignore(in.reason().code, header::via, begin + in.reason().offset);
                continue;
            }
            if (!check_via(element, top, into)) into = {};
            return fail(in.reason().code, header::via, begin + in.reason().offset);
        } while (!list.empty());
    });
    if (vias == 0) via_ = {};
    // A bare cookie would be the key of everybody's transaction (RFC 4475 3.2.1).
    if (via_.branch.size() == magic_cookie.size() && is_cookie(via_.branch)) {
        const auto branch = static_cast<std::size_t>(via_.branch.data() - whole.data());
        fail(errc::bad_token, header::via, branch);
    }
    if (vias > limits::vias) {
        const auto first = static_cast<std::size_t>(value(header::via).data() - whole.data());
        fail(errc::limit_exceeded, header::via, first);
    }
}

/// Of a Via whose parameters make no sense its sender is told all the same, if it can be read where
/// he is; none of them is repeated but the branch, if that came before what cannot be read.
bool message_view::check_via(std::string_view element, bool top, via_view& into) noexcept {
    if (!top) return false;
    const auto branch = is_request() ? std::string_view{} : into.branch;
    const auto head = via_view::parse(element.substr(0, element.find(';')));
    if (!head) return false;
    into = *head;
    into.parameters = {};
    into.branch = branch;
    return is_request() || !branch.empty();
}

/// Contact, Route and Record-Route: every element, because a dialog keeps them.
void message_view::check_addresses(header which, std::string_view whole,
                                   name_addr_view& other) noexcept {
    std::size_t count = 0;
    each(which, [&](std::string_view text) {
        if (which == header::contact && text == "*") return;
        const auto place = [&]() -> name_addr_view& {
            return which == header::contact && count == 0 ? contact_ : other;
        };
        value_reader in{text};
        if (in.name_addr(0, text.size(), place())) {
            ++count;
            return;
        }
        const auto begin = static_cast<std::size_t>(text.data() - whole.data());
        if (text.ends_with(',')) fail(errc::bad_token, which, begin + text.size());
        auto list = text;
        do {
            const auto element = next_element(list);
            const auto at = static_cast<std::size_t>(element.data() - text.data());
            const auto to = at + element.size();
            if (in.name_addr(at, to, place()) || in.odd_name_addr(at, to, place(), true)) {
                ++count;
                continue;
            }
            // The beginning of an unquoted name with a comma in it.
            if (!element.empty() && !list.empty() &&
                element.find_first_of("<:") == std::string_view::npos) {
                continue;
            }
            if (which == header::contact && without_parameters(element, place())) ++count;
            fail(in.reason().code, which, begin + in.reason().offset);
        } while (!list.empty());
    });
    if (which == header::contact) has_contact_ = count > 0;
    if (count > limits::routes) {
        const auto first = static_cast<std::size_t>(value(which).data() - whole.data());
        fail(errc::limit_exceeded, which, first);
    }
}

} // namespace trunkline::sip
