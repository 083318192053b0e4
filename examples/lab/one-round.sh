#!/usr/bin/env bash
# one-round.sh <folder> <seed…>: for each seed makes the lab's policy from nothing, and betters it by one round of CSO, command by command.
# Prints the success on held-out orders before and after. Python: LAB_PYTHON, else the one of setup.sh, which makes it if it is missing (6 GB). Ports: LAB_PORT and the next (8210, 8211).
source "$(dirname "${BASH_SOURCE[0]}")/start.sh"
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
export CRUX_HOME=$folder/home

crux() { npx crux "$@" --config "$lab/crux.config.ts" --env lab-shop; }
success() { grep -m1 '^all ' "$folder/$1.log"; }

serve_models "$folder"
serve_expert "$folder"
for seed in "$@"; do
  place=$folder/$seed
  before=lab-$seed-start after=lab-$seed-round-1
  mkdir -p "$place/round-1/data"

  make_policy "$folder" "$seed"
  load "$before" "$place/start/model"
  export LAB_POLICY=$before
  timed "$folder/$seed-before.log" crux evaluate --run-id "before-$seed" --seed "$seed" --sample 400 --trained-on none
  success "$seed-before"

  timed "$folder/$seed-cso.log" crux run cso --run-id "cso-$seed" --seed "$seed" --sample "${LAB_TASKS:-250}" --trained-on none
  timed "$folder/$seed-export.log" npx crux export "cso-$seed" --format trl --tokenizer "$place/start/model" --out "$place/round-1/data" --force
  npx node "$lab/settings.ts" "$place/round-1" dpo "$place/start/model" "$seed"
  timed "$folder/$seed-dpo.log" "$LAB_PYTHON" "$programs/crux_train.py" --threads 1 "$place/round-1"
  load "$after" "$place/round-1/model"
  export LAB_POLICY=$after
  timed "$folder/$seed-after.log" crux evaluate --run-id "after-$seed" --seed "$seed" --sample 400 --trained-on "cso-$seed"
  success "$seed-after"
  grep 'Verified pairs' "$folder/$seed-cso.log"
done
