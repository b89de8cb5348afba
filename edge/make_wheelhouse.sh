#!/usr/bin/env bash
# Makes a folder from which Switchgear is installed on a machine without a network: wheels of what the runtime needs and
# of Switchgear itself, a list of their hashes, the installer and, if given, a bundle. docs/EDGE.md tells the rest.
#
#   edge/make_wheelhouse.sh FOLDER [BUNDLE]
#
# Run it where packages can be fetched, on the same kind of machine and with the same Python as there will be. Every
# wheel is one that requirements.lock knows by its hash. Ends with 2 for wrong usage, 4 when packages cannot be fetched.
set -euo pipefail
root=$(CDPATH="" cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'wheelhouse: %s\n' "$*" >&2; }

if [ $# -lt 1 ] || [ $# -gt 2 ]; then sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; fi
if [ -e "$1" ]; then say "$1 is there already: name a new folder"; exit 2; fi
if [ $# = 2 ] && [ ! -f "$2" ]; then say "there is no bundle $2"; exit 2; fi

"$root/setup.sh"
python=$root/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/house/wheels"

say "building Switchgear's own wheel"
"$python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/own" "$root"

say "fetching what its runtime needs"
# Nothing of what is fetched is executed: wheels only, and only such as the lock knows by their hash.
"$python" "$root/edge/lock_part.py" runtime >"$work/part.lock"
if ! "$python" -m pip download --quiet --only-binary :all: --no-deps --require-hashes --requirement "$work/part.lock" \
     --dest "$work/house/wheels"; then
  say "the packages cannot be fetched here"
  exit 4
fi
own=("$work"/own/*.whl)
cp "${own[0]}" "$work/house/wheels/"

"$python" "$root/edge/pin.py" "$root/requirements.lock" "${own[0]}" "$work/house"
cp "$root/edge/install.sh" "$root/install_lock.sh" "$work/house/"
if [ $# = 2 ]; then cp "$2" "$work/house/"; fi
mv "$work/house" "$1"
say "$1 is ready, $(du -sh "$1" | cut -f1); its list of hashes has the SHA-256"
sha256sum "$1/requirements.txt" | cut -d' ' -f1
