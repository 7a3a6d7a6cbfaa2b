#!/usr/bin/env bash
# regression.sh QF [--update]: backtests the fixture days and compares every number with the golden
# reports; --update rewrites them for review in the diff.
set -euo pipefail
qf=$(realpath "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$qf" import --quiet --lake "$work/lake" fixture
for study in studies/*.yaml; do
  name=$(basename "$study" .yaml)
  "$qf" backtest --quiet --config "$study" --lake "$work/lake" --out "$work/$name" > "$work/summary"
  if [ "${2:-}" = --update ]; then
    mkdir -p "golden/$name"
    golden=golden/$name/report.json
    if [ -n "$(git status --porcelain "$golden" 2> /dev/null)" ] && ! cmp -s "$golden" "$work/$name/latest/report.json"; then
      cp "$golden" "$golden.orig" # not yet committed: somebody's work
      echo "$golden had changes that are not committed: they are kept in $golden.orig"
    fi
    cp "$work/$name/latest/report.json" "golden/$name/report.json"
  else
    printf '%s: ' "$name"
    "$qf" compare "golden/$name" "$work/$name/latest"
  fi
done
