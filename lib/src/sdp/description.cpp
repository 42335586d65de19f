#include <trunkline/sdp/description.hpp>

#include <algorithm>
#include <cstring>

#include <trunkline/core/text.hpp>

#include "words.hpp"

namespace trunkline::sdp {

namespace {

[[nodiscard]] media_kind kind_of(std::string_view text) noexcept {
    if (text == "audio") return media_kind::audio;
    if (text == "video") return media_kind::video;
    if (text == "image") return media_kind::image;
    if (text == "application") return media_kind::application;
    return media_kind::other;
}
} // namespace

transport transport_of(std::string_view text) noexcept {
    if (text == "RTP/AVP") return transport::rtp_avp;
    if (text == "RTP/SAVP") return transport::rtp_savp;
    if (text == "RTP/AVPF") return transport::rtp_avpf;
    if (text == "RTP/SAVPF") return transport::rtp_savpf;
    if (iequals(text, "udptl")) return transport::udptl; // T.38 writes it in either case.
    return transport::other;
}

std::string_view to_text(direction what) noexcept {
    switch (what) {
    case direction::inactive: return "inactive";
    case direction::sendonly: return "sendonly";
    case direction::recvonly: return "recvonly";
    case direction::sendrecv: break;
    }
    return "sendrecv";
}

/// One pass over the text. Every rule answers whether it matched; the first that did not has said
/// why and where in `failed`.
struct description::reader {
    description& into;
    std::string_view text;
    error failed{};
    bool seen_origin = false;
    // What a media section starts with.
    sdp::direction session_direction = sdp::direction::sendrecv;
    std::uint16_t session_ptime = 0;
    std::uint16_t session_maxptime = 0;

    [[nodiscard]] slice where(std::string_view part) const noexcept {
        return {offset_of(part), static_cast<std::uint16_t>(part.size())};
    }
    [[nodiscard]] std::uint16_t offset_of(const char* at) const noexcept {
        return static_cast<std::uint16_t>(at - text.data());
    }
    [[nodiscard]] std::uint16_t offset_of(std::string_view part) const noexcept {
        return offset_of(part.data());
    }
    [[nodiscard]] bool fail(errc code, char line, std::string_view part,
                            std::size_t limit = 0) noexcept {
        failed = {.code = code,
                  .field = static_cast<std::uint8_t>(line),
                  .detail = static_cast<std::uint16_t>(limit),
                  .offset = offset_of(part)};
        return false;
    }
    [[nodiscard]] stored_media* section() noexcept {
        return into.media_count_ == 0 ? nullptr : &into.media_[into.media_count_ - 1U];
    }

    [[nodiscard]] bool read() noexcept {
        const auto* at = text.data();
        const auto* const stop = at + text.size();
        bool first = true;
        while (at != stop) {
            const auto* const start = at;
            const auto* end = static_cast<const char*>(
                std::memchr(start, '\n', static_cast<std::size_t>(stop - start)));
            at = end == nullptr ? stop : end + 1;
            if (end == nullptr) end = stop;
            if (end != start && end[-1] == '\r') --end;
            if (end == start) continue; // Some end a body with a blank line or two.
            if (end - start < 2 || start[1] != '=')
                return fail(errc::bad_token, 0, text.substr(offset_of(start)));
            const std::string_view value{start + 2, static_cast<std::size_t>(end - start - 2)};
            if (first) {
                if (*start != 'v') return fail(errc::missing, 'v', text.substr(offset_of(start)));
                if (without_blanks(value) != "0") return fail(errc::bad_version, 'v', value);
                first = false;
            } else if (!dispatch(*start, value)) {
                return false;
            }
        }
        const auto end = text.substr(text.size());
        if (first) return fail(errc::missing, 'v', end);
        if (!seen_origin) return fail(errc::missing, 'o', end);
        return true;
    }

    [[nodiscard]] bool dispatch(char type, std::string_view value) noexcept {
        if (type == 'a') return attribute(value); // Most lines of most bodies.
        switch (type) {
        case 'm': return media(value);
        case 'c': return connection(value);
        case 'o': return origin(value);
        case 's': into.name_ = where(value); return true;
        case 't':
            if (into.timing_.size == 0) into.timing_ = where(without_blanks(value));
            return true;
        default: return true;
        }
    }

