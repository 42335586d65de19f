# What every target of ours has in common. Nothing in here reaches a consumer.

add_library(trunkline_options INTERFACE)
target_compile_options(trunkline_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual
  -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wimplicit-fallthrough -Wextra-semi
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
  # g++ 12 sees an overlap wherever a literal is put before a string (its bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${TRUNKLINE_WERROR}>:-Werror>)

# What sip/lanes.hpp is made of, for the component and its test alone.
add_library(trunkline_simd INTERFACE)
if(TRUNKLINE_SIMD STREQUAL "portable")
  target_compile_definitions(trunkline_simd INTERFACE TRUNKLINE_PORTABLE)
elseif(TRUNKLINE_SIMD STREQUAL "avx2")
  target_compile_options(trunkline_simd INTERFACE -march=x86-64-v3)
elseif(NOT TRUNKLINE_SIMD STREQUAL "baseline")
  message(FATAL_ERROR "TRUNKLINE_SIMD is ${TRUNKLINE_SIMD}: say portable, baseline or avx2")
endif()

# Half of what a source costs to compile is the standard library. A source still includes what it uses: the
# presets dev and release compile it without, and the layer check reads its text.
set(trunkline_standard_headers <algorithm> <array> <chrono> <cstdint> <deque> <functional> <map> <memory>
  <optional> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>)

# ccache takes g++'s word for what is in there, and clang++ must not write the time into it.
function(trunkline_precompile target)
  if("REUSE_FROM" IN_LIST ARGN)
    target_precompile_headers(${target} ${ARGN})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
    $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
endfunction()

function(trunkline_precompile_component target)
  if(NOT TRUNKLINE_PRECOMPILE)
    return()
  elseif(target STREQUAL "trunkline_core")
    trunkline_precompile(${target} ${trunkline_standard_headers})
  elseif(TRUNKLINE_SIMD STREQUAL "baseline") # Other lanes are other flags, and flags are part of it.
    trunkline_precompile(${target} REUSE_FROM trunkline_core)
  endif()
endfunction()

# trunkline_component(name [REAL_WORLD] SOURCES ... HEADERS ... DEPENDS ... EXTERNAL ...)
# One folder, one target, one test: layer.<name> fails when a file of the component includes what is
# neither a component in DEPENDS, nor under a prefix in EXTERNAL, nor a header of the standard library.
# Without REAL_WORLD only those standard headers count that reach no clock, thread, lock or file, and
# neither the text nor the archive may name one. So this list is the whole truth about the layers.
#
# DEPENDS names other people's libraries too (OpenSSL::Crypto, Asio::Asio): in the tree they come with
# the component, so that its tests may use them; an installed trunkline hands on what has to be linked
# and no header of theirs. TrunklinePackage.cmake knows how a user finds each.
#
# A component is an archive even where BUILD_SHARED_LIBS is on: its tests look at what the shared
# library hides, and libtrunkline.so is made of the same objects.
function(trunkline_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "REAL_WORLD" "" "SOURCES;HEADERS;DEPENDS;EXTERNAL")
  set(target trunkline_${name})
  set(scope PUBLIC)
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:trunkline_options>)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
      CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    trunkline_precompile_component(${target})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(trunkline::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
  set(externals ${arg_DEPENDS})
  list(FILTER externals EXCLUDE REGEX "^trunkline(_|::)")
  set(components ${arg_DEPENDS})
  list(FILTER components INCLUDE REGEX "^trunkline(_|::)")
  target_link_libraries(${target} ${scope} ${components})
  trunkline_link_externals(${target} ${scope} ${externals})
  if(BUILD_SHARED_LIBS)
    target_compile_definitions(${target} ${scope} TRUNKLINE_SHARED)
  else()
    install(TARGETS ${target} EXPORT trunkline-targets FILE_SET HEADERS)
  endif()
  set_property(GLOBAL APPEND PROPERTY trunkline_components ${name})
  list(TRANSFORM arg_HEADERS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  set_property(GLOBAL APPEND PROPERTY trunkline_headers ${arg_HEADERS})
  set_property(GLOBAL PROPERTY trunkline_headers_of_${name} ${arg_HEADERS})
  if(NOT TRUNKLINE_BUILD_TESTS)
    return()
  endif()
  list(TRANSFORM arg_HEADERS REPLACE "^${CMAKE_CURRENT_SOURCE_DIR}/" "")
  set(archive "")
  if(arg_SOURCES AND NOT arg_REAL_WORLD)
    set(archive $<TARGET_FILE:${target}>)
  endif()
  add_test(NAME layer.${name} COMMAND ${CMAKE_COMMAND} "-Dname=${name}" "-Ddepends=${arg_DEPENDS}"
    "-Dexternal=${arg_EXTERNAL}" "-Dreal_world=${arg_REAL_WORLD}" "-Dnm=${CMAKE_NM}"
    "-Darchive=${archive}" "-Droot=${CMAKE_CURRENT_SOURCE_DIR}"
    "-Dfiles=${arg_HEADERS};${arg_SOURCES}" -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayer.cmake)
endfunction()
