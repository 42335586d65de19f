// CAPTURE for clang 14, whose lambdas capture no structured binding: doctest makes the text in a
// lambda when a check fails, this one makes it at once. Included ahead of every test.
#pragma once

#include <doctest/doctest.h>

#if defined(__clang__) && __clang_major__ < 16
#undef CAPTURE
#define CAPTURE(what) TRUNKLINE_CAPTURE(what, DOCTEST_ANONYMOUS(trunkline_captured_))
#define TRUNKLINE_CAPTURE(what, name)                                                              \
    const doctest::String name = doctest::toString(what);                                          \
    DOCTEST_INFO(#what " := ", name)
#endif
