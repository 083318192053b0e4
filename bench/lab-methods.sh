#!/usr/bin/env bash
# lab-methods.sh <folder> [preset=published] [seed…=0 1 2 3 4]: two rounds by `crux improve` in the lab, of every method, for each seed; under published also of the controls.
# Given again, it goes on. Then prints the table of docs/lab.md and draws its plot. Takes about four minutes of two quiet cores for each method and seed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd) preset=${2:-published}
shift $(($# < 2 ? $# : 2))
seeds=("$@")
[ ${#seeds[@]} -gt 0 ] || seeds=(0 1 2 3 4)
[ "$preset" = published ] || export LAB_PRESET=$preset

improve() { # <seed> <method> [control]
  local name=$2${3:+-$3}-$preset-$1
  [ ! -f "$folder/done/$name" ] || return 0
  echo "$name"
  mkdir -p "$folder/done"
  LAB_CONTROL=${3:-} bash "$here/../examples/lab/improve.sh" "$folder" "$1" "$2" >"$folder/$name.log" 2>&1 || { tail -n 20 "$folder/$name.log" && exit 1; }
  touch "$folder/done/$name"
}

for seed in "${seeds[@]}"; do
  for method in ${LAB_METHODS:-cso rro ipr step-dpo eto rft}; do improve "$seed" "$method"; done
  [ "$preset" = sound ] || for control in imitation placebo placebo-dpo; do improve "$seed" cso $control; done
done
npx node "$here/lab-methods.ts" "$folder/home"
