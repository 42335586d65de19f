// SIP as literal text: what a peer would send, and what we have to answer, as it reads.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <trunkline/core/result.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/message.hpp>

namespace trunkline::support {

/// Every line feed becomes a line break of the protocol, so that a raw string reads like the wire.
[[nodiscard]] inline std::string crlf(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '\n') made += '\r';
        made += c;
    }
    return made;
}

/// A message that stays where it was parsed, with the verdict.
struct parsed {
    explicit parsed(std::string text, bool stream = false)
        : bytes{std::move(text)},
          outcome{view.parse(bytes, stream)} {}

    [[nodiscard]] const sip::message_view& operator*() const noexcept { return view; }
    [[nodiscard]] const sip::message_view* operator->() const noexcept { return &view; }

    std::string bytes;
    sip::message_view view;
    result<void> outcome;
};

/// One that has to be good.
struct good : parsed {
    explicit good(std::string_view text) : parsed{crlf(text)} { REQUIRE(outcome.has_value()); }
};

} // namespace trunkline::support
