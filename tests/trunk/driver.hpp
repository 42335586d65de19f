// One trunk engine with a driver that does what net does, on a clock of its own, and carriers that
// speak literal SIP text.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
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

#include <doctest/doctest.h>

#include <trunkline/core/pump.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/trunk/directory.hpp>
#include <trunkline/trunk/engine.hpp>

#include "support/one_leg.hpp"
#include "support/print.hpp"

namespace trunkline::support {

inline const std::string carrier_at = "198.51.100.1:5060";
inline const std::string other_at = "198.51.100.2:5060";
inline const std::string stranger_at = "203.0.113.66:5060";

/// A request of a peer, written out line by line.
struct request_text {
    std::string method = "INVITE";
    std::string uri = "sip:+4930123@192.0.2.1";
    std::string version = "SIP/2.0";
    std::string via_fields{};
    std::string from = "<sip:+49170@198.51.100.1>;tag=theirs";
    std::string to = "<sip:+4930123@192.0.2.1>";
    std::string call_id = "call-1@198.51.100.1";
    std::string branch = "z9hG4bKone";
    unsigned cseq = 1;
    std::string cseq_method{}; ///< The method's own when empty.
    std::string fields{};
    std::string body = their_sdp;
    std::string type = "application/sdp";
    std::string contact = "<sip:gw@198.51.100.1:5060>";

    [[nodiscard]] std::string text() const {
        auto head = method + ' ' + uri + ' ' + version + "\nVia: SIP/2.0/UDP 198.51.100.1:5060;" +
                    "branch=" + branch + ";rport" + via_fields +
                    "\nMax-Forwards: 70\nFrom: " + from + "\nTo: " + to + "\nCall-ID: " + call_id +
                    "\nCSeq: " + std::to_string(cseq) + ' ' +
                    (cseq_method.empty() ? method : cseq_method) + '\n';
        if (!contact.empty()) head += "Contact: " + contact + '\n';
        return message(head + fields, method == "INVITE" ? body : std::string{}, type);
    }
    /// The same call: ACK of a failure and CANCEL have its branch, all others one of their own.
    [[nodiscard]] std::string ack(const std::string& response) const {
        auto made = *this;
        made.method = "ACK";
        made.to = header(response, "To");
        if (start_line(response).starts_with("SIP/2.0 200")) made.branch += "ack";
        made.fields.clear();
        return made.text();
    }
    [[nodiscard]] std::string cancel() const {
        auto made = *this;
        made.method = "CANCEL";
        made.fields.clear();
        return made.text();
    }
    [[nodiscard]] request_text within(std::string what, const std::string& response) const {
        auto made = *this;
        made.method = std::move(what);
        made.to = header(response, "To");
        made.cseq += 1;
        made.branch += made.method;
        made.fields.clear();
        return made;
    }
};

/// What a name server says: header, question, and one record an address, written byte by byte.
[[nodiscard]] inline std::vector<std::byte> dns_answer(std::string_view name, unsigned type,
                                                       const std::vector<address>& hosts,
                                                       unsigned ttl, unsigned rcode = 0) {
    std::vector<std::byte> made;
    const auto u16 = [&](std::size_t value) {
        made.push_back(static_cast<std::byte>(value >> 8 & 0xff));
        made.push_back(static_cast<std::byte>(value & 0xff));
    };
    u16(7);
    u16(0x8180 | rcode);
    u16(1);
    u16(hosts.size());
    u16(0);
    u16(0);
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        made.push_back(static_cast<std::byte>(label.size()));
        for (const char c : label) made.push_back(static_cast<std::byte>(c));
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    made.push_back({});
    u16(type);
    u16(1);
    for (const auto& host : hosts) {
        u16(0xc00c);
        u16(type);
        u16(1);
        u16(0);
        u16(ttl);
        u16(type == 1 ? 4 : 16);
        for (std::size_t i = type == 1 ? 12 : 0; i < 16; ++i) {
            made.push_back(static_cast<std::byte>(host.bytes[i]));
        }
    }
    return made;
}

struct driver {
    struct text_sent {
        std::string text;
        endpoint to;
        time_point at;
        transport over = transport::udp;
    };
    struct media_sent {
        media_id from;
        bool rtcp = false;
        endpoint to;
        std::vector<std::byte> bytes;
    };
    struct question {
        token asked{};
        record_type type{};
        std::string name;
    };

