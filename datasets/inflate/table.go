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

// A table's entry has the bits to consume in its low five bits. Then
//
//	literals  count 1 to 3 at bit 5, the bytes from bit 8 on
//	length    smallest length at bit 8, number of extra bits at bit 17
//	distance  number of extra bits at bit 8, smallest distance at bit 16
//	special   bit 7, with one of: the end of the block; a second table, of the number of bits at
//	          bit 10, at the index at bit 16; or neither: no code
const (
	entryBits   = 31
	countShift  = 5
	countMask   = 3
	byteShift   = 8
	lengthShift = 8
	lengthMask  = 1<<9 - 1
	lengthExtra = 17
	distExtra   = 8
	distShift   = 16
	special     = 1 << 7
	endOfBlock  = 1 << 8
	second      = 1 << 9
	secondBits  = 10
	secondIndex = 16
)

// litSymbols, distSymbols and codeSymbols are the entries of the symbols, without their codes' lengths.
var (
	litSymbols  = makeLitSymbols()
	distSymbols = makeDistSymbols()
	codeSymbols = makeCodeSymbols()
)

func makeLitSymbols() (s [288]uint32) {
	for i := range 256 {
		s[i] = 1<<countShift | uint32(i)<<byteShift
	}
	s[256] = special | endOfBlock
	length := uint32(3)
	for i := 257; i < 285; i++ {
		extra := uint32(max(0, (i-261)/4))
		s[i] = length<<lengthShift | extra<<lengthExtra
		length += 1 << extra
	}
	s[285] = 258 << lengthShift
	s[286], s[287] = special, special
	return s
}

func makeDistSymbols() (s [32]uint32) {
	dist := uint32(1)
	for i := range maxDist {
		extra := uint32(max(0, (i-2)/2))
		s[i] = dist<<distShift | extra<<distExtra
		dist += 1 << extra
	}
	s[30], s[31] = special, special
	return s
}

// makeCodeSymbols gives the symbols of the code that code lengths are written in, at bit 8.
func makeCodeSymbols() (s [19]uint32) {
	for i := range s {
		s[i] = uint32(i) << byteShift
	}
	return s
}

// build fills a table, with a first look-up of first bits, for the canonical Huffman code of the
// lengths, and reports whether they make one: a complete code, one symbol of one bit, or none at all.
func build(table []uint32, first uint, lens []uint8, symbols []uint32) bool {
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
		entry := symbols[symbol] | uint32(n)
		if n <= first {
			for i := reversed; i < 1<<first; i += 1 << n {
				table[i] = entry
			}
			continue
		}
		prefix := reversed & (1<<first - 1)
		if table[prefix] == 0 {
			table[prefix] = special | second | uint32(deep)<<secondBits | uint32(free)<<secondIndex
			free += 1 << deep
		}
		sub := table[table[prefix]>>secondIndex:][:1<<deep]
		for i := reversed >> first; i < 1<<deep; i += 1 << (n - first) {
			sub[i] = entry
		}
	}
	return true
}

// pair joins literals whose codes lie together within the first look-up's bits, up to three.
func pair(table *[litEntries]uint32) {
	// From the top down: an entry looks at those below it, which must still be single.
	for i := 1<<litBits - 1; i >= 0; i-- {
		e := table[i]
		if e>>countShift&countMask != 1 {
			continue
		}
		used := e & entryBits
		for count := uint32(1); count < 3; count++ {
			next := table[i>>used]
			n := next & entryBits
			if next>>countShift&countMask != 1 || used+n > litBits {
				break
			}
			used += n
			e = e&^(countMask<<countShift|entryBits) + (count+1)<<countShift + used + next>>byteShift&0xff<<(byteShift+8*count)
		}
		table[i] = e
	}
}
