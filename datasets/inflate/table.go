package inflate

import "math/bits"

const (
	maxLit  = 286 // literal and length symbols
	maxDist = 30
	maxCode = 15 // bits

	litBits  = 11 // of the first look-up
	distBits = 9
	// A prefix that leads to a second table has two symbols at least.
	litEntries  = 1<<litBits + 288/2<<(maxCode-litBits)
	distEntries = 1<<distBits + 32/2<<(maxCode-distBits)
)

// An entry of a table has the bits to consume in its low five bits, the extra bits of a length or distance among
// them, and from bit 8 on how many of them stand before the extra ones: what is at hand is shifted by these, and the
// mask of the extra bits applied. Then
//
//	literals  count 1 to 3 at bit 30, the bytes from bit 32 on
//	length    flag at bit 5, mask of extra bits at bit 16, smallest length at bit 21; literals may stand before it
//	distance  mask of extra bits at bit 16, smallest distance at bit 32
//	special   bit 6, with one of: the end of the block; a second table, of the number of bits at
//	          bit 16, at the index at bit 32; or neither: no code
//	code      a length of a code word, or how to repeat one, at bit 32
const (
	entryBits   = 31
	match       = 1 << 5
	special     = 1 << 6
	endOfBlock  = 1 << 13
	second      = 1 << 14
	extraShift  = 8
	extraMask   = 16
	lengthShift = 21
	lengthMask  = 1<<9 - 1
	countShift  = 30
	countMask   = 3
	byteShift   = 32
	distShift   = 32
	secondBits  = 16
	secondIndex = 32
	codeShift   = 32
)

// litSymbols, distSymbols and codeSymbols are the entries of the symbols, without their codes' lengths.
var (
	litSymbols  = makeLitSymbols()
	distSymbols = makeDistSymbols()
	codeSymbols = makeCodeSymbols()
)

func makeLitSymbols() (s [288]uint64) {
	for i := range 256 {
		s[i] = 1<<countShift | uint64(i)<<byteShift
	}
	s[256] = special | endOfBlock
	length := uint64(3)
	for i := 257; i < 285; i++ {
		extra := max(0, (i-261)/4)
		s[i] = withExtra(extra) | match | length<<lengthShift
		length += 1 << extra
	}
	s[285] = match | 258<<lengthShift
	s[286], s[287] = special, special
	return s
}

func makeDistSymbols() (s [32]uint64) {
	dist := uint64(1)
	for i := range maxDist {
		extra := max(0, (i-2)/2)
		s[i] = withExtra(extra) | dist<<distShift
		dist += 1 << extra
	}
	s[30], s[31] = special, special
	return s
}

// withExtra is what so many extra bits add to an entry.
func withExtra(n int) uint64 { return uint64(n) | (1<<n-1)<<extraMask }

// makeCodeSymbols gives the symbols of the code that code lengths are written in.
func makeCodeSymbols() (s [19]uint64) {
	for i := range s {
		s[i] = uint64(i) << codeShift
	}
	return s
}

// build fills a table, with a first look-up of first bits, for the canonical Huffman code of the
// lengths, and reports whether they make one: a complete code, one symbol of one bit, or none at all.
func build(table []uint64, first uint, lens []uint8, symbols []uint64) bool {
	var count [maxCode + 1]int
	for _, n := range lens {
		count[n]++
	}
	count[0] = 0
	var next [maxCode + 1]uint32
	code, longest := uint32(0), uint(0)
	for n := 1; n <= maxCode; n++ {
		code = (code + uint32(count[n-1])) << 1
		next[n] = code
		if count[n] > 0 {
			longest = uint(n)
		}
		if code+uint32(count[n]) > 1<<n {
			return false
		}
	}
	if full := next[maxCode] + uint32(count[maxCode]); full != 1<<maxCode {
		if longest > 1 { // one symbol of one bit, or none
			return false
		}
		for i := range table[:1<<first] {
			table[i] = special
		}
	}
	free := 1 << first // the index of the next second table
	deep := max(longest, first) - first
	if deep > 0 {
		clear(table[:1<<first])
	}
	for symbol, length := range lens {
		n := uint(length)
		if n == 0 {
			continue
		}
		reversed := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		entry := symbols[symbol] + uint64(n) | uint64(n)<<extraShift
		if n <= first {
			for i := reversed; i < 1<<first; i += 1 << n {
				table[i] = entry
			}
			continue
		}
		prefix := reversed & (1<<first - 1)
		if table[prefix] == 0 {
			table[prefix] = special | second | uint64(deep)<<secondBits | uint64(free)<<secondIndex
			free += 1 << deep
		}
		sub := table[table[prefix]>>secondIndex:][:1<<deep]
		for i := reversed >> first; i < 1<<deep; i += 1 << (n - first) {
			sub[i] = entry
		}
	}
	return true
}

// pair joins literals whose codes lie together within the first look-up's bits, up to three, and a length behind them.
func pair(table *[litEntries]uint64) {
	// From the top down: an entry looks at those below it, which must still be single.
	for i := 1<<litBits - 1; i >= 0; i-- {
		e := table[i]
		if e>>countShift&countMask != 1 {
			continue
		}
		used := e & entryBits
		for count := uint64(1); ; count++ {
			next := table[i>>used]
			code := next >> extraShift & entryBits
			if next&special != 0 || used+code > litBits {
				break
			}
			if next&match != 0 {
				e = e&^(entryBits|entryBits<<extraShift) | next&(lengthMask<<lengthShift|entryBits<<extraMask) | match | used + next&entryBits | (used+code)<<extraShift
				break
			}
			if count == 3 {
				break
			}
			used += code
			e = e&^(countMask<<countShift|entryBits|entryBits<<extraShift) + (count+1)<<countShift + used | used<<extraShift | next>>byteShift&0xff<<(byteShift+8*count)
		}
		table[i] = e
	}
}
