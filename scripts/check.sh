#!/usr/bin/env bash
# check.sh [STAGE...]: builds and runs every test in stages, and counts them all. Called by ./dev.
#
# Always: a stage that fails does not stop the later ones; a build that fails counts as a failed
#         test, and its tests are left out; the last line is `N passed, N failed` over everything.
#         A full log of each stage lies in build/check/; the tail of a failed one is printed.
set -uo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
readonly root
readonly jobs=${STRATA_JOBS:-$(nproc)}
readonly python=/usr/bin/python3 # Debian's own: python3-redis is installed for it
readonly logs=$root/build/check
readonly limit_minutes=45
readonly stages=(release server asan tsan clang fuzz lint install)
# Seconds for each fuzz target. The long form is ./dev fuzz.
readonly fuzz_seconds=${STRATA_FUZZ_SECONDS:-20}

# shellcheck source-path=SCRIPTDIR source=setup.sh
source "$root/scripts/setup.sh"
mkdir -p "$logs"
cd "$root" || exit 1

# ---- counting: every step of a stage adds one line `PASSED FAILED` to the stage's count file

count() { echo "$1 $2" >>"$logs/$stage.count"; }

# step TITLE COMMAND...: a check that passes or fails as a whole.
step() {
  echo "--- $1"
  if "${@:2}"; then
    count 1 0
  else
    echo "FAILED: $1"
    count 0 1
    return 1
  fi
}

# needed TITLE COMMAND...: a step that is no test itself, so that only its failure is counted.
needed() {
  echo "--- $1"
  "${@:2}" && return 0
  echo "FAILED: $1"
  count 0 1
  return 1
}

# counted TITLE COMMAND...: a runner that ends with its own `N passed, N failed`. One that ends
# badly without owning up to a failure has failed all the same.
counted() {
  local title=$1 line code=0
  echo "--- $title"
  "${@:2}" 2>&1 | tee "$logs/$stage.runner" || code=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$logs/$stage.runner" | tail -n 1)
  rm -f "$logs/$stage.runner"
  if [[ -z $line ]]; then
    echo "FAILED: $title: ended with $code and without a count"
    count 0 1
    return 1
  fi
  local passed failed
  read -r passed _ failed _ <<<"$line"
  if ((code != 0 && failed == 0)); then
    echo "FAILED: $title: ended with $code"
    failed=1
  fi
  count "$passed" "$failed"
  ((failed == 0))
}

# ---- building and testing one preset

# The sanitizers of g++ 12 need the addresses where they expect them; newer kernels scatter wider.
fixed_addresses=(env)
if setarch -R true 2>/dev/null; then fixed_addresses=(setarch -R); fi

build_tree() {
  local preset=$1 target=$2
  needed "configure $preset" cmake --preset "$preset" "${@:3}" &&
    needed "build $preset" cmake --build "build/$preset" -j "$jobs" --target "$target" -- -k 0
}

run_ctest() {
  local preset=$1
  local results=$root/build/$preset/results
  rm -rf "$results"
  mkdir -p "$results"
  GTEST_OUTPUT="xml:$results/" "${fixed_addresses[@]}" ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure \
    --no-tests=ignore --output-junit "$results/ctest.junit" "${@:2}"
  "$python" scripts/tally.py "$results"
}

# ---- the stages

stage_setup() {
  # A shell of its own: `need` ends the shell where it cannot install.
  needed "packages" eval '(need run check)' || return
  # The drivers of real clients find the npm packages here.
  node_modules >"$logs/node_modules" || needed "npm packages" false
}

stage_release() {
  build_tree release all -DSTRATA_TESTS=ON -DSTRATA_BENCH=ON -DSTRATA_UNITY=TESTS || return
  counted "tests" run_ctest release
}

