#!/usr/bin/env bash
# Makes .venv with exactly what requirements.lock names, then this project itself, editable.
# Called first by ./demo.sh and ./test_all.sh; runs alone as well. Does nothing when .venv is already what the
# lock, pyproject.toml and this folder ask for.
#
#   ./setup.sh               the environment in .venv
#   ./setup.sh prism         Prism, a second mock, into .tools (needs Node and npm)
#   ./setup.sh postgresql    the distribution's PostgreSQL, for tests (needs root and apt-get)
#   ./setup.sh haproxy       the distribution's HAProxy, for tests (likewise)
#   ./setup.sh faketime      the distribution's libfaketime, for tests (likewise)
#
# Ends with 1 when what was asked for cannot be had, and says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

stamp=.venv/.switchgear-stamp
log=.venv/setup.log
prism_version=5.14.2

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

install_environment() {
  local python
  if [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(wanted_stamp)" = "$(cat "$stamp")" ]; then
    return
  fi
  if ! .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    python=$(find_python)
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
  fi
  rm -f "$stamp"
  : >"$log"
  say "installing the $(grep -c '==' requirements.lock) packages of requirements.lock, hashes checked (a minute or two the first time)"
  pip_install --no-deps --require-hashes -r requirements.lock
  say "installing switchgear itself"
  pip_install --no-deps --no-build-isolation -e .
  wanted_stamp >"$stamp"
  say "ready: .venv/bin/switchgear"
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

install_postgresql() {
  if has_postgresql; then return; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "PostgreSQL is not installed; to install it here takes root and apt-get"
    return 1
  fi
  say "installing PostgreSQL"
  # Tests start a server of their own on a free port; the package's own cluster is not wanted.
  if [ ! -e /etc/postgresql-common ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  apt_install postgresql
  if ! has_postgresql; then
    say "apt-get could not install PostgreSQL"
    return 1
  fi
}

apt_install() {
  { timeout 120 apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends \
      -o Dpkg::Options::=--force-confold "$1"; } >/dev/null 2>&1 || true
}

has_haproxy() { PATH="$PATH:/usr/sbin" command -v haproxy >/dev/null 2>&1; }

install_haproxy() {
  if has_haproxy; then return; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "HAProxy is not installed; to install it here takes root and apt-get"
    return 1
  fi
  say "installing HAProxy"
  apt_install haproxy
  if ! has_haproxy; then
    say "apt-get could not install HAProxy"
    return 1
  fi
}

has_faketime() { compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; }

install_faketime() {
  if has_faketime; then return; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "libfaketime is not installed; to install it here takes root and apt-get"
    return 1
  fi
  say "installing libfaketime"
  apt_install libfaketime
  if ! has_faketime; then
    say "apt-get could not install libfaketime"
    return 1
  fi
}

case "${1:-environment}" in
  environment) install_environment ;;
  prism) install_prism ;;
  postgresql) install_postgresql ;;
  haproxy) install_haproxy ;;
  faketime) install_faketime ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
