# strata_sources(FILE ...): adds a folder's sources to the library.
# strata_test(NAME SOURCES FILE ... [LIBS LIB ...] [LABELS LABEL ...] [TIMEOUT SECONDS]):
#   one GoogleTest program, registered with ctest case by case. Label `threads` marks what the
#   thread sanitizer must see; label `long` what sanitizer builds leave out; label `rocksdb` what
#   has RocksDB's threads in it; label `crash` what takes STRATA_CRASH_RUNS.

# What our own code uses. None of it stands in a public header.
set(STRATA_USES fmt::fmt spdlog::spdlog OpenSSL::Crypto RocksDB::rocksdb-shared PkgConfig::LMDB
  PkgConfig::ZSTD PkgConfig::URING PkgConfig::XXHASH Threads::Threads)

# An object library holds all code once; the static and the shared library are made of it.
add_library(strata_objects OBJECT)
target_link_libraries(strata_objects PRIVATE strata_flags PUBLIC ${STRATA_USES})
target_include_directories(strata_objects PUBLIC ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/src)

function(strata_sources)
  target_sources(strata_objects PRIVATE ${ARGN})
endfunction()

function(strata_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE strata_flags strata_static ${ARG_LIBS} GTest::gtest
    GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(STRATA_TEST_SECONDS)
    set(ARG_TIMEOUT ${STRATA_TEST_SECONDS})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
  set_property(GLOBAL APPEND PROPERTY STRATA_TESTS ${name})
  if(STRATA_SANITIZE MATCHES "thread" AND "rocksdb" IN_LIST ARG_LABELS)
    # Debian's RocksDB is not instrumented: what happens inside it cannot be judged.
    set_tests_properties(${name} PROPERTIES ENVIRONMENT
      TSAN_OPTIONS=ignore_noninstrumented_modules=1)
  endif()
  if("threads" IN_LIST ARG_LABELS)
    set_property(GLOBAL APPEND PROPERTY STRATA_THREADS_TESTS ${name})
  endif()
endfunction()
