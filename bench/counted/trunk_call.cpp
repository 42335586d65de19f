// trunk_call CALLS: one whole answered call through the engine of trunks, sans-I/O. INVITE, 100, an
// agent that answers, 200, ACK, BYE, 200, its record, and 32 s later the last of its transactions.
// Under callgrind it says instructions; without it, time.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/pump.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/trunk/directory.hpp>
#include <trunkline/trunk/engine.hpp>

#include "counting.hpp"

namespace {

using namespace std::chrono_literals;
using namespace trunkline;

constexpr flow_id flow{1, 1};
constexpr endpoint carrier{address::v4(198, 51, 100, 20), 5060};
constexpr endpoint ours{address::v4(203, 0, 113, 7), 5060};

constexpr std::string_view invite =
    "INVITE sip:+14155550100@203.0.113.7:5060;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bKi################;rport\r\n"
    "Record-Route: <sip:198.51.100.20;lr;ftag=gK0c5f1a2b>\r\n"
    "Max-Forwards: 67\r\n"
    "From: \"Jane Q. Caller\" <sip:+12125550199@carrier.example.net>;tag=gK################\r\n"
    "To: <sip:+14155550100@203.0.113.7;user=phone>\r\n"
    "Call-ID: ################@198.51.100.20\r\n"
    "CSeq: 784512 INVITE\r\n"
    "Contact: <sip:+12125550199@198.51.100.20:5060>\r\n"
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\n"
    "Accept: application/sdp, application/isup, application/dtmf-relay\r\n"
    "Supported: timer, 100rel, replaces\r\n"
    "Session-Expires: 1800;refresher=uac\r\n"
    "Min-SE: 90\r\n"
    "P-Asserted-Identity: \"Jane Q. Caller\" <sip:+12125550199@carrier.example.net>\r\n"
    "User-Agent: Example SBC 9.2.1 (build 4711)\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 277\r\n"
    "\r\n"
    "v=0\r\n"
    "o=Example_SBC 24715 291640 IN IP4 198.51.100.40\r\n"
    "s=SIP Media Capabilities\r\n"
    "c=IN IP4 198.51.100.40\r\n"
    "t=0 0\r\n"
    "m=audio 27364 RTP/AVP 0 8 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=sendrecv\r\n"
    "a=maxptime:20\r\n"
    "a=ptime:20\r\n";

constexpr std::string_view ack =
    "ACK sip:+14155550100@203.0.113.7:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bKa################;rport\r\n"
    "Max-Forwards: 67\r\n"
    "From: \"Jane Q. Caller\" <sip:+12125550199@carrier.example.net>;tag=gK################\r\n"
    "To: <sip:+14155550100@203.0.113.7;user=phone>;tag=@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
    "Call-ID: ################@198.51.100.20\r\n"
    "CSeq: 784512 ACK\r\n"
    "Content-Length: 0\r\n\r\n";

constexpr std::string_view bye =
    "BYE sip:+14155550100@203.0.113.7:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bKb################;rport\r\n"
    "Max-Forwards: 67\r\n"
    "From: \"Jane Q. Caller\" <sip:+12125550199@carrier.example.net>;tag=gK################\r\n"
    "To: <sip:+14155550100@203.0.113.7;user=phone>;tag=@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
    "Call-ID: ################@198.51.100.20\r\n"
    "CSeq: 784513 BYE\r\n"
    "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n"
    "Content-Length: 0\r\n\r\n";

/// The text of one call: its number where the pattern has "#", our tag where it has "@".
[[nodiscard]] std::string filled(std::string_view pattern, std::uint64_t call,
                                 std::string_view tag) {
    std::string text{pattern};
    for (auto at = text.find('#'); at != std::string::npos; at = text.find('#', at)) {
        write_hex(call, 16, text.data() + at);
    }
    if (const auto at = text.find("tag=@"); at != std::string::npos) {
        text.replace(at + 4, tag.size(), tag);
    }
    return text;
}

[[nodiscard]] trunks::engine_config configured(std::size_t& ended) {
    trunks::engine_config made;
    made.listeners = {{}};
    made.user_agent = "trunkline";
    made.on_incoming = [](incoming_call& call) {
        if (!call.answer(std::make_unique<agent>())) std::abort();
    };
    made.on_record = [&ended](const call_record& record) {
        if (record.sip_code == 200 || record.answered) ++ended;
    };
    made.on_note = [](const effects::note&) {};
    return made;
}

/// What a shard does for its engine, without a socket.
class line {
public:
    line() {
        trunk_config wanted;
        wanted.name = "carrier";
        wanted.allow_from = {"198.51.100.0/24"};
        wanted.numbers = {{"+14155550100", "echo"}};
        wanted.channels = 1000;
        wanted.calls_per_second = 1000;
        auto made = trunks::compile(trunk_id{1}, wanted, "trunkline",
                                    std::make_shared<local_channels>(1000),
                                    std::make_shared<local_call_rate>(1000));
        if (!made) std::abort();
        engine_.set_directory(
            std::make_shared<const trunks::directory>(trunks::directory{*std::move(made)}), now_,
            out());
        engine_.receive(
            inputs::flow_up{flow, {transport::udp, listener_id{0}, ours, carrier}, token::none},
            now_, out());
        settle(false);
    }
    void call(bool counted) {
        const auto number = random_.number();
        receive(filled(invite, number, {}), counted);
        if (!last_.starts_with("SIP/2.0 200")) std::abort();
        const auto tag = last_.substr(last_.find(">;tag=tl") + 6, 34);
        receive(filled(ack, number, tag), counted);
        receive(filled(bye, number, tag), counted);
        if (!last_.starts_with("SIP/2.0 200")) std::abort();
        now_ += 1ms;
        {
            const bench::counting here{counted};
            engine_.tick(now_, out());
        }
        settle(counted);
    }
    [[nodiscard]] std::size_t ended() const { return ended_; }
    [[nodiscard]] std::size_t transactions() const { return engine_.transactions(); }

private:
    [[nodiscard]] outbox& out() { return pump_.out(); }
    void receive(std::string text, bool counted) {
        {
            const bench::counting here{counted};
            engine_.receive(inputs::packet{flow, std::as_writable_bytes(std::span{text})}, now_,
                            out());
        }
        settle(counted);
    }
    /// What the engine does is counted, and not what a driver does around it.
    void settle(bool counted) {
        counted_ = counted;
        if (!pump_.settle(*this, now_, 100)) std::abort();
    }
    friend class trunkline::pump;
    void flush(const outbox& full, time_point) {
        for (const auto& what : full) {
            if (const auto* sent = std::get_if<effects::send>(&what)) last_ = as_text(sent->bytes);
        }
    }
    void act(const effect& what, time_point) {
        if (const auto* wanted = std::get_if<effects::open_media>(&what)) {
            asked_ = inputs::media_opened{wanted->asked, media_id{++ports_, 1}, 20'000, 20'001};
        }
    }
    void deliver(const effects::event& what, time_point at) {
        const bench::counting here{counted_};
        engine_.deliver(what, at, out());
    }
    void deliver(const effects::note& what) {
        const bench::counting here{counted_};
        engine_.deliver(what);
    }
    const input* next_answer() {
        if (!asked_) return nullptr;
        answer_ = *std::exchange(asked_, std::nullopt);
        return &answer_;
    }
    void receive(const input& what, time_point at) {
        const bench::counting here{counted_};
        engine_.receive(what, at, out());
    }

    std::size_t ended_ = 0;
    seeded_entropy random_{1};
    seeded_entropy engines_{2};
    trunks::engine engine_{configured(ended_), engines_};
    time_point now_{1000s};
    trunkline::pump pump_;
    bool counted_ = false;
    std::optional<input> asked_; ///< The answer to the last open_media,
    input answer_;               ///< and the one that is being received.
    std::uint32_t ports_ = 0;
    std::string last_;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const auto calls = std::strtoull(argv[1], nullptr, 10);
    line one;
    // Until as many transactions end as begin.
    for (int i = 0; i < 33'000; ++i) one.call(false);
    bench::prepared();
    const auto ended = one.ended();
    const auto before = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < calls; ++i) one.call(true);
    const auto took = std::chrono::steady_clock::now() - before;
    std::printf("calls=%zu transactions=%zu ns=%.0f\n", one.ended() - ended, one.transactions(),
                std::chrono::duration<double, std::nano>(took).count() /
                    static_cast<double>(calls));
    return one.ended() - ended == calls ? 0 : 1;
}
