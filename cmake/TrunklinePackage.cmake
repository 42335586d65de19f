# What a user gets: trunkline::trunkline, a CMake package, trunkline.pc. All of it is made from what
# trunkline_component() was told, so a new component is in the package by being in the list.

# How a user of an installed trunkline finds what ours links: the CMake line and the pkg-config module,
# or nothing at all where only our sources need it. A bare name such as cares is linked as -lcares,
# which needs no finding by CMake.
set(trunkline_external_Asio_Asio "") # Headers, and in our sources only.
set(trunkline_external_Threads_Threads "find_dependency(Threads)|-pthread")
set(trunkline_external_OpenSSL_Crypto "find_dependency(OpenSSL 3.0)|libcrypto")
set(trunkline_external_OpenSSL_SSL "find_dependency(OpenSSL 3.0)|libssl")
set(trunkline_external_fmt_fmt "find_dependency(fmt)|fmt")
set(trunkline_external_fmt_fmt-header-only "")
set(trunkline_external_cares "|libcares")
set(trunkline_external_PkgConfig_cares
  "find_dependency(PkgConfig)\npkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)|libcares")

# In the tree a component's users see all of what it links; outside they only link it.
function(trunkline_link_externals target scope)
  foreach(external IN LISTS ARGN)
    trunkline_external(${external} known)
    target_link_libraries(${target} ${scope} $<BUILD_INTERFACE:${external}>)
    if(known)
      target_link_libraries(${target} INTERFACE $<INSTALL_INTERFACE:$<LINK_ONLY:${external}>>)
    endif()
  endforeach()
endfunction()

function(trunkline_external external into)
  string(REPLACE "::" "_" known trunkline_external_${external})
  if(DEFINED ${known})
    set(${into} "${${known}}" PARENT_SCOPE)
  elseif(external MATCHES "::|/") # A path would be one of this machine.
    message(FATAL_ERROR "A component links ${external}, which cmake/TrunklinePackage.cmake does not "
      "know: say there how a user of an installed trunkline finds it")
  else()
    set(${into} "|-l${external}" PARENT_SCOPE)
  endif()
endfunction()

# What the components link that is not ours, whether DEPENDS or target_link_libraries() named it.
function(trunkline_all_externals into)
  get_property(components GLOBAL PROPERTY trunkline_components)
  set(externals "")
  foreach(component IN LISTS components)
    get_target_property(type trunkline_${component} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      get_target_property(linked trunkline_${component} LINK_LIBRARIES)
      list(TRANSFORM linked REPLACE "^[$]<BUILD_INTERFACE:(.*)>$" "\\1")
      list(FILTER linked EXCLUDE REGEX "^trunkline(_|::)")
      list(APPEND externals ${linked})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES externals)
  set(${into} "${externals}" PARENT_SCOPE)
endfunction()

# trunkline::trunkline is all components: one shared library, or all the archives.
function(trunkline_umbrella)
  get_property(components GLOBAL PROPERTY trunkline_components)
  get_property(headers GLOBAL PROPERTY trunkline_headers)
  trunkline_all_externals(externals)
  if(BUILD_SHARED_LIBS)
    add_library(trunkline SHARED)
    foreach(component IN LISTS components)
      get_target_property(type trunkline_${component} TYPE)
      if(type STREQUAL "STATIC_LIBRARY")
        target_sources(trunkline PRIVATE $<TARGET_OBJECTS:trunkline_${component}>)
      endif()
    endforeach()
    target_sources(trunkline PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${headers})
    target_link_libraries(trunkline PRIVATE ${externals})
    target_compile_features(trunkline PUBLIC cxx_std_20)
    target_compile_definitions(trunkline PUBLIC TRUNKLINE_SHARED
      $<$<NOT:$<BOOL:${TRUNKLINE_ASSERTIONS}>>:TRUNKLINE_NO_ASSERT>)
    if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize") # Whose runtime only a program brings along.
      target_link_options(trunkline PRIVATE LINKER:-z,defs)
    endif()
    # Before 1.0 a minor version may break what was compiled against the one before.
    set_target_properties(trunkline PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
      SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  else()
    add_library(trunkline INTERFACE)
    list(TRANSFORM components PREPEND trunkline_)
    target_link_libraries(trunkline INTERFACE ${components})
  endif()
  add_library(trunkline::trunkline ALIAS trunkline)
endfunction()

function(trunkline_install)
  get_property(components GLOBAL PROPERTY trunkline_components)
  trunkline_all_externals(externals)
  set(dependencies "")
  set(modules "")
  set(private_libraries "")
  set(definitions "")
  set(libraries -ltrunkline)
  if(BUILD_SHARED_LIBS)
    # The shared library has found its own dependencies: its users have none.
    string(APPEND definitions " -DTRUNKLINE_SHARED")
    install(TARGETS trunkline EXPORT trunkline-targets FILE_SET HEADERS)
  else()
    foreach(external IN LISTS externals)
      trunkline_external(${external} known)
      if(known MATCHES "^([^|]*)[|](.+)$")
        set(module "${CMAKE_MATCH_2}")
        list(APPEND dependencies "${CMAKE_MATCH_1}")
        if(module MATCHES "^-")
          string(APPEND private_libraries " ${module}")
        else()
          string(APPEND modules " ${module}")
        endif()
      endif()
    endforeach()
    # The list goes from bottom to top, a linker wants who uses before who is used.
    set(libraries "")
    foreach(component IN LISTS components)
      get_target_property(type trunkline_${component} TYPE)
      if(type STREQUAL "STATIC_LIBRARY")
        list(PREPEND libraries -ltrunkline_${component})
      endif()
    endforeach()
    install(TARGETS trunkline EXPORT trunkline-targets)
  endif()
  list(JOIN libraries " " libraries)
  if(NOT TRUNKLINE_ASSERTIONS)
    string(APPEND definitions " -DTRUNKLINE_NO_ASSERT")
  endif()
  list(REMOVE_DUPLICATES dependencies)
  list(JOIN dependencies "\n" dependencies)

  include(CMakePackageConfigHelpers)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/trunkline)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/trunkline-config.cmake.in
    trunkline-config.cmake INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(trunkline-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(EXPORT trunkline-targets NAMESPACE trunkline:: DESTINATION ${package_dir})
  install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/trunkline-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/trunkline-config-version.cmake
    DESTINATION ${package_dir})

  # Relative to where the file lies, so that an installed tree may be moved.
  cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}
    OUTPUT_VARIABLE below_prefix)
  cmake_path(SET up NORMALIZE "${below_prefix}/pkgconfig")
  string(REGEX REPLACE "[^/]+" ".." up "${up}")
  set(prefix "\${pcfiledir}/${up}")
  set(libdir "\${prefix}")
  set(includedir "\${prefix}")
  cmake_path(APPEND libdir "${CMAKE_INSTALL_LIBDIR}")
  cmake_path(APPEND includedir "${CMAKE_INSTALL_INCLUDEDIR}")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/trunkline.pc.in trunkline.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trunkline.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
