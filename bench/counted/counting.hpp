// What is counted, and what only prepares it: callgrind counts while one of these lives, and
// nothing else.
#pragma once

#include <valgrind/callgrind.h>

namespace bench {

/// Before this callgrind only looks on, which is ten times faster: begun with --instr-atstart=no.
inline void prepared() {
    CALLGRIND_START_INSTRUMENTATION;
}

/// Counts for as long as it lives, when `on`. Begun with --collect-atstart=no.
class counting {
public:
    explicit counting(bool on) noexcept : on_{on} {
        if (on_) CALLGRIND_TOGGLE_COLLECT;
    }
    counting(const counting&) = delete;
    counting& operator=(const counting&) = delete;
    ~counting() {
        if (on_) CALLGRIND_TOGGLE_COLLECT;
    }

private:
    bool on_;
};

} // namespace bench
