// The peer of the interoperability tests: a small switch on the public library. Trunks come from
// its arguments, commands from its standard input, one a line, and what happens goes to its
// standard output, one JSON object a line. The end of its input ends it, so that it never outlives
// the test that started it.
#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <trunkline/audio/tone.hpp>
#include <trunkline/trunkline.hpp>

#include <nlohmann/json.hpp>

namespace {

using json = nlohmann::ordered_json;
using trunkline::call;

std::mutex output;

void print(const json& what) {
    // What a peer sent need not be UTF-8, and is no reason to end.
    const auto line = what.dump(-1, ' ', false, json::error_handler_t::replace);
    const std::lock_guard held{output};
    std::cout << line << std::endl;
}

[[nodiscard]] double milliseconds(trunkline::duration what) {
    return std::chrono::duration<double, std::milli>{what}.count();
}

/// The handles of calls that are alive, for commands.
class living {
public:
    void add(const call& one) {
        const std::lock_guard held{guard_};
        handles_.insert_or_assign(one.id(), one.handle());
    }
    void remove(std::uint64_t id) {
        const std::lock_guard held{guard_};
        handles_.erase(id);
    }
    [[nodiscard]] std::vector<trunkline::call_handle> all() const {
        const std::lock_guard held{guard_};
        std::vector<trunkline::call_handle> found;
        for (const auto& [id, handle] : handles_) found.push_back(handle);
        return found;
    }

private:
    mutable std::mutex guard_;
    std::map<std::uint64_t, trunkline::call_handle> handles_;
};

living calls_alive;

/// What all agents have in common: they tell what happens, and measure what they hear.
class listener : public trunkline::agent {
public:
    void on_initiated(call& on) override { calls_alive.add(on); }
    void on_ringing(call& on) override { tell("ringing", on); }
    void on_early_media(call& on) override { tell("early_media", on); }
    void on_answered(call& on) override { tell("answered", on); }
    void on_audio(call&, const trunkline::audio_frame& heard) override {
        samples_ += heard.samples.size();
        if (heard.kind != trunkline::frame_kind::speech) return;
        speech_ += heard.samples.size();
        if (lately_.size() >= window) {
            lately_.erase(lately_.begin(), lately_.begin() + static_cast<std::ptrdiff_t>(half));
        }
        lately_.insert(lately_.end(), heard.samples.begin(), heard.samples.end());
    }
    void on_digit(call& on, char digit) override {
        print({{"event", "digit"}, {"id", on.id()}, {"digit", std::string(1, digit)}});
    }
    void on_transfer(call& on, const trunkline::transfer_progress& what) override {
        constexpr std::array<const char*, 5> names{"accepted", "trying", "succeeded", "failed",
                                                   "unknown"};
        print({{"event", "transfer"},
               {"id", on.id()},
               {"state", names[static_cast<std::size_t>(what.state)]},
               {"status", what.status}});
    }
    void on_ended(call& on, const trunkline::call_record&) override {
        calls_alive.remove(on.id());
        // Of the end of the call: its beginning may be another's ringing tone.
        const auto last = std::span{lately_}.last(std::min(lately_.size(), half));
        json levels = json::object();
        for (const int hz : {440, 660, 1000}) {
            levels[std::to_string(hz)] = trunkline::audio::level_at(hz, last);
        }
        print({{"event", "heard"},
               {"id", on.id()},
               {"samples", samples_},
               {"speech", speech_},
               {"level", trunkline::audio::level(last)},
               {"level_at", levels}});
    }

private:
    static constexpr std::size_t half = 8'000;
    static constexpr std::size_t window = 2 * half;

    static void tell(const char* what, const call& on) {
        calls_alive.add(on);
        print({{"event", what}, {"id", on.id()}});
    }

