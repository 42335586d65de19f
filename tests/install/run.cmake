# Installs trunkline, or builds and runs one user's program against it; CMakeLists.txt beside this file
# lists the ways. Modes:
#   install  -Dbuild= -Dprefix=                                           the archives of this build
#   shared   -Dsource= -Dbuild= -Dprefix= -Dcxx= -Dgenerator= -Dwerror=   a shared library, built for it
#   package  -Dprefix= -Dconsumer= -Dwork= -Dcxx= -Dgenerator=            find_package
#   fetch    -Dsource= -Dconsumer= -Dwork= -Dcxx= -Dgenerator= -Dwerror=  FetchContent
#   pkgconfig [-Dstatic=ON] -Dprefix= -Dconsumer= -Dwork= -Dcxx=          pkg-config and a bare compiler
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(run_program program)
  # It binds and ends; and where SIPp is, it takes a call.
  execute_process(COMMAND ${program} COMMAND_ERROR_IS_FATAL ANY)
  find_program(sipp sipp)
  if(sipp)
    execute_process(COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/call.sh ${program} ${sipp}
      OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
    message(STATUS "the program took a call and said: ${said}")
  endif()
endfunction()

if(mode STREQUAL "install")
  file(REMOVE_RECURSE ${prefix})
  run(${CMAKE_COMMAND} --install ${build} --prefix ${prefix})

elseif(mode STREQUAL "shared")
  file(REMOVE_RECURSE ${prefix})
  run(${CMAKE_COMMAND} -S ${source} -B ${build} -G ${generator} -DBUILD_SHARED_LIBS=ON
    -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER=${cxx} -DTRUNKLINE_BUILD_TESTS=OFF
    -DTRUNKLINE_BUILD_BENCH=OFF -DTRUNKLINE_BUILD_FUZZ=OFF -DTRUNKLINE_BUILD_EXAMPLES=OFF
    -DTRUNKLINE_PRECOMPILE=ON -DTRUNKLINE_WERROR=${werror})
  run(${CMAKE_COMMAND} --build ${build})
  run(${CMAKE_COMMAND} --install ${build} --prefix ${prefix})
  file(GLOB_RECURSE archives ${prefix}/*.a)
  if(archives)
    message(FATAL_ERROR "an installed shared library left archives beside it: ${archives}")
  endif()

elseif(mode STREQUAL "package" OR mode STREQUAL "fetch")
  # A build that remembers an older trunkline would not be a user's first.
  file(REMOVE_RECURSE ${work})
  if(mode STREQUAL "fetch")
    # The flags of our own release build, so that ccache has seen all of it.
    set(where -DCONSUMER_FETCHES=${source} -DTRUNKLINE_WERROR=${werror})
  else()
    set(where -DCMAKE_PREFIX_PATH=${prefix})
  endif()
  run(${CMAKE_COMMAND} -S ${consumer} -B ${work} -G ${generator} -DCMAKE_CXX_COMPILER=${cxx}
    -DCMAKE_BUILD_TYPE=Release ${where})
  run(${CMAKE_COMMAND} --build ${work})
  run_program(${work}/consumer)
  run(${work}/parts)

elseif(mode STREQUAL "pkgconfig")
  file(REMOVE_RECURSE ${work})
  file(MAKE_DIRECTORY ${work})
  file(GLOB_RECURSE found ${prefix}/*/trunkline.pc)
  get_filename_component(folder "${found}" DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} ${folder})
  set(kind "")
  if(static)
    set(kind --static)
  endif()
  execute_process(COMMAND pkg-config ${kind} --cflags --libs trunkline OUTPUT_VARIABLE flags
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  get_filename_component(lib "${folder}" DIRECTORY)
  foreach(program main parts)
    run(${cxx} -std=c++20 -Wall -Wextra -Wpedantic -Werror ${consumer}/${program}.cpp
      -o ${work}/${program} ${flags} -Wl,-rpath,${lib})
  endforeach()
  run_program(${work}/main)
  run(${work}/parts)

else()
  message(FATAL_ERROR "no such mode: ${mode}")
endif()
