# start.sh: what the scripts of the lab begin with; to be sourced.
# Sets `lab` (this folder), `programs` and `LAB_PYTHON`. Unless LAB_PYTHON is named, it has setup.sh make the Python environment (6 GB), or complete it.
set -euo pipefail
[ $# -ge 2 ] || { echo "Usage: $(sed -n '2s/^# //p' "$0")" >&2 && exit 2; }
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$lab/../../python
environment=${XDG_CACHE_HOME:-$HOME/.cache}/crux/lab-python
# setup.sh leaves its requirements in an environment that is complete.
[ -n "${LAB_PYTHON:-}" ] || cmp -s "$lab/requirements.txt" "$environment/requirements.txt" || bash "$lab/setup.sh" "$environment"
export LAB_PYTHON=${LAB_PYTHON:-$environment/bin/python} LAB_PORT=${LAB_PORT:-8210}
[ -x "$LAB_PYTHON" ] || { echo "LAB_PYTHON names $LAB_PYTHON, which is no program." >&2 && exit 2; }
# Servers in process groups of their own: npx passes no signal on.
set -m
servers=()
trap 'for server in "${servers[@]}"; do kill -- -$server 2>/dev/null || :; done' EXIT

# timed <log> <command…>: output into a log, wall-clock and processor seconds onto the screen.
timed() {
  local log=$1 TIMEFORMAT="$(basename "$1" .log): %0R s, %U s of processor"
  shift
  time "$@" >"$log" 2>&1 || { tail -n 20 "$log" && return 1; }
}

# make_policy <folder> <seed>: the starting policy of a seed, in <folder>/<seed>/start/model: random weights that have imitated the clerks' records.
make_policy() {
  local start=$1/$2/start
  [ ! -d "$start/model" ] || return 0
  npx node "$lab/records.ts" "$start" "$2"
  timed "$1/$2-base.log" "$LAB_PYTHON" "$lab/make_base.py" --texts "$start/texts.txt" --out "$start/base" --seed "$2"
  timed "$1/$2-sft.log" "$LAB_PYTHON" "$programs/crux_train.py" --threads 1 "$start"
}

# serve_expert <folder>, serve_models <folder>: the simulated expert, and Crux's own server without a model yet.
serve_expert() {
  npx crux serve-sim --env "$lab/shop.ts" --port $((LAB_PORT + 1)) >"$1/expert.log" 2>&1 &
  servers+=($!)
  wait_for "$1/expert.log" 'Simulated models'
}
serve_models() {
  "$LAB_PYTHON" "$programs/crux_serve.py" --port "$LAB_PORT" --threads 1 >"$1/server.log" 2>&1 &
  servers+=($!)
  wait_for "$1/server.log" 'no model yet'
}
wait_for() {
  until grep -qs "$2" "$1"; do
    kill -0 "${servers[-1]}" 2>/dev/null || { tail -n 3 "$1" && exit 1; }
    sleep 0.5
  done
}

# load <name> <folder>: one more model for the server of serve_models.
load() { curl -sf "http://127.0.0.1:$LAB_PORT/v1/load_model" -d "{\"name\": \"$1\", \"path\": \"$2\"}" >/dev/null; }
