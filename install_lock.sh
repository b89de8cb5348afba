#!/usr/bin/env bash
# Installs a lock as it is into the environment of a Python: its versions, every file by its hash; nothing is resolved, so
# nothing changes when an index gets newer versions. setup.sh, the Dockerfile and edge/install.sh install through this.
#
#   ./install_lock.sh PYTHON LOCK           from this machine's package index
#   ./install_lock.sh PYTHON LOCK WHEELS    from a folder of wheels alone: no index, no cache, no settings of this machine
#
# uv does it where it is on the PATH (faster), else pip; the environment is the same. SETUP_INSTALLER=pip does without uv.
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; fi
python=$1 lock=$2

# Indexes, proxies and certificates of this machine are wanted. What would put packages elsewhere, want other versions, or
# take packages of another environment for installed ones is not.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_DRY_RUN PIP_REQUIREMENT PIP_EDITABLE PIP_NO_BINARY
unset UV_CONSTRAINT UV_OVERRIDE UV_SYSTEM_PYTHON UV_NO_BINARY UV_EXCLUDE_NEWER
export PYTHONUTF8=1 PIP_USER=0 PIP_CONSTRAINT=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1

pip_options=(--no-input) uv_options=()
if [ $# = 3 ]; then
  export PIP_CONFIG_FILE=/dev/null  # --isolated alone would still read the machine's own
  pip_options+=(--isolated --no-cache-dir --no-index --find-links "$3")
  uv_options+=(--no-config --no-cache --no-index --find-links "$3")
fi

pip_install() { "$python" -X utf8 -I -m pip install "${pip_options[@]}" --no-deps --require-hashes -r "$1"; }
# Where the lock names a pip, that one goes first: the one that a Python brings may be years older and takes twice as long.
with_pip() {
  if grep -q '^pip==' "$lock"; then pip_install <(sed -n '/^pip==/,/[^\\]$/p' "$lock"); fi
  pip_install "$lock"
}
# ${…+…}: an empty list is an unset one for the bash of older systems.
with_uv() { uv pip install --compile-bytecode --python "$python" ${uv_options[@]+"${uv_options[@]}"} --no-deps --require-hashes -r "$lock"; }

if [ "${SETUP_INSTALLER:-uv}" = uv ] && command -v uv >/dev/null 2>&1; then
  with_uv && exit
  # It reads none of pip's settings, so it may not know the index that pip knows.
  echo "uv could not install; trying pip"
fi
with_pip