    seeded_entropy random{20};
    trunks::engine_config config;
    std::unique_ptr<trunks::engine> engine;
    trunks::directory trunks;
    time_point now{1'000s};
    trunkline::pump pump;
    input received_answer;      ///< The one that is being received.
    std::vector<input> answers; ///< To effects, as a driver has them after a turn.

    std::vector<text_sent> sent;
    std::size_t seen = 0;
    std::vector<media_sent> media;
    std::vector<media_id> open_ports;
    std::map<std::uint32_t, owner_id> owners; ///< Of ports, by slot.
    std::size_t ports_opened = 0;
    std::vector<effects::note> notes;
    std::vector<call_record> records;
    std::vector<question> questions;

    std::map<endpoint, flow_id> flows;
    std::map<std::uint32_t, endpoint> peers; ///< By slot.
    std::set<endpoint> unreachable;
    struct connection {
        flow_id flow;
        endpoint peer;
        transport over = transport::tcp;
        bool ours = false;
        bool closed = false; ///< By the engine.
        std::uint32_t profile = 0;
        std::string name{}; ///< That the certificate has to be for.
    };
    std::vector<connection> connections;                     ///< That stand.
    std::vector<std::pair<flow_id, flow_standing>> regarded; ///< What they were worth, in turn.
    std::set<endpoint> deaf;                     ///< Where nobody listens for connections,
    std::vector<effects::connect> held_connects; ///< and where nothing comes of them.
    bool hold_connects = false;
    std::set<std::uint32_t> blocked;                          ///< Flows that take nothing.
    std::vector<std::function<void(trunks::engine&)>> posted; ///< By handles, run when settled.
    bool stopped = false;
    bool ports_left = true;
    bool hold_ports = false; ///< The media pair opens later: see open_held().
    std::vector<effects::open_media> held_ports;
    std::uint32_t next_slot = 1;

    driver() {
        config.listeners = {{}, {.over = transport::tcp}, {.over = transport::tls}};
        config.user_agent = "trunkline test";
        config.on_record = [this](const call_record& record) { records.push_back(record); };
        config.on_note = [this](const effects::note& note) { notes.push_back(note); };
        config.mailbox = std::make_shared<const call_handle::mailbox>(
            [this](std::function<void(trunks::engine&)> task) {
                posted.push_back(std::move(task));
                return !stopped;
            });
    }

    [[nodiscard]] outbox& out() { return pump.out(); }
    [[nodiscard]] trunks::engine& running() {
        if (!engine) engine = std::make_unique<trunks::engine>(config, random);
        return *engine;
    }

    static trunk_config carrier() {
        trunk_config made;
        made.name = "carrier";
        made.allow_from = {"198.51.100.0/28"};
        made.numbers = {{"+4930123", "desk"}};
        return made;
    }
    std::shared_ptr<const trunks::trunk> add(trunk_config wanted, trunks::tls_lease tls = {}) {
        const auto most = wanted.channels;
        const auto rate = wanted.calls_per_second;
        auto made = trunks::compile(trunk_id{static_cast<std::uint32_t>(trunks.size() + 1)},
                                    std::move(wanted), config.user_agent,
                                    std::make_shared<local_channels>(most),
                                    std::make_shared<local_call_rate>(rate), std::move(tls));
        REQUIRE(made.has_value());
        trunks.push_back(*made);
        publish();
        return *made;
    }
    void publish() {
        running().set_directory(std::make_shared<const trunks::directory>(trunks), now, out());
        settle();
    }

    /// A datagram, from where it says.
    void receive(const std::string& from, std::string text) {
        const auto flow = flow_of(*endpoint::parse(from));
        text.shrink_to_fit(); // So that a read past the end is seen.
        running().receive(
            inputs::packet{flow, std::as_writable_bytes(std::span{text.data(), text.size()})}, now,
            out());
        settle();
    }
    void receive(std::string text) { receive(carrier_at, std::move(text)); }
    /// The driver forgets a peer, as it does when too many others speak.
    void evict(const std::string& peer) {
        const auto at = flows.find(*endpoint::parse(peer));
        REQUIRE(at != flows.end());
        const auto gone = at->second;
        flows.erase(at);
        peers.erase(gone.slot);
        running().receive(inputs::flow_down{gone, cause::table_full}, now, out());
        settle();
    }
    /// A connection that a peer opens to us.
    [[nodiscard]] flow_id accept(const std::string& from, transport over = transport::tcp) {
        const flow_id made{next_slot++, 1};
        const auto peer = *endpoint::parse(from);
        connections.push_back({made, peer, over});
        running().receive(inputs::flow_up{made, stream_info(over, peer)}, now, out());
        settle();
        return made;
    }
    /// Bytes of a stream, as they come.
    void receive(flow_id flow, std::string text) {
        text.shrink_to_fit();
        running().receive(
            inputs::packet{flow, std::as_writable_bytes(std::span{text.data(), text.size()})}, now,
            out());
        settle();
    }
    /// The peer has closed its half; what is sent still gets there.
    void hang_up(flow_id flow, cause why = cause::closed) {
        const auto at = std::ranges::find(connections, flow, &connection::flow);
        if (at != connections.end()) at->ours = false;
        running().receive(inputs::flow_down{flow, why}, now, out());
        settle();
    }
    [[nodiscard]] static flow_info stream_info(transport over, const endpoint& peer) {
        const listener_id listener{static_cast<std::uint16_t>(over == transport::tcp ? 1 : 2)};
        const auto port = static_cast<std::uint16_t>(over == transport::tls ? 5061 : 5060);
        return {over, listener, {address::v4(192, 0, 2, 1), port}, peer};
    }
    [[nodiscard]] flow_id flow_of(const endpoint& peer, token asked = token::none) {
        auto [at, fresh] = flows.try_emplace(peer);
        if (fresh) {
            at->second = {next_slot, 1};
            peers[next_slot++] = peer;
        }
        if (fresh || asked != token::none) {
            running().receive(
                inputs::flow_up{
                    at->second,
                    {transport::udp, listener_id{0}, {address::v4(192, 0, 2, 1), 5060}, peer},
                    asked},
                now, out());
        }
        return at->second;
    }

    void settle() {
        for (int round = 0;; ++round) {
            for (const auto& task : std::exchange(posted, {})) running().run(task, now, out());
            REQUIRE(round < 100);
            if (pump.settle(*this, now, 1) && posted.empty()) return;
        }
    }
    void flush(const outbox& full, time_point) {
        for (const auto& what : full) {
            if (const auto* text = std::get_if<effects::send>(&what)) {
                send(*text);
            } else if (const auto* packet = std::get_if<effects::send_media>(&what)) {
                media.push_back({packet->media,
                                 packet->rtcp,
                                 packet->to,
                                 {packet->bytes.begin(), packet->bytes.end()}});
            }
        }
    }
    void send(const effects::send& text) {
        const auto stream = std::ranges::find(connections, text.flow, &connection::flow);
        if (stream != connections.end()) {
            if (blocked.contains(text.flow.slot)) {
                answers.push_back(inputs::send_failed{text.flow, text.owner, cause::blocked});
                return;
            }
            sent.push_back({std::string{as_text(text.bytes)}, stream->peer, now, stream->over});
            return;
        }
        const auto peer = peers.find(text.flow.slot);
        if (peer == peers.end()) { // It was forgotten: see evict().
            answers.push_back(inputs::send_failed{text.flow, text.owner, cause::closed});
            return;
        }
        sent.push_back({std::string{as_text(text.bytes)}, peer->second, now});
    }
    const input* next_answer() {
        if (answers.empty()) return nullptr;
        received_answer = answers.front();
        answers.erase(answers.begin());
        return &received_answer;
    }
    void receive(const input& what, time_point at) { running().receive(what, at, out()); }
    void deliver(const effects::event& what, time_point at) { running().deliver(what, at, out()); }
    void deliver(const effects::note& what) { running().deliver(what); }
    void act(const effect& what, time_point) {
        if (const auto* wanted = std::get_if<effects::connect>(&what)) {
            if (wanted->transport == transport::udp)
                connect(*wanted);
            else if (hold_connects)
                held_connects.push_back(*wanted);
            else
                connect_stream(*wanted);
        } else if (const auto* left = std::get_if<effects::close>(&what)) {
            const auto at = std::ranges::find(connections, left->flow, &connection::flow);
            REQUIRE(at != connections.end());
            at->closed = true;
            at->ours = false;
            answers.push_back(inputs::flow_down{left->flow, cause::closed});
        } else if (const auto* worth = std::get_if<effects::regard>(&what)) {
            regarded.emplace_back(worth->flow, worth->as);
        } else if (const auto* name = std::get_if<effects::resolve>(&what)) {
            questions.push_back({name->asked, name->type, std::string{name->name}});
        } else if (const auto* ports = std::get_if<effects::open_media>(&what)) {
            if (hold_ports)
                held_ports.push_back(*ports);
            else
                open(*ports);
        } else if (const auto* gone = std::get_if<effects::close_media>(&what)) {
            const auto at = std::ranges::find(open_ports, gone->media);
            REQUIRE(at != open_ports.end());
            open_ports.erase(at);
        }
    }
    /// As a shard does: one connection for all that ask for its peer.
    void connect_stream(const effects::connect& wanted) {
        if (unreachable.contains(wanted.to) || deaf.contains(wanted.to)) {
            answers.push_back(inputs::flow_down{{}, cause::connect_failed, wanted.asked});
            return;
        }
        auto at = std::ranges::find_if(connections, [&](const connection& one) {
            return one.ours && one.peer == wanted.to && one.over == wanted.transport;
        });
        if (at == connections.end()) {
            connections.push_back({{next_slot++, 1},
                                   wanted.to,
                                   wanted.transport,
                                   true,
                                   false,
                                   wanted.secure.profile,
                                   std::string{wanted.secure.name}});
            at = connections.end() - 1;
        }
        answers.push_back(inputs::flow_up{at->flow, stream_info(at->over, at->peer), wanted.asked});
    }
    void connect(const effects::connect& wanted) {
        if (unreachable.contains(wanted.to)) {
            answers.push_back(inputs::flow_down{{}, cause::unreachable, wanted.asked});
            return;
        }
        auto [at, fresh] = flows.try_emplace(wanted.to);
        if (fresh) {
            at->second = {next_slot, 1};
            peers[next_slot++] = wanted.to;
        }
        answers.push_back(inputs::flow_up{
            at->second,
            {transport::udp, listener_id{0}, {address::v4(192, 0, 2, 1), 5060}, wanted.to},
            wanted.asked});
    }
    void open(const effects::open_media& wanted) {
        if (!ports_left) {
            answers.push_back(inputs::media_failed{wanted.asked, cause::table_full});
            return;
        }
        const media_id made{static_cast<std::uint32_t>(++ports_opened), 1};
        open_ports.push_back(made);
        owners[made.slot] = wanted.owner;
        const auto port = static_cast<std::uint16_t>(20'000 + 2 * (ports_opened % 10'000));
        answers.push_back(
            inputs::media_opened{wanted.asked, made, port, static_cast<std::uint16_t>(port + 1)});
    }
    void open_held() {
        hold_ports = false;
        for (const auto& each : std::exchange(held_ports, {})) open(each);
        settle();
    }

