// Recordings on disk, as the phone's 8 kHz samples.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace phone {

using samples = std::vector<std::int16_t>;

/// Both throw std::runtime_error that names the file and what is wrong with it.
[[nodiscard]] samples read_wav(const std::string& path);
void write_wav(const std::string& path, std::span<const std::int16_t> what);

} // namespace phone
