#include <trunkline/sip/writer.hpp>

#include <array>

#include <trunkline/core/address.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

namespace {

/// The top Via goes back with what the network saw (section 18.2.1, RFC 3581 section 4); received
/// and rport that the sender invented are not repeated. What was parsed holds nothing that could
/// spoil a message.
void write_top_via(writer& to, std::string_view value, const via_view& via,
                   const endpoint& source) noexcept {
    to.raw(via.sent_protocol).raw(" ").raw(via.sent_by);
    bool wants_port = false;
    const auto list = via.parameters.text();
    value_reader in{list};
    parameters_view again;
    const auto repeat = [&](std::string_view name, std::string_view given) {
        const bool is_port = iequals(name, "rport");
        wants_port = wants_port || is_port;
        if (is_port || iequals(name, "received")) return;
        to.raw(";").raw(name);
        if (!given.empty()) to.raw("=").raw(given);
    };
    static_cast<void>(in.parameters(0, list.size(), again, repeat));
    const auto sent_by = address::parse(via.host);
    if (wants_port || !sent_by || *sent_by != source.address) {
        std::array<char, max_address_text> buffer{};
        to.raw(";received=").raw(to_text(source.address, buffer));
    }
    if (wants_port) to.raw(";rport=").number(source.port);
    // Whatever else stood in the same field stays as it was.
    const auto end = static_cast<std::size_t>(list.data() + list.size() - value.data());
    if (list.data() != nullptr && end < value.size()) to.text(value.substr(end));
    to.line();
}

} // namespace

writer& writer::response_head(const message_view& request, int status, std::string_view reason,
                              std::string_view to_tag, const endpoint& source) noexcept {
    raw("SIP/2.0 ").number(status).raw(" ").text(reason).line();
    bool top = true;
    request.each(header::via, [&](std::string_view value) {
        name(header::via);
        if (top) {
            write_top_via(*this, value, request.top_via(), source);
        } else {
            text(value).line();
        }
        top = false;
    });
    if (request.has(header::from)) field(header::from, request.value(header::from));
    if (request.has(header::to)) {
        name(header::to).text(request.value(header::to));
        if (!to_tag.empty() && request.to().tag().empty()) raw(";tag=").text(to_tag);
        line();
    }
    if (request.has(header::call_id)) field(header::call_id, request.call_id());
    if (request.has(header::cseq)) field(header::cseq, request.value(header::cseq));
    return *this;
}

writer& writer::body(std::string_view type, std::string_view bytes) noexcept {
    if (bytes.empty()) return no_body();
    return field(header::content_type, type)
        .field(header::content_length, bytes.size())
        .line()
        .raw(bytes);
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
    case 100: return "Trying";
    case 180: return "Ringing";
    case 183: return "Session Progress";
    case 200: return "OK";
    case 202: return "Accepted";
    case 302: return "Moved Temporarily";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 410: return "Gone";
    case 415: return "Unsupported Media Type";
    case 416: return "Unsupported URI Scheme";
    case 420: return "Bad Extension";
    case 480: return "Temporarily Unavailable";
    case 422: return "Session Interval Too Small";
    case 478: return "Unresolvable Destination";
    case 481: return "Call/Transaction Does Not Exist";
    case 482: return "Loop Detected";
    case 483: return "Too Many Hops";
    case 484: return "Address Incomplete";
    case 486: return "Busy Here";
    case 487: return "Request Terminated";
    case 488: return "Not Acceptable Here";
    case 491: return "Request Pending";
    case 500: return "Server Internal Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Server Time-out";
    case 505: return "Version Not Supported";
    case 513: return "Message Too Large";
    case 600: return "Busy Everywhere";
    case 603: return "Decline";
    case 604: return "Does Not Exist Anywhere";
    default: break;
    }
    if (status < 200) return "Progress";
    if (status < 300) return "OK";
    if (status < 400) return "Redirected";
    if (status < 500) return "Request Failure";
    return status < 600 ? "Server Failure" : "Global Failure";
}

} // namespace trunkline::sip
