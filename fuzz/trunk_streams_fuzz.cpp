// A connection's bytes, cut anywhere: the engine says the same as to all of them at once, and what
// comes of half a message is a connection that is closed in time.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <trunkline/core/text.hpp>
#include <trunkline/trunk/directory.hpp>
#include <trunkline/trunk/engine.hpp>

namespace {

using namespace trunkline;
using namespace std::chrono_literals;

void check(bool holds) {
    if (!holds) std::abort();
}

/// What an engine makes of the pieces of a stream, at one moment in time.
class listener {
public:
    explicit listener(bool known) : engine_{config(), random_} {
        trunk_config wanted;
        wanted.name = "carrier";
        wanted.allow_from = {known ? "198.51.100.0/24" : "192.0.2.0/24"};
        wanted.numbers = {{"*"}};
        auto made = trunks::compile(trunk_id{1}, std::move(wanted), "fuzz",
                                    std::make_shared<local_channels>(10U),
                                    std::make_shared<local_call_rate>(30U));
        check(made.has_value());
        engine_.set_directory(
            std::make_shared<const trunks::directory>(trunks::directory{*std::move(made)}), now_,
            out_);
        const flow_info info{transport::tcp,
                             listener_id{0},
                             {address::v4(192, 0, 2, 1), 5060},
                             {address::v4(198, 51, 100, 1), 40'000}};
        engine_.receive(inputs::flow_up{flow, info}, now_, out_);
    }
    void hear(std::string_view piece) {
        // Of its own size, so that a read past the end is seen.
        std::vector<char> bytes{piece.begin(), piece.end()};
        engine_.receive(inputs::packet{flow, std::as_writable_bytes(std::span{bytes})}, now_, out_);
    }
    [[nodiscard]] std::string said() const {
        std::string all;
        for (const auto& what : out_) {
            if (const auto* text = std::get_if<effects::send>(&what)) all += as_text(text->bytes);
        }
        return all;
    }
    [[nodiscard]] bool closed() const {
        return std::ranges::any_of(
            out_, [](const effect& what) { return std::holds_alternative<effects::close>(what); });
    }
    /// Whatever it heard, an hour brings an end to who has no call.
    void wait() {
        const auto end = now_ + 1h;
        while (const auto next = engine_.next_deadline()) {
            if (*next > end || closed()) break;
            now_ = std::max(now_, *next);
            engine_.tick(now_, out_);
        }
        check(closed() || engine_.calls() > 0);
    }

private:
    static constexpr flow_id flow{7, 1};
    static trunks::engine_config config() {
        trunks::engine_config made;
        made.listeners = {{.host = {}, .port = 0, .over = transport::tcp}};
        return made;
    }

    seeded_entropy random_{4711};
    time_point now_{1'000s};
    outbox out_;
    trunks::engine engine_;
};

} // namespace

/// The first byte says how long pieces are, and whether their sender is known.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};
    const bool known = (data[0] & 0x80) == 0;
    const std::size_t piece = 1U + (data[0] & 0x7fU);
    listener whole{known};
    whole.hear(text);
    listener cut{known};
    for (std::size_t at = 0; at < text.size(); at += piece) cut.hear(text.substr(at, piece));
    // A stranger may be hung up on in the middle of what he says, or at the end of all of it.
    if (known || text.size() < 16'384) check(whole.said() == cut.said());
    whole.wait();
    cut.wait();
    return 0;
}
