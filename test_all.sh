#!/usr/bin/env bash
# The one gate, for people and for CI: format, lint, types, import contracts, then tests (docs are checked by tests).
# All stages run even when one fails; the exit code is non-zero when any did.
#
#   ./test_all.sh            everything but tests marked `long`
#   ./test_all.sh --quick    of each test one case, and none marked `slow`
#   ./test_all.sh --long     everything
#   ./test_all.sh --no-peers installs no test peers (PostgreSQL, Prism); their tests skip and say why
#
# The vendors' own files are no part of this project; VENDOR_FILES says where they are (`tests/needs.py`).
# What was left out, why, and how to have it run stands in the last lines.
set -uo pipefail
export PYTHONUTF8=1
# What would lead `cd`, Python, pytest or Switchgear elsewhere: a developer's own settings and database, say.
unset PYTHONDONTWRITEBYTECODE # or each of some thousand processes compiles all that it imports
unset CDPATH PYTHONHOME PYTHONPATH PYTHONIOENCODING PYTEST_ADDOPTS FORCE_COLOR "${!SWITCHGEAR_@}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

marks="not long"
quick=()
install_peers=yes
for option in "$@"; do
  case "$option" in
    --quick) marks="not slow and not long" quick=(--quick) ;;
    --long) marks="" ;;
    --no-peers) install_peers=no ;;
    -h|--help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "test_all.sh: unknown option $option (try --help)" >&2; exit 2 ;;
  esac
done

results=()
failed=0
stage() {
  local name=$1 begin=$SECONDS outcome=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" || { outcome=FAILED; failed=1; }
  results+=("$(printf '%-18s %-7s %4d s' "$name" "$outcome" $((SECONDS - begin)))")
}

# Other programs that some tests run against. Without them the gate does not fail: those tests skip and say why.
peers=(postgresql haproxy faketime powerdns prism)
[ -n "$marks" ] || peers+=(chromium) # only tests marked `long` drive a browser
fetch_peers() {
  local peer
  for peer in "${peers[@]}"; do
    bash setup.sh "$peer" || echo "test_all: going on without $peer; its tests will skip"
  done
}

# Both wait for other machines more than they work: at the same time, and neither is broken off by the other's failure.
[ "$install_peers" = no ] || fetch_peers &
bash setup.sh
environment=$?
wait
[ "$environment" = 0 ] || exit 1
export PATH="$PWD/.venv/bin:$PATH"

# Tests make thousands of databases, and databases wait for the disk: in memory where there are 4 GB of it to be had as
# files, and where programs may be run from there.
room_in_memory() {
  local probe free outcome
  free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
  [ -z "${TMPDIR:-}" ] && [ "${free:-0}" -gt 4000000 ] && probe=$(mktemp /dev/shm/probe.XXXXXX) || return 1
  printf '#!/bin/sh\n' >"$probe" && chmod u+x "$probe" && "$probe" 2>/dev/null
  outcome=$?
  rm -f "$probe"
  return "$outcome"
}

place=$(room_in_memory && mktemp -d /dev/shm/switchgear.XXXX || mktemp -d)
chmod 711 "$place" # PostgreSQL runs there as somebody else
export TMPDIR="$place"
trap '[ "$failed" = 1 ] || rm -rf "$place"' EXIT
left_out=$place/left-out.txt
# Tests wait as often as they work: with two more than there are processors, two processors are at work for 96 % of the time.
# The quick ones hardly wait, and each worker takes a tenth of their time to find them.
more=$((${#quick[@]} ? 1 : 2))
workers=$(($(getconf _NPROCESSORS_ONLN) + more))
pytest_options=(-n "$workers" --dist worksteal --durations=25 --left-out "$left_out")
pytest_options+=(${quick[@]+"${quick[@]}"})
[ -n "$marks" ] && pytest_options+=(-m "$marks")

# The types take one processor for as long as the tests take others to be found: at the same time, and told in their turn.
mypy --no-error-summary >"$place/types.txt" 2>&1 &
types=$!
types_checked() {
  wait "$types"
  local outcome=$?
  cat "$place/types.txt"
  return "$outcome"
}

stage format ruff format --check --quiet .
stage lint ruff check --quiet .
stage contracts lint-imports --no-logo
stage "tests and docs" python -m pytest "${pytest_options[@]}"
stage types types_checked

printf '\n== summary (%d s)\n' "$SECONDS"
printf '   %s\n' "${results[@]}"
[ "$failed" = 0 ] || printf '   what the failed tests left is in %s\n' "$place"
printf '== left out, why, and how to have it run\n'
sed 's/^/   /' "$left_out" 2>/dev/null || echo "   it is not known: the tests did not come to their end"
exit "$failed"
