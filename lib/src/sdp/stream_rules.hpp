// RFC 3264's rules for one m-line, each a pure function of what stands in it and what we want.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <trunkline/core/result.hpp>
#include <trunkline/sdp/description.hpp>
#include <trunkline/sdp/offer_answer.hpp>

namespace trunkline::sdp {

/// Of both laws, and so of the telephone-event beside them.
inline constexpr std::uint32_t telephone_rate = 8'000;

[[nodiscard]] std::string_view name_of(encoding which) noexcept;
[[nodiscard]] error about(errc code, const media_view& media) noexcept;
/// What we would list in an offer: the laws in order, then telephone-event. Empty when it makes no
/// sense: a payload type stands twice, a clock is no telephone's, or no law is there.
[[nodiscard]] codec_list offered_codecs(const local_media& local) noexcept;
/// Whether the number that offered_codecs() has for telephone-event stands in the m-line.
[[nodiscard]] bool lists_usual_event_number(const media_view& media) noexcept;
/// The payload type under which the peer lists `which`. In an answer a dynamic number that they
/// left without an rtpmap can only mean what we offered under it.
[[nodiscard]] std::optional<std::uint8_t> listed(const media_view& media, encoding which,
                                                 const codec_list* offered) noexcept;
/// The first law in the peer's list that is in ours too, or the other way round.
[[nodiscard]] std::optional<encoding> chosen_law(const media_view& media, const codec_list& ours,
                                                 const codec_list* offered,
                                                 preference whose) noexcept;
[[nodiscard]] std::chrono::milliseconds sane_ptime(std::chrono::milliseconds asked) noexcept;
/// What they ask for, else what we would; never more than they say they can take.
[[nodiscard]] std::chrono::milliseconds ptime_to_send(const media_view& media,
                                                      std::chrono::milliseconds ours) noexcept;
/// Theirs; an address that is nowhere wants to receive nothing, whatever else is said.
[[nodiscard]] direction direction_of(const media_view& media) noexcept;
/// RTP and RTCP addresses. A name or a group is nobody we could send a stream to.
[[nodiscard]] result<void> locate(const media_view& media, bool mux, agreed& made) noexcept;
[[nodiscard]] bool speaks(transport what) noexcept;

} // namespace trunkline::sdp
