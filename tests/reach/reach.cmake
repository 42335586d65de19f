# cmake -Dcxx= -Dinclude= -Dheaders= -P reach.cmake: refuses a header from which the compiler reaches one
# of another library. Comments and macros cannot hide it: it is the compiler that is asked.
cmake_minimum_required(VERSION 3.25)

function(reached_from sources into)
  execute_process(COMMAND ${cxx} -std=c++20 -DASIO_STANDALONE -M -x c++ -I ${include} ${sources}
    OUTPUT_VARIABLE rule COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\\\n" " " rule "${rule}")
  string(REGEX MATCHALL "[^ \n]*/(asio|openssl|fmt)/[^ \n]+|[^ \n]*/(asio|ares[a-z_]*)\\.h(pp)?" found "${rule}")
  set(${into} "${found}" PARENT_SCOPE)
endfunction()

# All at once; which of them it is, is asked where it is one.
set(broken "")
reached_from("${headers}" any)
if(NOT any AND headers)
  return()
endif()
foreach(header IN LISTS headers)
  reached_from(${header} found)
  if(found)
    list(GET found 0 first)
    string(APPEND broken "\n  ${header} reaches ${first}")
  endif()
endforeach()
if(NOT headers)
  message(FATAL_ERROR "no header to start from")
endif()
if(broken)
  message(FATAL_ERROR "a user would need another library's headers:${broken}")
endif()
