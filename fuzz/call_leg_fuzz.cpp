#include <trunkline/call/leg.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <trunkline/core/text.hpp>

namespace {

using namespace trunkline;
using namespace std::chrono_literals;

void check(bool holds) {
    if (!holds) std::abort();
}

constexpr owner_id ours{9};
constexpr std::string_view usual_sdp =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n"
    "m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

/// The driver and the trunk of one leg, the peer that a program plays, and what must hold after
/// each of its steps.
class world {
public:
    explicit world(std::string_view program) : program_{program} {}

    void run() {
        while (!program_.empty() && steps_++ < most_steps) {
            const auto end = std::min(program_.find('\n'), program_.size());
            auto line = program_.substr(0, end);
            program_.remove_prefix(std::min(end + 1, program_.size()));
            if (!line.empty()) step(line.front(), line.substr(1));
            settle();
        }
        if (leg_) end();
    }

private:
    static constexpr std::size_t most_steps = 64;
    static constexpr duration most_time = 60s;
    static constexpr duration most_talk = 1s; ///< Media is most of the work of a run.

    void step(char what, std::string_view rest) {
        switch (what) {
        case 'i': return begin(rest);
        case 'o': return invite();
        case 'D': defer_ = true; return;
        case 'V': settings_->delivery = rtp::release::playout; return;
        case 'U': settings_->auth_username = "alice"; return;
        case 'K': settings_->provisionals = calls::reliability::required; return;
        case 'W': settings_->session = {90s, 90s}; return;
        default: break;
        }
        if (!leg_) return;
        switch (what) {
        case 'r': return respond("INVITE", rest);
        case 'b': return respond("BYE", rest);
        case 'c': return respond("CANCEL", rest);
        case 'a': return respond_to(rest);
        case 'q': return request(rest);
        case 'x': return cancel();
        case 't': return wait(number(rest) * 1ms);
        case 'm': return media(as_bytes(rest), false);
        case 'n': return media(as_bytes(rest), true);
        case 'M': return packets(rest);
        case 'O': return open(false);
        case 'N': return open(true);
        default: return command(what, rest);
        }
    }

    void command(char what, std::string_view rest) {
        // A trunk lets nobody speak into a call that is over.
        auto* stream = leg_->over() ? nullptr : leg_->media();
        switch (what) {
        case 'R': static_cast<void>(leg_->ringing(now_, out_)); break;
        case 'P': static_cast<void>(leg_->progress(now_, out_)); break;
        case 'A': static_cast<void>(leg_->answer(true, now_, out_)); break;
        case 'Z': static_cast<void>(leg_->answer(false, now_, out_)); break;
        case 'H': leg_->hang_up(ended_by::application, 0, "bye", now_, out_); break;
        case 'J': leg_->reject(486, "Busy Here", {}, {}, now_, out_); break;
        case 'T': static_cast<void>(leg_->transfer(rest, now_, out_)); break;
        case 'Y':
            static_cast<void>(leg_->report_referral(static_cast<int>(number(rest)), now_, out_));
            break;
        case 'F': flow_failed(); break;
        case 'p':
            path_.flow.slot = static_cast<std::uint32_t>(rest.size());
            leg_->set_path(path_, now_, out_);
            break;
        case 'd':
            if (stream != nullptr) static_cast<void>(stream->send_digits(rest, now_));
            break;
        case 's':
            if (stream != nullptr) static_cast<void>(stream->send(pcm_, now_, out_));
            break;
        case 'u': speak(stream, rest.size()); break;
        default: break;
        }
        leg_->rearm_media();
    }
    void speak(calls::media_stream* stream, std::size_t marks) {
        if (stream == nullptr) return;
        const auto id = stream->speech().open();
        if (!id) return;
        static_cast<void>(stream->speech().write(*id, pcm_));
        for (std::size_t i = 0; i < marks; ++i) static_cast<void>(stream->speech().mark(*id, i));
        static_cast<void>(stream->speech().finish(*id));
        if (marks % 3 == 0) stream->speech().clear();
        stream->tell_happened(out_);
    }

