#!/usr/bin/env bash
# bench.sh [NAME [ARG...]]: runs the benchmarks of the release build, all or the one of that name:
# the programs build/release/bench/NAME, then the drivers bench/NAME.py. Without arguments NAME may
# be the beginning of several, which then run one after another: "engine" is all about engines.
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
export STRATA_BIN=$root/build/release/bin/strata

declare -A found=()
names=()
add() {
  names+=("$1")
  found[$1]=$2
}
for path in "$root"/build/release/bench/*_bench; do
  if [[ -f $path && -x $path ]]; then add "$(basename "$path")" "$path"; fi
done
for path in "$root"/bench/*_bench.py; do
  if [[ -f $path ]]; then add "$(basename "$path" .py)" "$path"; fi
done

run() {
  local path=${found[$1]}
  echo "== $1"
  case $path in
    *.py) /usr/bin/python3 "$path" "${@:2}" ;;
    *) "$path" "${@:2}" ;;
  esac
}

# The benchmark of that very name, or all that begin with it.
matching() {
  local name
  if [[ -n ${found[$1]:-} ]]; then
    echo "$1"
    return
  fi
  for name in "${names[@]}"; do
    if [[ $name == "$1"* ]]; then echo "$name"; fi
  done
}

if (($#)); then
  mapfile -t chosen < <(matching "$1")
  if ((${#chosen[@]} == 0)); then
    echo "dev bench: no such benchmark: $1 (there are: ${names[*]})" >&2
    exit 2
  fi
  if ((${#chosen[@]} > 1 && $# > 1)); then
    echo "dev bench: arguments are for one benchmark, and $1 may be ${chosen[*]}" >&2
    exit 2
  fi
  for name in "${chosen[@]}"; do run "$name" "${@:2}"; done
else
  for name in "${names[@]}"; do run "$name"; done
fi
