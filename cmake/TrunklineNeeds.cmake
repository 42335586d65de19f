# The library needs OpenSSL and c-ares. What else a checkout holds has needs of its own, and is left out with
# a sentence where one of them is absent: a plain `cmake -S . -B build` is for who wants the library.

option(TRUNKLINE_REQUIRE_ALL "Fail rather than leave out what lacks a package" OFF)

# trunkline_needs(<variable> <what it is for> [PACKAGES ...] [LIBRARIES ...]): sets <variable> to whether all
# are there. The imported targets are then those of the calling directory, and <library>_library is a path.
macro(trunkline_needs into what)
  cmake_parse_arguments(needs "" "" "PACKAGES;LIBRARIES" ${ARGN})
  set(needs_absent "")
  foreach(needed IN LISTS needs_PACKAGES)
    find_package(${needed} QUIET)
    if(NOT ${needed}_FOUND)
      list(APPEND needs_absent ${needed})
    endif()
  endforeach()
  foreach(needed IN LISTS needs_LIBRARIES)
    if(NOT CMAKE_DISABLE_FIND_PACKAGE_${needed})
      find_library(${needed}_library ${needed})
    endif()
    if(NOT ${needed}_library OR CMAKE_DISABLE_FIND_PACKAGE_${needed})
      list(APPEND needs_absent ${needed})
    endif()
  endforeach()
  set(${into} TRUE)
  if(needs_absent)
    set(${into} FALSE)
    list(JOIN needs_absent ", " needs_absent)
    if(TRUNKLINE_REQUIRE_ALL)
      message(FATAL_ERROR "${what} cannot be built: ${needs_absent} not found. `./dev setup` installs it")
    endif()
    message(STATUS "Without ${what}: ${needs_absent} not found, see docs/dependencies.md")
  endif()
endmacro()
