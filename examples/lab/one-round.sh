#!/usr/bin/env bash
# one-round.sh <folder> <seed…>: for each seed makes the lab's policy from nothing, and betters it by one round of CSO, command by command.
# Prints the success on held-out orders before and after. Python: LAB_PYTHON, else the one of setup.sh. Ports: LAB_PORT and the next (8210, 8211).
set -euo pipefail
# Servers in process groups of their own: npx passes no signal on.
set -m
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${LAB_PYTHON:-${XDG_CACHE_HOME:-$HOME/.cache}/crux/lab-python/bin/python}
[ -x "$python" ] || { echo "$python is not there: setup.sh makes it, or LAB_PYTHON names another one." >&2 && exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
export LAB_PORT=${LAB_PORT:-8210}
server=http://127.0.0.1:$LAB_PORT
programs=$lab/../../python

# timed <name> <command…>: output into a log, wall-clock and processor seconds onto the screen.
timed() {
  local name=$1 TIMEFORMAT="$1: %0R s, %U s of processor"
  shift
  time "$@" >"$folder/$name.log" 2>&1 || { tail -n 20 "$folder/$name.log" && return 1; }
}
crux() { npx crux "$@" --config "$lab/crux.config.ts" --env lab-shop; }
success() { grep -m1 '^all ' "$folder/$1.log"; }
load() { curl -sf "$server/v1/load_model" -d "{\"name\": \"$1\", \"path\": \"$2\"}" >/dev/null; }

"$python" "$programs/crux_serve.py" --port "$LAB_PORT" --threads 1 >"$folder/server.log" 2>&1 &
models=$!
npx crux serve-sim --env "$lab/shop.ts" --port $((LAB_PORT + 1)) >"$folder/expert.log" 2>&1 &
expert=$!
trap 'kill -- -$models -$expert 2>/dev/null' EXIT
until curl -sf "$server/health" >/dev/null && grep -q 'Simulated models' "$folder/expert.log"; do
  kill -0 $models 2>/dev/null && kill -0 $expert 2>/dev/null || { tail -n 3 "$folder/server.log" "$folder/expert.log" && exit 1; }
  sleep 1
done

for seed in "$@"; do
  place=$folder/$seed
  export CRUX_HOME=$folder/home
  before=lab-$seed-start after=lab-$seed-round-1
  mkdir -p "$place/round-1/data"

  npx node "$lab/records.ts" "$place/start" "$seed"
  timed "$seed-base" "$python" "$lab/make_base.py" --texts "$place/start/texts.txt" --out "$place/start/base" --seed "$seed"
  timed "$seed-sft" "$python" "$programs/crux_train.py" --threads 1 "$place/start"
  load "$before" "$place/start/model"
  export LAB_POLICY=$before
  timed "$seed-before" crux evaluate --run-id "before-$seed" --seed "$seed" --sample 400 --trained-on none
  success "$seed-before"

  timed "$seed-cso" crux run cso --run-id "cso-$seed" --seed "$seed" --sample "${LAB_TASKS:-250}" --trained-on none
  timed "$seed-export" npx crux export "cso-$seed" --format trl --tokenizer "$place/start/model" --out "$place/round-1/data" --force
  npx node "$lab/settings.ts" "$place/round-1" dpo "$place/start/model" "$seed"
  timed "$seed-dpo" "$python" "$programs/crux_train.py" --threads 1 "$place/round-1"
  load "$after" "$place/round-1/model"
  export LAB_POLICY=$after
  timed "$seed-after" crux evaluate --run-id "after-$seed" --seed "$seed" --sample 400 --trained-on "cso-$seed"
  success "$seed-after"
  grep 'Verified pairs' "$folder/$seed-cso.log"
done