    /// o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>
    [[nodiscard]] bool origin(std::string_view value) noexcept {
        if (seen_origin) return fail(errc::duplicate, 'o', value);
        words in{value};
        std::array<std::string_view, 6> part;
        for (auto& word : part) {
            word = in.next();
            if (word.empty()) return fail(errc::need_more, 'o', in.rest);
        }
        for (const auto number : {part[1], part[2]}) {
            if (!std::all_of(number.begin(), number.end(), is_digit)) {
                return fail(errc::bad_number, 'o', number);
            }
        }
        into.username_ = where(part[0]);
        into.session_id_ = where(part[1]);
        into.session_version_ = where(part[2]);
        into.origin_host_ = where(part[5]);
        return seen_origin = true;
    }

    /// <nettype> <addrtype> <connection-address>, the last without what follows its "/".
    [[nodiscard]] bool host(char line, std::string_view value, slice& found) noexcept {
        // IP4 before an IPv6 literal and the reverse are seen in the wild: the literal knows best.
        auto rest = value;
        if (value.starts_with("IN IP4 ") || value.starts_with("IN IP6 ")) {
            rest.remove_prefix(7);
        } else {
            words in{value};
            const auto nettype = in.next();
            const auto addrtype = in.next();
            if (nettype != "IN" || (addrtype != "IP4" && addrtype != "IP6")) {
                return fail(errc::bad_address, line, value);
            }
            rest = in.rest;
        }
        rest = without_leading_blanks(rest);
        std::size_t size = 0;
        while (size < rest.size() && is_host_char(rest[size])) ++size;
        const bool ends = size == rest.size() || rest[size] == '/' || is_blank(rest[size]);
        if (size == 0 || !ends) return fail(errc::bad_address, line, value);
        const auto host = rest.substr(0, size);
        found = where(host);
        return true;
    }

    [[nodiscard]] bool connection(std::string_view value) noexcept {
        auto* const media = section();
        slice& place = media != nullptr ? media->host : into.host_;
        // Several c= lines are the layers of a multicast session: the first is the base.
        slice ignored;
        return host('c', value, place.size == 0 ? place : ignored);
    }

