#!/usr/bin/env bash
# setup.sh [folder]: makes the Python environment of the trainer, the model server and the lab, or completes it.
# Default folder: ~/.cache/crux/lab-python, where `npm run test:lab` looks for it. PYTHON names the Python that it is made of (3.10 or newer).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/crux/lab-python}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
  echo "$python is older than Python 3.10. PYTHON=<path> names another one." >&2
  exit 2
}
existing=$folder
while [ ! -d "$existing" ]; do existing=$(dirname "$existing"); done
free=$(($(df -Pk "$existing" | awk 'NR == 2 { print $4 }') / 1048576))
echo "The Python environment takes 6 GB in $folder (free there: $free GB), and 2 to 10 minutes."
if [ ! -x "$folder/bin/python" ] && [ "$free" -lt 8 ]; then
  echo "Too little space. setup.sh <folder> puts it elsewhere; then LAB_PYTHON=<folder>/bin/python names it (CRUX_LAB_PYTHON for the tests)." >&2
  exit 2
fi

"$python" -m venv "$folder"
"$folder/bin/pip" install --disable-pip-version-check -r "$here/requirements.txt"
"$folder/bin/python" -c 'import torch, trl, peft; print(f"Ready: torch {torch.__version__}, trl {trl.__version__}")'
# Last: it says that the environment is complete.
cp "$here/requirements.txt" "$folder/requirements.txt"
echo "$folder/bin/python"
