#!/usr/bin/env bash
# cross.sh: runs the regression studies on x86-64, as GOAMD64=v3 where this machine has AVX2, on an x86-64 without AVX
# and on arm64, both under qemu-user, and compares every file that they write, byte for byte. Only the platform in
# manifest.json may differ. At the end arm64 runs the tests of what brings files in.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run() { # NAME COMMAND…
  local here=$PWD/testdata
  mkdir "$work/$1"
  pushd "$work/$1" > /dev/null
  shift
  "$@" import --quiet --lake lake "$here/fixture"
  for study in "$here"/studies/*.yaml; do
    "$@" backtest --quiet --config "$study" --lake lake --out "$(basename "$study" .yaml)" > "$(basename "$study" .yaml).txt"
  done
  find . -name manifest.json -exec sed -i '/"platform"/d' {} +
  popd > /dev/null
}
go build -o "$work/qf" ./cmd/qf
run amd64 "$work/qf"
compare() {
  diff -r "$work/amd64" "$work/$1"
  echo "$1: $(find "$work/$1" -type f | wc -l) files, every byte as on amd64"
}
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  GOAMD64=v3 go build -o "$work/qf-v3" ./cmd/qf
  run amd64-v3 "$work/qf-v3"
  compare amd64-v3
fi
if old=$(command -v qemu-x86_64 || command -v qemu-x86_64-static); then
  run amd64-without-avx "$old" -cpu Westmere "$work/qf"
  compare amd64-without-avx
else
  echo "amd64 without AVX: not compared, want qemu-user"
fi
qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static) || { echo "arm64: not compared, want qemu-user"; exit 3; }
GOARCH=arm64 go build -o "$work/qf-arm64" ./cmd/qf
run arm64 "$qemu" "$work/qf-arm64"
compare arm64
GOARCH=arm64 CGO_ENABLED=0 go test -short -exec "$qemu" ./datasets/inflate ./datasets/parquet ./datasets/tardis
