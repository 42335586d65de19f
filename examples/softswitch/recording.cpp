#include "recording.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <trunkline/audio/wav.hpp>

namespace softswitch {

namespace {

constexpr int most_of_one_name = 10'000;

[[nodiscard]] std::error_code last_error() {
    return {errno, std::generic_category()};
}

[[nodiscard]] std::error_code write_at(int file, std::span<const std::byte> bytes,
                                       std::uint64_t offset) {
    while (!bytes.empty()) {
        const auto written =
            ::pwrite(file, bytes.data(), bytes.size(), static_cast<::off_t>(offset));
        if (written < 0) {
            if (errno == EINTR) continue;
            return last_error();
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

} // namespace

recording::recording(int file, std::filesystem::path path) noexcept
    : file_{file},
      path_{std::move(path)} {}

recording::recording(recording&& other) noexcept
    : file_{std::exchange(other.file_, -1)},
      path_{std::move(other.path_)},
      frames_{other.frames_} {}

recording& recording::operator=(recording&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(path_, other.path_);
    std::swap(frames_, other.frames_);
    return *this;
}

recording::~recording() {
    if (file_ >= 0) ::close(file_);
}

trunkline::result<recording, std::error_code>
recording::create(const std::filesystem::path& wanted) {
    for (int i = 1; i <= most_of_one_name; ++i) {
        auto path = wanted;
        if (i > 1) {
            auto name = wanted.stem();
            name += "-" + std::to_string(i);
            name += wanted.extension();
            path.replace_filename(name);
        }
        const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (file < 0 && errno == EEXIST) continue;
        if (file < 0) return last_error();
        recording made{file, std::move(path)};
        if (const auto failed = made.write_header()) return failed;
        return made;
    }
    return std::make_error_code(std::errc::file_exists);
}

std::error_code recording::write_header() {
    std::array<std::byte, trunkline::audio::wav_header_size> header{};
    if (const auto made = trunkline::audio::write_header(header, 8'000, 1, frames_); !made) {
        return std::make_error_code(std::errc::file_too_large);
    }
    return write_at(file_, header, 0);
}

std::error_code recording::append(std::span<const std::int16_t> samples) {
    std::vector<std::byte> bytes;
    bytes.reserve(2 * samples.size());
    for (const auto sample : samples) {
        const auto bits = static_cast<std::uint16_t>(sample);
        bytes.push_back(static_cast<std::byte>(bits & 0xff));
        bytes.push_back(static_cast<std::byte>(bits >> 8));
    }
    const auto end = trunkline::audio::wav_header_size + 2 * frames_;
    if (const auto failed = write_at(file_, bytes, end)) return failed;
    frames_ += samples.size();
    return write_header();
}

} // namespace softswitch
