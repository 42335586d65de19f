# A plain `cmake -S . -B build` where nothing is installed but what the library needs, and where one thing
# is absent at a time: cmake -Dsource= -Dwork= -Dgenerator= -P plain.cmake
cmake_minimum_required(VERSION 3.25)

# try(<absent> SAYS <sentence>... [FAILS] [BUILDS <target>...] [WITH <argument>...])
function(try absent)
  cmake_parse_arguments(PARSE_ARGV 1 arg "FAILS" "" "SAYS;BUILDS;WITH")
  file(REMOVE_RECURSE ${work})
  set(forbidden "")
  foreach(package IN LISTS absent)
    list(APPEND forbidden -DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
  endforeach()
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${source} -B ${work} -G ${generator} ${forbidden} ${arg_WITH}
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " flat "${said}")
  if(arg_FAILS AND status EQUAL 0)
    message(SEND_ERROR "without ${absent}: it was to fail, and did not\n${said}")
  elseif(NOT arg_FAILS AND NOT status EQUAL 0)
    message(SEND_ERROR "without ${absent}: it was not to fail\n${said}")
  endif()
  foreach(sentence IN LISTS arg_SAYS)
    string(FIND "${flat}" "${sentence}" at)
    if(at EQUAL -1)
      message(SEND_ERROR "without ${absent}: it does not say \"${sentence}\"\n${said}")
    endif()
  endforeach()
  if(arg_BUILDS)
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${work} --target help OUTPUT_VARIABLE targets)
    foreach(target IN LISTS arg_BUILDS)
      if(NOT targets MATCHES "(^|[\n ])${target}(:| |\n)")
        message(SEND_ERROR "without ${absent}: it has no target ${target}")
      endif()
    endforeach()
  endif()
endfunction()

set(all doctest fmt Python3 spandsp srtp2 benchmark nlohmann_json CLI11 spdlog CURL SQLite3 simdjson Asio
  restinio tomlplusplus wslay Threads)
try("${all}" BUILDS trunkline_core trunkline_manager echo dial
  SAYS "Without the tests: doctest, fmt, Python3, spandsp, srtp2 not found"
       "Without the benchmarks: benchmark not found" "Without sipdump: nlohmann_json not found"
       "Without phone: CLI11, nlohmann_json not found" "Without softswitch: fmt, spdlog, CLI11,")
try(fmt BUILDS phone sipdump SAYS "Without the tests: fmt not found" "Without softswitch: fmt")
try(nlohmann_json BUILDS core_test SAYS "Without sipdump: nlohmann_json not found"
  "Without phone: nlohmann_json not found" "Without softswitch: nlohmann_json not found")
try(CLI11 BUILDS sipdump core_test SAYS "Without phone: CLI11 not found" "Without softswitch: CLI11 not found")
try(wslay BUILDS phone core_test SAYS "Without softswitch: wslay not found")
try(doctest BUILDS softswitch phone SAYS "Without the tests: doctest not found")
# Who asks for everything, as our presets do, is not to miss half of it without noticing.
try(doctest FAILS WITH -DTRUNKLINE_REQUIRE_ALL=ON SAYS "the tests cannot be built: doctest not found")
