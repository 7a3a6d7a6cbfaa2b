package tardis

import (
	"encoding/binary"
	"math/bits"
)

// step is one piece of a row for fastRow: a text that has to be there, else a cell.
type step struct {
	text string
	cell *column
}

// fastRow reads the row at b[i:] as row n and gives the index behind its line feed, or -1 where
// anything in it is not of the usual spelling: then slowRow has to decide. b goes on for at least
// slack bytes behind the line feed.
func fastRow(steps []step, b []byte, i, n int) int {
	for k := range steps {
		c := steps[k].cell
		if c == nil {
			j := i + len(steps[k].text)
			if j > len(b) || string(b[i:j]) != steps[k].text {
				return -1
			}
			i = j
			continue
		}
		switch c.kind {
		case numberCell:
			f, j := fastNumber(b, i)
			if j < 0 || b[j] != c.delim {
				break
			}
			c.floats[n] = f
			i = j + 1
			continue
		case timeCell:
			head, tail := load(b, i), load(b, i+8)
			if others(head)|others(tail) != 0 || b[i+16] != c.delim {
				break
			}
			if head != c.head {
				c.head, c.since = head, int64(value(head, 64))*1e8
			}
			us := c.since + int64(value(tail, 64))
			if uint64(us-c.from) > c.span {
				return -1
			}
			c.ints[n] = us
			i += 17
			continue
		case enumCell:
			code, size := c.words.find(b, i)
			if code < 0 {
				break
			}
			c.enums[n] = code
			i += size
			continue
		case boolCell:
			code, size := c.words.find(b, i)
			if code < 0 {
				break
			}
			c.flags[n/8] |= byte(code) << (n % 8)
			i += size
			continue
		case textCell:
			j, at := i, int(c.index[n])
			for at+8 <= len(c.data) {
				w := binary.LittleEndian.Uint64(b[j : j+8])
				binary.LittleEndian.PutUint64(c.data[at:at+8], w)
				if m := notPlain(w); m != 0 {
					m := bits.TrailingZeros64(m) / 8
					j += m
					at += m
					break
				}
				j += 8
				at += 8
			}
			if b[j] != c.delim || j == i {
				break
			}
			c.index[n+1] = int32(at)
			i = j + 1
			continue
		case symbolCell:
			j := i
			for {
				m := bits.TrailingZeros64(notPlain(binary.LittleEndian.Uint64(b[j:j+8]))) / 8
				if j += m; m < 8 {
					break
				}
			}
			code, known := c.codes[string(b[i:j])]
			if b[j] != c.delim || !known {
				return -1
			}
			c.index[n] = code
			i = j + 1
			continue
		}
		if b[i] != c.delim || !c.nullable {
			return -1
		}
		c.null(n)
		i++
	}
	return i
}

// notPlain marks the bytes of a word that need a closer look in text: anything below '-' (the comma,
// the quote, control characters, some punctuation), DEL or beyond ASCII. Behind the first one there may
// be marks without a reason.
func notPlain(w uint64) uint64 {
	return (^(w + 0x5353535353535353) | w | (w + 0x0101010101010101)) & 0x8080808080808080
}
