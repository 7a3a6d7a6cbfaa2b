package inflate

import "encoding/binary"

// block reads a block's header.
func (r *Reader) block() {
	r.final = r.take(1) == 1
	kind := r.take(2)
	if r.err != nil {
		return
	}
	switch kind {
	case 0:
		r.take(r.n % 8)
		size, inverse := r.take(16), r.take(16)
		if r.err == nil && size != ^inverse&0xffff {
			r.fail(ErrCorrupt)
		}
		r.stored, r.state = int(size), inStored
	case 1:
		r.fixed()
		r.state = inHuffman
	case 2:
		r.dynamic()
		r.state = inHuffman
	default:
		r.fail(ErrCorrupt)
	}
}

func (r *Reader) endBlock() {
	r.state = inMember
	if r.final {
		r.state = inTrailer
	}
}

// copyStored copies bytes of a stored block up to the window's limit.
func (r *Reader) copyStored(limit int) {
	for r.stored > 0 && r.n > 0 && r.write < limit { // those that are in the bit buffer
		r.win[r.write] = byte(r.take(8))
		r.write++
		r.stored--
	}
	for r.stored > 0 && r.write < limit {
		if r.pos == len(r.in) && !r.more() {
			r.short()
			return
		}
		n := copy(r.win[r.write:limit], r.in[r.pos:min(len(r.in), r.pos+r.stored)])
		r.pos += n
		r.write += n
		r.stored -= n
	}
	if r.stored == 0 {
		r.endBlock()
	}
}

// fixed builds the tables of the code that the format defines.
func (r *Reader) fixed() {
	lens := r.lens[:288]
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	build(r.lit[:], litBits, lens, litSymbols[:])
	pair(&r.lit)
	var five [32]uint8
	for i := range five {
		five[i] = 5
	}
	build(r.dist[:], distBits, five[:], distSymbols[:])
}

// The order in which the lengths of the code for lengths are written.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads a block's own code.
func (r *Reader) dynamic() {
	lits, dists, codes := int(r.take(5))+257, int(r.take(5))+1, int(r.take(4))+4
	if lits > maxLit || dists > maxDist {
		r.fail(ErrCorrupt)
		return
	}
	var codeLens [19]uint8
	for _, i := range codeOrder[:codes] {
		codeLens[i] = uint8(r.take(3))
	}
	var table [1 << 7]uint64
	if r.err == nil && !build(table[:], 7, codeLens[:], codeSymbols[:]) {
		r.fail(ErrCorrupt)
	}
	lens := r.lens[:lits+dists]
	for i := 0; i < len(lens) && r.err == nil; {
		r.refill()
		e := table[r.bits&(1<<7-1)]
		if e&special != 0 {
			r.fail(ErrCorrupt)
			return
		}
		r.take(uint(e & entryBits))
		symbol := uint8(e >> codeShift)
		if symbol < 16 {
			lens[i] = symbol
			i++
			continue
		}
		var value uint8
		var n int
		switch symbol {
		case 16:
			if i == 0 {
				r.fail(ErrCorrupt)
				return
			}
			value, n = lens[i-1], int(r.take(2))+3
		case 17:
			n = int(r.take(3)) + 3
		case 18:
			n = int(r.take(7)) + 11
		}
		if n > len(lens)-i {
			r.fail(ErrCorrupt)
			return
		}
		for ; n > 0; n-- {
			lens[i] = value
			i++
		}
	}
	if r.err != nil {
		return
	}
	if !build(r.lit[:], litBits, lens[:lits], litSymbols[:]) || !build(r.dist[:], distBits, lens[lits:], distSymbols[:]) {
		r.fail(ErrCorrupt)
		return
	}
	pair(&r.lit)
}

// huffman decodes a compressed block up to the window's limit or the block's end.
func (r *Reader) huffman(limit int) {
	for r.err == nil && r.state == inHuffman && r.write < limit {
		if len(r.in)-r.pos >= 2*8 {
			r.fast(limit)
		} else {
			r.slow()
		}
	}
}

