#!/usr/bin/env bash
# Shows the whole way on this machine: two vendors' descriptions in, approved workflows called by an MCP client.
# Needs Python 3.11 or newer and, the first time, a package index. Leaves nothing running and nothing behind.
#
#   ./demo.sh            on the twins, the stateful mocks that Switchgear makes itself
#   ./demo.sh --short    one API, and the four things that matter most, in a quarter of the time
#   ./demo.sh --prism    on Prism (needs Node and npm)
#   ./demo.sh --keep     leaves everything up afterwards and says how to connect; Ctrl-C ends it
#
# It makes the environment and then calls `switchgear demo`, which an installed Switchgear has as well.
set -euo pipefail
# Whatever the locale says; and what would lead `cd` or Python elsewhere is of no use here.
export PYTHONUTF8=1
unset CDPATH PYTHONHOME PYTHONPATH PYTHONIOENCODING
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
bash setup.sh
case " $* " in *" --prism "*) bash setup.sh prism ;; esac
exec .venv/bin/python -m switchgear.main demo "$@"
