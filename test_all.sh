#!/usr/bin/env bash
# The one gate, for people and for CI: format, lint, types, import contracts, then tests (docs are checked by tests).
# All stages run even when one fails; the exit code is non-zero when any did.
#
#   ./test_all.sh            everything but tests marked `long`
#   ./test_all.sh --quick    of each test one case, and none marked `slow`
#   ./test_all.sh --long     everything
#   ./test_all.sh --no-peers installs no test peers (PostgreSQL, Prism); their tests skip and say why
#
# The vendors' own files are no part of this project; SWITCHGEAR_VENDOR_FILES says where they are (`tests/needs.py`).
# What was left out, why, and how to have it run stands in the last lines.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

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

./setup.sh || exit 1
if [ "$install_peers" = yes ]; then
  # Other programs that some tests run against. Without them the gate does not fail: those tests skip and say why.
  for peer in postgresql haproxy faketime prism; do
    ./setup.sh "$peer" || echo "test_all: going on without $peer; its tests will skip"
  done
fi
export PATH="$PWD/.venv/bin:$PATH"

left_out=$(mktemp)
trap 'rm -f "$left_out"' EXIT
pytest_options=(-n 2 --dist worksteal --durations=25 --left-out "$left_out")
pytest_options+=("${quick[@]}")
[ -n "$marks" ] && pytest_options+=(-m "$marks")

stage format ruff format --check --quiet .
stage lint ruff check --quiet .
stage types mypy --no-error-summary
stage contracts lint-imports --no-logo
stage "tests and docs" python -m pytest "${pytest_options[@]}"

printf '\n== summary (%d s)\n' "$SECONDS"
printf '   %s\n' "${results[@]}"
printf '== left out, why, and how to have it run\n'
sed 's/^/   /' "$left_out"
exit "$failed"