// fast decodes while 16 bytes of input are at hand. In a turn the bit buffer is filled to 56 bits, which is enough for
// one look-up of literals and a length and for its distance: 15 + 5 + 15 + 13 bits.
func (r *Reader) fast(limit int) {
	in, pos, bits, n := r.in, r.pos, r.bits, r.n
	win, at := r.win, r.write
	lit, dist := &r.lit, &r.dist
	for pos+16 <= len(in) && at < limit {
		bits |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
		pos += int(63-n) >> 3
		n |= 56
		e := lit[bits&(1<<litBits-1)]
		if e&special != 0 {
			if e&second != 0 {
				e = lit[e>>secondIndex+bits>>litBits&(1<<(e>>secondBits&15)-1)]
			}
			if e&special != 0 {
				if e&endOfBlock == 0 {
					r.fail(ErrCorrupt)
					break
				}
				bits >>= e & entryBits
				n -= uint(e & entryBits)
				r.endBlock()
				break
			}
		}
		binary.LittleEndian.PutUint32(win[at:], uint32(e>>byteShift))
		at += int(e >> countShift & countMask)
		seen := bits
		bits >>= e & entryBits
		n -= uint(e & entryBits)
		if e&match == 0 {
			continue
		}
		length := int(e>>lengthShift&lengthMask + seen>>(e>>extraShift&entryBits)&(e>>extraMask&entryBits))

		d := dist[bits&(1<<distBits-1)]
		if d&special != 0 {
			if d&second != 0 {
				d = dist[d>>secondIndex+bits>>distBits&(1<<(d>>secondBits&15)-1)]
			}
			if d&special != 0 {
				r.fail(ErrCorrupt)
				break
			}
		}
		distance := int(d>>distShift + bits>>(d>>extraShift&entryBits)&(d>>extraMask&0xffff))
		bits >>= d & entryBits
		n -= uint(d & entryBits)

		from := at - distance
		if from < r.first {
			r.fail(ErrCorrupt)
			break
		}
		if distance >= 16 {
			// Most matches have at most 48 bytes: these are copied whatever the length, which costs less than
			// guessing how often a loop turns.
			dst, src := (*[48]byte)(win[at:]), (*[48]byte)(win[from:])
			*(*[16]byte)(dst[:16]) = *(*[16]byte)(src[:16])
			*(*[16]byte)(dst[16:32]) = *(*[16]byte)(src[16:32])
			*(*[16]byte)(dst[32:]) = *(*[16]byte)(src[32:])
			for i := 48; i < length; i += 16 {
				*(*[16]byte)(win[at+i:]) = *(*[16]byte)(win[from+i:])
			}
			at += length
			continue
		}
		for end := at + length; at < end; at++ {
			win[at] = win[from]
			from++
		}
	}
	r.pos, r.n, r.write = pos, n, at
	r.bits = bits & (1<<n - 1)
}

// slow decodes one look-up near the end of the input at hand.
func (r *Reader) slow() {
	r.refill()
	e := r.lit[r.bits&(1<<litBits-1)]
	if e&(special|second) == special|second {
		e = r.lit[e>>secondIndex+r.bits>>litBits&(1<<(e>>secondBits&15)-1)]
	}
	if e>>countShift&countMask != 0 { // the first of them alone: the bits for more may be missing
		literal := byte(e >> byteShift)
		if r.take(uint(r.lens[literal])); r.err == nil {
			r.win[r.write] = literal
			r.write++
		}
		return
	}
	if e&special != 0 {
		if r.take(uint(e & entryBits)); r.err != nil {
			return
		}
		if e&endOfBlock == 0 {
			r.fail(ErrCorrupt)
		} else {
			r.endBlock()
		}
		return
	}
	length := int(e>>lengthShift&lengthMask) + r.extra(e)
	r.refill()
	d := r.dist[r.bits&(1<<distBits-1)]
	if d&(special|second) == special|second {
		d = r.dist[d>>secondIndex+r.bits>>distBits&(1<<(d>>secondBits&15)-1)]
	}
	if d&special != 0 {
		r.take(uint(d & entryBits))
		r.fail(ErrCorrupt)
		return
	}
	distance := int(d>>distShift) + r.extra(d)
	from := r.write - distance
	if r.err == nil && from < r.first {
		r.fail(ErrCorrupt)
	}
	if r.err != nil {
		return
	}
	for range length {
		r.win[r.write] = r.win[from]
		r.write++
		from++
	}
}

// extra takes the bits of an entry and gives the value of the extra ones.
func (r *Reader) extra(e uint64) int {
	return int(r.take(uint(e&entryBits)) >> (e >> extraShift & entryBits))
}
