// The store in one SQLite file.
#pragma once

#include <filesystem>
#include <memory>

#include "secret_box.hpp"
#include "store.hpp"

namespace softswitch {

/// Makes the file when there is none, and brings an older one up to date. Several processes may
/// have it open, as `softswitch token` beside a running switch. Refuses, with a sentence that says
/// what to do, a file that is damaged, newer than we are, or encrypted with another key.
[[nodiscard]] stored<std::unique_ptr<store>> open_store(const std::filesystem::path& file,
                                                        const secret_box& secrets);

} // namespace softswitch
