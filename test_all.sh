#!/usr/bin/env bash
# The one gate, for people and for CI: format, lint, types, import contracts, then tests (docs are checked by tests).
# All stages run even when one fails; the exit code is non-zero when any did.
#
#   ./test_all.sh            everything but tests marked `long`
#   ./test_all.sh --quick    also without tests marked `slow`
#   ./test_all.sh --long     everything
#   ./test_all.sh --no-peers installs no test peers (PostgreSQL, Prism); their tests skip and say why
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

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

say() { printf 'test_all: %s\n' "$*"; }

# Peers are other programs that some tests run against. Their absence never fails the gate: the tests skip with a reason.
has_postgresql() { command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
has_prism() { command -v prism >/dev/null 2>&1 || [ -x .tools/node_modules/.bin/prism ]; }

install_postgresql() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "PostgreSQL is absent and needs root and apt-get to be installed here: its tests will skip"
    return
  fi
  say "installing PostgreSQL for its tests"
  # Tests start their own server on a free port; the package's own cluster is not wanted.
  if [ ! -e /etc/postgresql-common ]; then
    mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  { timeout 120 apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends \
      -o Dpkg::Options::=--force-confold postgresql; } >/dev/null 2>&1
  has_postgresql || say "PostgreSQL could not be installed: its tests will skip"
}

install_prism() {
  if ! command -v npm >/dev/null 2>&1; then
    say "Prism is absent and needs Node and npm to be installed: its tests will skip"
    return
  fi
  say "installing Prism for its tests"
  timeout 300 npm install --silent --no-save --no-package-lock --no-audit --no-fund \
    --prefix .tools @stoplight/prism-cli@5.14.2 >/dev/null 2>&1
  has_prism || say "Prism could not be installed: its tests will skip"
}

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
  has_postgresql || install_postgresql
  has_prism || install_prism
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
