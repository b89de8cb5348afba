#!/usr/bin/env bash
# Installs Switchgear from the folder that this script lies in, without any network: every wheel must have the hash that
# requirements.txt names, and no index is asked.
#
#   ./install.sh FOLDER      a new virtual environment there; then FOLDER/bin/switchgear
#
# PYTHON=/path/to/python chooses another Python. Ends with 2 for wrong usage, 3 when this machine is of another kind.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf 'install: %s\n' "$*" >&2; }

if [ $# != 1 ]; then sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; fi
if [ -e "$1" ]; then say "$1 is there already: name a new folder"; exit 2; fi

made_for=$(cat "$here/made_for.txt")
python=${PYTHON:-python${made_for%% *}}
found=$("$python" -c 'import sys, platform; print(f"{sys.version_info[0]}.{sys.version_info[1]}", platform.machine())' || true)
if [ "$found" != "$made_for" ]; then
  say "these wheels are for Python $made_for, and $python is ${found:-not here}"
  say "give a fitting one as PYTHON=…, or make the folder again on a machine like this"
  exit 3
fi

"$python" -m venv "$1"
# Isolated: no settings of this machine lead pip elsewhere.
"$1/bin/python" -m pip --isolated install --quiet --disable-pip-version-check --no-cache-dir \
  --no-index --find-links "$here/wheels" --no-deps --require-hashes -r "$here/requirements.txt"
say "ready: $1/bin/switchgear"
