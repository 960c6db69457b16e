#!/usr/bin/env bash
# data.sh [STATE...]: fetches the packages of bench/data.txt as npm has them and unpacks each into
# .cache/data/STATE/PACKAGE/, for the states named (v1 to v6; all by default). What is there stays;
# an interrupted run goes on where it was. Needs: npm, some 0.4 GB of disk a state.
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
into=$root/.cache/data
states=("$@")
((${#states[@]})) || states=(v1 v2 v3 v4 v5 v6)

fetch() {
  local state=$1 name=$2 version=$3
  local folder=$into/$state/$name part=$into/part
  if [[ -d $folder ]]; then
    echo "$state: $name $version is there"
    return
  fi
  rm -rf "$part"
  mkdir -p "$part/package" "$into/$state"
  (cd "$part" && npm pack --silent "$name@$version" >/dev/null)
  tar -xzf "$part"/*.tgz -C "$part/package" --strip-components=1
  mv "$part/package" "$folder"
  rm -rf "$part"
  echo "$state: $name $version fetched"
}

for state in "${states[@]}"; do
  if [[ ! $state =~ ^v[1-6]$ ]]; then
    echo "dev data: no such state: $state (there are: v1 to v6)" >&2
    exit 2
  fi
  while read -r name versions; do
    read -ra versions <<<"$versions"
    fetch "$state" "$name" "${versions[${state#v} - 1]}"
  done < <(grep -v '^#' "$root/bench/data.txt")
done
echo "in $into"
