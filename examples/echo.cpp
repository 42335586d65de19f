// The smallest thing that answers a telephone: whoever calls hears himself.
//
//     echo [udp:0.0.0.0:5060 [allowed network]]
#include <cstdio>
#include <exception>
#include <memory>

#include <trunkline/trunkline.hpp>

namespace {

struct echo : trunkline::agent {
    void on_audio(trunkline::call& call, const trunkline::audio_frame& heard) override {
        if (!call.send(heard)) call.hang_up();
    }
};

int run(const char* at, const char* carrier) {
    trunkline::trunk_manager manager{{
        .listen = {{.at = at}},
        .on_incoming =
            [](trunkline::incoming_call& call) {
                if (!call.answer(std::make_unique<echo>())) call.hang_up();
            },
    }};
    const auto added = manager.add_trunk({
        .name = "carrier",
        .allow_from = {carrier},
        .numbers = {trunkline::did{"*", "echo"}},
        .outbound = false,
    });
    if (!added) {
        std::fprintf(stderr, "echo: %s: %s\n", added.reason().field.c_str(),
                     added.reason().message.c_str());
        return 2;
    }
    std::printf("listening on %s\n", trunkline::to_text(manager.listening()).c_str());
    std::fflush(stdout);
    manager.run();
    return 0;
}

} // namespace

int main(int count, char** words) try {
    return run(count > 1 ? words[1] : "udp:0.0.0.0:5060", count > 2 ? words[2] : "127.0.0.0/8");
} catch (const std::exception& trouble) {
    std::fprintf(stderr, "echo: %s\n", trouble.what());
    return 1;
}
