package parquet

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go/format"
)

const (
	windowBytes    = 128 << 10 // read ahead in a column chunk
	maxHeaderBytes = 1 << 20   // a page header may hold the smallest and the largest text of its page
	keptPage       = 1 << 20   // larger pages than those of our own files take their memory along
)

// pageHeader is what the reader needs of a page's header.
type pageHeader struct {
	kind         format.PageType
	uncompressed int64
	compressed   int64
	crc          uint32
	hasCRC       bool

	values     int64 // nulls included
	encoding   format.Encoding
	levels     format.Encoding // of definition levels, version 1
	levelBytes int64           // of definition levels, version 2
	repBytes   int64           // of repetition levels, version 2
	stored     bool            // version 2: the values are not compressed
	detail     bool            // the part that belongs to kind was there
}

func (r *thriftReader) pageHeader() (h pageHeader) {
	r.fields(func(id int16) bool {
		switch {
		case id == 1:
			h.kind = format.PageType(r.int())
		case id == 2:
			h.uncompressed = r.int()
		case id == 3:
			h.compressed = r.int()
		case id == 4:
			h.crc, h.hasCRC = uint32(r.int()), true
		case id == 5 && h.kind == format.DataPage, id == 7 && h.kind == format.DictionaryPage:
			h.detail = true
			r.structure(func(id int16) bool {
				switch {
				case id == 1:
					h.values = r.int()
				case id == 2:
					h.encoding = format.Encoding(r.int())
				case id == 3 && h.kind == format.DataPage:
					h.levels = format.Encoding(r.int())
				default:
					return false
				}
				return true
			}, 1, 2)
		case id == 8 && h.kind == format.DataPageV2:
			h.detail = true
			r.structure(func(id int16) bool {
				switch id {
				case 1:
					h.values = r.int()
				case 4:
					h.encoding = format.Encoding(r.int())
				case 5:
					h.levelBytes = r.int()
				case 6:
					h.repBytes = r.int()
				case 7:
					h.stored = !r.bool()
				default:
					return false
				}
				return true
			}, 1, 4, 5, 6)
		default:
			return false
		}
		return true
	}, 1, 2, 3)
	return h
}

func (h *pageHeader) validate(left int64) error {
	data := h.kind == format.DataPage || h.kind == format.DataPageV2
	switch {
	case h.compressed < 0 || h.compressed > left:
		return fmt.Errorf("a page of %d bytes where %d are left", h.compressed, left)
	case h.uncompressed < 0 || h.uncompressed > maxPageBytes:
		return fmt.Errorf("a page of %d bytes, at most %d are read", h.uncompressed, maxPageBytes)
	case (data || h.kind == format.DictionaryPage) && !h.detail:
		return errors.New("a page header without its details")
	case h.values < 0 || h.values > maxPageRows:
		return fmt.Errorf("a page of %d values, at most %d are read", h.values, maxPageRows)
	case h.levelBytes < 0 || h.repBytes != 0 || h.levelBytes > min(h.compressed, h.uncompressed):
		return fmt.Errorf("a page with %d and %d bytes of levels", h.levelBytes, h.repBytes)
	}
	return nil
}

// page is a page's content; its slices are valid until the next page of the column is read.
type page struct {
	pageHeader
	levelData []byte // definition levels, version 2
	data      []byte // the rest, decompressed
}

// pages reads the pages of one column chunk after another.
type pages struct {
	r     io.ReaderAt
	pos   int64 // of window's first byte
	end   int64 // of the chunk
	codec format.CompressionCodec
	heads uint32 // CRC-32 of the page headers so far
	ahead int64  // bytes to read ahead; 0: windowBytes

	unchecked bool // leave checksums alone

	window []byte // bytes read and not yet used
	pageMemory
	decompressor
}

// pageMemory is what pages need to read in.
type pageMemory struct {
	buf   []byte // memory of window
	plain []byte // memory of decompressed pages
}

// pageMemories lends it to the columns of all files.
var pageMemories = sync.Pool{New: func() any { return new(pageMemory) }}

// borrow takes memory that another column has left, if there is any; free gives it back.
func (p *pages) borrow() { p.pageMemory = *pageMemories.Get().(*pageMemory) }

