#include <trunkline/sip/dialog.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>

namespace trunkline::sip {

namespace {

/// Section 19.1.1, table 1: a Request-URI has no headers, and a Contact in a dialog should have
/// none.
[[nodiscard]] std::string_view without_headers(const uri_view& uri) {
    if (!uri.is_sip() || uri.headers.data() == nullptr) return uri.text;
    return uri.text.substr(0, static_cast<std::size_t>(uri.headers.data() - uri.text.data()) - 1);
}

/// The URI of a Route element, and whether it is a loose router's.
struct hop {
    std::string_view uri;
    bool loose = true;
};

[[nodiscard]] hop hop_of(std::string_view element) {
    const auto parsed = name_addr_view::parse(element);
    if (!parsed) return {}; // Cannot be: read_routes() has left it out.
    return {without_headers(parsed->uri), parsed->uri.parameter("lr").has_value()};
}

/// As a Request-Line can hold it. A space in a user part was escaped by nobody.
[[nodiscard]] std::string as_request_uri(std::string_view uri) {
    if (uri.find(' ') == std::string_view::npos) return std::string{uri};
    std::string made;
    for (const char c : uri) {
        if (c == ' ')
            made += "%20";
        else
            made += c;
    }
    return made;
}

/// Section 12.1.1: without a Contact, as before RFC 3261, the address of the peer has to do, and
/// where that cannot be read either, our own: the flow leads to the peer all the same.
[[nodiscard]] std::string target_of(const message_view& message, const name_addr_view& peer,
                                    const name_addr_view& other) {
    const auto* contact = message.contact();
    if (contact != nullptr) return as_request_uri(without_headers(contact->uri));
    return as_request_uri(without_headers(peer.uri.text.empty() ? other.uri : peer.uri));
}

} // namespace

dialog dialog::as_callee(const message_view& invite, std::string_view local_tag) {
    dialog made;
    made.call_id_ = invite.call_id();
    made.local_ = invite.value(header::to);
    made.local_ += ";tag=";
    made.local_ += local_tag;
    made.local_tag_ = local_tag;
    made.remote_ = invite.value(header::from);
    made.remote_tag_ = invite.from().tag();
    made.remote_target_ = target_of(invite, invite.from(), invite.to());
    made.remote_cseq_ = invite.cseq().number;
    made.read_routes(invite, false);
    return made;
}

dialog dialog::as_caller(const message_view& response) {
    dialog made;
    made.call_id_ = response.call_id();
    made.local_ = response.value(header::from);
    made.local_tag_ = response.from().tag();
    made.local_cseq_ = response.cseq().number;
    made.remote_ = response.value(header::to);
    made.remote_tag_ = response.to().tag();
    made.remote_target_ = target_of(response, response.to(), response.from());
    made.read_routes(response, true);
    return made;
}

void dialog::confirm(const message_view& response) {
    read_routes(response, true);
    refresh(response);
}

void dialog::refresh(const message_view& message) {
    const auto* contact = message.contact();
    if (contact != nullptr) remote_target_ = as_request_uri(without_headers(contact->uri));
}

void dialog::read_routes(const message_view& message, bool reversed) {
    routes_.clear();
    message.each_element(header::record_route, [this](std::string_view element) {
        // Of a response that is used all the same, or the beginning of an unquoted name.
        if (name_addr_view::parse(element)) routes_.emplace_back(element);
    });
    if (reversed) std::ranges::reverse(routes_);
}

bool dialog::take_cseq(std::uint32_t number) {
    if (remote_cseq_ && number <= *remote_cseq_) return false;
    remote_cseq_ = number;
    return true;
}

bool dialog::matches(const message_view& message, bool from_peer) const {
    const auto& ours = from_peer ? message.to() : message.from();
    const auto& theirs = from_peer ? message.from() : message.to();
    return message.call_id() == call_id_ && ours.tag() == local_tag_ && theirs.tag() == remote_tag_;
}

void dialog::write_head(writer& to, method what, std::uint32_t cseq, std::string_view branch,
                        std::string_view transport, std::string_view sent_by) const {
    const auto first = routes_.empty() ? hop{} : hop_of(routes_.front());
    // A strict router finds itself in the Request-URI and the target at the end of the list.
    const bool strict = !routes_.empty() && !first.loose;
    to.request_line(name(what), strict ? as_request_uri(first.uri) : remote_target_);
    to.name(header::via).raw("SIP/2.0/").raw(transport).raw(" ").text(sent_by);
    to.raw(";branch=").raw(branch).raw(";rport").line();
    to.field(header::max_forwards, 70);
    for (std::size_t i = strict ? 1 : 0; i < routes_.size(); ++i) {
        to.field(header::route, routes_[i]);
    }
    if (strict) to.name(header::route).raw("<").text(remote_target_).raw(">").line();
    to.field(header::from, local_);
    to.field(header::to, remote_);
    to.field(header::call_id, call_id_);
    to.name(header::cseq).number(cseq).raw(" ").raw(name(what)).line();
}

std::size_t dialog::room() const noexcept {
    constexpr std::size_t around = 1'024; // Via, names of headers, numbers.
    constexpr std::size_t around_route = 16;
    std::size_t size =
        around + call_id_.size() + local_.size() + remote_.size() + 2 * remote_target_.size();
    for (const auto& one : routes_) size += around_route + one.size();
    return size;
}

std::string_view dialog::next_hop() const {
    return routes_.empty() ? std::string_view{remote_target_} : hop_of(routes_.front()).uri;
}

} // namespace trunkline::sip