    /// Every deadline on the way is kept.
    void advance(duration by) {
        const auto until = now + by;
        while (const auto next = running().next_deadline()) {
            if (*next > until) break;
            now = std::max(now, *next);
            running().tick(now, out());
            settle();
        }
        now = until;
        running().tick(now, out());
        settle();
    }

    void answer(const question& asked, const std::vector<address>& hosts, unsigned ttl = 60,
                unsigned rcode = 0) {
        const auto bytes =
            dns_answer(asked.name, static_cast<unsigned>(asked.type), hosts, ttl, rcode);
        running().receive(inputs::resolved{asked.asked, bytes, {}}, now, out());
        settle();
    }
    /// Answers what was asked about a name; nobody answers when there is no rcode.
    void resolve(std::string_view name, const std::vector<address>& v4, unsigned ttl = 60,
                 std::optional<unsigned> rcode = 0, const std::vector<address>& v6 = {}) {
        const auto asked = std::exchange(questions, {});
        for (const auto& each : asked) {
            if (each.name != name) {
                questions.push_back(each);
            } else if (rcode) {
                answer(each, each.type == record_type::a ? v4 : v6, ttl, *rcode);
            } else {
                running().receive(inputs::resolved{each.asked, {}, {}}, now, out());
                settle();
            }
        }
    }

