# Makes a file part of a program: -Dfile= -Dname= -Dheader= writes a header with one string_view of
# the file's bytes. A literal may be 64 KiB at most where compilers are strict, so it is an array.
file(READ ${file} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n    " bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${header}.new "// Made of ${file}.
#pragma once

#include <string_view>

namespace softswitch::embedded {

inline constexpr char ${name}_bytes[] = {
    ${bytes}'\\0'};
inline constexpr std::string_view ${name}{${name}_bytes, sizeof ${name}_bytes - 1};

} // namespace softswitch::embedded
")
file(COPY_FILE ${header}.new ${header} ONLY_IF_DIFFERENT)
