#include <trunkline/sip/message.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include <trunkline/sip/dns.hpp>
#include <trunkline/sip/identity.hpp>

#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

/// Memory whose last byte is followed by a page that nobody may touch: one read too far ends the
/// test, in every preset.
class guarded {
public:
    explicit guarded(std::size_t most)
        : page_{static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))},
          usable_{(most + page_ - 1) / page_ * page_} {
        void* mapped = ::mmap(nullptr, usable_ + page_, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(mapped != MAP_FAILED);
        begin_ = static_cast<char*>(mapped);
        REQUIRE(::mprotect(begin_ + usable_, page_, PROT_NONE) == 0);
    }
    guarded(const guarded&) = delete;
    guarded& operator=(const guarded&) = delete;
    ~guarded() { ::munmap(begin_, usable_ + page_); }

    /// The text, ending right before the guard.
    [[nodiscard]] std::span<char> place(std::string_view text) {
        char* const at = begin_ + usable_ - text.size();
        std::copy(text.begin(), text.end(), at);
        return {at, text.size()};
    }

private:
    std::size_t page_;
    std::size_t usable_;
    char* begin_ = nullptr;
};

constexpr std::string_view invite = R"(INVITE sip:bob:x@[2001:db8::1]:5060;transport=udp SIP/2.0
Via: SIP / 2.0 / UDP h.example.com : 5060;branch=z9hG4bK1;x="\"", SIP/2.0/TCP
 [::1];rport;received=192.0.2.1
f: "A \"B\" \\" <sip:a%40b@h;lr?x=y>;tag=1
t: sip:b@h
i: a@b
CSeq: 1 INVITE
Contact: "x, y" <sip:c@h>;expires=1, <tel:+1-2>
Record-Route: <sip:p1;lr>,<sip:p2>
Route: <sip:p3;lr>
Supported: timer, 100rel
Session-Expires: 90;refresher=uac
Content-Type: application / sdp ; charset="utf-8"
k: path
Content-Length: 4

v=0
)";

void touch(const message_view& read) {
    std::size_t bytes = 0;
    for (const auto& field : read.fields()) bytes += field.name.size() + field.value.size();
    for (std::size_t i = 0; i < header_count; ++i) {
        const auto which = static_cast<header>(i);
        read.each_element(which, [&](std::string_view one) { bytes += one.size(); });
        bytes += read.seconds(which).value_or(0) + (read.lists(which, "timer") ? 1U : 0U);
    }
    bytes += read.body().size() + read.from().tag().size() + read.to().tag().size();
    bytes += read.content_type().size() + read.top_via().branch.size();
    CHECK(read.size() <= 4096);
    CHECK(bytes < 1'000'000'000'000);
}

TEST_CASE("sip::message: cut off anywhere, it is never read past its end") {
    guarded memory{4096};
    const auto whole = support::crlf(invite);
    message_view read;
    REQUIRE(read.parse(memory.place(whole)).has_value());
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        CAPTURE(length);
        for (const bool stream : {false, true}) {
            const auto outcome = read.parse(memory.place(whole.substr(0, length)), stream);
            if (!outcome) CHECK(outcome.reason().offset <= length);
            if (length > 60) touch(read);
        }
        static_cast<void>(owner_of(std::as_bytes(memory.place(whole.substr(0, length))), 4));
    }
}

TEST_CASE("sip::message: beginning anywhere, it is never read past its end") {
    guarded memory{4096};
    const auto whole = support::crlf(invite);
    message_view read;
    for (std::size_t from = 0; from <= whole.size(); ++from) {
        const auto outcome = read.parse(memory.place(whole.substr(from)));
        if (!outcome) CHECK(outcome.reason().offset <= whole.size() - from);
        static_cast<void>(owner_of(std::as_bytes(memory.place(whole.substr(from))), 4));
    }
}

TEST_CASE("sip::via, sip::name_addr, sip::uri: cut off anywhere, nothing is read past the end") {
    guarded memory{4096};
    for (const std::string_view text :
         {R"(SIP / 2.0 / UDP [2001:db8::1] : 5060 ; branch = "a\"b" ; rport)",
          R"("A \"B" <sip:a%40b:c%41@1.2.3.4:5060;lr=%41?x=%42> ; tag = "x\\")",
          "tel:+1-2(3).4;ext=5;phone-context=%41", "Anonymous Two <sips:h>"}) {
        for (std::size_t length = 0; length <= text.size(); ++length) {
            const auto place = memory.place(text.substr(0, length));
            const std::string_view cut{place.data(), place.size()};
            static_cast<void>(via_view::parse(cut));
            static_cast<void>(name_addr_view::parse(cut));
            static_cast<void>(uri_view::parse(cut));
            static_cast<void>(parameters_view::parse(cut));
        }
    }
}

} // namespace
} // namespace trunkline::sip
