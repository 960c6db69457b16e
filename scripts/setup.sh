# shellcheck shell=bash disable=SC2016,SC2154
# setup.sh: installs what deps/apt.txt names and is missing. Sourced by ./dev.
#
# Always: when nothing is missing, nothing is done, not even `apt-get update`; no daemon is started
#         by an installation, and none that runs is stopped.

readonly policy_file=/usr/sbin/policy-rc.d
readonly policy_mark='# temporary, by strata ./dev: no service may start now'

# packages_of GROUP: the names of one group, one a line.
packages_of() {
  awk -v want="[$1]" '/^[[:space:]]*(#|$)/ { next } /^\[/ { on = ($1 == want); next } on { print $1 }' \
    "$root/deps/apt.txt"
}

# missing_packages GROUP...: those that are not installed, one a line.
missing_packages() {
  local group name installed
  local -a wanted=()
  for group in "$@"; do
    while read -r name; do
      case $name in
        # Any node will do, wherever it came from.
        nodejs) command -v node >/dev/null && continue ;;
        npm) command -v npm >/dev/null && continue ;;
      esac
      wanted+=("$name")
    done < <(packages_of "$group")
  done
  # dpkg-query fails when a name is unknown to it; what it knows is printed all the same.
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
    awk '$2 == "installed" { print $1 }') || true
  for name in "${wanted[@]}"; do
    grep -qxF -- "$name" <<<"$installed" || echo "$name"
  done
}

# need GROUP...: installs what is missing, or says what to install and ends with 2.
need() {
  if ! command -v dpkg-query >/dev/null; then
    echo "dev: this is not Debian; not checking the packages of deps/apt.txt" >&2
    return 0
  fi
  local -a missing as_root
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  local install="apt-get install -y --no-install-recommends ${missing[*]}"
  if ((EUID == 0)); then
    as_root=(env)
  elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  elif command -v sudo >/dev/null && [[ -t 0 && -t 2 ]]; then
    as_root=(sudo)
  else
    echo "dev: packages are missing and this is neither root nor sudo; as root, run:" >&2
    echo "$install" >&2
    exit 2
  fi
  echo "dev: installing ${missing[*]}" >&2
  # A subshell: its EXIT trap takes the policy away again, however the installation ends.
  (
    with_redis=no
    if [[ " ${missing[*]} " == *" redis-server "* ]]; then with_redis=yes; fi
    if [[ $with_redis == yes ]]; then keep_services_from_starting || exit 1; fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    "${apt[@]}" update >&2 || echo "dev: apt-get update failed; trying with the lists that are here" >&2
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 || exit 1
    # Nor shall it start at the next boot and take the port.
    if [[ $with_redis == yes ]]; then
      "${as_root[@]}" update-rc.d redis-server disable >/dev/null 2>&1 || true
    fi
  ) || {
    echo "dev: could not install: ${missing[*]}" >&2
    exit 1
  }
}

# Puts a policy in place that forbids package scripts to start a service, and has the shell that
# called take it away when it ends. A policy of the machine's own stays if it forbids that already,
# and else is put back afterwards.
keep_services_from_starting() {
  local code=0
  if [[ -e $policy_file ]] && ! grep -qF "$policy_mark" "$policy_file"; then
    "$policy_file" redis-server start >/dev/null 2>&1 || code=$?
    if ((code == 101)); then return 0; fi
    "${as_root[@]}" mv -n "$policy_file" "$policy_file.before-strata"
  fi
  trap 'give_policy_back' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" |
    "${as_root[@]}" sh -c 'cat >"$1" && chmod 755 "$1"' sh "$policy_file"
}

give_policy_back() {
  "${as_root[@]}" rm -f "$policy_file"
  if [[ -e $policy_file.before-strata ]]; then
    "${as_root[@]}" mv "$policy_file.before-strata" "$policy_file"
  fi
}

# node_modules: the npm packages of the client tests, as their lock file pins them, in a cache of
# their own beside the build; prints the folder.
node_modules() {
  local from=$root/tests/server/clients into
  [[ -f $from/package-lock.json ]] || return 0
  into=$root/.cache/npm-$(cat "$from/package.json" "$from/package-lock.json" | sha256sum | cut -c1-16)
  if [[ ! -e $into/complete ]]; then
    mkdir -p "$into"
    cp "$from/package.json" "$from/package-lock.json" "$into/"
    (cd "$into" && npm ci --no-audit --no-fund --ignore-scripts >&2 && touch complete)
  fi
  echo "$into/node_modules"
}
