#include "stream_rules.hpp"

#include <algorithm>
#include <array>

#include <trunkline/core/text.hpp>

namespace trunkline::sdp {

namespace {

constexpr std::uint8_t usual_telephone_event = 101;

} // namespace

std::string_view name_of(encoding which) noexcept {
    switch (which) {
    case encoding::pcmu: return "PCMU";
    case encoding::pcma: return "PCMA";
    case encoding::telephone_event: break;
    }
    return "telephone-event";
}

error about(errc code, const media_view& media) noexcept {
    return {.code = code, .field = 'm', .offset = static_cast<std::uint32_t>(media.offset())};
}

bool lists_usual_event_number(const media_view& media) noexcept {
    for (std::size_t i = 0; i < media.format_count(); ++i) {
        if (media.format(i).text == "101") return true;
    }
    return false;
}

codec_list offered_codecs(const local_media& local) noexcept {
    codec_list made;
    std::array<bool, 128> used{};
    bool has_law = false;
    for (const auto& each : local.codecs) {
        const bool event = each.encoding == encoding::telephone_event;
        if (event && !local.dtmf) continue;
        if (each.payload_type > 127 || used[each.payload_type]) return {};
        if (each.clock_rate != telephone_rate) return {};
        used[each.payload_type] = true;
        has_law = has_law || !event;
        made.push_back(each);
    }
    if (!has_law) return {};
    if (local.dtmf && made.find(encoding::telephone_event) == nullptr) {
        if (used[usual_telephone_event] || made.size() == codec_list::capacity) return {};
        made.push_back({usual_telephone_event, encoding::telephone_event, telephone_rate});
    }
    return made;
}

namespace {

[[nodiscard]] bool is(const format_view& format, encoding which) noexcept {
    return format.payload_type && format.channels == 1 && format.clock_rate == telephone_rate &&
           iequals(format.encoding, name_of(which));
}

} // namespace

std::optional<std::uint8_t> listed(const media_view& media, encoding which,
                                   const codec_list* offered) noexcept {
    for (std::size_t i = 0; i < media.format_count(); ++i) {
        const auto format = media.format(i);
        if (is(format, which)) return format.payload_type;
        if (offered == nullptr || !format.payload_type || !format.encoding.empty()) continue;
        for (const auto& each : *offered) {
            if (each.encoding == which && each.payload_type == *format.payload_type) {
                return format.payload_type;
            }
        }
    }
    return std::nullopt;
}

std::optional<encoding> chosen_law(const media_view& media, const codec_list& ours,
                                   const codec_list* offered, preference whose) noexcept {
    if (whose == preference::ours) {
        for (const auto& each : ours) {
            if (each.encoding == encoding::telephone_event) continue;
            if (listed(media, each.encoding, offered)) return each.encoding;
        }
        return std::nullopt;
    }
    for (std::size_t i = 0; i < media.format_count(); ++i) {
        const auto format = media.format(i);
        for (const auto& each : ours) {
            if (each.encoding == encoding::telephone_event) continue;
            const bool ours_by_number = offered != nullptr && format.encoding.empty() &&
                                        format.payload_type == each.payload_type;
            if (is(format, each.encoding) || ours_by_number) return each.encoding;
        }
    }
    return std::nullopt;
}

std::chrono::milliseconds sane_ptime(std::chrono::milliseconds asked) noexcept {
    using std::chrono::milliseconds;
    return milliseconds{std::clamp<milliseconds::rep>(asked.count() / 10 * 10, 10, 60)};
}

std::chrono::milliseconds ptime_to_send(const media_view& media,
                                        std::chrono::milliseconds ours) noexcept {
    auto chosen = media.ptime().value_or(ours);
    if (const auto most = media.maxptime()) chosen = std::min(chosen, *most);
    return sane_ptime(chosen);
}

namespace {

/// RFC 2543's hold, which RFC 3264 section 8.4 still has us understand, and its IPv6 successors.
[[nodiscard]] bool is_nowhere(const connection_view& connection) noexcept {
    if (connection.literal) return connection.literal->is_wildcard();
    constexpr std::string_view invalid = ".invalid"; // RFC 6157 section 5.1.
    const auto host = connection.host;
    return host.size() >= invalid.size() &&
           iequals(host.substr(host.size() - invalid.size()), invalid);
}

} // namespace

direction direction_of(const media_view& media) noexcept {
    const auto connection = media.connection();
    if (!connection || !is_nowhere(*connection)) return media.direction();
    return common(media.direction(), direction::sendonly);
}

result<void> locate(const media_view& media, bool mux, agreed& made) noexcept {
    const auto connection = media.connection();
    if (!connection) return error{.code = errc::missing, .field = 'c'};
    if (!connection->literal && !is_nowhere(*connection)) {
        auto why = about(errc::bad_address, media);
        why.detail = static_cast<std::uint16_t>(unreachable::host_name);
        return why;
    }
    const auto host = connection->literal.value_or(address::v4(0, 0, 0, 0));
    if (host.is_multicast()) return about(errc::bad_address, media);
    made.rtp = made.rtcp = {host, media.port()};
    made.rtcp_mux = mux && media.rtcp_mux();
    if (made.rtcp_mux) return {};
    made.rtcp.port = static_cast<std::uint16_t>(media.port() == 65'535 ? 0 : media.port() + 1);
    if (const auto rtcp = media.rtcp()) {
        made.rtcp.port = rtcp->port;
        const bool elsewhere = rtcp->connection && rtcp->connection->literal &&
                               !rtcp->connection->literal->is_multicast() &&
                               !rtcp->connection->literal->is_wildcard();
        if (elsewhere) made.rtcp.address = *rtcp->connection->literal;
    }
    return {};
}

bool speaks(transport what) noexcept {
    // RFC 4585 lets an endpoint take RTP/AVPF and then send no early feedback, which is what we do.
    return what == transport::rtp_avp || what == transport::rtp_avpf;
}

} // namespace trunkline::sdp
