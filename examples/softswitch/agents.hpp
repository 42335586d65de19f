// The agents that are built in: whom a number of the configuration may name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/trunk/agent.hpp>
#include <trunkline/trunk/call.hpp>

#include "background.hpp"

namespace softswitch {

/// What `reflect`, `echo`, `hold`, `play:<wav>`, `interrupt:<wav>` and `record:<wav>` stand for.
class agent_catalogue {
public:
    /// Makes sure that the name means something, and loads what it plays. Returns what is wrong, as
    /// the end of a sentence; empty when nothing is. Relative paths begin at `folder`.
    /// A socket, ws:// or wss://, needs nothing to be loaded.
    [[nodiscard]] std::string add(std::string_view name, const std::filesystem::path& folder);
    /// What is wrong with a name that comes by REST: it may be a socket, one that needs no file, or
    /// one that the configuration has named. No file is read or written because of it.
    [[nodiscard]] std::string wrong_with(std::string_view name) const;

    /// Null for a socket, and for a name with a file that was not added. Recordings are written by
    /// `files`, which has to outlive the agent.
    [[nodiscard]] std::unique_ptr<trunkline::agent> make(std::string_view name,
                                                         background& files) const;
    [[nodiscard]] static trunkline::answer_options options(std::string_view name);

    static constexpr std::string_view known =
        "`reflect`, `echo`, `hold`, `play:<wav>`, `interrupt:<wav>`, `record:<wav>`, or a socket "
        "such as ws://127.0.0.1:8765";

private:
    using maker = std::function<std::unique_ptr<trunkline::agent>(background&)>;
    std::map<std::string, maker, std::less<>> makers_;
};

} // namespace softswitch
