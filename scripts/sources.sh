#!/usr/bin/env bash
# sources.sh: prints every C++ file of ours, one a line. Needs no git.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
for folder in include src tests bench fuzz examples; do
  if [[ -d $root/$folder ]]; then
    find "$root/$folder" -name node_modules -prune -o -type f \( -name '*.h' -o -name '*.cc' \) -print
  fi
done | LC_ALL=C sort
