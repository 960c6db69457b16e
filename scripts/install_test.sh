#!/usr/bin/env bash
# install_test.sh BUILD: installs BUILD into a folder of its own, moves it, and builds and runs
# examples/embed.cc from there as a stranger would: by find_package and by pkg-config, with the
# shared and with the static library. Ends with `N passed, N failed`.
set -uo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
build=$(cd -- "${1:?the folder of the build}" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf -- "$work"' EXIT
prefix="$work/moved here"
passed=0 failed=0

test_that() {
  echo "--- $1"
  if "${@:2}"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
  fi
}

installs() {
  cmake --install "$build" --prefix "$work/first" >"$work/installed" && mv "$work/first" "$prefix" &&
    libraries=$(dirname "$(find "$prefix" -name libstrata.so)")
}

# The example opens a store in a folder of its own.
runs() { (cd "$(mktemp -d -p "$work")" && "$@"); }

find_package_builds() {
  local kind=$1 target=$2 from="$work/cmake-$1"
  mkdir -p "$from" && cp "$root/examples/embed.cc" "$from/" || return
  cat >"$from/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(Embed CXX)
find_package(Strata 0.1 REQUIRED COMPONENTS $kind)
add_executable(embed embed.cc)
target_link_libraries(embed PRIVATE $target)
END
  if ! cmake -S "$from" -B "$from/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$from/log" ||
    ! cmake --build "$from/build" >>"$from/log"; then
    cat "$from/log"
    return 1
  fi
  runs "$from/build/embed"
}

# pkg_config_builds NAME LIBRARIES [PKG-CONFIG ARGUMENT...]
pkg_config_builds() {
  local program="$work/$1" flags
  flags=$(PKG_CONFIG_PATH="$2/pkgconfig" pkg-config "${@:3}" --cflags --libs strata) || return
  # pkg-config quotes for a shell, and the path has a space.
  eval "g++ -std=c++23 \"\$root/examples/embed.cc\" -o \"\$program\" $flags" || return
  LD_LIBRARY_PATH=$2 runs "$program"
}

static_only() {
  rm "$libraries"/libstrata.so* && pkg_config_builds pc-static "$libraries" --static
}

exports_ours_only() {
  local others
  others=$(nm -D --defined-only "$libraries/libstrata.so" | awk '{ print $3 }' |
    grep -vE '^(_ZN?K?T?[ISVTh]?[0-9_n]*N?6strata|_ZNK?6strata|_ZT[ISVT]N6strata|STRATA_0)' || true)
  [[ -z $others ]] || { head <<<"$others"; return 1; }
}

has_soname() { readelf -d "$libraries/libstrata.so" | grep -q 'SONAME.*\[libstrata\.so\.[0-9]*\]'; }

names_no_build_path() { ! grep -rlF -e "$root/" -e "$work/first" "$prefix"; }

test_that "it installs" installs
if ((failed == 0)); then
  test_that "the program runs from there" "$prefix/bin/strata" --version
  test_that "find_package, shared" find_package_builds shared Strata::strata
  test_that "find_package, static" find_package_builds static Strata::strata_static
  test_that "pkg-config, shared" pkg_config_builds pc-shared "$libraries"
  test_that "the shared library exports strata and nothing else" exports_ours_only
  test_that "the shared library has a versioned soname" has_soname
  test_that "no path of this machine is installed" names_no_build_path
  test_that "pkg-config, static" static_only
fi
echo "$passed passed, $failed failed"
((failed == 0))
