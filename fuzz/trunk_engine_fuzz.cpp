#include <trunkline/trunk/engine.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <trunkline/core/pump.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/trunk/directory.hpp>

namespace {

using namespace trunkline;
using namespace std::chrono_literals;

void check(bool holds) {
    if (!holds) std::abort();
}

constexpr std::string_view sdp =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n"
    "m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
constexpr std::string_view carrier = "198.51.100.1:5060";
constexpr std::string_view stranger = "203.0.113.66:5060";

/// The value of a header line, found without the library's parser.
[[nodiscard]] std::string field(std::string_view text, std::string_view name) {
    const auto at = text.find("\r\n" + std::string{name} + ": ");
    if (at == std::string_view::npos) return {};
    const auto start = at + name.size() + 4;
    return std::string{text.substr(start, text.find("\r\n", start) - start)};
}

[[nodiscard]] std::string with_body(std::string head, std::string_view body) {
    if (!body.empty()) head += "Content-Type: application/sdp\r\n";
    return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

/// What all agents of a program have in common: what they do next, and how many there are.
struct behaviour {
    std::string todo; ///< One letter for each callback to come.
    int alive = 0;

    void react(call& c) {
        if (todo.empty()) return;
        const char what = todo.back();
        todo.pop_back();
        const std::array<std::int16_t, 800> samples{};
        switch (what) {
        case 'h': return c.hang_up();
        case 't': throw 1;
        case 'd': return c.hang_up_after_drain();
        case 's':
            if (auto speech = c.say()) {
                static_cast<void>(speech->write(samples));
                static_cast<void>(speech->mark("m"));
                if (todo.size() % 2 == 0) static_cast<void>(speech->finish());
            }
            return;
        case 'c': return static_cast<void>(c.clear());
        case 'p': return static_cast<void>(c.pause());
        case 'u': return static_cast<void>(c.resume());
        case 'f': return static_cast<void>(c.send(samples));
        case 'g': return static_cast<void>(c.send_digits("12"));
        case 'r': return static_cast<void>(c.reject(486));
        default: return;
        }
    }
};

/// Nothing before the call begins, one end, nothing after it.
class witness final : public agent {
public:
    explicit witness(behaviour& how) : how_{how} { ++how_.alive; }
    ~witness() override { --how_.alive; }

    void on_ringing(call& c) override { happened(c); }
    void on_early_media(call& c) override { happened(c); }
    void on_answered(call& c) override {
        check(!std::exchange(answered_, true));
        happened(c);
    }
    void on_audio(call& c, const audio_frame& frame) override {
        check(frame.at == next_);
        next_ += frame.samples.size();
        happened(c);
    }
    void on_digit(call& c, char) override { happened(c); }
    void on_mark(call& c, std::string_view, bool) override { happened(c); }
    void on_drained(call& c) override { happened(c); }
    void on_ended(call& c, const call_record& record) override {
        check(!std::exchange(ended_, true));
        check(record.id == c.id());
        how_.react(c);
    }

private:
    void happened(call& c) {
        check(!ended_);
        how_.react(c);
    }

    behaviour& how_;
    bool answered_ = false;
    bool ended_ = false;
    std::uint64_t next_ = 0;
};

class world {
public:
    explicit world(std::string_view program) : program_{program} {
        config_.listeners = {{}};
        config_.max_calls = 8;
        config_.on_incoming = [this](incoming_call& c) { incoming(c); };
        config_.on_record = [this](const call_record& record) {
            if (record.id != 0) check(records_.insert(record.id).second);
        };
        engine_ = std::make_unique<trunks::engine>(config_, random_);
        publish(true);
    }

    void run() {
        int steps = 0;
        while (!program_.empty() && steps++ < 64) {
            const auto end = std::min(program_.find('\n'), program_.size());
            const auto line = program_.substr(0, end);
            program_.remove_prefix(std::min(end + 1, program_.size()));
            if (!line.empty()) step(line.front(), line.substr(1));
            settle();
            check(engine_->calls() <= 200);
        }
        end();
    }

private:
    static constexpr duration most_time = 10s;

    void incoming(incoming_call& c) {
        const char how = answers_.empty() ? 'a' : answers_.back();
        if (!answers_.empty()) answers_.pop_back();
        if (how == 'n') return; // Nobody decides.
        if (how == 'r') return static_cast<void>(c.ringing());
        if (how == 'e') return static_cast<void>(c.progress());
        if (how == 'x') return static_cast<void>(c.reject(603, "no"));
        if (how == 't') throw 2;
        static_cast<void>(c.answer(std::make_unique<witness>(how_), {.media = how != 'i'}));
        if (how == 'h') c.hang_up();
    }

    void step(char what, std::string_view rest) {
        const auto number = rest.empty() ? '0' : rest.front();
        switch (what) {
        case 'i': return receive(carrier, invite(number, unfolded(rest)));
        case 'j': return receive(stranger, invite(number, unfolded(rest)));
        case 'a': return receive(carrier, within(number, "ACK", {}));
        case 'b': return receive(carrier, within(number, "BYE", {}));
        case 'r': return receive(carrier, within(number, "INVITE", sdp));
        case 'l': return receive(carrier, within(number, "INVITE", {}));
        case 'v': return receive(carrier, within(number, "UPDATE", sdp));
        case 'c': return receive(carrier, cancel(number));
        case 'x': return receive(carrier, unfolded(rest));
        case 'y': return receive(stranger, unfolded(rest));
        case 'd': return dial(number);
        case 'p': return respond(number, rest.size() > 1 ? rest.substr(1) : "200 OK");
        case 'm': return hear(rest);
        case 't': return advance(std::min<duration>(rest.size() * 97ms, most_time));
        case 'T': return advance(std::min<duration>(rest.size() * 1'009ms, most_time));
        case 'w': how_.todo = rest.substr(0, 16); return;
        case 'W': answers_ = rest.substr(0, 16); return;
        case 'n': return answer_names(true);
        case 'N': return answer_names(false);
        case 'u': unreachable_ = !unreachable_; return;
        case 'o': ports_left_ = !ports_left_; return;
        case 'h': return hold();
        case 'k': return publish(!published_);
        case 'q': engine_->drain(); return engine_->leave_registrars(now_, out());
        case 'G': registering_ = !registering_; return publish(published_);
        case 'J': return receive(carrier, called_by_contact(number));
        case 'H': return engine_->hang_up_all("enough", now_, out());
        case 'e':
            return engine_->receive(
                inputs::send_failed{{static_cast<std::uint32_t>(number & 7), 1}, {}, cause::broken},
                now_, out());
        case 'E':
            return engine_->receive(
                inputs::flow_down{{static_cast<std::uint32_t>(number & 7), 1}, cause::table_full},
                now_, out());
        default: return;
        }
    }

    [[nodiscard]] static std::string unfolded(std::string_view text) {
        std::string made;
        for (const char c : text) {
            if (c == '|')
                made += "\r\n";
            else
                made += c;
        }
        return made;
    }
    [[nodiscard]] static std::string head(char number, std::string_view method, std::string_view to,
                                          std::string_view branch, unsigned cseq) {
        const std::string who{number};
        return std::string{method} + " sip:+4930123@192.0.2.1 SIP/2.0\r\n" +
               "Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK" + who + std::string{branch} +
               "\r\nFrom: <sip:+49170@198.51.100.1>;tag=" + who + "\r\nTo: " + std::string{to} +
               "\r\nCall-ID: call-" + who + "\r\nCSeq: " + std::to_string(cseq) + ' ' +
               std::string{method} + "\r\nContact: <sip:gw@198.51.100.1:5060>\r\n";
    }
    /// As a registrar sends it: the Request-URI is the Contact that we registered.
    [[nodiscard]] std::string called_by_contact(char number) {
        auto made = invite(number, {});
        return made.replace(made.find("+4930123"), 8, contact_user_);
    }
    /// What follows the number on its line are header lines of its own.
    [[nodiscard]] std::string invite(char number, const std::string& fields) {
        auto made = head(number, "INVITE", "<sip:+4930123@192.0.2.1>", "", 1);
        if (fields.size() > 1) made += fields.substr(1) + "\r\n";
        return with_body(made, sdp);
    }
    [[nodiscard]] std::string within(char number, std::string_view method, std::string_view body) {
        const auto& last = finals_[number];
        const bool success = last.starts_with("SIP/2.0 2");
        const bool ack = method == "ACK";
        const auto cseq = ack ? 1 : ++cseq_;
        const auto branch = ack && !success ? std::string{} : std::to_string(++branch_) + "x";
        return with_body(head(number, method, field(last, "To"), branch, cseq), body);
    }
    [[nodiscard]] static std::string cancel(char number) {
        return with_body(head(number, "CANCEL", "<sip:+4930123@192.0.2.1>", "", 1), {});
    }
    void respond(char which, std::string_view status) {
        const auto at = static_cast<std::size_t>(which - '0');
        if (at >= requests_.size()) return;
        const auto& [text, flow] = requests_[requests_.size() - 1 - at];
        auto made = "SIP/2.0 " + unfolded(status) + "\r\nVia: " + field(text, "Via") +
                    "\r\nFrom: " + field(text, "From") + "\r\nTo: " + field(text, "To");
        if (made.find("tag=", made.find("\r\nTo: ")) == std::string::npos) made += ";tag=t";
        made += "\r\nCall-ID: " + field(text, "Call-ID") + "\r\nCSeq: " + field(text, "CSeq") +
                "\r\nContact: <sip:gw@198.51.100.1:5060>\r\n";
        const bool speaks =
            status.starts_with("2") || (status.starts_with("18") && !status.starts_with("180"));
        made = with_body(made, speaks ? sdp : std::string_view{});
        packet(flow, made);
    }
    void dial(char number) {
        dial_request made;
        made.to = number == '0' ? "" : std::string{number};
        made.trunk = number == '2' ? "named" : "";
        made.agent = std::make_unique<witness>(how_);
        engine_->dial(std::move(made), now_, out());
    }
    void hear(std::string_view bytes) {
        if (ports_.empty()) return;
        // By value: a port may be closed by what is heard.
        const auto [media, owner] = ports_.back();
        for (const char c : bytes.substr(0, 32)) {
            std::array<std::byte, 172> rtp{};
            rtp[0] = std::byte{0x80};
            rtp[1] = static_cast<std::byte>(c == '!' ? 101 : c == '?' ? 13 : 0);
            sequence_ = static_cast<std::uint16_t>(sequence_ + (c == '-' ? 5 : 1));
            rtp[2] = static_cast<std::byte>(sequence_ >> 8);
            rtp[3] = static_cast<std::byte>(sequence_ & 0xff);
            rtp[6] = static_cast<std::byte>(sequence_ * 160U >> 8 & 0xff);
            rtp[7] = static_cast<std::byte>(sequence_ * 160U & 0xff);
            rtp[11] = static_cast<std::byte>(c == '+' ? 2 : 1);
            engine_->receive(inputs::media_packet{media, owner,
                                                  *endpoint::parse("192.0.2.20:30000"), c == '#',
                                                  rtp},
                             now_, out());
            settle();
            advance(20ms);
        }
    }

    void publish(bool with_trunks) {
        published_ = with_trunks;
        auto made = std::make_shared<trunks::directory>();
        if (with_trunks) {
            for (const auto* name : {"plain", "named", "guarded"}) {
                trunk_config config;
                config.name = name;
                config.numbers = {{"+4930123"}};
                config.channels = 4;
                config.gateway_timeout = 1s;
                config.ringing_timeout = 5s;
                config.auth = userpass{"user", "secret"};
                config.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
                config.allow_from = {"198.51.100.0/28"};
                if (config.name == "named") config.gateways = {{"sip.example.net"}};
                if (registering_ && config.name != "guarded") config.registration.emplace();
                if (config.name == "guarded") {
                    config.inbound_auth = userpass{"user", "secret"};
                    config.allow_from = {"203.0.113.77"};
                }
                auto channels = std::make_shared<local_channels>(config.channels);
                auto rate = std::make_shared<local_call_rate>(config.calls_per_second);
                auto one = trunks::compile(trunk_id{1}, config, "fuzz", channels, rate);
                check(one.has_value());
                counted_.push_back(channels);
                made->push_back(*one);
                if (!(*one)->contact_user.empty()) contact_user_ = (*one)->contact_user;
            }
        }
        engine_->set_directory(std::move(made), now_, out());
        settle();
    }
    void answer_names(bool good) {
        const std::array<address, 2> hosts{address::v4(198, 51, 100, 7),
                                           address::v4(198, 51, 100, 8)};
        for (const auto asked : std::exchange(questions_, {})) {
            const auto found = good ? std::span{hosts} : std::span<const address>{};
            engine_->receive(inputs::resolved{asked, {}, found}, now_, out());
            settle();
        }
    }
    void hold() {
        holding_ = !holding_;
        for (const auto& each : std::exchange(held_, {})) open(each);
    }

    [[nodiscard]] outbox& out() { return pump_.out(); }
    void receive(std::string_view from, const std::string& text) {
        packet(flow_of(*endpoint::parse(from), token::none), text);
    }
    void packet(flow_id flow, std::string text) {
        text.shrink_to_fit(); // So that AddressSanitizer sees a read past the end.
        engine_->receive(
            inputs::packet{flow, std::as_writable_bytes(std::span{text.data(), text.size()})}, now_,
            out());
        settle(); // Views into the text live no longer.
    }
    flow_id flow_of(const endpoint& peer, token asked) {
        auto [at, fresh] = flows_.try_emplace(peer);
        if (fresh) at->second = {static_cast<std::uint32_t>(flows_.size()), 1};
        if (fresh || asked != token::none) {
            const flow_info info{
                transport::udp, listener_id{0}, {address::v4(192, 0, 2, 1), 5060}, peer};
            engine_->receive(inputs::flow_up{at->second, info, asked}, now_, out());
        }
        return at->second;
    }
    void settle() {
        // Nothing asks for itself without end.
        check(pump_.settle(*this, now_, 200));
    }
    friend class trunkline::pump;
    void flush(const outbox& full, time_point) {
        for (const auto& what : full) {
            if (const auto* text = std::get_if<effects::send>(&what)) {
                sent(std::string{as_text(text->bytes)}, text->flow);
            }
        }
    }
    /// An answer is a call of the engine, because what is true then decides which.
    const input* next_answer() {
        for (const auto& due : std::exchange(answers_due_, {})) due();
        return nullptr;
    }
    void receive(const input& what, time_point at) { engine_->receive(what, at, out()); }
    void deliver(const effects::event& what, time_point at) { engine_->deliver(what, at, out()); }
    void deliver(const effects::note& what) { engine_->deliver(what); }
    void act(const effect& what, time_point) {
        if (const auto* wanted = std::get_if<effects::connect>(&what)) {
            const auto copy = *wanted;
            answers_due_.emplace_back([this, copy] {
                if (unreachable_)
                    engine_->receive(inputs::flow_down{{}, cause::unreachable, copy.asked}, now_,
                                     out());
                else
                    static_cast<void>(flow_of(copy.to, copy.asked));
            });
        } else if (const auto* name = std::get_if<effects::resolve>(&what)) {
            questions_.push_back(name->asked);
        } else if (const auto* ports = std::get_if<effects::open_media>(&what)) {
            if (holding_)
                held_.push_back(*ports);
            else
                open(*ports);
        } else if (const auto* gone = std::get_if<effects::close_media>(&what)) {
            const auto at =
                std::ranges::find(ports_, gone->media, [](const auto& each) { return each.first; });
            check(at != ports_.end()); // Closed once, and only what was opened.
            ports_.erase(at);
        }
    }
    void sent(const std::string& text, flow_id flow) {
        // Whole, and with no line that somebody else made up.
        check(text.ends_with("\r\n\r\n") || text.find("\r\n\r\nv=0\r\n") != std::string::npos);
        if (!text.starts_with("SIP/2.0 ")) {
            if (text.starts_with("ACK ")) return;
            requests_.emplace_back(text, flow);
            if (requests_.size() > 10) requests_.erase(requests_.begin());
            return;
        }
        const auto id = field(text, "Call-ID");
        if (id.size() == 6 && text[8] != '1') finals_[id.back()] = text;
    }
    void open(const effects::open_media& wanted) {
        answers_due_.emplace_back([this, wanted] {
            if (!ports_left_) {
                engine_->receive(inputs::media_failed{wanted.asked, cause::table_full}, now_,
                                 out());
                return;
            }
            const media_id made{++opened_, 1};
            ports_.emplace_back(made, wanted.owner);
            engine_->receive(inputs::media_opened{wanted.asked, made, 20'000, 20'001}, now_, out());
        });
    }
    void advance(duration by) {
        const auto until = now_ + by;
        while (const auto next = engine_->next_deadline()) {
            if (*next > until) break;
            now_ = std::max(now_, *next);
            engine_->tick(now_, out());
            settle();
        }
        now_ = until;
    }

    /// Whatever was under way: four times 64*T1 of silence later there is nothing of it.
    void end() {
        how_.todo.clear();
        unreachable_ = false;
        ports_left_ = true;
        if (holding_) hold();
        settle();
        engine_->hang_up_all("the end", now_, out());
        settle();
        answer_names(false);
        publish(false);
        advance(128s);
        answer_names(false);
        advance(1s);
        check(engine_->idle());
        check(engine_->transactions() == 0);
        check(!engine_->next_deadline());
        check(ports_.empty());
        check(how_.alive == 0);
        for (const auto& each : counted_) check(each->taken() == 0);
    }

    std::string_view program_;
    bool registering_ = false;
    std::string contact_user_ = "nobody";
    seeded_entropy random_{1};
    trunks::engine_config config_;
    behaviour how_;
    std::string answers_; ///< How calls are received, the next one last.
    std::unique_ptr<trunks::engine> engine_;
    std::vector<std::shared_ptr<local_channels>> counted_;
    time_point now_{1'000s};
    pump pump_;
    std::vector<std::function<void()>> answers_due_;
    std::map<endpoint, flow_id> flows_;
    std::vector<std::pair<std::string, flow_id>> requests_; ///< Of the engine, the latest last.
    std::map<char, std::string> finals_;                    ///< To calls, by number.
    std::vector<std::pair<media_id, owner_id>> ports_;
    std::vector<effects::open_media> held_;
    std::vector<token> questions_;
    std::set<std::uint64_t> records_;
    std::uint32_t opened_ = 0;
    std::uint16_t sequence_ = 0;
    unsigned cseq_ = 1;
    unsigned branch_ = 0;
    bool unreachable_ = false;
    bool ports_left_ = true;
    bool holding_ = false;
    bool published_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    world{{reinterpret_cast<const char*>(data), size}}.run();
    return 0;
}
