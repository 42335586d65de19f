// The program of architecture section 8, with its addresses from the command line, so that a test
// can call it. Only the installed header, only the public target, every warning an error.
#include <cstdio>
#include <memory>
#include <string>

#include <trunkline/trunkline.hpp>

namespace {

int fail(const trunkline::config_error& why) {
    std::fprintf(stderr, "%s: %s\n", why.field.c_str(), why.message.c_str());
    return 1;
}

} // namespace

struct echo : trunkline::agent {
    void on_audio(trunkline::call& call, const trunkline::audio_frame& heard) override {
        call.send(heard);
    }
};

int main(int argc, char** argv) {
    const std::string at = argc > 1 ? argv[1] : "udp:127.0.0.1:0";
    trunkline::trunk_manager* running = nullptr;
    trunkline::trunk_manager manager{
        {.listen = {{.at = at, .advertise = "127.0.0.1"}},
         .on_incoming =
             [](trunkline::incoming_call& call) { call.answer(std::make_unique<echo>()); },
         .on_record =
             [&running](const trunkline::call_record& call) {
                 std::printf("a call of %s from %s ended: %s\n", call.trunk.c_str(),
                             call.from.c_str(), call.reason.c_str());
                 running->stop();
             }}};
    running = &manager;
    if (auto added = manager.add_trunk({.name = "carrier",
                                        .gateways = {{.host = "192.0.2.1"}},
                                        .auth = trunkline::userpass{"user", "secret"},
                                        .allow_from = {"127.0.0.0/8"},
                                        .numbers = {trunkline::did{"+14155550100"}}});
        !added)
        return fail(added.reason());
    if (argc <= 1) return manager.listening().port == 0; // Linked and bound: that is all.
    manager.run();
}
