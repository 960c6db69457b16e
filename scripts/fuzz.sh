#!/usr/bin/env bash
# fuzz.sh [--built] [TARGET|all] [SECONDS]: runs the fuzz targets, each for SECONDS (600), beginning
# with the inputs kept in fuzz/corpus/TARGET/. What is found lies in build/fuzz/TARGET/ and is named.
# Ends with `N passed, N failed`. --built: the targets are built already.
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
jobs=${STRATA_JOBS:-$(nproc)}
build=$root/build/clang

if [[ ${1:-} == --built ]]; then
  shift
else
  (cd "$root" && cmake --preset clang -DSTRATA_FUZZ=ON -DSTRATA_TESTS="${STRATA_TESTS:-OFF}") >&2
  cmake --build "$build" -j "$jobs" --target fuzz_targets >&2
fi
wanted=${1:-all}
seconds=${2:-600}
if [[ $wanted =~ ^[0-9]+$ ]]; then
  seconds=$wanted
  wanted=all
fi

mapfile -t targets < <(grep . "$build/fuzz/targets.txt" || true)
if [[ $wanted != all ]]; then
  if [[ " ${targets[*]} " != *" $wanted "* ]]; then
    echo "dev fuzz: no such target: $wanted (there are: ${targets[*]})" >&2
    exit 2
  fi
  targets=("$wanted")
fi

# fuzz_one TARGET: a finding is written beside the corpus it grew, which is never the kept one.
fuzz_one() {
  local target=$1 kept=$root/fuzz/corpus/$1 grown=$root/build/fuzz/$1
  mkdir -p "$grown/corpus" "$grown/found"
  local -a inputs=("$grown/corpus")
  if [[ -d $kept ]]; then inputs+=("$kept"); fi
  local -a dictionary=()
  if [[ -f $root/fuzz/$target.dict ]]; then dictionary=("-dict=$root/fuzz/$target.dict"); fi
  # An input that takes 25 seconds or 2 GiB is a finding as well.
  if timeout --kill-after=10 $((seconds + 120)) "$build/fuzz/$target" -max_total_time="$seconds" \
    -timeout=25 -rss_limit_mb=2048 -artifact_prefix="$grown/found/" -print_final_stats=1 \
    "${dictionary[@]}" "${inputs[@]}" >"$grown/log" 2>&1; then
    echo "$target: $(grep -oE 'number_of_executed_units: [0-9]+' "$grown/log" |
      grep -oE '[0-9]+$') inputs in $seconds s, no finding"
  else
    tail -n 60 "$grown/log"
    echo "FAILED: $target; the input lies in $grown/found/"
    return 1
  fi
}

passed=0 failed=0
running=()
reap() {
  if wait "${running[0]}"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  running=("${running[@]:1}")
}
for target in "${targets[@]}"; do
  if ((${#running[@]} >= jobs)); then reap; fi
  fuzz_one "$target" &
  running+=("$!")
done
while ((${#running[@]})); do reap; done
echo "$passed passed, $failed failed"
((failed == 0))
