// Whether media goes where SDP says or where media comes from (RFC 4961).
#pragma once

#include <cstdint>

namespace trunkline {

/// What a trunk believes of the sources of its calls' RTP. Which sources are plausible is
/// calls::source_rank's to say.
enum class rtp_symmetry : std::uint8_t {
    off,       ///< Plausible sources are heard, and media is sent to the described endpoint alone.
    automatic, ///< Plausible sources are heard, and media is sent to the one that is heard.
    any,       ///< So, and a stranger is heard where no plausible source is.
};

} // namespace trunkline