    void make(direction which) {
        leg_ = std::make_unique<calls::leg>(around_, sip::identity{0, 3, 7}, ours, which, settings_,
                                            path_);
    }
    void invite() {
        if (leg_) return;
        make(direction::outbound);
        leg_->invite({.request_uri = "sip:100@192.0.2.10",
                      .from = "<sip:200@198.51.100.1>",
                      .to = "<sip:100@192.0.2.10>"},
                     now_, out_);
    }
    void begin(std::string_view rest) {
        if (leg_) return;
        receive(whole("INVITE sip:100@198.51.100.1 SIP/2.0\r\n"
                      "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK-i\r\n"
                      "From: <sip:200@192.0.2.10>;tag=peer\r\nTo: <sip:100@198.51.100.1>\r\n"
                      "Call-ID: abc\r\nCSeq: 10 INVITE\r\nContact: <sip:gw@192.0.2.10>\r\n",
                      rest));
    }
    void cancel() {
        receive(whole("CANCEL sip:100@198.51.100.1 SIP/2.0\r\n"
                      "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK-i\r\n"
                      "From: <sip:200@192.0.2.10>;tag=peer\r\nTo: <sip:100@198.51.100.1>\r\n"
                      "Call-ID: abc\r\nCSeq: 10 CANCEL\r\n",
                      {}));
    }
    /// METHOD, a digit that is added to the CSeq 10, then fields and body.
    void request(std::string_view rest) {
        const auto space = std::min(rest.find(' '), rest.size());
        const std::string method{rest.substr(0, space)};
        rest.remove_prefix(std::min(space + 1, rest.size()));
        const unsigned added = rest.empty() ? 0 : static_cast<unsigned char>(rest.front()) - 48U;
        if (!rest.empty()) rest.remove_prefix(1);
        const bool inbound = leg_->which() == direction::inbound;
        receive(whole(
            method + " sip:100@198.51.100.1 SIP/2.0\r\n" +
                "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK-" + std::to_string(branches_++) +
                "\r\nFrom: <sip:200@192.0.2.10>;tag=peer\r\n"
                "To: <sip:100@198.51.100.1>;tag=" +
                std::string{leg_->local_tag()} +
                "\r\nCall-ID: " + (inbound ? std::string{"abc"} : std::string{leg_->call_id()}) +
                "\r\nCSeq: " + std::to_string(10 + added % 80) + " " + method + "\r\n",
            rest));
    }
    /// The method of the request that is answered, a blank, and then as respond() has it.
    void respond_to(std::string_view rest) {
        const auto space = std::min(rest.find(' '), rest.size());
        respond(rest.substr(0, space), rest.substr(std::min(space + 1, rest.size())));
    }
    /// A status, the peer's tag (one letter), then fields and body.
    void respond(std::string_view method, std::string_view rest) {
        const auto found = std::find_if(sent_.rbegin(), sent_.rend(), [&](const auto& one) {
            return one.starts_with(std::string{method} + " ");
        });
        if (found == sent_.rend() || rest.size() < 4) return;
        const auto asked = sip::message::parse(*found);
        check(asked.has_value());
        const sip::message_view& to = **asked;
        std::string head = "SIP/2.0 " + std::string{rest.substr(0, 3)} + " Words\r\n";
        for (const auto which : {sip::header::via, sip::header::from, sip::header::to}) {
            head += std::string{sip::name(which)} + ": " + std::string{to.value(which)};
            if (which == sip::header::to && to.to().tag().empty()) {
                head += rest[3] == 'p' ? std::string{";tag=peer"} : ";tag=" + std::string{rest[3]};
            }
            head += "\r\n";
        }
        head += "Call-ID: " + std::string{to.call_id()} +
                "\r\nCSeq: " + std::string{to.value(sip::header::cseq)} + "\r\n";
        receive(whole(std::move(head), rest.substr(4)));
    }
    /// The number of our last reliable response, as its PRACK names it.
    [[nodiscard]] std::string last_rseq() const {
        for (auto at = sent_.rbegin(); at != sent_.rend(); ++at) {
            const auto found = at->find("RSeq: ");
            if (found != std::string::npos)
                return at->substr(found + 6, at->find('\r', found) - found - 6);
        }
        return "1";
    }
    /// Fields, then "^" and the body; "|" is a line break, "$" stands for the usual SDP, and "#"
    /// for what a PRACK would acknowledge.
    [[nodiscard]] std::string whole(std::string head, std::string_view rest) const {
        const auto hat = std::min(rest.find('^'), rest.size());
        const auto expand = [this](std::string_view text) {
            std::string made;
            for (const char c : text) {
                if (c == '|')
                    made += "\r\n";
                else if (c == '$')
                    made += usual_sdp;
                else if (c == '#')
                    made += last_rseq();
                else
                    made += c;
            }
            return made;
        };
        head += expand(rest.substr(0, hat));
        const auto body = hat < rest.size() ? expand(rest.substr(hat + 1)) : std::string{};
        return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    void receive(const std::string& text) {
        const auto parsed = sip::message::parse(text);
        if (!parsed) return;
        const sip::message_view& view = **parsed;
        using fate = sip::transaction_layer::fate;
        const auto found = transactions_.receive(view, path_.flow, now_, out_);
        const flow_info from{transport::udp, {}, {}, path_.peer};
        if (found.what == fate::response) {
            if (leg_ && found.owner == ours) leg_->receive_response(view, found.id, now_, out_);
        } else if (found.what == fate::ack) {
            if (leg_) leg_->receive_request(view, from, path_.flow, now_, out_);
        } else if (found.what != fate::fresh) {
            return;
        } else if (view.method() == sip::method::cancel) {
            if (leg_ && transactions_.cancelled(view))
                leg_->cancelled(view.value(sip::header::reason), now_, out_);
        } else if (leg_) {
            leg_->receive_request(view, from, path_.flow, now_, out_);
        } else if (view.method() == sip::method::invite && view.to().tag().empty()) {
            make(direction::inbound);
            const auto id = transactions_.accept(view, path_.flow, false, ours);
            if (!leg_->incoming(view, id)) {
                leg_->reject(488, "Not Acceptable Here", {}, {}, now_, out_);
            }
        }
    }

    static std::int64_t number(std::string_view text) {
        unsigned read = 0;
        std::from_chars(text.data(), text.data() + std::min<std::size_t>(text.size(), 5), read);
        return read;
    }
    void wait(duration time) {
        auto& left = leg_->media() != nullptr && !leg_->over() ? talk_left_ : time_left_;
        time = std::min(time, left);
        left -= time;
        pass(time);
    }
    void pass(duration time) {
        const auto until = now_ + time;
        std::size_t fired = 0;
        while (const auto due = wheel_.next_deadline()) {
            if (*due > until) break;
            now_ = std::max(now_, *due);
            wheel_.advance(now_, [&](timer_node& node) {
                check(++fired < 200'000); // Due for ever.
                fire(node);
            });
            settle();
        }
        now_ = until;
    }
    void fire(timer_node& node) {
        if (node.kind != sip::transaction_layer::timer_kind) {
            check(leg_ != nullptr);
            return leg_->fire(static_cast<calls::leg::timer>(node.kind), now_, out_);
        }
        const auto ended = transactions_.fire(node, now_, out_);
        if (leg_ && ended.owner == ours) leg_->transaction_ended(ended, now_, out_);
    }
    void flow_failed() {
        std::vector<sip::transaction_layer::ended> ended;
        transactions_.flow_failed(path_.flow, now_, ended);
        for (const auto& one : ended)
            if (one.owner == ours) leg_->transaction_ended(one, now_, out_);
    }

    void media(std::span<const std::byte> bytes, bool control) {
        std::vector<std::byte> copy(bytes.begin(), bytes.end());
        leg_->receive_media(
            {{opened_, 1}, ours, {address::v4(192, 0, 2, 20), 30'000}, control, copy}, now_, out_);
        settle(); // The outbox may point into the copy.
    }
    /// A packet for each letter: it says how far number and clock move, and what it carries.
    void packets(std::string_view rest) {
        for (const char c : rest.substr(0, 64)) {
            const auto bits = static_cast<unsigned char>(c);
            sequence_ = static_cast<std::uint16_t>(sequence_ + (bits & 7U));
            timestamp_ += 160U * (bits >> 3U & 7U);
            std::array<std::byte, 172> packet{};
            const rtp::header header{false,
                                     static_cast<std::uint8_t>((bits & 0x40U) != 0 ? 0 : 101),
                                     {sequence_},
                                     {timestamp_},
                                     (bits & 0x80U) != 0 ? 2U : 1U};
            static_cast<void>(rtp::write_header(header, packet));
            media(std::span{packet}.first((bits & 0x40U) != 0 ? 172 : 16), false);
            wait(20ms);
        }
    }

    void open(bool fails) {
        if (asked_.empty()) return;
        const auto one = asked_.back();
        asked_.pop_back();
        if (fails) return leg_->media_failed({one, cause::table_full}, now_, out_);
        check(opened_ == 0); // One pair a call.
        ++opened_;
        leg_->media_opened({one, {opened_, 1}, 40'000, 40'001}, now_, out_);
    }

    void settle() {
        do {
            const std::vector<effect> effects(out_.begin(), out_.end());
            for (const auto& one : effects) take(one);
            out_.clear();
            if (!defer_ && leg_) open(false);
        } while (!out_.empty());
        check_notices();
    }
    void take(const effect& one) {
        if (const auto* bytes = std::get_if<effects::send>(&one)) {
            sent_.emplace_back(as_text(bytes->bytes));
            check(sip::message::parse(sent_.back()).has_value());
        } else if (std::holds_alternative<effects::send_media>(one)) {
            check(opened_ == 1 && closed_ == 0);
        } else if (const auto* told = std::get_if<effects::event>(&one)) {
            check(!finished_);
            if (told->code != static_cast<std::uint16_t>(calls::event::audio)) return;
            check(static_cast<std::uint64_t>(told->values[0]) == heard_);
            heard_ += told->bytes.size() / sizeof(std::int16_t);
        } else if (const auto* asks = std::get_if<effects::open_media>(&one)) {
            asked_.push_back(asks->asked);
            check(++asks_ == 1);
        } else if (const auto* gone = std::get_if<effects::close_media>(&one)) {
            check(gone->media == media_id{opened_, 1} && ++closed_ == 1);
        }
    }
    void check_notices() {
        using what = calls::notice::what;
        for (const auto& one : notices_) {
            check(!finished_);
            if (one.kind == what::finished) {
                check(ends_ == 1);
                finished_ = true;
            } else if (one.kind == what::ended || one.kind == what::refused) {
                check(++ends_ == 1 && leg_->over());
            } else {
                check(ends_ == 0 || one.kind == what::reroute);
            }
        }
        notices_.clear();
    }

    /// However it went, a call that is hung up ends in bounded time and leaves nothing behind.
    void end() {
        leg_->hang_up(ended_by::application, 0, "bye", now_, out_);
        defer_ = false;
        settle();
        pass(200s);
        check(ends_ == 1 && finished_ && opened_ == static_cast<std::uint32_t>(closed_));
        leg_.reset();
        pass(70s);
        check(transactions_.size() == 0 && wheel_.size() == 0);
    }

    std::string_view program_;
    std::size_t steps_ = 0;
    duration time_left_ = most_time;
    duration talk_left_ = most_talk;
    sip::timers timers_;
    timer_wheel wheel_;
    seeded_entropy random_{1};
    sip::transaction_layer transactions_{timers_, wheel_, random_, 0};
    std::vector<calls::notice> notices_;
    calls::environment around_{transactions_, wheel_, random_, timers_, notices_, {}};
    std::shared_ptr<calls::leg_settings> settings_ = std::make_shared<calls::leg_settings>();
    calls::signalling_path path_{.flow = {1, 1},
                                 .over = transport::udp,
                                 .peer = {address::v4(192, 0, 2, 10), 5060},
                                 .trusted = true,
                                 .sent_by = "198.51.100.1:5060",
                                 .media_at = address::v4(198, 51, 100, 1),
                                 .media_advertised = address::v4(198, 51, 100, 1)};
    outbox out_;
    time_point now_{1h};
    std::unique_ptr<calls::leg> leg_;
    std::vector<std::string> sent_;
    std::vector<token> asked_;
    std::array<std::int16_t, 160> pcm_{};
    bool defer_ = false;
    bool finished_ = false;
    int ends_ = 0;
    int asks_ = 0;
    std::uint32_t opened_ = 0;
    int closed_ = 0;
    unsigned branches_ = 0;
    std::uint64_t heard_ = 0;
    std::uint16_t sequence_ = 65'530;
    std::uint32_t timestamp_ = 0xffff'ff00;
};

} // namespace

/// A program of lines; the first letter says what happens. See world::step().
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    world{{reinterpret_cast<const char*>(data), size}}.run();
    return 0;
}
