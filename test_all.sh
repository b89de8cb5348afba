#!/usr/bin/env bash
# The one gate, for people and for CI: format, lint, types, import contracts, then tests (docs are checked by tests).
# All stages run even when one fails; the exit code is non-zero when any did.
#
#   ./test_all.sh            everything but tests marked `long`
#   ./test_all.sh --quick    also without tests marked `slow`
#   ./test_all.sh --long     everything
#   ./test_all.sh --no-peers installs no test peers (PostgreSQL, Prism); their tests skip and say why
set -uo pipefail
export PYTHONUTF8=1
# What would lead `cd`, Python, pytest or Switchgear elsewhere: a developer's own settings and database, say.
unset CDPATH PYTHONHOME PYTHONPATH PYTHONIOENCODING PYTEST_ADDOPTS FORCE_COLOR "${!SWITCHGEAR_@}"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

marks="not long"
install_peers=yes
for option in "$@"; do
  case "$option" in
    --quick) marks="not slow and not long" ;;
    --long) marks="" ;;
    --no-peers) install_peers=no ;;
    -h|--help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
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

bash setup.sh || exit 1
if [ "$install_peers" = yes ]; then
  # Other programs that some tests run against. Without them the gate does not fail: those tests skip and say why.
  for peer in postgresql haproxy faketime prism; do
    bash setup.sh "$peer" || echo "test_all: going on without $peer; its tests will skip"
  done
fi
export PATH="$PWD/.venv/bin:$PATH"

pytest_options=(-n 2 --dist worksteal)
[ -n "$marks" ] && pytest_options+=(-m "$marks")
[ "${CI:-}" = true ] && pytest_options+=(-rs)

stage format ruff format --check --quiet .
stage lint ruff check --quiet .
stage types mypy --no-error-summary
stage contracts lint-imports --no-logo
stage "tests and docs" python -m pytest "${pytest_options[@]}"

printf '\n== summary (%d s)\n' "$SECONDS"
printf '   %s\n' "${results[@]}"
exit "$failed"
