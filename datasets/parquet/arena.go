package parquet

import "sync"

// arenaBlock is the size of an arena's blocks.
const arenaBlock = 512 << 10

// blocks lends blocks to the arenas of all writers.
var blocks = sync.Pool{New: func() any { return new([arenaBlock]byte) }}

// arena holds the pages of a row group until they are written. They come one by one and go all at
// once, so nothing grows and nothing is copied twice.
type arena struct {
	full []*[arenaBlock]byte // the last of them has room
	room []byte
}

// keep copies b to where it stays until reset.
func (a *arena) keep(b []byte) []byte {
	if len(b) > arenaBlock/2 {
		return append([]byte(nil), b...)
	}
	if len(b) > len(a.room) {
		block := blocks.Get().(*[arenaBlock]byte)
		a.full = append(a.full, block)
		a.room = block[:]
	}
	n := copy(a.room, b)
	kept := a.room[:n:n]
	a.room = a.room[n:]
	return kept
}

// reset gives the blocks back.
func (a *arena) reset() {
	for i, block := range a.full {
		blocks.Put(block)
		a.full[i] = nil
	}
	a.full, a.room = a.full[:0], nil
}
