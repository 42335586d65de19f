# A check that never refuses looks like a clean house: one header of each kind, which it has to find.
cmake_minimum_required(VERSION 3.25)

function(check expected header)
  file(WRITE ${dir}/include/${header} "")
  file(WRITE ${dir}/between.hpp "#define WHERE <${header}>\n#include WHERE\n")
  file(WRITE ${dir}/start.hpp "#include \"between.hpp\"\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -Dcxx=${cxx} -Dinclude=${dir}/include
    -Dheaders=${dir}/start.hpp -P ${check} RESULT_VARIABLE status ERROR_VARIABLE said)
  set(found allowed)
  if(NOT status EQUAL 0 AND said MATCHES "another library's headers")
    set(found refused)
  endif()
  if(NOT found STREQUAL expected)
    message(SEND_ERROR "${header} should have been ${expected}\n${said}")
  endif()
endfunction()

foreach(header asio.hpp asio/version.hpp openssl/evp.h ares.h ares_dns.h fmt/core.h)
  check(refused ${header})
endforeach()
foreach(header trunkline/core/fmt_like.hpp trunkline/net/asio_free.hpp shares.h)
  check(allowed ${header})
endforeach()
