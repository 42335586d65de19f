# cmake -Dtransactions= -Dcall= -Ddigest= -Dvalgrind= [-Dplanted=] -P counted_gate.cmake: counts what a transaction's
# life and a whole answered call take, and fails where it is more than it was. Instructions of g++ 12,
# Release, on x86-64. What we want of a call is at most 87,000; of a life, fewer than std::unordered_map and
# std::priority_queue take with a hash that has a key.
cmake_minimum_required(VERSION 3.25)

set(most_life 4300)  # counted: 4,025
set(most_call 87000) # 83,521
if(planted) # To see that the gate closes.
  set(most_call 1)
endif()

if(NOT valgrind)
  message(FATAL_ERROR "skipped: this needs valgrind")
endif()

function(count into expected)
  execute_process(COMMAND ${valgrind} --tool=callgrind --instr-atstart=no --collect-atstart=no
    --callgrind-out-file=/dev/null ${ARGN}
    OUTPUT_VARIABLE said ERROR_VARIABLE counted COMMAND_ERROR_IS_FATAL ANY)
  if(NOT counted MATCHES "Collected : ([0-9]+)")
    message(FATAL_ERROR "callgrind counted nothing:\n${counted}")
  endif()
  set(instructions ${CMAKE_MATCH_1})
  if(NOT said MATCHES "${expected}=([1-9][0-9]*) ")
    message(FATAL_ERROR "nothing was done: ${said}")
  endif()
  math(EXPR each "${instructions} / ${CMAKE_MATCH_1}")
  set(${into} ${each} PARENT_SCOPE)
endfunction()

set(broken "")
count(whole calls ${call} 500)
message(STATUS "call: ${whole} instructions, at most ${most_call}")
if(whole GREATER most_call)
  string(APPEND broken "\n  a call: ${whole} instructions where ${most_call} are the most")
endif()
if(NOT planted)
  foreach(which layer keyed plain)
    count(${which} lives ${transactions} ${which} 3200)
    message(STATUS "life, ${which}: ${${which}} instructions")
  endforeach()
  if(layer GREATER most_life)
    string(APPEND broken "\n  a life: ${layer} instructions where ${most_life} are the most")
  endif()
  if(NOT layer LESS keyed)
    string(APPEND broken "\n  a life: ${layer} instructions, and plain containers take ${keyed}")
  endif()
  # Whoever guesses is not to hear whether it was the user or the password: within a thousandth.
  count(known checks ${digest} known 1000)
  count(unknown checks ${digest} unknown 1000)
  message(STATUS "wrong password: ${known} instructions; unknown user: ${unknown}")
  math(EXPR apart "(${known} - ${unknown}) * (${known} - ${unknown}) * 1000000")
  math(EXPR allowed "${known} * ${known}")
  if(apart GREATER allowed)
    string(APPEND broken "\n  an unknown user takes ${unknown}, a wrong password ${known}")
  endif()
endif()
if(broken)
  message(FATAL_ERROR "transactions have become slower:${broken}")
endif()
