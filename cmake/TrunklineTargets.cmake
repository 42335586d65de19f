# What every target of ours has in common. Nothing in here reaches a consumer.

add_library(trunkline_options INTERFACE)
target_compile_options(trunkline_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual
  -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wimplicit-fallthrough -Wextra-semi
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
  $<$<BOOL:${TRUNKLINE_WERROR}>:-Werror>)

# trunkline_component(name [REAL_WORLD] SOURCES ... HEADERS ... DEPENDS ... EXTERNAL ...)
# One folder, one target, one test: layer.<name> fails when a file of the component includes what is
# neither a component in DEPENDS, nor under a prefix in EXTERNAL, nor a header of the standard library.
# Without REAL_WORLD only those standard headers count that reach no clock, thread, lock or file, and
# neither the text nor the archive may name one. So this list is the whole truth about the layers.
function(trunkline_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "REAL_WORLD" "" "SOURCES;HEADERS;DEPENDS;EXTERNAL")
  set(target trunkline_${name})
  set(scope PUBLIC)
  if(arg_SOURCES)
    add_library(${target} ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:trunkline_options>)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(trunkline::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} VERIFY_INTERFACE_HEADER_SETS ON)
  target_compile_features(${target} ${scope} cxx_std_20)
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
  target_link_libraries(${target} ${scope} ${arg_DEPENDS})
  install(TARGETS ${target} EXPORT trunkline-targets FILE_SET HEADERS)
  set(archive "")
  if(arg_SOURCES AND NOT arg_REAL_WORLD AND NOT BUILD_SHARED_LIBS)
    set(archive $<TARGET_FILE:${target}>)
  endif()
  add_test(NAME layer.${name} COMMAND ${CMAKE_COMMAND} "-Dname=${name}" "-Ddepends=${arg_DEPENDS}"
    "-Dexternal=${arg_EXTERNAL}" "-Dreal_world=${arg_REAL_WORLD}" "-Dnm=${CMAKE_NM}"
    "-Darchive=${archive}" "-Droot=${CMAKE_CURRENT_SOURCE_DIR}"
    "-Dfiles=${arg_HEADERS};${arg_SOURCES}" -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayer.cmake)
endfunction()
