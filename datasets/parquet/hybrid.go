package parquet

import (
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/apache/arrow/go/v15/arrow/bitutil"
)

var (
	errShort      = errors.New("the page ends before its values do")
	errDictionary = errors.New("a value's number is not in the dictionary")
	errWidth      = errors.New("values of more than 32 bits in a run")
	errLevel      = errors.New("a definition level above 1")
)

// hybrid decodes runs of small integers, repeated or bit-packed: the definition levels and the
// numbers of dictionary values.
type hybrid struct {
	src    []byte // the runs still to come
	width  uint
	left   int    // values in the run
	packed []byte // the bits of the run and whatever follows; nil in a repeated one
	bit    int    // the next value's first
	value  uint32 // of a repeated run
}

func (h *hybrid) reset(src []byte, width uint) error {
	*h = hybrid{src: src, width: width}
	if width > 32 {
		return errWidth
	}
	return nil
}

// run starts the next run.
func (h *hybrid) run() error {
	head, n := binary.Uvarint(h.src)
	if n <= 0 {
		return errShort
	}
	h.src = h.src[n:]
	count := min(head>>1, math.MaxInt32)
	if head&1 == 0 {
		bytes := int(h.width+7) / 8
		if len(h.src) < bytes {
			return errShort
		}
		h.value, h.packed = 0, nil
		for i := range bytes {
			h.value |= uint32(h.src[i]) << (8 * i)
		}
		h.src = h.src[bytes:]
		h.left = int(count)
		return nil
	}
	if h.width == 0 {
		h.value, h.packed = 0, nil
		h.left = int(count) * 8
		return nil
	}
	// Some writers cut the last run off after its last value.
	bytes := min(int(count)*int(h.width), len(h.src))
	h.packed, h.src, h.bit = h.src, h.src[bytes:], 0
	h.left = min(int(count)*8, bytes*8/int(h.width))
	return nil
}

// next gives how many of the next n values the current run holds.
func (h *hybrid) next(n int) (int, error) {
	for h.left == 0 {
		if err := h.run(); err != nil {
			return 0, err
		}
	}
	m := min(n, h.left)
	h.left -= m
	return m, nil
}

// load gives 64 bits of b from byte i on, with zeros where b ends.
func load(b []byte, i int) (v uint64) {
	if i+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[i:])
	}
	for k := range min(8, max(0, len(b)-i)) {
		v |= uint64(b[i+k]) << (8 * k)
	}
	return v
}

// lookup decodes len(dst) dictionary numbers and writes the values they stand for.
func lookup[T any](h *hybrid, dst, dictionary []T) error {
	for len(dst) > 0 {
		n, err := h.next(len(dst))
		if err != nil {
			return err
		}
		if h.packed == nil {
			if uint64(h.value) >= uint64(len(dictionary)) {
				return errDictionary
			}
			v := dictionary[h.value]
			for i := range dst[:n] {
				dst[i] = v
			}
		} else if !unpack(h, dst[:n], dictionary) {
			return errDictionary
		}
		dst = dst[n:]
	}
	return nil
}

// unpack is the packed part of lookup.
func unpack[T any](h *hybrid, dst, dictionary []T) bool {
	bit, width, src := h.bit, h.width, h.packed
	mask, n := uint64(1)<<width-1, uint64(len(dictionary))
	h.bit += len(dst) * int(width)
	if width == 1 && n == 2 && bit&7 == 0 {
		two := [2]T{dictionary[0], dictionary[1]}
		for len(dst) >= 8 && bit>>3 < len(src) {
			v := src[bit>>3]
			dst[0], dst[1], dst[2], dst[3] = two[v&1], two[v>>1&1], two[v>>2&1], two[v>>3&1]
			dst[4], dst[5], dst[6], dst[7] = two[v>>4&1], two[v>>5&1], two[v>>6&1], two[v>>7]
			dst = dst[8:]
			bit += 8
		}
	}
	if width <= 14 { // four values lie within the 8 bytes from the first one's first on
		for len(dst) >= 4 && bit>>3+8 <= len(src) {
			v := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7)
			a, b, c, d := v&mask, v>>(width&63)&mask, v>>(2*width&63)&mask, v>>(3*width&63)&mask
			if a >= n || b >= n || c >= n || d >= n {
				return false
			}
			dst[0], dst[1], dst[2], dst[3] = dictionary[a], dictionary[b], dictionary[c], dictionary[d]
			dst = dst[4:]
			bit += 4 * int(width)
		}
	}
	for i := range dst {
		k := load(src, bit>>3) >> (bit & 7) & mask
		if k >= n {
			return false
		}
		dst[i] = dictionary[k]
		bit += int(width)
	}
	return true
}

// validity decodes n definition levels of 0 or 1 into the bits from off on, which are zero, and
// counts the ones.
func (h *hybrid) validity(bitmap []byte, off, n int) (ones int, err error) {
	for n > 0 {
		m, err := h.next(n)
		if err != nil {
			return 0, err
		}
		switch {
		case h.packed != nil:
			bitutil.CopyBitmap(h.packed, h.bit, m, bitmap, off)
			h.bit += m
			ones += bitutil.CountSetBits(bitmap, off, m)
		case h.value > 1:
			return 0, errLevel
		case h.value == 1:
			bitutil.SetBitsTo(bitmap, int64(off), int64(m), true)
			ones += m
		}
		off, n = off+m, n-m
	}
	return ones, nil
}

// sized gives the part of b that a 4-byte length at its start covers, and the rest.
func sized(b []byte) (part, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, io.ErrUnexpectedEOF
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, io.ErrUnexpectedEOF
	}
	return b[4 : 4+n], b[4+n:], nil
}
