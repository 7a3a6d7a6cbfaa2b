package tardis

import (
	"io"
	"sync"
)

const (
	blockBytes = 128 << 10 // of text in a block
	enough     = blockBytes / 2
	// lead is the room before a block's text for the part of a row that the block before ended with.
	lead = 4 << 10
)

// blockMemory is a block's memory: behind the text is room for one more byte and for slack.
type blockMemory [lead + blockBytes + 1 + slack]byte

// block is a stretch of text at buf[lead:have], and what ended the text after it.
type block struct {
	mem  *blockMemory // what buf is of; nil where it belongs to nobody else
	buf  []byte
	have int
	err  error
}

// blocks reads text block by block. It is not safe for concurrent use.
type blocks struct {
	src  io.Reader
	now  block      // the one handed out
	come chan block // from ahead, nil where nobody reads ahead
	stop chan struct{}
}

// spare lends the memory of blocks to all streams.
var spare = sync.Pool{New: func() any { return new(blockMemory) }}

// ahead reads on in src from a goroutine of its own, up to two blocks before what has been handed
// out, so that unpacking and parsing keep two processors busy. It ends with src or with close.
func ahead(src io.Reader) *blocks {
	b := &blocks{src: src, come: make(chan block, 1), stop: make(chan struct{})}
	go func() {
		defer close(b.come)
		for {
			next := readBlock(src)
			select {
			case b.come <- next:
			case <-b.stop:
				next.free()
				return
			}
			if next.err != nil {
				return
			}
		}
	}()
	return b
}

// readBlock reads a block, at least half full where src does not end in it.
func readBlock(src io.Reader) block {
	next := block{mem: spare.Get().(*blockMemory), have: lead}
	next.buf = next.mem[:]
	for empty := 0; next.err == nil && next.have < lead+enough; {
		var n int
		n, next.err = src.Read(next.buf[next.have : lead+blockBytes])
		if next.have += n; n > 0 {
			empty = 0
		} else if empty++; empty == 100 && next.err == nil {
			next.err = io.ErrNoProgress
		}
	}
	return next
}

func (b *block) free() {
	if b.mem != nil {
		spare.Put(b.mem)
	}
	b.mem, b.buf = nil, nil
}

// next hands out the next block, with rest, which may lie in the one before, in front of its text:
// buf[from:have] is text, and behind it is room for one more byte and slack. err came after the text.
func (b *blocks) next(rest []byte) (buf []byte, from, have int, err error) {
	if b.now.err != nil {
		return nil, 0, 0, b.now.err
	}
	last := b.now
	if b.come != nil {
		b.now = <-b.come
	} else {
		b.now = readBlock(b.src)
	}
	from = lead - len(rest)
	if from < 0 { // a long row
		text := b.now.buf[lead:b.now.have]
		long := make([]byte, len(rest)+len(text)+1+slack)
		copy(long[len(rest):], text)
		b.now.free()
		b.now.buf, b.now.have = long, len(rest)+len(text)
		from = 0
	}
	copy(b.now.buf[from:], rest)
	last.free()
	return b.now.buf, from, b.now.have, b.now.err
}

// drain reads to the end and gives what ended the text, nil at a proper end.
func (b *blocks) drain() error {
	for {
		if _, _, _, err := b.next(nil); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// close lets the block handed out go, and waits until nobody reads ahead any more. Whatever src reads
// from has to be closed before, or a reading of it may keep close waiting.
func (b *blocks) close() {
	if b.come != nil {
		close(b.stop)
		for next := range b.come {
			next.free()
		}
	}
	b.now.free()
	b.now.err = io.ErrClosedPipe
}
