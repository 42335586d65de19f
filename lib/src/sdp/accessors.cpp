// What a parsed description answers. The parser is in description.cpp.
#include <array>

#include <trunkline/sdp/description.hpp>

#include "words.hpp"

namespace trunkline::sdp {

namespace {

/// RFC 3551 tables 4 and 5.
struct static_payload {
    std::uint8_t payload_type;
    std::uint8_t channels;
    std::uint32_t clock_rate;
    std::string_view encoding;
};
constexpr std::array<static_payload, 24> static_payloads{{
    {0, 1, 8'000, "PCMU"},   {3, 1, 8'000, "GSM"},    {4, 1, 8'000, "G723"},
    {5, 1, 8'000, "DVI4"},   {6, 1, 16'000, "DVI4"},  {7, 1, 8'000, "LPC"},
    {8, 1, 8'000, "PCMA"},   {9, 1, 8'000, "G722"},   {10, 2, 44'100, "L16"},
    {11, 1, 44'100, "L16"},  {12, 1, 8'000, "QCELP"}, {13, 1, 8'000, "CN"},
    {14, 1, 90'000, "MPA"},  {15, 1, 8'000, "G728"},  {16, 1, 11'025, "DVI4"},
    {17, 1, 22'050, "DVI4"}, {18, 1, 8'000, "G729"},  {25, 1, 90'000, "CelB"},
    {26, 1, 90'000, "JPEG"}, {28, 1, 90'000, "nv"},   {31, 1, 90'000, "H261"},
    {32, 1, 90'000, "MPV"},  {33, 1, 90'000, "MP2T"}, {34, 1, 90'000, "H263"},
}};

[[nodiscard]] connection_view connection_of(std::string_view host) noexcept {
    connection_view made{.host = host, .literal = std::nullopt};
    if (const auto literal = address::parse(host)) made.literal = *literal;
    return made;
}

} // namespace

void description::clear(std::string_view text) noexcept {
    text_ = text;
    username_ = session_id_ = session_version_ = origin_host_ = {};
    name_ = timing_ = host_ = {};
    media_count_ = format_count_ = attribute_count_ = session_attributes_ = 0;
}

origin_view description::origin() const noexcept {
    return {text_of(username_), text_of(session_id_), text_of(session_version_),
            text_of(origin_host_)};
}

std::optional<connection_view> description::connection() const noexcept {
    if (host_.size == 0) return std::nullopt;
    return connection_of(text_of(host_));
}

attribute_view description::stored(std::size_t index) const noexcept {
    const auto& found = attributes_[index];
    return {text_of(found.name), text_of(found.value)};
}

attribute_view description::attribute(std::size_t index) const noexcept {
    TRUNKLINE_ASSERT(index < session_attributes_);
    return stored(index);
}

std::optional<std::string_view> description::find(std::string_view name, std::size_t first,
                                                  std::size_t count) const noexcept {
    for (std::size_t i = first; i < first + count; ++i) {
        if (const auto each = stored(i); each.name == name) return each.value;
    }
    return std::nullopt;
}

std::optional<std::string_view> description::find(std::string_view name) const noexcept {
    return find(name, 0, session_attributes_);
}

media_kind media_view::kind() const noexcept {
    return of_->media_[index_].kind;
}
std::string_view media_view::kind_text() const noexcept {
    return of_->text_of(of_->media_[index_].kind_text);
}
std::uint16_t media_view::port() const noexcept {
    return of_->media_[index_].port;
}
std::uint16_t media_view::port_count() const noexcept {
    return of_->media_[index_].port_count;
}
transport media_view::transport() const noexcept {
    return of_->media_[index_].transport;
}
std::string_view media_view::transport_text() const noexcept {
    return of_->text_of(of_->media_[index_].transport_text);
}
std::size_t media_view::offset() const noexcept {
    return of_->media_[index_].offset;
}
std::size_t media_view::format_count() const noexcept {
    return of_->media_[index_].format_count;
}

format_view media_view::format(std::size_t index) const noexcept {
    const auto& media = of_->media_[index_];
    TRUNKLINE_ASSERT(index < media.format_count);
    const auto& stored = of_->formats_[media.first_format + index];
    format_view made{.text = of_->text_.substr(stored.at, stored.size)};
    if (stored.payload_type == description::no_payload_type) return made;
    made.payload_type = stored.payload_type;
    const auto value = [&](std::uint16_t attribute) {
        words in{of_->stored(attribute).value};
        static_cast<void>(in.next());
        return in.rest;
    };
    if (stored.fmtp != description::none) made.fmtp = without_blanks(value(stored.fmtp));
    if (stored.rtpmap != description::none) {
        // One that is malformed maps nothing, and the static table holds.
        if (const auto map = parse_rtpmap(value(stored.rtpmap))) {
            made.encoding = map->encoding;
            made.clock_rate = map->clock_rate;
            made.channels = map->channels;
            return made;
        }
    }
    for (const auto& each : static_payloads) {
        if (each.payload_type != stored.payload_type) continue;
        made.encoding = each.encoding;
        made.clock_rate = each.clock_rate;
        made.channels = each.channels;
    }
    return made;
}

std::optional<connection_view> media_view::connection() const noexcept {
    const auto own = of_->media_[index_].host;
    return own.size == 0 ? of_->connection() : connection_of(of_->text_of(own));
}
direction media_view::direction() const noexcept {
    return of_->media_[index_].direction;
}

std::optional<std::chrono::milliseconds> media_view::ptime() const noexcept {
    const auto given = of_->media_[index_].ptime;
    if (given == 0) return std::nullopt;
    return std::chrono::milliseconds{given};
}
std::optional<std::chrono::milliseconds> media_view::maxptime() const noexcept {
    const auto given = of_->media_[index_].maxptime;
    if (given == 0) return std::nullopt;
    return std::chrono::milliseconds{given};
}

std::optional<rtcp_view> media_view::rtcp() const noexcept {
    const auto& media = of_->media_[index_];
    if (!media.has_rtcp) return std::nullopt;
    rtcp_view made{.port = media.rtcp_port, .connection = std::nullopt};
    if (media.rtcp_host.size != 0) made.connection = connection_of(of_->text_of(media.rtcp_host));
    return made;
}
bool media_view::rtcp_mux() const noexcept {
    return of_->media_[index_].rtcp_mux;
}
std::string_view media_view::mid() const noexcept {
    return of_->text_of(of_->media_[index_].mid);
}

std::size_t media_view::attribute_count() const noexcept {
    return of_->media_[index_].attribute_count;
}
attribute_view media_view::attribute(std::size_t index) const noexcept {
    TRUNKLINE_ASSERT(index < attribute_count());
    return of_->stored(of_->media_[index_].first_attribute + index);
}
std::optional<std::string_view> media_view::find(std::string_view name) const noexcept {
    const auto& media = of_->media_[index_];
    return of_->find(name, media.first_attribute, media.attribute_count);
}

} // namespace trunkline::sdp
