#include "agents.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <trunkline/audio/wav.hpp>
#include <trunkline/core/text.hpp>

#include "interruptible.hpp"
#include "recording.hpp"
#include "sockets/socket_url.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

using samples = std::vector<std::int16_t>;
constexpr std::size_t samples_a_second = 8'000;

/// Sends each frame back as it arrives: the shortest way through the switch, for measuring it.
struct reflect final : trunkline::agent {
    void on_audio(trunkline::call& call, const trunkline::audio_frame& heard) override {
        // A frame that cannot be sent, because the far end holds us, is not worth more than this.
        static_cast<void>(call.send(heard));
    }
};

/// Says what it hears: the way of a speech agent, through the jitter buffer and the playout queue.
class echo final : public trunkline::agent {
public:
    void on_answered(trunkline::call& call) override {
        if (auto opened = call.say()) speech_ = *opened;
    }
    void on_audio(trunkline::call& call, const trunkline::audio_frame& heard) override {
        if (!speech_) return on_answered(call);
        // When the queue ran dry, silence was sent instead, and all that is heard later comes that
        // much later. Leaving out a frame now and then brings the delay back.
        const auto sent = speech_->sent_up_to();
        if (sent && written_ > *sent + most_behind) return;
        // Dry, it starts again behind a little silence, or the next late packet would run it dry
        // again.
        if (sent && written_ == *sent) {
            static constexpr std::array<std::int16_t, samples_a_second / 25> cushion{};
            if (const auto taken = speech_->write(cushion)) written_ += *taken;
        }
        const auto taken = speech_->write(heard.samples);
        if (taken) {
            written_ += *taken;
        } else {
            speech_.reset();
            written_ = 0;
        }
    }

private:
    static constexpr std::size_t most_behind = samples_a_second / 5;
    std::optional<trunkline::utterance> speech_;
    std::size_t written_ = 0;
};

/// Says nothing and hears nothing.
struct hold final : trunkline::agent {};

/// Plays a file and hangs up. A file longer than the playout queue goes in piece by piece, each
/// time that a mark tells of the piece before.
class play final : public trunkline::agent {
public:
    explicit play(std::shared_ptr<const samples> what) : what_{std::move(what)} {}

    void on_answered(trunkline::call& call) override {
        const auto opened = call.say();
        if (!opened) return call.hang_up();
        speech_ = *opened;
        write_piece(call);
        write_piece(call);
    }
    void on_mark(trunkline::call& call, std::string_view, bool played) override {
        if (played) write_piece(call);
    }

private:
    static constexpr std::size_t piece = 30 * samples_a_second;

    void write_piece(trunkline::call& call) {
        if (finished_) return;
        const auto rest = std::span{*what_}.subspan(at_);
        const auto taken = speech_.write(rest.first(std::min(piece, rest.size())));
        if (!taken) return call.hang_up();
        at_ += *taken;
        if (at_ < what_->size()) {
            if (!speech_.mark("piece")) call.hang_up();
            return;
        }
        finished_ = true;
        static_cast<void>(speech_.finish());
        call.hang_up_after_drain();
    }

    std::shared_ptr<const samples> what_;
    trunkline::utterance speech_;
    std::size_t at_ = 0;
    bool finished_ = false;
};

/// Writes what it hears. The shard only collects a tenth of a second at a time.
class record final : public trunkline::agent {
public:
    record(std::filesystem::path path, background& files) : path_{std::move(path)}, files_{files} {}
    // Also when the switch ends without ending its calls: what was heard is on its way to the disk.
    ~record() override { flush(); }

    void on_answered(trunkline::call& call) override {
        auto open = [file = file_, path = path_, id = call.id()] {
            auto made = recording::create(path);
            if (!made) {
                return spdlog::error("call {}: {} cannot be written: {}", id, path.string(),
                                     made.reason().message());
            }
            spdlog::info("call {}: recording to {}", id, made->path().string());
            file->emplace(std::move(*made));
        };
        if (!files_.post(std::move(open))) spdlog::error("call {}: not recorded", call.id());
    }
    void on_audio(trunkline::call&, const trunkline::audio_frame& heard) override {
        heard_.insert(heard_.end(), heard.samples.begin(), heard.samples.end());
        if (heard_.size() >= samples_a_second / 10) flush();
    }
    void on_ended(trunkline::call&, const trunkline::call_record&) override { flush(); }

private:
    using shared_file = std::shared_ptr<std::optional<recording>>;

    void flush() {
        if (heard_.empty()) return;
        files_.post([file = file_, heard = std::exchange(heard_, {})] {
            if (!file->has_value()) return;
            const auto failed = (*file)->append(heard);
            if (!failed) return;
            spdlog::error("{}: the recording ends here: {}", (*file)->path().string(),
                          failed.message());
            file->reset();
        });
    }

