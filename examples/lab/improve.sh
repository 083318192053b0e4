#!/usr/bin/env bash
# improve.sh <folder> <seed> [method]: makes the lab's policy from nothing, and has `crux improve` better it in two rounds of a method (default: cso).
# Given again, it goes on. LAB_CONTROL, LAB_PRESET: see improve.config.ts. Python: LAB_PYTHON, else the one of setup.sh, which makes it if it is missing (6 GB). Ports: LAB_PORT and the next (8210, 8211).
source "$(dirname "${BASH_SOURCE[0]}")/start.sh"
mkdir -p "$1"
folder=$(cd "$1" && pwd) seed=$2
export LAB_METHOD=${3:-cso} CRUX_HOME=$folder/home LAB_BASE=$folder/$seed/start/model
id=lab-$LAB_METHOD${LAB_CONTROL:+-$LAB_CONTROL}${LAB_PRESET:+-$LAB_PRESET}-$seed

make_policy "$folder" "$seed"
serve_expert "$folder"
npx crux improve --config "$lab/improve.config.ts" --env lab-shop --run-id "$id" --seed "$seed"
npx crux report "$id" --config "$lab/improve.config.ts"