    std::uint64_t samples_ = 0;
    std::uint64_t speech_ = 0;
    std::vector<std::int16_t> lately_;
};

/// Each frame goes back as it arrives.
class reflector final : public listener {
    void on_audio(call& on, const trunkline::audio_frame& heard) override {
        listener::on_audio(on, heard);
        static_cast<void>(on.send(heard));
    }
};

/// Says what it hears: by way of the playout queue.
class echoer final : public listener {
    void on_answered(call& on) override {
        listener::on_answered(on);
        if (auto opened = on.say()) said_ = *opened;
    }
    void on_audio(call& on, const trunkline::audio_frame& heard) override {
        listener::on_audio(on, heard);
        static_cast<void>(said_.write(heard.samples));
    }
    trunkline::utterance said_;
};

/// A sine, for a minute.
class singer final : public listener {
public:
    explicit singer(double hz) : hz_{hz} {}

private:
    void on_answered(call& on) override {
        listener::on_answered(on);
        std::vector<std::int16_t> pcm(8'000 * 60);
        trunkline::audio::tone_generator{trunkline::audio::tones::sine(hz_)}.next(pcm);
        auto opened = on.say();
        if (!opened) return;
        static_cast<void>(opened->write(pcm));
        static_cast<void>(opened->finish());
    }
    double hz_;
};

[[nodiscard]] std::unique_ptr<trunkline::agent> agent_named(std::string_view name) {
    if (name == "reflect") return std::make_unique<reflector>();
    if (name == "echo") return std::make_unique<echoer>();
    if (name.starts_with("tone:")) {
        return std::make_unique<singer>(std::stod(std::string{name.substr(5)}));
    }
    return std::make_unique<listener>();
}

void incoming(trunkline::incoming_call& on) {
    calls_alive.add(on);
    const auto name = on.agent_name();
    print({{"event", "incoming"},
           {"id", on.id()},
           {"trunk", on.trunk()},
           {"from", on.from()},
           {"to", on.to()},
           {"agent", name}});
    // "wait" leaves it to a command; "hold" answers without media.
    if (name == "wait") return static_cast<void>(on.ringing());
    static_cast<void>(on.answer(agent_named(name), {.media = name != "hold"}));
}

void record(const trunkline::call_record& what) {
    calls_alive.remove(what.id);
    json attempts = json::array();
    for (const auto& one : what.attempts) {
        attempts.push_back({{"gateway", one.gateway}, {"code", one.sip_code}});
    }
    json printed{{"event", "record"},
                 {"id", what.id},
                 {"inbound", what.direction == trunkline::direction::inbound},
                 {"call_id", what.call_id},
                 {"trunk", what.trunk},
                 {"gateway", what.gateway},
                 {"source", what.source},
                 {"from", what.from},
                 {"to", what.to},
                 {"ended_by", trunkline::name(what.ended_by)},
                 {"code", what.sip_code},
                 {"reason", what.reason},
                 {"carrier_words", what.carrier_words},
                 {"refused", trunkline::name(what.refused)},
                 {"codec", what.codec},
                 {"lasted", milliseconds(what.lasted)},
                 {"sent", what.media.sent},
                 {"received", what.media.received},
                 {"lost", what.media.lost},
                 {"late", what.media.late},
                 {"foreign", what.media.foreign},
                 {"attempts", attempts}};
    const auto set = [&](const char* field, const std::optional<trunkline::duration>& value) {
        if (value) printed[field] = milliseconds(*value);
    };
    set("ringing", what.ringing);
    set("answered", what.answered);
    set("first_heard", what.first_heard);
    print(printed);
}

struct wanted {
    trunkline::manager_config manager{.listen = {}};
    std::vector<trunkline::trunk_config> trunks{};
};

[[nodiscard]] std::pair<std::string, std::string> halves(const std::string& text, char at) {
    const auto split = text.find(at);
    if (split == std::string::npos) return {text, {}};
    return {text.substr(0, split), text.substr(split + 1)};
}

[[nodiscard]] unsigned number(const std::string& text) {
    unsigned value = 0;
    const auto end = text.data() + text.size();
    if (std::from_chars(text.data(), end, value).ptr != end) {
        throw std::invalid_argument{"'" + text + "' is not a number"};
    }
    return value;
}

[[nodiscard]] trunkline::userpass credentials(const std::string& text) {
    const auto [user, password] = halves(text, ':');
    return {.username = user, .password = password};
}

/// What stands after --trunk NAME is that trunk's.
void take_trunk_argument(trunkline::trunk_config& on, const std::string& key,
                         const std::string& value) {
    const auto [left, right] = halves(value, ':');
    if (key == "--gateway") { // A name without a port is looked up by SRV.
        const auto priority = static_cast<unsigned>(on.gateways.size() + 1);
        on.gateways.push_back({left, static_cast<std::uint16_t>(number(right)), priority});
    } else if (key == "--transport") {
        on.transport = value == "tls"   ? trunkline::transport::tls
                       : value == "tcp" ? trunkline::transport::tcp
                                        : trunkline::transport::udp;
    } else if (key == "--ca") {
        on.tls.ca = value;
    } else if (key == "--server-name") {
        on.tls.server_name = value;
    } else if (key == "--allow") {
        on.allow_from.push_back(value);
    } else if (key == "--number") {
        on.numbers.push_back({left, right});
    } else if (key == "--agent") {
        on.default_agent = value;
    } else if (key == "--auth") {
        on.auth = credentials(value);
    } else if (key == "--register") {
        on.registration.emplace().expires = std::chrono::seconds{number(value)};
    } else if (key == "--inbound-auth") {
        on.inbound_auth = credentials(value);
    } else if (key == "--inbound-auth-md5") {
        on.inbound_auth = credentials(value);
        on.inbound_auth->md5_only = true;
    } else if (key == "--codec") {
        if (value != "pcmu" && value != "pcma") throw std::invalid_argument{"no codec " + value};
        on.codecs = {value == "pcma" ? trunkline::codec_name::pcma : trunkline::codec_name::pcmu};
    } else if (key == "--channels") {
        on.channels = number(value);
    } else if (key == "--cps") {
        on.calls_per_second = number(value);
    } else if (key == "--gateway-timeout") {
        on.gateway_timeout = std::chrono::milliseconds{number(value)};
    } else if (key == "--ringing-timeout") {
        on.ringing_timeout = std::chrono::seconds{number(value)};
    } else {
        throw std::invalid_argument{"no argument " + key};
    }
}

[[nodiscard]] wanted parse(std::span<char*> arguments) {
    wanted made;
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
        const std::string key{arguments[i]};
        const std::string value{arguments[i + 1]};
        if (key == "--listen") {
            // HOST:PORT is by UDP; "tcp:HOST:PORT" and "tls:HOST:PORT" say so.
            const bool stream = value.starts_with("tcp:") || value.starts_with("tls:");
            made.manager.listen.push_back({stream ? value : "udp:" + value, {}});
        } else if (key == "--dns") {
            made.manager.dns_servers.push_back(value);
        } else if (key == "--certificate") {
            made.manager.tls.certificate = value;
        } else if (key == "--key") {
            made.manager.tls.key = value;
        } else if (key == "--advertise") {
            made.manager.listen.back().advertise = value;
        } else if (key == "--media-at") {
            made.manager.media.at = value;
        } else if (key == "--media-advertise") {
            made.manager.media.advertise = value;
        } else if (key == "--media-ports") {
            const auto [first, last] = halves(value, '-');
            made.manager.media_ports = {static_cast<std::uint16_t>(number(first)),
                                        static_cast<std::uint16_t>(number(last))};
        } else if (key == "--shards") {
            made.manager.shards = static_cast<std::uint16_t>(number(value));
        } else if (key == "--trunk") {
            made.trunks.push_back({.name = value});
        } else if (made.trunks.empty()) {
            throw std::invalid_argument{key + " stands before any --trunk"};
        } else {
            take_trunk_argument(made.trunks.back(), key, value);
        }
    }
    return made;
}

/// dial NUMBER [TRUNK [AGENT]] | answer AGENT | digits DIGITS | transfer TARGET | hang_up | count
/// | drain MS
void obey(trunkline::trunk_manager& manager, const std::string& line) {
    std::istringstream words{line};
    std::string command;
    std::string first;
    std::string second;
    std::string third;
    words >> command >> first >> second >> third;
    if (command == "dial") {
        trunkline::dial_request request{.to = first, .trunk = second};
        request.agent = agent_named(third);
        request.agent_name = third;
        return manager.dial(std::move(request));
    }
    if (command == "count") return print({{"event", "count"}, {"calls", manager.calls()}});
    if (command == "drain") return manager.drain(std::chrono::milliseconds{number(first)});
    for (const auto& handle : calls_alive.all()) {
        if (command == "hang_up") {
            handle.hang_up();
        } else if (command == "answer") {
            handle.post([first](call& on) { static_cast<void>(on.answer(agent_named(first))); });
        } else if (command == "transfer") {
            handle.post([first](call& on) { static_cast<void>(on.transfer(first)); });
        } else if (command == "digits") {
            handle.post([first](call& on) { static_cast<void>(on.send_digits(first)); });
        } else {
            throw std::invalid_argument{"no command " + command};
        }
    }
}

int run(std::span<char*> arguments) {
    auto config = parse(arguments);
    config.manager.on_incoming = incoming;
    config.manager.on_record = record;
    config.manager.on_note = [](const trunkline::effects::note& what) {
        if (what.level < trunkline::severity::warning) return;
        print({{"event", "note"}, {"what", trunkline::name(what.code)}, {"values", what.values}});
    };
    config.manager.on_registration = [](const trunkline::registration_status& how) {
        print({{"event", "registration"},
               {"trunk", how.trunk},
               {"state", trunkline::name(how.state)},
               {"gateway", how.gateway},
               {"code", how.sip_code},
               {"reason", how.reason}});
    };
    trunkline::trunk_manager manager{std::move(config.manager)};
    for (auto& trunk : config.trunks) {
        if (const auto added = manager.add_trunk(std::move(trunk)); !added) {
            throw std::invalid_argument{added.reason().field + ": " + added.reason().message};
        }
    }
    std::thread commands{[&] {
        for (std::string line; std::getline(std::cin, line);) {
            try {
                obey(manager, line);
            } catch (const std::exception& failed) {
                print({{"event", "bad_command"}, {"command", line}, {"what", failed.what()}});
            }
        }
        manager.stop();
    }};
    print({{"event", "listening"}, {"port", manager.listening().port}});
    manager.run();
    print({{"event", "stopped"}, {"calls", manager.calls()}});
    // After a drain its input is still open: who started it closes that when it reads "stopped".
    commands.join();
    return 0;
}

} // namespace

int main(int count, char** arguments) {
    try {
        return run(std::span{arguments, static_cast<std::size_t>(count)}.subspan(1));
    } catch (const std::exception& failed) {
        std::cerr << "interop_switch: " << failed.what() << '\n';
        return 2;
    }
}