    /// m=<media> <port>["/"<number of ports>] <proto> <fmt> ...
    [[nodiscard]] bool media(std::string_view value) noexcept {
        if (into.media_count_ == limits::sdp_media) {
            return fail(errc::limit_exceeded, 'm', value, limits::sdp_media);
        }
        words in{value};
        auto& made = into.media_[into.media_count_];
        made = {};
        made.offset = static_cast<std::uint16_t>(offset_of(value) - 2);
        made.direction = session_direction;
        made.ptime = session_ptime;
        made.maxptime = session_maxptime;
        made.first_format = into.format_count_;
        made.first_attribute = into.attribute_count_;
        const auto kind = in.next();
        auto port = in.next();
        const auto proto = in.next();
        if (proto.empty()) return fail(errc::need_more, 'm', in.rest);
        const auto first_port = take_number(port, 65'535);
        if (!first_port) return fail(errc::bad_number, 'm', port);
        if (!port.empty()) {
            const auto count = port[0] == '/' ? whole_number(port.substr(1), 65'535) : std::nullopt;
            if (!count || *count == 0) return fail(errc::bad_number, 'm', port);
            made.port_count = static_cast<std::uint16_t>(*count);
        }
        made.kind_text = where(kind);
        made.kind = kind_of(kind);
        made.port = static_cast<std::uint16_t>(*first_port);
        made.transport_text = where(proto);
        made.transport = transport_of(proto);
        if (!formats(made, in)) return false;
        if (made.format_count == 0) return fail(errc::need_more, 'm', in.rest);
        if (!in.done()) return fail(errc::bad_token, 'm', in.rest);
        ++into.media_count_;
        return true;
    }

    [[nodiscard]] bool formats(stored_media& made, words& in) noexcept {
        for (auto format = in.next(); !format.empty(); format = in.next()) {
            if (made.format_count == limits::sdp_formats) {
                return fail(errc::limit_exceeded, 'm', format, limits::sdp_formats);
            }
            // A number past seven bits is a format that nobody can send, never an index.
            const auto number = whole_number(format, 127);
            const auto place = where(format);
            into.formats_[into.format_count_++] = {place.at, place.size, none, none,
                                                   number ? static_cast<std::uint8_t>(*number)
                                                          : no_payload_type};
            ++made.format_count;
        }
        return true;
    }

    /// a=<name>[":"<value>]
    [[nodiscard]] bool attribute(std::string_view line) noexcept {
        while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
        // Half of all attributes there are, and so told apart at once.
        const bool mapping = line.starts_with("rtpmap:");
        std::size_t colon = mapping ? 6 : 0;
        while (colon < line.size() && line[colon] != ':') ++colon;
        const auto name = line.substr(0, colon);
        const auto value = line.substr(std::min(colon + 1, line.size()));
        if (name.empty()) return true;
        if (into.attribute_count_ == limits::sdp_attributes) {
            return fail(errc::limit_exceeded, 'a', line, limits::sdp_attributes);
        }
        const auto index = into.attribute_count_++;
        into.attributes_[index] = {where(name), where(value)};
        if (auto* const media = section()) {
            ++media->attribute_count;
            if (!mapping) return typed(*media, index, name, value);
            link(*media, index, value, &stored_format::rtpmap);
            return true;
        }
        ++into.session_attributes_;
        typed_of_both(name, value, session_direction, session_ptime, session_maxptime);
        return true;
    }

    /// What a session may say for all of its media.
    static void typed_of_both(std::string_view name, std::string_view value, sdp::direction& stream,
                              std::uint16_t& ptime, std::uint16_t& maxptime) noexcept {
        if (name == "ptime") {
            ptime = milliseconds(value);
        } else if (name == "maxptime") {
            maxptime = milliseconds(value);
        } else if (name.size() == 8 && value.empty()) {
            for (const auto each : {sdp::direction::sendrecv, sdp::direction::sendonly,
                                    sdp::direction::recvonly, sdp::direction::inactive}) {
                if (name == to_text(each)) stream = each;
            }
        }
    }
    /// Fractions exist (AES67 has packets of 0.125 ms): what is rounded to 0 counts as not given.
    [[nodiscard]] static std::uint16_t milliseconds(std::string_view value) noexcept {
        value = without_blanks(value);
        return static_cast<std::uint16_t>(take_number(value, 60'000).value_or(0));
    }

    [[nodiscard]] bool typed(stored_media& media, std::uint16_t index, std::string_view name,
                             std::string_view value) noexcept {
        // By length first: most attributes of most bodies are none of these.
        switch (name.size()) {
        case 3:
            if (name == "mid") media.mid = where(without_blanks(value));
            return true;
        case 4:
            if (name == "fmtp") link(media, index, value, &stored_format::fmtp);
            return name != "rtcp" || rtcp(media, value);
        case 5:
        case 8:
            if (name == "rtcp-mux") media.rtcp_mux = true;
            typed_of_both(name, value, media.direction, media.ptime, media.maxptime);
            return true;
        default: return true;
        }
    }

    /// The first of its kind counts, for the first format that bears its number.
    void link(const stored_media& media, std::uint16_t index, std::string_view value,
              std::uint16_t stored_format::*which) noexcept {
        auto rest = without_leading_blanks(value);
        const auto number = take_number(rest, 127);
        if (!number || (!rest.empty() && !is_blank(rest.front()))) return;
        auto* const formats = &into.formats_[media.first_format];
        for (std::size_t i = 0; i < media.format_count; ++i) {
            auto& format = formats[i];
            if (format.payload_type != *number) continue;
            if (format.*which == none) format.*which = index;
            return;
        }
    }

    /// a=rtcp:<port> [<nettype> <addrtype> <connection-address>]
    [[nodiscard]] bool rtcp(stored_media& media, std::string_view value) noexcept {
        words in{value};
        const auto port = whole_number(in.next(), 65'535);
        if (!port) return fail(errc::bad_number, 'a', value);
        media.rtcp_host = {};
        if (!in.done() && !host('a', in.rest, media.rtcp_host)) return false;
        media.rtcp_port = static_cast<std::uint16_t>(*port);
        return media.has_rtcp = true;
    }
};

result<void> parse(std::string_view text, description& into) noexcept {
    into.clear(text);
    error failed{.code = errc::limit_exceeded, .detail = limits::body, .offset = limits::body};
    if (text.size() <= limits::body) {
        const auto nul = text.find('\0');
        description::reader reader{into, text};
        if (nul != std::string_view::npos) {
            failed = {.code = errc::bad_token, .offset = static_cast<std::uint32_t>(nul)};
        } else if (reader.read()) {
            return {};
        } else {
            failed = reader.failed;
        }
    }
    into.clear({});
    return failed;
}

} // namespace trunkline::sdp
