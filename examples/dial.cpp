// Calls a number, sounds a second of dial tone and hangs up.
//
//     dial +14155550100 gateway.example.net
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>

#include <trunkline/audio/tone.hpp>
#include <trunkline/trunkline.hpp>

namespace {

class beeper : public trunkline::agent {
public:
    beeper(trunkline::trunk_manager& manager, bool& answered)
        : manager_{manager},
          answered_{answered} {}

    void on_answered(trunkline::call& call) override {
        answered_ = true;
        std::array<std::int16_t, 8'000> second{};
        trunkline::audio::tone_generator{trunkline::audio::tones::sine(440)}.next(second);
        if (auto speech = call.say()) {
            if (speech->write(second) && speech->finish()) return call.hang_up_after_drain();
        }
        call.hang_up();
    }
    void on_ended(trunkline::call&, const trunkline::call_record& record) override {
        std::printf("%d %s: %llu packets sent, %llu heard\n", record.sip_code,
                    record.reason.c_str(), static_cast<unsigned long long>(record.media.sent),
                    static_cast<unsigned long long>(record.media.received));
        manager_.drain(std::chrono::seconds{1});
    }

private:
    trunkline::trunk_manager& manager_;
    bool& answered_;
};

} // namespace

int main(int count, char** words) try {
    if (count < 3) return std::fprintf(stderr, "dial NUMBER HOST [PORT]\n"), 2;
    trunkline::trunk_manager manager{{.listen = {{.at = "udp:0.0.0.0:0"}}}};
    const auto port = static_cast<std::uint16_t>(count > 3 ? std::atoi(words[3]) : 5060);
    const auto added = manager.add_trunk({.name = "carrier", .gateways = {{words[2], port}}});
    if (!added) return std::fprintf(stderr, "dial: %s\n", added.reason().message.c_str()), 2;
    bool answered = false;
    manager.dial({.to = words[1], .agent = std::make_unique<beeper>(manager, answered)});
    manager.run();
    return answered ? 0 : 1;
} catch (const std::exception& trouble) {
    return std::fprintf(stderr, "dial: %s\n", trouble.what()), 1;
}
