package parquet

import (
	"encoding/binary"
	"errors"
)

var errLZ4 = errors.New("not an LZ4 block")

// unlz4 decompresses an LZ4 block, which is what Parquet's LZ4_RAW pages are, into dst, whose length it
// must have (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md).
func unlz4(dst, src []byte) error {
	// length reads what follows a nibble of 15: bytes to add, up to the first that is not 255.
	length := func(n int) (int, bool) {
		for n >= 15 {
			if len(src) == 0 || n > maxPageBytes {
				return 0, false
			}
			b := src[0]
			src = src[1:]
			if n += int(b); b != 255 {
				break
			}
		}
		return n, true
	}
	at := 0
	for len(src) > 0 {
		token := int(src[0])
		src = src[1:]
		n, ok := length(token >> 4)
		if !ok || n > len(src) || n > len(dst)-at {
			return errLZ4
		}
		at += copy(dst[at:], src[:n])
		if src = src[n:]; len(src) == 0 { // the last sequence has literals only
			break
		}
		if len(src) < 2 {
			return errLZ4
		}
		back := int(binary.LittleEndian.Uint16(src))
		src = src[2:]
		if n, ok = length(token & 15); !ok || back == 0 || back > at || n+4 > len(dst)-at {
			return errLZ4
		}
		for end := at + n + 4; at < end; { // a copy may reach into what it writes
			at += copy(dst[at:end], dst[at-back:at])
		}
	}
	if at != len(dst) {
		return errSize
	}
	return nil
}
