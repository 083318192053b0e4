#!/usr/bin/env bash
# improve.sh <folder> <seed> [method]: makes the lab's policy from nothing, and has `crux improve` better it in two rounds of a method (default: cso).
# Given again, it goes on. LAB_CONTROL, LAB_PRESET: see improve.config.ts. Python: LAB_PYTHON, else the one of setup.sh. Ports: LAB_PORT and the next (8210, 8211).
set -euo pipefail
# The expert's server in a process group of its own: npx passes no signal on.
set -m
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LAB_PYTHON=${LAB_PYTHON:-${XDG_CACHE_HOME:-$HOME/.cache}/crux/lab-python/bin/python}
[ -x "$LAB_PYTHON" ] || { echo "$LAB_PYTHON is not there: setup.sh makes it, or LAB_PYTHON names another one." >&2 && exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd) seed=$2
export LAB_METHOD=${3:-cso} LAB_PORT=${LAB_PORT:-8210} CRUX_HOME=$folder/home LAB_BASE=$folder/$seed/start/model
start=$folder/$seed/start id=lab-$LAB_METHOD${LAB_CONTROL:+-$LAB_CONTROL}${LAB_PRESET:+-$LAB_PRESET}-$seed

if [ ! -d "$LAB_BASE" ]; then
  echo "Making the starting policy of seed $seed: tokenizer, random weights, imitation of the clerks' records"
  npx node "$lab/records.ts" "$start" "$seed"
  "$LAB_PYTHON" "$lab/make_base.py" --texts "$start/texts.txt" --out "$start/base" --seed "$seed" >"$folder/base.log"
  "$LAB_PYTHON" "$lab/../../python/crux_train.py" --threads 1 "$start" >"$folder/sft.log" 2>&1 || { tail -n 20 "$folder/sft.log" && exit 1; }
fi

npx crux serve-sim --env "$lab/shop.ts" --port $((LAB_PORT + 1)) >"$folder/expert.log" 2>&1 &
expert=$!
trap 'kill -- -$expert 2>/dev/null' EXIT
until grep -q 'Simulated models' "$folder/expert.log"; do
  kill -0 $expert 2>/dev/null || { cat "$folder/expert.log" && exit 1; }
  sleep 0.2
done
npx crux improve --config "$lab/improve.config.ts" --env lab-shop --run-id "$id" --seed "$seed"
npx crux report "$id" --config "$lab/improve.config.ts"
