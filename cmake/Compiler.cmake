# How every file of ours is compiled: C++23, warnings are errors, hidden visibility.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")

find_program(STRATA_CCACHE ccache)
if(STRATA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${STRATA_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${STRATA_CCACHE})
endif()

# STRATA_DCHECK is on in debug builds (and in sanitizer and fuzz builds, which say so themselves).
add_compile_definitions($<$<CONFIG:Debug>:STRATA_DEBUG=1>)

# Flags of our own code, as a target: third-party sources do not get them.
add_library(strata_flags INTERFACE)
target_compile_options(strata_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic $<IF:$<CXX_COMPILER_ID:GNU>,-Wshadow=local,-Wshadow> -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 takes std::string + "x" for an overlapping or too long copy (GCC bugs 105329, 105651).
  target_compile_options(strata_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(strata_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wthread-safety>)
endif()
# Checksums use the CPU's own instruction where it is there; everything else stays at the baseline.

# Several files compiled as one read the headers of others once. What ships is compiled file by file.
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
if(STRATA_UNITY STREQUAL "ALL")
  set(CMAKE_UNITY_BUILD ON)
  # g++ takes what a file keeps to itself for a header's, once another file includes it.
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()

# No path of the machine that builds in what is installed, nor in the messages of STRATA_CHECK.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Small objects are set and copied by plain stores: g++ 12 uses string instructions for them, which
  # are microcode.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign
      -mmemcpy-strategy=unrolled_loop:256:noalign,libcall:-1:noalign)
  endif()
  add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
endif()

if(STRATA_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "STRATA_FUZZ needs clang: cmake --preset clang")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(STRATA_SANITIZED=1)
endif()

if(STRATA_SANITIZE)
  add_compile_options(-fsanitize=${STRATA_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${STRATA_SANITIZE})
  add_compile_definitions(STRATA_SANITIZED=1)
  if(STRATA_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ warns of any fence in a tsan build; ours has none, the standard library's has.
    add_compile_options(-Wno-tsan)
  endif()
endif()
