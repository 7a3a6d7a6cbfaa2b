package parquet

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var errDelta = errors.New("the delta encoding's header is damaged")

// delta decodes DELTA_BINARY_PACKED integers: a first value, then blocks of differences, each with
// their minimum and, in miniblocks of a width of their own, what exceeds it.
type delta struct {
	src       []byte
	total     int // values still to come
	first     bool
	last      int64
	min       int64
	widths    []byte // of the miniblocks still to come in this block
	mini      int    // values in a miniblock
	miniblock int    // of them, still to come in the current one
	blockMini int    // miniblocks in a block
	width     uint
	bit       int
	packed    []byte // the bits of the current miniblock and whatever follows
	bits      int    // of them, the miniblock's own
}

func (d *delta) reset(src []byte) error {
	*d = delta{src: src, first: true}
	block, minis, total, first := d.uvarint(), d.uvarint(), d.uvarint(), d.uvarint()
	switch {
	case d.src == nil, block == 0, block > 1<<16, minis == 0, minis > block, block%minis != 0, block/minis%8 != 0, total > maxPageRows:
		return errDelta
	}
	d.mini, d.blockMini, d.total = int(block/minis), int(minis), int(total)
	d.last = int64(first>>1) ^ -int64(first&1)
	return nil
}

// uvarint takes one off src; at the end of it src becomes nil.
func (d *delta) uvarint() uint64 {
	v, n := binary.Uvarint(d.src)
	if n <= 0 {
		d.src = nil
		return 0
	}
	d.src = d.src[n:]
	return v
}

// decode writes the next len(dst) values.
func (d *delta) decode(dst []int64) error {
	if len(dst) > d.total {
		return errShort
	}
	d.total -= len(dst)
	if len(dst) > 0 && d.first {
		d.first = false
		dst[0] = d.last
		dst = dst[1:]
	}
	for len(dst) > 0 {
		if d.miniblock == 0 {
			if err := d.nextMiniblock(); err != nil {
				return err
			}
		}
		n := min(len(dst), d.miniblock)
		if d.bit+n*int(d.width) > d.bits {
			return errShort
		}
		d.miniblock -= n
		d.unpack(dst[:n])
		dst = dst[n:]
	}
	return nil
}

func (d *delta) nextMiniblock() error {
	if len(d.widths) == 0 {
		v := d.uvarint()
		if len(d.src) < d.blockMini {
			return errShort
		}
		d.min = int64(v>>1) ^ -int64(v&1)
		d.widths, d.src = d.src[:d.blockMini], d.src[d.blockMini:]
	}
	d.width, d.widths = uint(d.widths[0]), d.widths[1:]
	if d.width > 64 {
		return errDelta
	}
	bytes := d.mini / 8 * int(d.width)
	if bytes > len(d.src) { // the last one may be cut off after its last value
		bytes = len(d.src)
	}
	d.packed, d.src, d.bit, d.bits, d.miniblock = d.src, d.src[bytes:], 0, bytes*8, d.mini
	return nil
}

// unpack decodes values of the current miniblock, which holds them.
func (d *delta) unpack(dst []int64) {
	last, low, width, bit, src := d.last, d.min, d.width, d.bit, d.packed
	d.bit += len(dst) * int(width)
	mask := ^uint64(0) >> ((64 - width) & 63)
	if width == 0 {
		mask = 0
	}
	if width <= 14 { // four values lie within the 8 bytes from the first one's first on
		for len(dst) >= 4 && bit>>3+8 <= len(src) {
			v := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7)
			a := last + low + int64(v&mask)
			b := a + low + int64(v>>(width&63)&mask)
			c := b + low + int64(v>>(2*width&63)&mask)
			last = c + low + int64(v>>(3*width&63)&mask)
			dst[0], dst[1], dst[2], dst[3] = a, b, c, last
			dst = dst[4:]
			bit += 4 * int(width)
		}
	} else if width <= 28 { // and two
		for len(dst) >= 2 && bit>>3+8 <= len(src) {
			v := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7)
			a := last + low + int64(v&mask)
			last = a + low + int64(v>>(width&63)&mask)
			dst[0], dst[1] = a, last
			dst = dst[2:]
			bit += 2 * int(width)
		}
	}
	for i := range dst {
		shift := bit & 7
		v := load(src, bit>>3) >> shift
		if width > 57 && shift > 0 {
			v |= load(src, bit>>3+8) << (64 - shift)
		}
		last += low + int64(v&mask)
		dst[i] = last
		bit += int(width)
	}
	d.last = last
}

// rest gives the bytes after the encoded integers. It must be called before decode.
func (d *delta) rest() ([]byte, error) {
	c := *d
	for left := c.total - 1; left > 0; left -= c.mini {
		if err := c.nextMiniblock(); err != nil {
			return nil, err
		}
	}
	// A block's header has a width for each of its miniblocks; those after the last value are 0
	// bits wide or hold padding, which the format says to leave out.
	return c.src, nil
}

// bitWidth is how many bits n-1, the largest number in a dictionary of n values, needs.
func bitWidth(n int) uint { return uint(bits.Len(uint(max(n-1, 0)))) }
