// Our side of the parser comparison: speaks the command line of
// ../shared/peers/parser/harness/bench.h (list, check, time, cg) and does what the peers do, by the
// one entry that everybody uses.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

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

/// The lines cut and named, and no value understood: what a shard needs to pass a message on.
int index(const char* bytes, std::size_t size, fields* into) {
    static sip::field_index lines;
    std::memcpy(buffer.data(), bytes, size);
    sip::first_error wrong;
    if (!lines.read(std::span{buffer}.first(size), wrong) || wrong.noted()) return 1;
    into->call_id = taken(lines.value(sip::header::call_id));
    into->nhdr = static_cast<int>(lines.fields().size());
    keep(into);
    return 0;
}

/// For each message of the corpus a request, parsed before the clock runs: its own, or where it is
/// a response that of the request before it.
struct parsed_request {
    std::vector<char> bytes;
    sip::message_view view;
};
std::vector<std::unique_ptr<parsed_request>> requests;
std::vector<const sip::message_view*> request_of;

void prepare(const item* items, int count) {
    for (int i = 0; i < count; ++i) {
        auto made = std::make_unique<parsed_request>();
        made->bytes.assign(items[i].d, items[i].d + items[i].n);
        if (!made->view.parse(made->bytes)) std::abort();
        if (made->view.is_request()) requests.push_back(std::move(made));
        if (requests.empty()) std::abort(); // The corpus begins with an INVITE.
        request_of.push_back(&requests.back()->view);
    }
}

/// A 200 to a request that was parsed, with a Contact and no body.
int build(const char*, std::size_t, fields* into) {
    static std::array<std::byte, 65'536> written;
    static const trunkline::endpoint source{trunkline::address::v4(192, 0, 2, 1), 5060};
    sip::writer to{written};
    to.response_head(*request_of[static_cast<std::size_t>(g_cur)], 200, "OK", "tl00000000", source);
    to.field(sip::header::contact, "<sip:192.0.2.9:5060>").no_body();
    into->body_len = to.size();
    return to.failed() ? 1 : 0;
}

} // namespace

int main(int count, char** words) {
    static const mode modes[] = {
        {"full", 0, full, nullptr}, {"index", 0, index, nullptr}, {"sdp", 1, session, nullptr},
        {"uri", 2, uri, nullptr},   {"build", 0, build, prepare},
    };
    return run_main(count, words, modes, static_cast<int>(std::size(modes)));
}
