#include "report.hpp"

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace phone {
namespace {

using namespace trunkline;

double milliseconds(duration what) {
    // A tenth is as exact as anybody reads it.
    return std::round(std::chrono::duration<double, std::milli>{what}.count() * 10) / 10;
}

nlohmann::ordered_json milliseconds_or_null(const std::optional<duration>& what) {
    // Braces would make an array of it.
    if (!what) return nullptr;
    return nlohmann::ordered_json(milliseconds(*what));
}

void print_time(const char* what, const std::optional<duration>& took) {
    if (took) std::printf("  %-12s %.1f ms\n", what, milliseconds(*took));
}

} // namespace

void print(const call_record& record, const conversation& talk) {
    const bool inbound = record.direction == direction::inbound;
    const auto& media = record.media;
    // Nobody sends a status when we hang up.
    const auto status =
        record.sip_code == 0 ? std::string{} : std::to_string(record.sip_code) + ' ';
    std::printf("%s %s: %s, %s%s, ended by %s after %.1f s\n", inbound ? "from" : "to",
                (inbound ? record.from : record.to).c_str(),
                record.answered ? "answered" : "not answered", status.c_str(),
                (record.carrier_words.empty() ? record.reason : record.carrier_words).c_str(),
                std::string{name(record.ended_by)}.c_str(), milliseconds(record.lasted) / 1'000);
    for (const auto& one : record.attempts) {
        const auto said = one.sip_code == 0 ? std::string{} : std::to_string(one.sip_code) + ' ';
        std::printf("  tried        %s: %s%s in %.1f ms\n", one.gateway.c_str(), said.c_str(),
                    one.reason.c_str(), milliseconds(one.took));
    }
    print_time("ringing", record.ringing);
    print_time("setup", record.answered);
    print_time("first heard", record.first_heard);
    print_time("first said", record.first_said);
    if (!record.answered) return;
    std::printf("  %-12s %s\n", "codec", record.codec.c_str());
    std::printf("  %-12s %" PRIu64 " packets; said %.1f s\n", "sent", media.sent,
                static_cast<double>(talk.said) / 8'000);
    std::printf("  %-12s %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64
                " late, jitter %.1f ms; heard %.1f s\n",
                "received", media.received, media.lost, media.late, milliseconds(media.jitter),
                static_cast<double>(talk.heard.size()) / 8'000);
    const auto undecoded = media.refused_size + media.unknown_type + media.malformed;
    std::printf("  %-12s %" PRIu64 " packets that nothing decodes, %" PRIu64
                " resets, %.1f ms concealed, %.1f ms made up\n",
                "", undecoded, media.resets, milliseconds(media.concealed),
                milliseconds(media.made_up));
    if (!talk.digits.empty()) std::printf("  %-12s %s\n", "digits", talk.digits.c_str());
}

std::string to_json(const call_record& record, const conversation& talk) {
    auto attempts = nlohmann::ordered_json::array();
    for (const auto& one : record.attempts) {
        attempts.push_back({{"gateway", one.gateway},
                            {"sip_code", one.sip_code},
                            {"reason", one.reason},
                            {"took_ms", milliseconds(one.took)}});
    }
    const nlohmann::ordered_json json{
        {"direction", record.direction == direction::inbound ? "inbound" : "outbound"},
        {"call_id", record.call_id},
        {"from", record.from},
        {"to", record.to},
        {"answered", record.answered.has_value()},
        {"sip_code", record.sip_code},
        {"reason", record.reason},
        {"carrier_words", record.carrier_words},
        {"ended_by", name(record.ended_by)},
        {"ringing_ms", milliseconds_or_null(record.ringing)},
        {"setup_ms", milliseconds_or_null(record.answered)},
        {"first_heard_ms", milliseconds_or_null(record.first_heard)},
        {"first_said_ms", milliseconds_or_null(record.first_said)},
        {"lasted_ms", milliseconds(record.lasted)},
        {"codec", record.codec},
        {"packets_sent", record.media.sent},
        {"packets_received", record.media.received},
        {"lost", record.media.lost},
        {"late", record.media.late},
        {"refused_size", record.media.refused_size},
        {"unknown_type", record.media.unknown_type},
        {"malformed", record.media.malformed},
        {"overflowed", record.media.overflowed},
        {"resets", record.media.resets},
        {"concealed_ms", milliseconds(record.media.concealed)},
        {"made_up_ms", milliseconds(record.media.made_up)},
        {"jitter_ms", milliseconds(record.media.jitter)},
        {"said_ms", talk.said / 8},
        {"heard_ms", talk.heard.size() / 8},
        {"digits", talk.digits},
        {"attempts", attempts}};
    // Names come from the network, where not everything is UTF-8.
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_json(const verdict& what) {
    nlohmann::ordered_json json{{"said", what.said},
                                {"heard", what.heard},
                                {"likeness", what.found.correlation},
                                {"at_ms", what.found.lag / 8}};
    if (what.other) {
        json["other"] = what.other_file;
        json["other_likeness"] = what.other->correlation;
    }
    json["good"] = what.good;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_line(const std::string& path, const std::string& line) {
    if (path == "-") {
        std::printf("%s\n", line.c_str());
        return;
    }
    std::ofstream file{path, std::ios::app};
    file << line << '\n' << std::flush;
    if (!file) throw std::runtime_error{path + ": cannot be written"};
}

} // namespace phone
