package inflate

import (
	"errors"
	"hash/crc32"
	"io"
)

// What can be wrong with a file, beside io.ErrUnexpectedEOF for one that is cut off.
var (
	// ErrHeader: what should be the start of a gzip member is not, at the start of the file or
	// after the end of a member.
	ErrHeader = errors.New("invalid gzip header")
	// ErrCorrupt: the compressed data breaks a rule of DEFLATE.
	ErrCorrupt = errors.New("invalid gzip data")
	// ErrChecksum: the data differ in CRC-32 or length from what the member's trailer says.
	ErrChecksum = errors.New("gzip checksum differs")
)

const (
	inputBytes = 64 << 10
	history    = 32 << 10 // how far back a match may reach
	fresh      = 96 << 10 // bytes decoded between two moves of the history
	// slack is room for what one turn of the decoding loop writes: three literals and a match of 258
	// bytes, copied by sixteen.
	slack = 320
)

// Reader reads the uncompressed content of a gzip file, of all its members one after the other. It
// reads ahead in its source. It is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	srcErr error // what ended src
	in     []byte
	pos    int // of the next byte in in
	bits   uint64
	n      uint // how many of bits count; those above may be anything while the fast loop runs, else zero

	win    []byte // the last of the output: win[:write]
	read   int    // how much of it was handed out
	summed int    // how much of it is in crc and size
	write  int
	first  int // the member's first byte that a match may reach

	crc    uint32
	size   uint32
	state  state
	final  bool // the block is its member's last
	stored int  // bytes still to come in a stored block
	err    error

	lit  [litEntries]uint64
	dist [distEntries]uint64
	lens [maxLit + maxDist]uint8 // of the block's code words
}

type state uint8

const (
	inMember  state = iota // before a block's header
	inStored               // in a stored block
	inHuffman              // in a compressed block
	inTrailer              // after the last block
)

// NewReader starts to read src and checks the first member's header.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{in: make([]byte, 0, inputBytes), win: make([]byte, history+fresh+slack)}
	return r, r.Reset(src)
}

// Reset starts over with another source, with the memory there is.
func (r *Reader) Reset(src io.Reader) error {
	r.src, r.srcErr, r.err = src, nil, nil
	r.in, r.pos, r.bits, r.n = r.in[:0], 0, 0, 0
	r.read, r.summed, r.write = 0, 0, 0
	r.header()
	return r.err
}

// Read reads up to len(p) bytes. It gives io.EOF only after the last member's checksum agreed.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.read == r.write {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.win[r.read:r.write])
	r.read += n
	return n, nil
}

// fill decodes until the window is full or the stream at its end. All there was has been read.
func (r *Reader) fill() {
	limit := len(r.win) - slack
	if r.write >= limit {
		drop := r.write - history
		copy(r.win, r.win[drop:r.write])
		r.read, r.summed, r.write, r.first = history, history, history, max(0, r.first-drop)
	}
	for r.err == nil && r.write < limit {
		switch r.state {
		case inMember:
			r.block()
		case inStored:
			r.copyStored(limit)
		case inHuffman:
			r.huffman(limit)
		case inTrailer:
			r.trailer()
		}
	}
	r.sum()
}

// sum takes what was decoded since the last call into the checksum.
func (r *Reader) sum() {
	b := r.win[r.summed:r.write]
	r.crc = crc32.Update(r.crc, crc32.IEEETable, b)
	r.size += uint32(len(b))
	r.summed = r.write
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// more reads on in the source, keeping what is not yet used, and reports whether there is more.
func (r *Reader) more() bool {
	rest := copy(r.in[:cap(r.in)], r.in[r.pos:])
	r.in, r.pos = r.in[:rest], 0
	for range 100 {
		if r.srcErr != nil {
			return false
		}
		var n int
		n, r.srcErr = r.src.Read(r.in[rest:cap(r.in)])
		if n > 0 {
			r.in = r.in[:rest+n]
			return true
		}
	}
	r.srcErr = io.ErrNoProgress
	return false
}

// short fails with what ended the source too early.
func (r *Reader) short() {
	if r.srcErr == io.EOF {
		r.fail(io.ErrUnexpectedEOF)
	} else {
		r.fail(r.srcErr)
	}
}

// refill fills the bit buffer as far as the source goes, to 57 bits or more.
func (r *Reader) refill() {
	for r.n <= 56 {
		if r.pos == len(r.in) && !r.more() {
			return
		}
		r.bits |= uint64(r.in[r.pos]) << r.n
		r.pos++
		r.n += 8
	}
}

// take gives the next k bits, k ≤ 32; 0 after a failure.
func (r *Reader) take(k uint) uint32 {
	if r.n < k {
		if r.refill(); r.n < k {
			r.short()
			return 0
		}
	}
	v := uint32(r.bits & (1<<k - 1))
	r.bits >>= k
	r.n -= k
	return v
}

const (
	flagHeaderCRC = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
	maxName       = 512 // bytes of a name or comment with its zero, as compress/gzip has it
)

// header reads a member's header. The bit buffer is at a byte's start.
func (r *Reader) header() {
	digest := ^uint32(0) // of the header, inverted
	next := func() byte {
		b := byte(r.take(8))
		digest = crc32.IEEETable[byte(digest)^b] ^ digest>>8
		return b
	}
	var fixed [10]byte
	for i := range fixed {
		fixed[i] = next()
	}
	if r.err == nil && (fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != 8) {
		r.fail(ErrHeader)
	}
	flags := fixed[3]
	if flags&flagExtra != 0 {
		n := int(next())
		for n |= int(next()) << 8; n > 0 && r.err == nil; n-- {
			next()
		}
	}
	for _, flag := range []byte{flagName, flagComment} {
		if flags&flag == 0 {
			continue
		}
		n := 1
		for next() != 0 && r.err == nil {
			if n++; n > maxName {
				r.fail(ErrHeader)
			}
		}
	}
	if flags&flagHeaderCRC != 0 {
		want := uint16(^digest)
		if got := uint16(r.take(16)); r.err == nil && got != want {
			r.fail(ErrHeader)
		}
	}
	r.state, r.crc, r.size, r.first = inMember, 0, 0, r.write
}

// trailer checks a member and starts the next one, if there is one.
func (r *Reader) trailer() {
	r.sum()
	r.take(r.n % 8)
	crc, size := r.take(32), r.take(32)
	if r.err != nil {
		return
	}
	if crc != r.crc || size != r.size {
		r.fail(ErrChecksum)
		return
	}
	padded := false
	for r.refill(); r.n > 0 && byte(r.bits) == 0; r.refill() {
		r.take(8)
		padded = true
	}
	switch {
	case r.n == 0:
		r.fail(r.srcErr) // io.EOF, or else what kept us from seeing the end
	case padded:
		r.fail(ErrHeader)
	default:
		r.header()
	}
}
