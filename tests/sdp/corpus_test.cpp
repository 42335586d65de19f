// The sample descriptions of sdp-transform, which this project did not write.
#include <trunkline/sdp/description.hpp>

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <trunkline/sdp/offer_answer.hpp>

#include "support/print.hpp"
#include "support/shared.hpp"

namespace trunkline::sdp {
namespace {

using support::read_file;

const std::string_view samples = "sdp/sdp-transform";
const auto folder = support::shared(samples);

[[nodiscard]] bool is_absent() {
    return !support::have_shared(samples);
}

std::size_t count_lines(std::string_view text, std::string_view start) {
    std::size_t count = text.starts_with(start) ? 1 : 0;
    for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        if (text.substr(at + 1).starts_with(start)) ++count;
    }
    return count;
}

TEST_CASE("sdp::description: parses all of sdp-transform's samples but the invalid one") {
    if (is_absent()) return;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        const auto text = read_file(entry.path());
        CAPTURE(entry.path().string());
        ++files;
        description read;
        const auto parsed = parse(text, read);
        if (entry.path().filename() == "invalid.sdp") {
            REQUIRE_FALSE(parsed);
            CHECK(text.substr(parsed.reason().offset, 9) == " IN IP7 X");
            continue;
        }
        CHECK(parsed == result<void>{});
        CHECK(read.media_count() == count_lines(text, "m="));
        std::size_t attributes = read.attribute_count();
        for (std::size_t i = 0; i < read.media_count(); ++i) {
            attributes += read.media(i).attribute_count();
        }
        CHECK(attributes == count_lines(text, "a="));
    }
    CHECK(files == 25);
}

TEST_CASE("sdp::description: reads what sdp-transform's authors assert of their samples") {
    if (is_absent()) return;
    description read;
    const auto normal = read_file(folder / "normal.sdp");
    REQUIRE(parse(normal, read));
    CHECK(read.origin() == origin_view{"-", "20518", "0", "203.0.113.1"});
    REQUIRE(read.media_count() == 2);
    CHECK(read.media(0).port() == 54400);
    CHECK(read.media(0).transport() == transport::rtp_savpf);
    CHECK(read.media(0).ptime() == std::chrono::milliseconds{20});
    CHECK(read.media(0).format(1).encoding == "opus");
    CHECK(read.media(0).format(1).clock_rate == 48'000);
    CHECK(read.media(1).format(1).fmtp == "minptime=10; useinbandfec=1");
    CHECK(read.media(1).format(1).encoding == "VP8");
    CHECK(read.media(1).connection()->literal == address::v4(203, 0, 113, 1));

    const auto hacky = read_file(folder / "hacky.sdp");
    REQUIRE(parse(hacky, read));
    REQUIRE(read.media_count() == 3);
    CHECK(read.origin().session_id == "3710604898417546434");
    CHECK(read.media(0).mid() == "audio");
    CHECK(read.media(0).rtcp_mux());
    CHECK(read.media(0).rtcp()->port == 1);
    CHECK_FALSE(read.media(0).ptime()); // 0.125 ms.
    CHECK(read.media(0).maxptime() == std::chrono::milliseconds{60});
    CHECK(read.media(1).rtcp()->port == 12312);
    CHECK(read.media(2).kind() == media_kind::application);
    CHECK(read.media(2).transport() == transport::other);
    CHECK(read.media(2).format(0).text == "5000");

    const auto alac = read_file(folder / "alac.sdp");
    REQUIRE(parse(alac, read));
    CHECK(read.media(0).format(0).fmtp == "352 0 16 40 10 14 2 255 0 0 44100");
}

TEST_CASE("sdp::negotiation: agrees to no sample that needs what we do not have") {
    if (is_absent()) return;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        CAPTURE(entry.path().string());
        const auto text = read_file(entry.path());
        negotiation answerer{1};
        const auto outcome = answerer.receive_offer(text);
        if (!outcome || outcome->disabled) continue;
        // Plain RTP with PCMU in it, and an address of one host.
        CHECK(text.find("RTP/AVP 0") != std::string::npos);
        CHECK_FALSE(outcome->rtp.address.is_multicast());
    }
}

} // namespace
} // namespace trunkline::sdp
