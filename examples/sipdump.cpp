// Reads SIP messages and prints one JSON object for each: what the library reads in them, or why it
// refuses them and where. `sipdump --help` says how.
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <trunkline/core/text.hpp>
#include <trunkline/sdp/description.hpp>
#include <trunkline/sip/framer.hpp>
#include <trunkline/sip/message.hpp>

namespace {

using json = nlohmann::ordered_json;
namespace sip = trunkline::sip;
namespace sdp = trunkline::sdp;

constexpr std::string_view help = R"(usage: sipdump [--stream] [FILE...]

Reads one SIP message from each FILE, or one from standard input, and prints a JSON object a line:
start line, headers as they stand, typed fields, the session description; or the error, with the
header and the offset at which it is.

  --stream   a FILE (or standard input) is a stream of messages, as TCP carries them
  --help     this text

exit code: 0 all are valid, 1 some were refused, 2 usage

  sipdump invite.sip
  sipdump < invite.sip
  sipdump --stream capture.tcp | jq .typed.cseq
)";

json error_object(const trunkline::error& reason) {
    json made{{"message", trunkline::message(reason.code)}, {"offset", reason.offset}};
    const auto header = sip::name(static_cast<sip::header>(reason.field));
    if (reason.field < sip::header_count && !header.empty()) made["header"] = header;
    return made;
}

json uri_object(const sip::uri_view& uri) {
    json made{{"text", uri.text}};
    if (!uri.user.empty()) made["user"] = uri.user;
    if (!uri.host.empty()) made["host"] = uri.host;
    if (uri.has_port) made["port"] = uri.port;
    if (!uri.parameters.empty()) made["parameters"] = uri.parameters;
    return made;
}

json address_object(const sip::name_addr_view& address) {
    json made{{"uri", uri_object(address.uri)}};
    if (!address.display.empty()) made["display"] = address.display;
    if (!address.tag().empty()) made["tag"] = address.tag();
    return made;
}

json sdp_object(std::string_view body) {
    sdp::description read;
    if (const auto parsed = sdp::parse(body, read); !parsed) {
        return {{"error",
                 {{"message", trunkline::message(parsed.reason().code)},
                  {"line", std::string(1, static_cast<char>(parsed.reason().field))},
                  {"offset", parsed.reason().offset}}}};
    }
    json made{{"origin", read.origin().session_id}, {"media", json::array()}};
    for (std::size_t i = 0; i < read.media_count(); ++i) {
        const auto media = read.media(i);
        json one{{"kind", media.kind_text()},
                 {"port", media.port()},
                 {"transport", media.transport_text()},
                 {"direction", sdp::to_text(media.direction())},
                 {"formats", json::array()}};
        if (const auto where = media.connection()) one["address"] = where->host;
        if (const auto ptime = media.ptime()) one["ptime"] = ptime->count();
        for (std::size_t f = 0; f < media.format_count(); ++f) {
            const auto format = media.format(f);
            json named{{"format", format.text}};
            if (!format.encoding.empty()) named["encoding"] = format.encoding;
            if (format.clock_rate != 0) named["clock_rate"] = format.clock_rate;
            if (!format.fmtp.empty()) named["fmtp"] = format.fmtp;
            one["formats"].push_back(std::move(named));
        }
        made["media"].push_back(std::move(one));
    }
    return made;
}

json typed_object(const sip::message_view& message) {
    const auto& via = message.top_via();
    json made{
        {"via", {{"transport", via.transport}, {"sent_by", via.sent_by}, {"branch", via.branch}}},
        {"from", address_object(message.from())},
        {"to", address_object(message.to())},
        {"call_id", message.call_id()},
        {"cseq", {{"number", message.cseq().number}, {"method", message.cseq().method}}}};
    if (const auto hops = message.max_forwards()) made["max_forwards"] = *hops;
    if (const auto* contact = message.contact()) made["contact"] = address_object(*contact);
    for (const auto which : {sip::header::route, sip::header::record_route, sip::header::allow,
                             sip::header::supported, sip::header::require}) {
        if (!message.has(which)) continue;
        auto list = json::array();
        message.each_element(which, [&](std::string_view one) { list.push_back(one); });
        made[std::string{sip::name(which)}] = std::move(list);
    }
    if (const auto expires = message.seconds(sip::header::expires)) made["expires"] = *expires;
    if (!message.content_type().empty()) made["content_type"] = message.content_type();
    made["body_length"] = message.body().size();
    return made;
}

/// Prints one message; false when it was refused.
bool dump(std::span<char> text, bool stream) {
    sip::message_view message;
    const auto parsed = message.parse(text, stream);
    json made;
    if (!parsed) {
        made["error"] = error_object(parsed.reason());
    } else if (message.is_request()) {
        made["request"] = {{"method", message.method_text()},
                           {"uri", uri_object(message.request_uri())}};
    } else {
        made["response"] = {{"status", message.status()}, {"reason", message.reason()}};
    }
    made["headers"] = json::array();
    for (const auto& field : message.fields()) {
        made["headers"].push_back({{"name", field.name}, {"value", field.value}});
    }
    if (parsed) {
        made["typed"] = typed_object(message);
        if (trunkline::iequals(message.content_type(), "application/sdp")) {
            made["sdp"] = sdp_object(message.body());
        }
    }
    std::cout << made.dump(-1, ' ', true, json::error_handler_t::replace) << '\n';
    return parsed.has_value();
}

bool dump_stream(std::string_view text) {
    sip::framer frames;
    frames.feed(trunkline::as_bytes(text));
    bool good = true;
    while (true) {
        const auto frame = frames.next();
        if (frame.kind == sip::framer::kind::message) {
            good = dump(frame.bytes, true) && good;
        } else if (frame.kind == sip::framer::kind::broken) {
            std::cout << json{{"error", error_object(frame.reason)}}.dump() << '\n';
            return false;
        } else if (frame.kind == sip::framer::kind::need_more) {
            break;
        }
    }
    if (frames.pending() == 0) return good;
    const trunkline::error cut{.code = trunkline::errc::need_more,
                               .offset = static_cast<std::uint32_t>(frames.pending())};
    std::cout << json{{"error", error_object(cut)}}.dump() << '\n';
    return false;
}

bool read_all(std::istream& from, bool stream) {
    std::string text{std::istreambuf_iterator<char>{from}, {}};
    return stream ? dump_stream(text) : dump(text, false);
}

} // namespace

int main(int argc, char** argv) {
    bool stream = false;
    std::vector<std::string> files;
    for (const std::string_view word : std::vector<std::string_view>(argv + 1, argv + argc)) {
        if (word == "--help" || word == "-h") {
            std::cout << help;
            return 0;
        }
        if (word == "--stream")
            stream = true;
        else if (word.starts_with("-") && word.size() > 1) {
            std::cerr << "sipdump: there is no option " << word << "\n\n" << help;
            return 2;
        } else
            files.emplace_back(word);
    }
    if (files.empty()) return read_all(std::cin, stream) ? 0 : 1;
    bool good = true;
    for (const auto& name : files) {
        std::ifstream file{name, std::ios::binary};
        if (!file) {
            std::cerr << "sipdump: cannot read " << name << '\n';
            return 2;
        }
        good = read_all(file, stream) && good;
    }
    return good ? 0 : 1;
}
