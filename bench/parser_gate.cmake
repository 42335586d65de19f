# cmake -Dpeer= -Dvalgrind= -Dpython= -Dshared= -Ddir= -P parser_gate.cmake: counts what parser_peer takes
# for a message, and fails where it is more than it was. Instructions, because no neighbour can disturb
# them; of g++ 12, Release, on x86-64, with a tenth on top of what was counted, because the C library picks
# its own routines by processor. What we want is at most 9,000 for full and 6,000 for sdp.
cmake_minimum_required(VERSION 3.25)

set(most_full 9670)  # counted: 9,084
set(most_index 3400) # 3,097
set(most_sdp 6360)   # 5,784; of a body of 513 bytes
set(most_uri 775)    # 724
set(most_build 2800) # 2,542
if(planted) # To see that the gate closes.
  set(most_uri 1)
endif()

if(NOT valgrind OR NOT python OR NOT EXISTS ${shared}/corpus)
  set(verdict "skipped")
  if("$ENV{TRUNKLINE_REQUIRE_SHARED}")
    set(verdict "failed")
  endif()
  message(FATAL_ERROR "${verdict}: this needs valgrind, python3 and the corpus in ${shared}")
endif()

# The generator writes beside its corpus: neither is ours to touch.
file(COPY ${shared}/corpus ${shared}/gen_varied.py DESTINATION ${dir})
execute_process(COMMAND ${python} gen_varied.py WORKING_DIRECTORY ${dir} OUTPUT_QUIET
  COMMAND_ERROR_IS_FATAL ANY)
set(ENV{CORPUS} "varied/*.sip")

set(broken "")
foreach(mode full index sdp uri build)
  execute_process(COMMAND ${valgrind} --tool=callgrind --instr-atstart=no
    --callgrind-out-file=/dev/null ${peer} cg ${mode} 2 WORKING_DIRECTORY ${dir}
    OUTPUT_VARIABLE said ERROR_VARIABLE counted COMMAND_ERROR_IS_FATAL ANY)
  if(NOT counted MATCHES "Collected : ([0-9]+)")
    message(FATAL_ERROR "callgrind counted nothing:\n${counted}")
  endif()
  set(instructions ${CMAKE_MATCH_1})
  if(NOT said MATCHES "CG msgs=([1-9][0-9]*) bytes=[0-9]+ bad=0")
    message(FATAL_ERROR "parser_peer refuses what it has to read in mode ${mode}: ${said}")
  endif()
  math(EXPR each "${instructions} / ${CMAKE_MATCH_1}")
  message(STATUS "${mode}: ${each} instructions, at most ${most_${mode}}")
  if(each GREATER most_${mode})
    string(APPEND broken "\n  ${mode}: ${each} instructions where ${most_${mode}} are the most")
  endif()
endforeach()
if(broken)
  message(FATAL_ERROR "the parser has become slower:${broken}")
endif()