    std::filesystem::path path_;
    background& files_;
    shared_file file_ = std::make_shared<std::optional<recording>>();
    samples heard_;
};

/// Of what is wrong with bytes, in words that fit a WAV file.
[[nodiscard]] std::string in_words(const trunkline::error& reason) {
    if (reason.code == trunkline::errc::not_supported) {
        return "it has to be PCM16, A-law or mu-law at 8, 16, 24 or 48 kHz, mono or stereo";
    }
    return fmt::format("{} at byte {}", trunkline::message(reason.code), reason.offset);
}

/// The samples, or what is wrong.
[[nodiscard]] trunkline::result<samples, std::string> load(const std::filesystem::path& path) {
    // Half an hour of the largest format. Prompts live in memory, so there has to be an end.
    constexpr std::uintmax_t most = 512 * 1024 * 1024;
    std::error_code failed;
    const auto size = std::filesystem::file_size(path, failed);
    if (failed) return fmt::format("{}: {}", path.string(), failed.message());
    if (size > most) return fmt::format("{} is over 512 MiB", path.string());
    std::ifstream file{path, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    if (!file) return fmt::format("{} cannot be read", path.string());
    const auto wav = trunkline::audio::wav_view::parse(trunkline::as_bytes(bytes));
    if (!wav) return fmt::format("{} is no WAV file: {}", path.string(), in_words(wav.reason()));
    auto converted = trunkline::audio::to_8khz(*wav);
    if (!converted) {
        return fmt::format("{} cannot be played: {}", path.string(), in_words(converted.reason()));
    }
    if (converted->empty()) return fmt::format("{} holds no audio", path.string());
    return std::move(*converted);
}

void tell(const trunkline::call& about, const std::string& line) {
    spdlog::info("call {}: {}", about.id(), line);
}

template <class Agent>
[[nodiscard]] std::unique_ptr<trunkline::agent> simply() {
    return std::make_unique<Agent>();
}

[[nodiscard]] std::string wrong_with_socket(std::string_view name) {
    const auto url = socket_url::parse(name);
    return url ? std::string{} : url.reason();
}

/// What makes an agent that needs nothing but its name; null for other names.
[[nodiscard]] auto simple(std::string_view name) -> std::unique_ptr<trunkline::agent> (*)() {
    if (name == "reflect") return simply<reflect>;
    if (name == "echo") return simply<echo>;
    if (name == "hold") return simply<hold>;
    return nullptr;
}

} // namespace

std::string agent_catalogue::add(std::string_view name, const std::filesystem::path& folder) {
    if (makers_.contains(name)) return {};
    if (is_socket_url(name)) return wrong_with_socket(name);
    const auto remember = [&](maker how) { makers_.emplace(name, std::move(how)); };
    if (simple(name)) return {};
    const auto colon = name.find(':');
    const auto kind = name.substr(0, colon);
    const auto argument = colon == std::string_view::npos ? "" : name.substr(colon + 1);
    if (kind != "play" && kind != "interrupt" && kind != "record") {
        return fmt::format("there is no agent `{}`: it has to be {}", printable(name), known);
    }
    if (argument.empty()) return fmt::format("needs a file: `{}:name.wav`", kind);
    const auto path = folder / argument;
    if (kind != "record") {
        auto loaded = load(path);
        if (!loaded) return loaded.reason();
        const auto what = std::make_shared<const samples>(std::move(*loaded));
        if (kind == "play") {
            remember([what](background&) { return std::make_unique<play>(what); });
        } else {
            remember([what](background&) { return std::make_unique<interruptible>(what, tell); });
        }
        return {};
    }
    const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    if (::access(parent.c_str(), W_OK | X_OK) != 0) {
        return fmt::format("the folder {} has to be there, and ours to write to", parent.string());
    }
    remember([path](background& files) { return std::make_unique<record>(path, files); });
    return {};
}

std::string agent_catalogue::wrong_with(std::string_view name) const {
    if (makers_.contains(name)) return {};
    if (is_socket_url(name)) return wrong_with_socket(name);
    if (simple(name)) return {};
    return fmt::format("there is no agent `{}`: it has to be a socket such as "
                       "ws://127.0.0.1:8765, `reflect`, `echo`, `hold`, or one that the "
                       "configuration file names",
                       printable(name));
}

std::unique_ptr<trunkline::agent> agent_catalogue::make(std::string_view name,
                                                        background& files) const {
    const auto found = makers_.find(name);
    if (found != makers_.end()) return found->second(files);
    const auto builtin = simple(name);
    return builtin ? builtin() : nullptr;
}

trunkline::answer_options agent_catalogue::options(std::string_view name) {
    trunkline::answer_options how;
    how.media = name != "hold";
    return how;
}

} // namespace softswitch
