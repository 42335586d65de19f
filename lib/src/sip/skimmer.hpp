// Passes over characters of one class, of which there are many, from one of the others to the next.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lanes.hpp"

namespace trunkline::sip {

/// Borrows. Looks at 64 characters at a time and remembers what it saw, so a reader that goes
/// forward has each of them looked at once.
template <class Class>
class skimmer {
public:
    explicit skimmer(std::string_view text) noexcept : text_{text} { look(0); }

    [[nodiscard]] std::string_view text() const noexcept { return text_; }

    /// The first position from `at` on whose character does not belong to Class; the end when all
    /// do. `at` may be the end, and not past it.
    [[nodiscard]] std::size_t next(std::size_t at) noexcept {
        while (true) {
            // What lies before the 64 is as far away as what lies behind them.
            const auto offset = at - base_;
            if (offset < 64) {
                const auto ahead = others_ >> offset;
                if (ahead != 0) return at + static_cast<std::size_t>(std::countr_zero(ahead));
                at = base_ + 64;
            }
            look(at);
        }
    }

private:
    /// Out of line: it is called once in 64 characters, and next() once in a few.
    void look(std::size_t at) noexcept;

    std::string_view text_;
    std::size_t base_ = 0;
    std::uint64_t others_ = 0;
};

extern template class skimmer<lanes::plain>;
extern template class skimmer<lanes::printable>;

} // namespace trunkline::sip
