#!/usr/bin/env bash
# snappy-bytes-by-build.sh: Go's klauspost/compress gives other Snappy bytes where it runs without its assembler.
#
# Guessed: one version of an encoder gives the same bytes for the same input in every build, so that a file's digest
# says whether its content changed. Seen, github.com/klauspost/compress v1.20.3, Go 1.26.8 on linux/amd64: 60 kB of
# prices as text are 23,842 bytes by snappy.Encode, and 24,005 in a build with -tags noasm, which is also the code that
# processors other than amd64 and arm64 get. Both decode to the input. s2.EncodeSnappyBest and zstd give the same bytes
# in both builds.
# So: compare Parquet files of Snappy pages by their values or by digests of these, not by the files' bytes, where
# other builds may have written them.
#
# Needs Go and the module proxy. Fails when that is seen no more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > go.mod <<'M'
module finding

go 1.24

require github.com/klauspost/compress v1.20.3
M
cat > main.go <<'G'
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

func main() {
	var in []byte // prices that walk, as text
	x, price := uint32(1), 6_000_000
	for len(in) < 60_000 {
		x = x*1664525 + 1013904223
		price += int(x>>24)%7 - 3
		in = fmt.Appendf(in, "%d.%d,%d\n", price/100, price%100, x>>22)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err)
	}
	show := func(name string, out []byte) {
		if name != "zstd" {
			if back, err := snappy.Decode(nil, out); err != nil || !bytes.Equal(back, in) {
				panic(name + " does not decode to its input")
			}
		}
		fmt.Printf("%s %d %x\n", name, len(out), sha256.Sum256(out))
	}
	show("snappy.Encode", snappy.Encode(nil, in))
	show("s2.EncodeSnappyBest", s2.EncodeSnappyBest(nil, in))
	show("zstd", z.EncodeAll(in, nil))
}
G
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > assembler.txt
go run -tags noasm . > noasm.txt
go version
paste -d '\n' assembler.txt noasm.txt | cut -c1-60
if [ "$(grep "^snappy.Encode " assembler.txt)" = "$(grep "^snappy.Encode " noasm.txt)" ]; then
  echo "snappy.Encode: the same bytes now"
  exit 1
fi
for name in s2.EncodeSnappyBest zstd; do
  if [ "$(grep "^$name " assembler.txt)" != "$(grep "^$name " noasm.txt)" ]; then echo "$name: other bytes now"; exit 1; fi
done
echo "seen: the bytes of snappy.Encode depend on the build, those of s2.EncodeSnappyBest and of zstd do not"
