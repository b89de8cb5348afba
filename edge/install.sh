#!/usr/bin/env bash
# Installs Switchgear from the folder that this script lies in, without any network: every wheel must have the hash that
# requirements.txt names, and no index is asked.
#
#   ./install.sh FOLDER      a new virtual environment there; then FOLDER/bin/switchgear
#
# PYTHON=/path/to/python chooses another Python. Ends with 1 when it did not work, 2 for wrong usage, 3 when this machine
# is of another kind.
set -euo pipefail
here=$(CDPATH="" cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

say() { printf 'install: %s\n' "$*" >&2; }

if [ $# != 1 ]; then sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; fi
# What was killed half-way is known by this file, and made anew; it is the first to be made and the last to go.
unfinished=$1/install.unfinished
if [ -e "$1" ] && [ ! -e "$unfinished" ] && [ -n "$(ls -A -- "$1" 2>&1)" ]; then say "$1 is there already: name a new folder"; exit 2; fi

made_for=$(cat "$here/made_for.txt")
python=${PYTHON:-python${made_for%% *}}
found=$("$python" -c 'import sys, platform; print(f"{sys.version_info[0]}.{sys.version_info[1]}", platform.machine())' || true)
if [ "$found" != "$made_for" ]; then
  say "these wheels are for Python $made_for, and $python is ${found:-not here}"
  say "give a fitting one as PYTHON=…, or make the folder again on a machine like this"
  exit 3
fi

if [ -e "$unfinished" ]; then
  say "an installation into $1 was interrupted: it is made anew"
  find "$1" -mindepth 1 ! -path "$unfinished" -delete
fi
mkdir -p -- "$1"
: >"$unfinished"
"$python" -X utf8 -I -m venv "$1"
log=$1/install.log
# By bash, since a stick's file system may know no executable files.
if ! bash "$here/install_lock.sh" "$1/bin/python" "$here/requirements.txt" "$here/wheels" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  rm -rf -- "$1"
  say "nothing was installed: mend what it says, or have the folder made again"
  exit 1
fi
rm -f -- "$unfinished"
say "ready: $1/bin/switchgear"