# drivers PRESET FOLDER: every run.py under FOLDER drives the program of PRESET from outside; each
# ends with its own count.
drivers() {
  local driver modules program=$root/build/$1/bin/strata
  needed "the program of $1" test -x "$program" || return
  modules=$(cat "$logs/node_modules" 2>/dev/null)
  while read -r driver; do
    STRATA_BIN=$program NODE_PATH=$modules STRATA_NODE_MODULES=$modules \
      counted "$driver" timeout --kill-after=10 1200 "$python" "$driver"
  done < <(find "$2" -name node_modules -prune -o -name run.py -print | LC_ALL=C sort)
}

stage_server() { drivers release tests; }

# The server under the sanitizers answers the differential scripts once more.
stage_asan() {
  build_tree asan all -DSTRATA_TESTS=ON -DSTRATA_UNITY=ALL || return
  export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
  export STRATA_TEST_SHORT=1
  counted "tests" run_ctest asan -LE long
  drivers asan tests/server/differential/run.py
}

# Only what is labelled `threads`: the rest has one thread and was run by the other stages.
stage_tsan() {
  build_tree tsan threads_tests -DSTRATA_TESTS=ON -DSTRATA_UNITY=ALL || return
  STRATA_TEST_SHORT=1 counted "tests" run_ctest tsan -L '^threads$' -LE long
}

# clang compiles the library for the fuzz targets, and only reads everything else.
stage_clang() {
  build_tree clang fuzz_targets -DSTRATA_TESTS=ON -DSTRATA_BENCH=ON -DSTRATA_FUZZ=ON \
    -DSTRATA_UNITY=TESTS
  counted "syntax and thread safety" "$python" scripts/syntax.py build/clang "$jobs"
}

stage_fuzz() {
  needed "the fuzz targets" test -f build/clang/fuzz/targets.txt || return
  counted "fuzz targets" scripts/fuzz.sh --built all "$fuzz_seconds"
}

stage_lint() {
  step "format" format_is_right
  step "floors" "$python" scripts/floors.py
  step "tree" "$python" scripts/tree.py
  counted "public headers alone" "$python" scripts/headers.py "$jobs"
}

format_is_right() { scripts/sources.sh | xargs -d '\n' -r clang-format-19 --dry-run -Werror; }

stage_install() {
  needed "the release build" test -f build/release/bin/strata || return
  counted "install" scripts/install_test.sh build/release
}

# ---- running them

run_stage() {
  stage=$1
  local log=$logs/$stage.log started=$SECONDS passed failed
  : >"$logs/$stage.count"
  printf '%-8s ...\n' "$stage"
  # What a stage sets stays in it; it speaks through its count file only.
  ("stage_$stage") >"$log" 2>&1 </dev/null
  read -r passed failed < <(awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }' \
    "$logs/$stage.count")
  rm -f "$logs/$stage.count"
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failed))
  local words
  words=$(printf '%-8s %5s min  %6d passed %4d failed' "$stage" \
    "$(minutes $((SECONDS - started)))" "$passed" "$failed")
  table+=("$words")
  echo "$words"
  if ((failed)); then
    echo "  the end of $log:"
    tail -n 60 "$log" | sed 's/^/  | /'
  fi
}

minutes() { printf '%d.%d' $(($1 / 60)) $(($1 % 60 / 6)); }

main() {
  local -a wanted=("$@") table=()
  local total_passed=0 total_failed=0 name
  ((${#wanted[@]})) || wanted=("${stages[@]}")
  for name in "${wanted[@]}"; do
    if [[ " ${stages[*]} " != *" $name "* ]]; then
      echo "dev check: no such stage: $name (there are: ${stages[*]})" >&2
      exit 2
    fi
  done
  run_stage setup
  # Without packages nothing can follow; the log has said the line to run.
  if ((total_failed)); then exit 2; fi
  for name in "${wanted[@]}"; do
    run_stage "$name"
  done
  echo
  printf '%s\n' "${table[@]}"
  printf '%-8s %5s min\n' total "$(minutes "$SECONDS")"
  if ((SECONDS > limit_minutes * 60)); then
    echo "FAILED: the check took more than $limit_minutes minutes"
    total_failed=$((total_failed + 1))
  fi
  echo "$total_passed passed, $total_failed failed"
  ((total_failed == 0 && total_passed > 0))
}

main "$@"
