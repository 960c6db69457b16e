#!/usr/bin/env bash
# Checks every model and every variant that is wrong on purpose; one line each. Needs spin and gcc.
#   ./run.sh            all models, at most 5 GB and a few minutes
#   ./run.sh batch      only lines whose model's name starts so
#   FULL=1 ./run.sh     also the larger bounds
set -u
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
bad=0
check() {                               # expected  model  defines...
  local want=$1 model=$2 got states; shift 2
  case $model in ${only}*) ;; *) return ;; esac
  rm -rf "$tmp/b"; mkdir "$tmp/b"; cd "$tmp/b" || exit 2
  if ! { spin "$@" -a "$here/$model.pml" && gcc -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=5000 -o pan pan.c; } >build.log 2>&1
  then echo "BROKEN    $model $* (does not build)"; bad=1; return; fi
  timeout 300 ./pan -m200000 >pan.log 2>&1
  if grep -q 'errors: 0' pan.log; then got=pass; else got=fail; fi
  grep -q 'errors: ' pan.log || got=broken
  if [ $got = pass ] && grep -q 'not completed\|max search depth too small' pan.log; then got=incomplete; fi
  states=$(awk '/states, stored/ {printf "%d", $1}' pan.log)
  if [ "$got" = "$want" ]; then echo "ok        $model $*: ${want}es as expected, $states states" | sed 's/failes/fails/'
  else echo "NOT OK    $model $*: expected $want, got $got, $states states"; bad=1; fi
}
only=${1:-}

check pass growth
check pass growth -DVISIT
check pass growth -DNOREAD -DNW=2
[ -n "${FULL:-}" ] && check pass growth -DNM=1 -DNOPS=2
[ -n "${FULL:-}" ] && check pass growth -DVISIT -DNM=1 -DNOPS=2
for w in EARLY NOLOCK BLIND STALE SWING FREE NOCHECK; do check fail growth -DW_$w; done
for w in COVERS ORDER; do check fail growth -DNOREAD -DNW=2 -DW_$w; done
for w in STRIDE EARLY; do check fail growth -DVISIT -DW_$w; done

check pass cold
check pass cold -DKEY=Y
for w in BEGIN OLD HEAD FREE FILL FIRST PIN WORD; do check fail cold -DW_$w; done

check pass epoch
for w in FENCE EARLY NOW LATE; do check fail epoch -DW_$w; done

check pass leaf
[ -n "${FULL:-}" ] && check pass leaf -DREVERSE
for w in CHILD STALE EARLY NEXT EXACT; do check fail leaf -DW_$w; done
check fail leaf -DREVERSE -DW_NEXT

exit $bad
