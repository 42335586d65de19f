// Reads SIP messages and prints one JSON object for each: what the library reads in them, or why it
// refuses them and where. `sipdump --help` says how.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <trunkline/core/limits.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sdp/description.hpp>
#include <trunkline/sip/framer.hpp>
#include <trunkline/sip/message.hpp>

namespace {

using json = nlohmann::ordered_json;
namespace sip = trunkline::sip;
namespace sdp = trunkline::sdp;
namespace limits = trunkline::limits;

constexpr std::string_view help = R"(usage: sipdump [--stream] [FILE...]

Reads one SIP message from each FILE, or one from standard input (-), and prints a JSON object a line:
start line, headers as they stand, typed fields, the session description; or the error, with the
header and the offset at which it is. What is not UTF-8 is shown as U+FFFD.

  --stream   a FILE (or standard input) is a stream of messages, as TCP carries them; each is printed
             as soon as it is whole
  --help     this text

exit code: 0 all are valid, 1 some were refused, 2 usage, or a FILE that cannot be read

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
    for (const auto which : {sip::header::expires, sip::header::retry_after, sip::header::min_se,
                             sip::header::session_expires}) {
        if (const auto seconds = message.seconds(which)) {
            made[std::string{sip::name(which)}] = *seconds;
        }
    }
    if (!message.content_type().empty()) made["content_type"] = message.content_type();
    made["body_length"] = message.body().size();
    return made;
}

/// Tells the objects of one input from those of another.
class printer {
public:
    explicit printer(std::string_view file) : file_{file} {}

    /// Prints one message and says whether it was taken.
    bool message(std::span<char> text, bool stream) {
        sip::message_view message;
        const auto parsed = message.parse(text, stream);
        auto made = begin();
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
        print(made);
        return parsed.has_value();
    }

    /// Prints why there is no message; false, as it was not taken.
    bool refused(const trunkline::error& reason) {
        auto made = begin();
        made["error"] = error_object(reason);
        print(made);
        return false;
    }

private:
    [[nodiscard]] json begin() const {
        auto made = json::object();
        if (!file_.empty()) made["file"] = file_;
        return made;
    }
    /// At once, because the next message of a stream may be an hour away.
    static void print(const json& made) {
        std::cout << made.dump(-1, ' ', true, json::error_handler_t::replace) << std::endl;
    }

    std::string_view file_;
};

enum class outcome : std::uint8_t { valid, refused, unreadable };

/// Calls `take(bytes)` for whatever can be had, until there is no more or it returns false.
template <class Take>
[[nodiscard]] bool each_block(int from, Take take) {
    std::array<char, 16'384> block{};
    while (true) {
        const auto got = ::read(from, block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        if (!take(std::string_view{block.data(), static_cast<std::size_t>(got)})) return true;
    }
}

outcome dump_one(int from, printer to) {
    std::string text;
    // What is larger than any message is not read to its end: it may have none.
    const bool read = each_block(from, [&](std::string_view block) {
        text += block;
        return text.size() <= limits::stream_message;
    });
    if (!read) return outcome::unreadable;
    const bool good = text.size() <= limits::stream_message
                          ? to.message(text, false)
                          : to.refused({.code = trunkline::errc::limit_exceeded,
                                        .offset = std::uint32_t{limits::stream_message}});
    return good ? outcome::valid : outcome::refused;
}

outcome dump_stream(int from, printer to) {
    sip::framer frames;
    bool good = true;
    bool broken = false;
    std::string tail; // The stream's last three bytes.
    const bool read = each_block(from, [&](std::string_view block) {
        tail += block;
        tail.erase(0, tail.size() - std::min<std::size_t>(tail.size(), 3));
        frames.feed(trunkline::as_bytes(block));
        while (true) {
            const auto frame = frames.next();
            if (frame.kind == sip::framer::kind::need_more) return true;
            if (frame.kind == sip::framer::kind::message) {
                good = to.message(frame.bytes, true) && good;
            } else if (frame.kind == sip::framer::kind::broken) {
                broken = true;
                return good = to.refused(frame.reason);
            }
        }
    });
    if (!read) return outcome::unreadable;
    // Half a keep-alive after the last message is no message that was cut.
    const auto left = frames.pending();
    const bool cut = left > tail.size() ||
                     tail.find_first_not_of("\r\n", tail.size() - left) != std::string::npos;
    if (!broken && cut) {
        good = to.refused(
            {.code = trunkline::errc::need_more, .offset = static_cast<std::uint32_t>(left)});
    }
    return good ? outcome::valid : outcome::refused;
}

/// `name` is "-" for standard input.
outcome dump_input(const std::string& name, bool stream, bool named) {
    const bool standard = name == "-";
    const int from = standard ? STDIN_FILENO : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    auto came_of_it = outcome::unreadable;
    if (from >= 0) {
        const printer to{named ? name : std::string_view{}};
        came_of_it = stream ? dump_stream(from, to) : dump_one(from, to);
    }
    if (came_of_it == outcome::unreadable) {
        const auto why = std::generic_category().message(errno);
        std::cerr << "sipdump: cannot read " << name << ": " << why << '\n';
    }
    if (from >= 0 && !standard) ::close(from);
    return came_of_it;
}

} // namespace

int main(int argc, char** argv) {
    bool stream = false;
    bool options = true;
    std::vector<std::string> files;
    for (const std::string_view word : std::span{argv, static_cast<std::size_t>(argc)}.subspan(1)) {
        if (!options || word == "-" || !word.starts_with('-')) {
            files.emplace_back(word);
        } else if (word == "--help" || word == "-h") {
            std::cout << help;
            return 0;
        } else if (word == "--stream") {
            stream = true;
        } else if (word == "--") {
            options = false;
        } else {
            std::cerr << "sipdump: there is no option " << word << "\n\n" << help;
            return 2;
        }
    }
    const bool named = !files.empty();
    if (!named) files.emplace_back("-");
    // One bad file keeps nobody from the others.
    int code = 0;
    for (const auto& name : files) {
        const auto came_of_it = dump_input(name, stream, named);
        if (came_of_it == outcome::refused) code = std::max(code, 1);
        if (came_of_it == outcome::unreadable) code = 2;
    }
    if (!std::cout) {
        std::cerr << "sipdump: cannot write to standard output\n";
        return 2;
    }
    return code;
}
