// TRUNKLINE_EXPORT: what a user of the shared library may link to. All else in it is hidden.
#pragma once

// Defined by the build of the shared library and by everything that finds it (the CMake package,
// trunkline.pc). On a class it also keeps the type the same on both sides, for a user who hides
// their own symbols by default and derives from it or catches it.
#ifdef TRUNKLINE_SHARED
#define TRUNKLINE_EXPORT __attribute__((visibility("default")))
#else
#define TRUNKLINE_EXPORT
#endif
