// Calls a number, sounds a second of a tone and hangs up.
//
//     dial +14155550100 gateway.example.net [5060]
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>

#include <trunkline/audio/tone.hpp>
#include <trunkline/trunkline.hpp>

namespace {

class beeper : public trunkline::agent {
public:
    beeper(trunkline::trunk_manager& manager, int& status) : manager_{manager}, status_{status} {}

    void on_answered(trunkline::call& call) override {
        status_ = 0;
        std::array<std::int16_t, 8'000> second{};
        trunkline::audio::tone_generator{trunkline::audio::tones::sine(440)}.next(second);
        if (auto speech = call.say()) {
            if (speech->write(second) && speech->finish()) return call.hang_up_after_drain();
        }
        call.hang_up();
    }
    void on_ended(trunkline::call&, const trunkline::call_record& record) override {
        std::cout << record.sip_code << ' ' << record.reason << ": " << record.media.sent
                  << " packets sent, " << record.media.received << " heard\n";
        manager_.drain(std::chrono::seconds{1});
    }

private:
    trunkline::trunk_manager& manager_;
    int& status_;
};

} // namespace

int main(int count, char** words) try {
    if (count < 3) throw std::runtime_error{"dial NUMBER HOST [PORT]"};
    int status = 1; // Until somebody answers.
    trunkline::trunk_manager manager{{.listen = {{.at = "udp:0.0.0.0:0"}}}};
    const auto port = static_cast<std::uint16_t>(count > 3 ? std::atoi(words[3]) : 5060);
    const auto added = manager.add_trunk({.name = "carrier", .gateways = {{words[2], port}}});
    if (!added) throw std::runtime_error{added.reason().message};
    manager.dial({.to = words[1], .agent = std::make_unique<beeper>(manager, status)});
    manager.run();
    return status;
} catch (const std::exception& trouble) {
    std::cerr << trouble.what() << '\n';
    return 2;
}
