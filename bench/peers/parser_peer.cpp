// Our side of the parser comparison: speaks the command line of
// ../shared/peers/parser/harness/bench.h (list, check, time, cg) and does what the peers do, by the
// one entry that everybody uses.
#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/sdp/description.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/sip/writer.hpp>

#include <bench.h>

namespace {

namespace sip = trunkline::sip;
namespace sdp = trunkline::sdp;

sv taken(std::string_view text) {
    return {text.data(), text.size()};
}

/// A message is unfolded in place, so every pass parses a copy, as a driver's buffer is one.
std::array<char, 65'536> buffer;
sip::message_view message;
sdp::description description;

bool parse(const char* bytes, std::size_t size) {
    std::memcpy(buffer.data(), bytes, size);
    return message.parse(std::span{buffer}.first(size)).has_value();
}

int full(const char* bytes, std::size_t size, fields* into) {
    if (!parse(bytes, size)) return 1;
    into->status = message.is_request() ? 0 : message.status();
    into->method = taken(message.is_request() ? message.method_text() : message.cseq().method);
    into->via_host = taken(message.top_via().host);
    into->via_branch = taken(message.top_via().branch);
    into->from_tag = taken(message.from().tag());
    into->to_tag = taken(message.to().tag());
    into->call_id = taken(message.call_id());
    into->cseq = message.cseq().number;
    into->cseq_method = taken(message.cseq().method);
    if (const auto* contact = message.contact()) {
        into->contact_user = taken(contact->uri.user);
        into->contact_host = taken(contact->uri.host);
        into->contact_port = contact->uri.port;
    }
    into->clen = static_cast<int>(message.seconds(sip::header::content_length).value_or(0));
    into->body_len = message.body().size();
    into->nhdr = static_cast<int>(message.fields().size());
    keep(into);
    return 0;
}

int session(const char* bytes, std::size_t size, fields* into) {
    if (!sdp::parse({bytes, size}, description)) return 1;
    into->nhdr = static_cast<int>(description.media_count());
    return 0;
}

int uri(const char* bytes, std::size_t size, fields* into) {
    const auto read = sip::uri_view::parse({bytes, size});
    if (!read) return 1;
    into->contact_user = taken(read->user);
    into->contact_host = taken(read->host);
    into->contact_port = read->port;
    keep(into);
    return 0;
}

/// A 200 built from each request; a response builds nothing.
int build(const char* bytes, std::size_t size, fields* into) {
    static std::array<std::byte, 65'536> written;
    static const trunkline::endpoint source{trunkline::address::v4(192, 0, 2, 1), 5060};
    if (!parse(bytes, size)) return 1;
    if (!message.is_request()) return 0;
    sip::writer to{written};
    to.response_head(message, 200, "OK", "tl00000000", source);
    to.field(sip::header::contact, "<sip:192.0.2.9:5060>").no_body();
    into->body_len = to.size();
    return to.failed() ? 1 : 0;
}

} // namespace

int main(int count, char** words) {
    static const mode modes[] = {
        {"full", 0, full, nullptr},
        {"sdp", 1, session, nullptr},
        {"uri", 2, uri, nullptr},
        {"build", 0, build, nullptr},
    };
    return run_main(count, words, modes, static_cast<int>(std::size(modes)));
}
