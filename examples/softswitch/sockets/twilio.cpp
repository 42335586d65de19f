#include "twilio.hpp"

#include <array>
#include <iterator>
#include <limits>

#include <fmt/compile.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <simdjson.h>

namespace softswitch {

namespace {

/// With its quotes. What is not UTF-8 becomes U+FFFD: the message has to be text all the same.
[[nodiscard]] std::string as_json(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Audio of a frame in base64 on the stack: this happens 50 times a second and call.
class base64_of {
public:
    static constexpr std::size_t most = 480; ///< 60 ms.

    explicit base64_of(std::span<const std::byte> bytes) noexcept {
        const auto taken = bytes.first(std::min(bytes.size(), most));
        size_ = EVP_EncodeBlock(text_.data(), reinterpret_cast<const unsigned char*>(taken.data()),
                                static_cast<int>(taken.size()));
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(text_.data()), static_cast<std::size_t>(size_)};
    }

private:
    std::array<unsigned char, (most + 2) / 3 * 4 + 1> text_{};
    int size_ = 0;
};

/// False when it is no base64.
[[nodiscard]] bool decode(std::string_view text, std::vector<std::byte>& into) {
    if (text.size() % 4 != 0 || text.size() > std::numeric_limits<int>::max()) return false;
    into.resize(text.size() / 4 * 3);
    if (text.empty()) return true;
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(into.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return false;
    // OpenSSL counts the padding as zeros.
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    into.resize(static_cast<std::size_t>(size) - padding);
    return true;
}

} // namespace

void twilio::write_start(const stream_start& of, std::vector<wire_message>& into) {
    stream_ = as_json(of.stream_sid);
    account_ = as_json(of.account_sid);
    call_ = as_json(of.call_sid);
    std::string parameters;
    for (const auto& [name, value] : of.parameters) {
        if (!parameters.empty()) parameters += ',';
        parameters += as_json(name) + ':' + as_json(value);
    }
    into.push_back({false, R"({"event":"connected","protocol":"Call","version":"1.0.0"})"});
    into.push_back(
        {false, fmt::format(R"({{"event":"start","sequenceNumber":"{}","start":{{"accountSid":{},)"
                            R"("streamSid":{},"callSid":{},"tracks":["inbound"],"mediaFormat":)"
                            R"({{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},)"
                            R"("customParameters":{{{}}}}},"streamSid":{}}})",
                            ++sequence_, account_, stream_, call_, parameters, stream_)});
}

void twilio::write_audio(std::span<const std::byte> ulaw, std::uint64_t at, wire_message& into) {
    const base64_of payload{ulaw};
    into.binary = false;
    into.bytes.clear();
    fmt::format_to(std::back_inserter(into.bytes),
                   FMT_COMPILE(R"({{"event":"media","sequenceNumber":"{}","media":)"
                               R"({{"track":"inbound","chunk":"{}","timestamp":"{}",)"
                               R"("payload":"{}"}},"streamSid":{}}})"),
                   ++sequence_, ++chunk_, at, payload.view(), stream_);
}

void twilio::write_digit(char digit, wire_message& into) {
    into = {false, fmt::format(R"({{"event":"dtmf","streamSid":{},"sequenceNumber":"{}","dtmf":)"
                               R"({{"track":"inbound_track","digit":{}}}}})",
                               stream_, ++sequence_, as_json(std::string_view{&digit, 1}))};
}

void twilio::write_mark(std::string_view name, wire_message& into) {
    into = {false, fmt::format(R"({{"event":"mark","sequenceNumber":"{}","streamSid":{},)"
                               R"("mark":{{"name":{}}}}})",
                               ++sequence_, stream_, as_json(name))};
}

void twilio::write_stop(wire_message& into) {
    into = {false, fmt::format(R"({{"event":"stop","sequenceNumber":"{}","streamSid":{},)"
                               R"("stop":{{"accountSid":{},"callSid":{}}}}})",
                               ++sequence_, stream_, account_, call_)};
}

said twilio::read(wire_message& message) {
    if (message.binary) return {};
    // One for all streams of a thread: it keeps room for the longest message that it met.
    thread_local simdjson::ondemand::parser parser;
    message.bytes.reserve(message.bytes.size() + simdjson::SIMDJSON_PADDING);
    auto document = parser.iterate(message.bytes);
    std::string_view event;
    if (document["event"].get_string().get(event) != simdjson::SUCCESS) return {};
    if (event == "media") {
        std::string_view payload;
        if (document["media"]["payload"].get_string().get(payload) != simdjson::SUCCESS) return {};
        if (!decode(payload, audio_) || audio_.empty()) return {};
        return {said::what::audio, audio_, {}};
    }
    if (event == "mark") {
        std::string_view name;
        if (document["mark"]["name"].get_string().get(name) != simdjson::SUCCESS) return {};
        if (name.size() > longest_name) return {};
        name_ = name;
        return {said::what::mark, {}, name_};
    }
    if (event == "clear") return {said::what::clear, {}, {}};
    return {};
}

} // namespace softswitch
