#!/usr/bin/env bash
# prm.sh <folder> <seed…>: for each seed trains a process reward model on what Crux's branches of the starting policy found in one half of the groups,
# and runs CSO in the other half with it as the gate, and with others: none, the simulated one, Monte Carlo. Prints what each gate did.
source "$(dirname "${BASH_SOURCE[0]}")/start.sh"
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
export CRUX_HOME=$folder/home

crux() { npx crux "$@" --config "$lab/crux.config.ts"; }
cso() { crux run cso --env lab-shop --seed "$seed" --trained-on none "$@"; }
# gate <name> <option…>: CSO in the other half of the groups, with its figures in <place>/gate-<name>.
gate() {
  local id=gate-$1-$seed found=$place/gate-$1
  export LAB_PRM=${1%-suggested}
  mkdir -p "$found"
  cso --run-id "$id" --tasks-from "$folder/second-half.txt" --sample "${LAB_TASKS:-200}" --set calibrationRate=0.3 "${@:2}" --json \
    >"$found/run.json" 2>"$folder/$seed-$1.log" || { tail -n 20 "$folder/$seed-$1.log" "$found/run.json" && exit 1; }
  # A gate that lets nothing through finds no pairs, which is a result too.
  [ "$(node -p "require('$found/run.json').pairs.total")" = 0 ] || crux export "$id" --format trl --out "$found" --force >"$folder/$seed-$1-export.log"
  [ "$1" = none ] || crux calibrate "$id" --json >"$found/calibration.json"
}

npx node "$lab/halves.ts" "$folder"
serve_models "$folder"
serve_expert "$folder"
for seed in "$@"; do
  place=$folder/$seed
  make_policy "$folder" "$seed"
  load "lab-$seed-start" "$place/start/model"
  export LAB_POLICY=lab-$seed-start LAB_PRM_MODEL=lab-$seed-prm

  # Every action that is scored is rolled out once, whatever it scores: the policy's own in successes and failures, and alternatives.
  unset LAB_PRM
  timed "$folder/$seed-rows.log" cso --run-id "rows-$seed" --tasks-from "$folder/first-half.txt" --sample "${LAB_ROW_TASKS:-300}" --set calibrationRate=1
  timed "$folder/$seed-export.log" crux export "rows-$seed" --format prm --out "$place/prm/data" --force
  timed "$folder/$seed-prm.log" "$LAB_PYTHON" "$lab/train_prm.py" --rows "$place/prm/data/actions.jsonl" --base "$place/start/model" --out "$place/prm/model" --seed "$seed"
  grep AUC "$folder/$seed-prm.log"
  load "$LAB_PRM_MODEL" "$place/prm/model"

  gate none gate=false
  gate simulated
  gate monte-carlo
  gate trained
  # Scores of another PRM need thresholds of their own.
  suggested=$(node -p "const { low, high } = require('$place/gate-trained/calibration.json').suggested; \`gammaLow=\${low} gammaHigh=\${high}\`")
  gate trained-suggested $suggested "thresholdsFrom=gate-trained-$seed"
done
npx node "$lab/gates.ts" "$folder" "$@"
