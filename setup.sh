#!/usr/bin/env bash
# Makes .venv with exactly what requirements.lock names, then this project itself, editable.
# Called first by ./demo.sh and ./test_all.sh; runs alone as well. Does nothing when .venv is already what the
# lock, pyproject.toml and this folder ask for. Never installs anything outside .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

stamp=.venv/.switchgear-stamp
log=.venv/setup.log

say() { printf 'setup: %s\n' "$*" >&2; }

wanted_stamp() {
  # The folder is part of it: a moved .venv has wrong paths inside.
  { pwd; cat requirements.lock pyproject.toml; } | { sha256sum 2>/dev/null || shasum -a 256; }
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
    if command -v "$candidate" >/dev/null 2>&1 &&
       "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "no Python 3.11 or newer with the venv module was found (looked for python3.11 to python3.14, python3, python)."
  say "Install one (on Debian and Ubuntu: apt-get install python3 python3-venv), or set PYTHON=/path/to/python."
  return 1
}

# On a terminal: one line, rewritten, that names the package at hand. Elsewhere: nothing but the log.
show_progress() {
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    if [ -t 2 ]; then
      case "$line" in
        Collecting*|Installing*|Building*|Preparing*) printf '\r\033[Ksetup: %.100s' "$line" >&2 ;;
      esac
    fi
  done
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

pip_install() {
  if ! .venv/bin/python -m pip install --disable-pip-version-check --no-input "$@" 2>&1 | show_progress; then
    say "pip install failed; the end of $log:"
    tail -n 20 "$log" >&2
    return 1
  fi
}

if [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(wanted_stamp)" = "$(cat "$stamp")" ]; then
  exit 0
fi

if ! .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
  python=$(find_python)
  say "making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
fi
rm -f "$stamp"
: >"$log"
say "installing the $(grep -c '==' requirements.lock) packages of requirements.lock, hashes checked (a minute or two the first time)"
pip_install --require-hashes -r requirements.lock
say "installing switchgear itself"
pip_install --no-deps --no-build-isolation -e .
wanted_stamp >"$stamp"
say "ready: .venv/bin/switchgear"
