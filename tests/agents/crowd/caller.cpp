#include "caller.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include <asio/buffer.hpp>
#include <fmt/format.h>

namespace crowd {

namespace {

using udp = asio::ip::udp;
constexpr std::chrono::milliseconds ptime{20};

/// The line of that header, its name left out; what softswitch sends has no folded ones.
[[nodiscard]] std::string header(std::string_view text, std::string_view name) {
    const auto line = text.find(fmt::format("\r\n{}: ", name));
    if (line == std::string_view::npos) return {};
    const auto begin = line + name.size() + 4;
    return std::string{text.substr(begin, text.find("\r\n", begin) - begin)};
}

[[nodiscard]] int number_after(std::string_view text, std::string_view words) {
    int found = 0;
    const auto at = text.find(words);
    if (at == std::string_view::npos) return 0;
    const auto* const begin = text.data() + at + words.size();
    std::from_chars(begin, text.data() + text.size(), found);
    return found;
}

void put(std::uint8_t* into, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
        into[i] = static_cast<std::uint8_t>(value >> 8 * (bytes - 1 - i));
}

/// What an RTP packet carries; empty when it is none.
[[nodiscard]] std::span<const std::uint8_t> payload_of(std::span<const std::uint8_t> packet) {
    if (packet.size() < 12 || packet[0] >> 6 != 2 || (packet[1] & 0x7f) != 0) return {};
    const std::size_t head = 12 + 4 * (packet[0] & 15U);
    return packet.subspan(std::min(head, packet.size()));
}

} // namespace

double seconds(clock::time_point at) {
    return std::chrono::duration<double>{at.time_since_epoch()}.count();
}

caller::caller(asio::io_context& io, std::uint32_t index, const udp::endpoint& to,
               std::string number, windows& into, teller tell)
    : index_{index},
      to_{to},
      number_{std::move(number)},
      windows_{into},
      tell_{std::move(tell)},
      sip_{io, udp::endpoint{to.address(), 0}},
      rtp_{io, udp::endpoint{to.address(), 0}},
      again_{io},
      pace_{io} {}

std::string caller::request(std::string_view method, std::string_view uri, int sequence,
                            std::string_view branch, std::string_view to) const {
    const auto here = fmt::format("127.0.0.1:{}", sip_.local_endpoint().port());
    return fmt::format("{} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{}{};rport\r\n"
                       "Max-Forwards: 70\r\nFrom: <sip:+1999{:04}@{}>;tag=f{}\r\nTo: {}\r\n"
                       "Call-ID: {}-{}@crowd\r\nCSeq: {} {}\r\nContact: <sip:crowd@{}>\r\n",
                       method, uri, here, branch, index_, index_, here, index_, to,
                       sip_.local_endpoint().port(), index_, sequence, method, here);
}

void caller::call() {
    uri_ = fmt::format("sip:{}@127.0.0.1:{}", number_, to_.port());
    const auto body = fmt::format("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                                  "t=0 0\r\nm=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                                  "a=ptime:20\r\n",
                                  rtp_.local_endpoint().port());
    repeat(request("INVITE", uri_, 1, "i", fmt::format("<{}>", uri_)) +
           fmt::format("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}", body.size(),
                       body));
    receive_sip();
    receive_rtp();
}

void caller::hang_up() {
    if (phase_ != phase::talking) return;
    phase_ = phase::hanging_up;
    pace_.cancel();
    repeat(request("BYE", contact_, 2, "b", answered_by_) + "Content-Length: 0\r\n\r\n");
}

void caller::listen_for_others() {
    listening_ = true;
    of_others_ = 0;
}

void caller::send(const std::string& text) {
    asio::error_code ignored;
    sip_.send_to(asio::buffer(text), to_, 0, ignored);
}

/// RFC 3261 section 17.1: UDP loses what it likes to, and here it hardly does.
void caller::repeat(const std::string& request) {
    waiting_ = request;
    send(waiting_);
    again_.expires_after(std::chrono::milliseconds{500});
    again_.async_wait([this](asio::error_code cancelled) {
        if (!cancelled && !waiting_.empty()) repeat(std::string{waiting_});
    });
}

void caller::receive_sip() {
    sip_.async_receive(asio::buffer(sip_room_), [this](asio::error_code failed, std::size_t size) {
        if (failed == asio::error::operation_aborted) return;
        const std::string_view text{sip_room_.data(), failed ? 0 : size};
        if (text.starts_with("SIP/2.0 "))
            take_response(text);
        else if (!text.empty())
            take_request(text);
        receive_sip();
    });
}

void caller::take_response(std::string_view text) {
    const int status = number_after(text, "SIP/2.0 ");
    waiting_.clear();
    again_.cancel();
    if (header(text, "CSeq").ends_with("BYE")) {
        if (std::exchange(phase_, phase::over) != phase::over) tell("hung_up");
        return;
    }
    if (status < 200) return;
    acknowledge(text);
    if (phase_ != phase::calling) return;
    if (status >= 300) {
        phase_ = phase::over;
        return tell("refused", {{"status", status}});
    }
    phase_ = phase::talking;
    media_ =
        udp::endpoint{to_.address(), static_cast<std::uint16_t>(number_after(text, "m=audio "))};
    tell("answered");
    next_ = clock::now();
    say();
}

void caller::acknowledge(std::string_view response) {
    const int status = number_after(response, "SIP/2.0 ");
    const auto to = header(response, "To");
    if (status < 300) {
        const auto contact = header(response, "Contact");
        const auto open = contact.find('<') + 1;
        contact_ = contact.substr(open, contact.find('>') - open);
        answered_by_ = to;
    }
    // One for a 2xx is a transaction of its own, any other is the INVITE's (section 17.1.1.3).
    send(request("ACK", status < 300 ? contact_ : uri_, 1, status < 300 ? "a" : "i", to) +
         "Content-Length: 0\r\n\r\n");
}

void caller::take_request(std::string_view text) {
    if (text.starts_with("ACK ")) return;
    std::string answer{"SIP/2.0 200 OK\r\n"};
    for (const auto* const name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
        answer += fmt::format("{}: {}\r\n", name, header(text, name));
    }
    send(answer + "Content-Length: 0\r\n\r\n");
    if (!text.starts_with("BYE ") || std::exchange(phase_, phase::over) == phase::over) return;
    waiting_.clear();
    pace_.cancel();
    tell("bye", {{"reason", header(text, "Reason")}});
}

void caller::say() {
    const auto now = clock::now();
    // Who was kept waiting goes on with what is said now, as a telephone does.
    while (next_ + 2 * ptime < now) {
        next_ += ptime;
        timestamp_ += frame_size;
    }
    const auto number = static_cast<std::uint32_t>(sent_.size());
    const bool breathes = number % breath == breath - 1;
    std::array<std::uint8_t, 12 + frame_size> packet{};
    packet[0] = 0x80;
    put(&packet[2], sequence_++, 2);
    put(&packet[4], timestamp_, 4);
    put(&packet[8], 0xc0000000 + index_, 4);
    if (breathes) {
        std::fill(packet.begin() + 12, packet.end(), silence);
    } else {
        std::ranges::copy(marked({index_, number}), packet.begin() + 12);
        windows_.sent(windows_.current());
    }
    sent_.push_back({now, windows_.current()});
    asio::error_code ignored;
    rtp_.send_to(asio::buffer(packet), *media_, 0, ignored);
    timestamp_ += frame_size;
    next_ += ptime;
    pace_.expires_at(next_);
    pace_.async_wait([this](asio::error_code cancelled) {
        if (!cancelled && phase_ == phase::talking) say();
    });
}

void caller::receive_rtp() {
    rtp_.async_receive(asio::buffer(rtp_room_), [this](asio::error_code failed, std::size_t size) {
        if (failed == asio::error::operation_aborted) return;
        if (!failed) take_audio(payload_of(std::span{rtp_room_}.first(size)));
        receive_rtp();
    });
}

void caller::take_audio(std::span<const std::uint8_t> payload) {
    if (payload.empty()) return;
    const auto now = clock::now();
    const auto found = marks_.find(payload, [&](frame_name name) {
        if (name.call != index_ || name.number >= sent_.size()) return tell("crossed");
        auto& one = sent_[name.number];
        if (std::exchange(one.back, true)) return windows_.came_twice(one.window);
        windows_.came_back(one.window,
                           std::chrono::duration<double, std::milli>{now - one.at}.count());
    });
    if (!listening_) return;
    const bool silent =
        std::ranges::all_of(payload, [](std::uint8_t one) { return (one & 0x7f) == 0x7f; });
    if (found != 0 || silent) {
        of_others_ = 0;
        return;
    }
    if (of_others_++ == 0) others_since_ = now;
    if (of_others_ < lasting) return;
    listening_ = false;
    tell("others", {{"since", seconds(others_since_)}});
}

void caller::tell(std::string_view event, nlohmann::json more) {
    more["event"] = event;
    more["call"] = index_;
    more["number"] = number_;
    more["at"] = seconds(clock::now());
    tell_(std::move(more));
}

} // namespace crowd
