#include <trunkline/net/hosts_file.hpp>

#include <algorithm>
#include <utility>

#include <trunkline/core/text.hpp>

namespace trunkline::net {

namespace {

[[nodiscard]] std::string canonical(std::string_view name) {
    while (name.ends_with('.')) name.remove_suffix(1);
    std::string lower{name};
    std::ranges::transform(lower, lower.begin(), to_lower);
    return lower;
}

/// The next word of `line`, which it is cut off; empty when none is left.
[[nodiscard]] std::string_view next_word(std::string_view& line) {
    line = trimmed(line);
    const auto word = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(word.size());
    return word;
}

} // namespace

hosts_file hosts_file::parse(std::string_view text) {
    hosts_file read;
    while (!text.empty() && read.lines_.size() < max_names) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        line = line.substr(0, line.find('#'));
        const auto at = address::parse(next_word(line));
        if (!at) continue;
        for (auto name = next_word(line); !name.empty(); name = next_word(line)) {
            if (read.lines_.size() == max_names) break;
            if (auto lower = canonical(name); !lower.empty()) {
                read.lines_.push_back({*at, std::move(lower)});
            }
        }
    }
    std::ranges::stable_sort(read.lines_, {}, &line::name);
    return read;
}

void hosts_file::find(std::string_view name, bool ipv4, std::vector<address>& into) const {
    const auto wanted = canonical(name);
    auto found = std::ranges::lower_bound(lines_, wanted, {}, &line::name);
    for (; found != lines_.end() && found->name == wanted; ++found) {
        if (found->address.is_v4() == ipv4) into.push_back(found->address);
    }
}

} // namespace trunkline::net
