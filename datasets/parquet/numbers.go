package parquet

import (
	"encoding/binary"
	"slices"
)

// minRun is how many equal values in a row are worth a run of their own: below it, bits that go on
// are as short and quicker to read.
const minRun = 32

// appendNumbers encodes numbers of a dictionary of n values: their width, then runs of bit-packed
// values, eight at a time, and of one value repeated.
func appendNumbers[N int32 | uint16](dst []byte, numbers []N, n int) []byte {
	width := bitWidth(n)
	dst = append(dst, byte(width))
	from := 0 // of the values not yet written
	for at := 0; at < len(numbers); {
		end := at + 1
		for end < len(numbers) && numbers[end] == numbers[at] {
			end++
		}
		if end < len(numbers) {
			end -= (end - at) % 8
		}
		if end-at < minRun {
			at += 8
			continue
		}
		dst = appendPacked(dst, numbers[from:at], width)
		dst = binary.AppendUvarint(dst, uint64(end-at)<<1)
		for shift := uint(0); shift < width; shift += 8 {
			dst = append(dst, byte(numbers[at]>>shift))
		}
		at, from = end, end
	}
	return appendPacked(dst, numbers[from:], width)
}

// appendPacked appends a bit-packed run, filled up to a multiple of eight values with zeros.
func appendPacked[N int32 | uint16](dst []byte, numbers []N, width uint) []byte {
	if len(numbers) == 0 {
		return dst
	}
	groups := (len(numbers) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*int(width)
	var bits uint64
	var n uint
	for _, v := range numbers {
		bits |= uint64(v) << (n & 63)
		n += width
		if n >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(bits))
			bits >>= 32
			n -= 32
		}
	}
	for ; len(dst) < end; bits >>= 8 {
		dst = append(dst, byte(bits))
	}
	return dst
}

// appendWide encodes numbers of a dictionary of n values, n ≤ 65,536, as one bit-packed run whose
// width is that of whole bytes, 8 or 16: longer, but a codec sees the values that repeat.
func appendWide(dst []byte, numbers []uint16, n int) []byte {
	width := 8
	if n > 1<<8 {
		width = 16
	}
	groups := (len(numbers) + 7) / 8
	dst = append(dst, byte(width))
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	at := len(dst)
	dst = slices.Grow(dst, groups*width)[:at+groups*width]
	out := dst[at:]
	if width == 8 {
		for i, v := range numbers {
			out[i] = byte(v)
		}
	} else {
		for i, v := range numbers {
			binary.LittleEndian.PutUint16(out[2*i:], v)
		}
	}
	clear(out[len(numbers)*width/8:])
	return dst
}
