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
    [[nodiscard]] std::string add(std::string_view name, const std::filesystem::path& folder);

    /// Null for a name that was not added. Recordings are written by `files`, which has to outlive
    /// the agent.
    [[nodiscard]] std::unique_ptr<trunkline::agent> make(std::string_view name,
                                                         background& files) const;
    [[nodiscard]] static trunkline::answer_options options(std::string_view name);
    [[nodiscard]] std::size_t size() const noexcept { return makers_.size(); }

    static constexpr std::string_view known =
        "`reflect`, `echo`, `hold`, `play:<wav>`, `interrupt:<wav>` or `record:<wav>`";

private:
    using maker = std::function<std::unique_ptr<trunkline::agent>(background&)>;
    std::map<std::string, maker, std::less<>> makers_;
};

} // namespace softswitch
