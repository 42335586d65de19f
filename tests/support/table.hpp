// Tables of state and event in literal text, and their reader. A line that begins at the margin
// names events, or a set of states; below events each row names states, what goes on the wire, the
// state after, and what is told:
//
//     dialogs = ringing early up
//     BYE
//       dialogs -up | 200 487 | over | ended caller 487
//
// "-" is nothing, and as a state after it is the one before. A row is as many lines as it needs.
// "#" is the number that its event begins with.
#pragma once

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace trunkline::support {

/// In the order in which they came first; with a plus what came again.
class in_order {
public:
    void add(const std::string& word) {
        const auto known = std::ranges::find(all_, word, &said::word);
        if (known == all_.end())
            all_.push_back({word});
        else
            known->again = true;
    }
    [[nodiscard]] std::string text() const {
        std::string text;
        for (const auto& one : all_) {
            text += (text.empty() ? "" : " ") + one.word + (one.again ? "+" : "");
        }
        return text.empty() ? "-" : text;
    }

private:
    struct said {
        std::string word;
        bool again = false;
    };
    std::vector<said> all_;
};

/// Its method or its status.
[[nodiscard]] inline std::string word_of(const std::string& text) {
    return text.starts_with("SIP/2.0 ") ? text.substr(8, 3) : text.substr(0, text.find(' '));
}

struct cell {
    std::string wire;
    std::string after;
    std::string told;
};

class table {
public:
    table(std::string_view sets, std::string_view rows) {
        read(sets);
        read(rows);
    }
    /// Takes the cell out, so that what nobody asks for is left over.
    [[nodiscard]] cell take(std::string_view event, std::string_view state) {
        auto found = cells_.extract({std::string{event}, std::string{state}});
        return found ? std::move(found.mapped()) : cell{"no such", "cell in", "the table"};
    }
    [[nodiscard]] std::string left_over() const {
        std::string all;
        for (const auto& [where, what] : cells_) all += where.first + " in " + where.second + "; ";
        return all;
    }

private:
    using words = std::vector<std::string>;

    void read(std::string_view text) {
        std::istringstream lines{std::string{text}};
        std::string row;
        for (std::string line; std::getline(lines, line);) {
            if (line.empty()) continue;
            if (const auto set = line.find(" = "); set != std::string::npos) {
                const auto more = words_of(line.substr(set + 3));
                auto& all = sets_[line.substr(0, set)];
                all.insert(all.end(), more.begin(), more.end());
            } else if (line.front() != ' ') {
                events_ = words_of(line);
            } else {
                row += line;
                if (line.find('|') != std::string::npos) add(std::exchange(row, {}));
            }
        }
        CHECK(row == "");
    }
    void add(const std::string& row) {
        std::istringstream parts{row};
        std::string states;
        cell what;
        std::getline(parts, states, '|');
        for (auto* each : {&what.wire, &what.after, &what.told}) {
            std::getline(parts, *each, '|');
            *each = joined(words_of(*each));
        }
        for (const auto& event : events_) {
            auto here = what;
            const auto number = here.told.find('#');
            if (number != std::string::npos) here.told.replace(number, 1, event.substr(0, 3));
            for (const auto& state : expanded(states)) {
                CAPTURE(event);
                CAPTURE(state);
                CHECK(cells_.try_emplace({event, state}, here).second); // Said once.
            }
        }
    }
    [[nodiscard]] words expanded(const std::string& states) const {
        words all;
        for (const auto& word : words_of(states)) {
            if (word.front() == '-') {
                CHECK(std::erase(all, word.substr(1)) == 1);
            } else if (const auto set = sets_.find(word); set != sets_.end()) {
                all.insert(all.end(), set->second.begin(), set->second.end());
            } else {
                all.push_back(word);
            }
        }
        return all;
    }
    [[nodiscard]] static words words_of(const std::string& text) {
        std::istringstream from{text};
        words all;
        for (std::string word; from >> word;) all.push_back(word);
        return all;
    }
    [[nodiscard]] static std::string joined(const words& all) {
        std::string text;
        for (const auto& word : all) text += (text.empty() ? "" : " ") + word;
        return text;
    }

    std::map<std::string, words> sets_;
    words events_;
    std::map<std::pair<std::string, std::string>, cell> cells_;
};

} // namespace trunkline::support