    /// What was sent since the last time.
    [[nodiscard]] std::vector<std::string> texts() {
        std::vector<std::string> fresh;
        for (; seen < sent.size(); ++seen) fresh.push_back(sent[seen].text);
        return fresh;
    }
    /// The last of them; there has to be one.
    [[nodiscard]] std::string last() {
        const auto fresh = texts();
        REQUIRE_FALSE(fresh.empty());
        return fresh.back();
    }
    [[nodiscard]] std::string only() {
        const auto fresh = texts();
        REQUIRE(fresh.size() == 1);
        return fresh.back();
    }
    [[nodiscard]] std::size_t noted(diagnostic code) const {
        return static_cast<std::size_t>(std::ranges::count(notes, code, &effects::note::code));
    }
    [[nodiscard]] bool empty() const {
        return engine->idle() && engine->transactions() == 0 && !engine->next_deadline() &&
               open_ports.empty();
    }
    void rtp(const std::string& from, std::uint16_t sequence, std::uint8_t type = 0,
             bool marker = false) {
        REQUIRE_FALSE(open_ports.empty());
        std::array<std::byte, 172> bytes{};
        bytes[0] = std::byte{0x80};
        bytes[1] = static_cast<std::byte>(type | (marker ? 0x80 : 0));
        bytes[2] = static_cast<std::byte>(sequence >> 8);
        bytes[3] = static_cast<std::byte>(sequence & 0xff);
        const std::uint32_t at = sequence * 160U;
        for (std::size_t i = 0; i < 4; ++i) {
            bytes[4 + i] = static_cast<std::byte>(at >> (24 - 8 * i) & 0xff);
        }
        bytes[11] = std::byte{9};
        std::ranges::fill(std::span{bytes}.subspan(12), std::byte{0xff});
        running().receive(inputs::media_packet{open_ports.back(), owners[open_ports.back().slot],
                                               *endpoint::parse(from), false, bytes},
                          now, out());
        settle();
    }
};

/// The number of a status line.
[[nodiscard]] inline std::string status_of(const std::string& text) {
    return text.starts_with("SIP/2.0 ") ? text.substr(8, 3) : std::string{};
}

} // namespace trunkline::support