func (p *pages) free() {
	m := p.pageMemory
	p.window, p.pageMemory = nil, pageMemory{}
	if cap(m.buf) <= keptPage && cap(m.plain) <= keptPage {
		pageMemories.Put(&m)
	}
}

func (p *pages) reset(c *chunk) {
	p.pos, p.end, p.codec, p.heads, p.window = c.start, c.end, c.codec, 0, nil
}

// finish checks what only shows at the end of a chunk whose footer is sealed: that all its bytes
// were pages, with the headers that were written.
func (p *pages) finish(c *chunk) error {
	switch {
	case !c.sealed || p.unchecked:
		return nil
	case p.pos != p.end:
		return fmt.Errorf("%d bytes after its last page", p.end-p.pos)
	case p.heads != c.heads:
		return errors.New("the checksum of its page headers differs")
	}
	return nil
}

// fill makes window hold n bytes, or fewer where the chunk ends, by reading at least ahead bytes.
func (p *pages) fill(n, ahead int64) error {
	n = min(n, p.end-p.pos)
	have := int64(len(p.window))
	if have >= n {
		return nil
	}
	if p.ahead > 0 {
		ahead = p.ahead
	}
	want := min(max(n, ahead), p.end-p.pos)
	if int64(cap(p.buf)) < want {
		p.buf = append(make([]byte, 0, want), p.window...)[:want]
	} else {
		p.buf = p.buf[:want]
		copy(p.buf, p.window)
	}
	if _, err := p.r.ReadAt(p.buf[have:], p.pos+have); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	p.window = p.buf
	return nil
}

func (p *pages) skip(n int64) {
	p.window = p.window[n:]
	p.pos += n
}

func (p *pages) header() (h pageHeader, err error) {
	for n := int64(256); ; n *= 4 {
		if err := p.fill(n, windowBytes); err != nil {
			return h, err
		}
		r := thriftReader{b: p.window}
		h = r.pageHeader()
		if r.err == nil {
			n := len(p.window) - len(r.b)
			p.heads = crc32.Update(p.heads, crc32.IEEETable, p.window[:n])
			p.skip(int64(n))
			return h, h.validate(p.end - p.pos)
		}
		if r.err != io.ErrUnexpectedEOF || int64(len(p.window)) == p.end-p.pos || n >= maxHeaderBytes {
			return h, fmt.Errorf("page header: %w", r.err)
		}
	}
}

// raw gives the next page that holds values or a dictionary, with its body as it is in the file,
// which is valid until the next call. After the last one it gives io.EOF.
func (p *pages) raw() (h pageHeader, body []byte, err error) {
	for p.pos < p.end {
		if h, err = p.header(); err != nil {
			return h, nil, err
		}
		if err := p.fill(h.compressed, windowBytes); err != nil {
			return h, nil, err
		}
		body = p.window[:h.compressed]
		p.skip(h.compressed)
		if h.kind != format.DataPage && h.kind != format.DataPageV2 && h.kind != format.DictionaryPage {
			continue
		}
		if h.hasCRC && !p.unchecked && crc32.ChecksumIEEE(body) != h.crc {
			return h, nil, errors.New("page checksum differs")
		}
		return h, body, nil
	}
	return h, nil, io.EOF
}

// next is raw with the body decompressed.
func (p *pages) next() (page, error) {
	h, body, err := p.raw()
	if err != nil {
		return page{}, err
	}
	return p.unpack(h, body)
}

func (p *pages) unpack(h pageHeader, body []byte) (_ page, err error) {
	pg := page{pageHeader: h, levelData: body[:h.levelBytes], data: body[h.levelBytes:]}
	n := int(h.uncompressed - h.levelBytes)
	if p.codec == format.Uncompressed || h.stored {
		if len(pg.data) != n {
			return page{}, errSize
		}
		return pg, nil
	}
	if n == 0 && len(pg.data) == 0 { // version 2, all null
		return pg, nil
	}
	p.plain, err = p.decompress(p.plain, pg.data, n, p.codec)
	pg.data = p.plain
	return pg, err
}

// grow gives b n elements whose content is not defined.
func grow[T any](b []T, n int) []T { return slices.Grow(b[:0], n)[:n] }
