package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// encoder turns the values of a column, nulls left out, into the bodies of pages.
type encoder interface {
	// append takes the values of rows from to to-1 that are not null.
	append(a arrow.Array, from, to int)
	// page appends the encoded values since the last page to dst.
	page(dst []byte) ([]byte, format.Encoding)
	// dictionary appends the row group's dictionary, if a page refers to it, and begins a new one.
	dictionary(dst []byte) (_ []byte, n int)
	// bounds gives the smallest and the largest value of the last page, if they are recorded.
	bounds() (lo, hi int64, ok bool)
}

// columnWriter collects the pages of one column's chunk.
type columnWriter struct {
	name     string
	physical format.Type
	isTime   bool
	optional bool
	codec    Codec // as asked for
	dense    bool  // see WriterOptions
	encoder  encoder

	valid []byte // bits of the page's rows, of an optional column
	rows  int    // in the page
	nulls int    // in the page

	// Of the row group's chunk so far:
	headers  []format.PageHeader // of its data pages
	packed   [][]byte            // their compressed bodies, in the arena
	chosen   Codec
	layouts  map[format.Encoding]layout // of the file's pages so far
	allNulls int64
	heads    uint32 // CRC-32 of the page headers of the last chunk
	min, max int64
	bounded  bool

	*scratch
}

// scratch is what the columns of a file use one after another: hundreds of them need it once.
type scratch struct {
	body  []byte // a page before compression
	trial []byte
	wide  []byte // the page in another form
	head  []byte // of a page
	arena arena
}

func newColumnWriter(f arrow.Field, o Column, dense bool, s *scratch) (*columnWriter, error) {
	c := &columnWriter{name: f.Name, optional: f.Nullable, codec: o.Codec, dense: dense, scratch: s}
	if o.Codec > Zstd {
		return nil, fmt.Errorf("codec %d is not one", o.Codec)
	}
	bad := fmt.Errorf("encoding %d is not for %v", o.Encoding, f.Type)
	switch t := f.Type.(type) {
	case *arrow.TimestampType:
		if t.Unit != arrow.Microsecond || t.TimeZone != "UTC" {
			return nil, fmt.Errorf("type %v is not supported: want timestamp[us, UTC]", t)
		}
		c.isTime = true
		c.physical = format.Int64
	case *arrow.Int64Type:
		c.physical = format.Int64
	case *arrow.Float64Type:
		c.physical = format.Double
		if o.Encoding > Dictionary {
			return nil, bad
		}
		c.encoder = &floatEncoder{plain: o.Encoding == Plain}
	case *arrow.StringType:
		c.physical = format.ByteArray
		c.encoder = newTextEncoder(o.Encoding)
	case *arrow.DictionaryType:
		if t.IndexType.ID() != arrow.INT8 || t.ValueType.ID() != arrow.STRING {
			return nil, fmt.Errorf("type %v is not supported: want dictionary<int8, utf8>", t)
		}
		c.physical = format.ByteArray
		if o.Encoding != Default && o.Encoding != Dictionary {
			return nil, bad
		}
		c.encoder = &enumEncoder{}
	case *arrow.BooleanType:
		c.physical = format.Boolean
		if o.Encoding != Default && o.Encoding != Plain {
			return nil, bad
		}
		c.encoder = &boolEncoder{}
	default:
		return nil, fmt.Errorf("type %v is not supported", f.Type)
	}
	if c.physical == format.Int64 {
		if o.Encoding != Default && o.Encoding != Plain && o.Encoding != Delta {
			return nil, bad
		}
		c.encoder = &intEncoder{plain: o.Encoding == Plain}
	}
	if o.Encoding > DeltaLength {
		return nil, bad
	}
	return c, nil
}

// reset drops what is not yet written.
func (c *columnWriter) reset() {
	if c.rows > 0 {
		c.encoder.page(c.body[:0])
	}
	c.encoder.dictionary(c.body[:0])
	if f, ok := c.encoder.(*floatEncoder); ok {
		f.wide = false
	}
	c.valid, c.rows, c.nulls = c.valid[:0], 0, 0
	c.headers, c.packed, c.chosen, c.allNulls, c.bounded = c.headers[:0], c.packed[:0], 0, 0, false
	clear(c.layouts)
}

func (c *columnWriter) append(a arrow.Array, from, to int) error {
	n := to - from
	if c.optional {
		bytes := (c.rows + n + 7) / 8
		for len(c.valid) < bytes {
			c.valid = append(c.valid, 0)
		}
	}
	if a.NullN() == 0 {
		if c.optional {
			bitutil.SetBitsTo(c.valid, int64(c.rows), int64(n), true)
		}
	} else {
		if !c.optional {
			for i := from; i < to; i++ {
				if a.IsNull(i) {
					return fmt.Errorf("null in row %d of the batch, in a column without nulls", i)
				}
			}
		} else {
			for i := from; i < to; i++ {
				bitutil.SetBitTo(c.valid, c.rows+i-from, a.IsValid(i))
			}
			c.nulls += n - bitutil.CountSetBits(c.valid, c.rows, n)
		}
	}
	c.rows += n
	c.encoder.append(a, from, to)
	return nil
}

// flushPage encodes the values of the rows since the last page.
func (c *columnWriter) flushPage(rows int) {
	c.body = c.levels(c.body[:0], rows)
	var e format.Encoding
	c.body, e = c.encoder.page(c.body)
	h := format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues:               int32(rows),
			Encoding:                e,
			DefinitionLevelEncoding: format.RLE,
			RepetitionLevelEncoding: format.RLE,
			Statistics:              format.Statistics{NullCount: int64(c.nulls)},
		}),
	}
	if lo, hi, ok := c.encoder.bounds(); ok {
		h.DataPageHeader.V.Statistics.MinValue = plainInt(lo)
		h.DataPageHeader.V.Statistics.MaxValue = plainInt(hi)
		if !c.bounded {
			c.min, c.max, c.bounded = lo, hi, true
		}
		c.min, c.max = min(c.min, lo), max(c.max, hi)
	}
	if n := len(c.headers); n == 0 || c.headers[n-1].DataPageHeader.V.Encoding != e {
		c.choose(e)
	}
	c.packed = append(c.packed, c.arena.keep(c.compress(c.body, &h)))
	c.headers = append(c.headers, h)
	c.allNulls += int64(c.nulls)
	c.rows, c.nulls, c.valid = 0, 0, c.valid[:0]
}

func plainInt(v int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }

// levels appends the definition levels of the page: one run if nothing is null, else the bits.
func (c *columnWriter) levels(dst []byte, rows int) []byte {
	if !c.optional {
		return dst
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if c.nulls == 0 {
		dst = append(binary.AppendUvarint(dst, uint64(rows)<<1), 1)
	} else {
		dst = append(binary.AppendUvarint(dst, uint64(len(c.valid))<<1|1), c.valid...)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// compress gives a page's body, compressed, until it is called again, and completes its header.
func (c *columnWriter) compress(body []byte, h *format.PageHeader) []byte {
	if c.chosen != Uncompressed {
		c.trial = compress(c.trial[:0], body, c.chosen)
	}
	out := c.trial
	if c.chosen == Uncompressed {
		out = body
	}
	h.UncompressedPageSize, h.CompressedPageSize = int32(len(body)), int32(len(out))
	h.CRC = int32(crc32.ChecksumIEEE(out))
	return out
}

const (
	// sample is how much of a page a codec is tried on.
	sample = 16 << 10
	// fewBytes is the size of a page below which only Snappy is tried.
	fewBytes = 4 << 10
)

// layout is what the pages of one encoding are like.
type layout struct {
	codec Codec
	wide  bool // a dictionary's numbers take whole bytes
}

// choose settles what a chunk's pages from the one in body on are like. It is called again when the encoding
// changes; pages that there are already are then compressed anew, since a chunk has one codec. What the first row
// group has come to holds for the others: the days of a feed are alike from end to end, and trying costs time.
func (c *columnWriter) choose(e format.Encoding) {
	l, known := c.layouts[e]
	if !known {
		l = c.settle(e)
		if c.layouts == nil {
			c.layouts = map[format.Encoding]layout{}
		}
		c.layouts[e] = l
	}
	if l.codec != c.chosen && len(c.headers) > 0 {
		c.recompress(l.codec)
	}
	c.chosen = l.codec
}

// settle tries what suits the page in body, if no codec was asked for, and lays it so.
func (c *columnWriter) settle(e format.Encoding) layout {
	if c.codec != DefaultCodec {
		return layout{codec: c.codec}
	}
	codec, size := c.try(c.body, 9)
	f, ok := c.encoder.(*floatEncoder)
	if !ok || e != format.RLEDictionary || len(c.body) < fewBytes {
		return layout{codec: codec}
	}
	c.wide = f.widePage(c.levels(c.wide[:0], c.rows))
	// A dense file takes whole bytes even where they are a little longer now: at a file's start the
	// numbers are few, and their bits become more. Another one wants something for the time to read.
	near, most := 10, size-size/4
	if c.dense {
		near, most = 0, size+size/12
	}
	better, wide := c.try(c.wide, near)
	if wide > most || better == Uncompressed {
		if c.dense && codec == Uncompressed { // the numbers stay as they are, the dictionary's page does not
			codec = Zstd
		}
		return layout{codec: codec}
	}
	f.wide = true
	c.body, c.wide = c.wide, c.body
	return layout{better, true}
}

// try picks a codec by the start of a page's body: none where neither saves a sixteenth, Snappy where
// it takes at most near eighths of what zstd takes, which takes more time. It estimates the whole body's
// size.
func (c *columnWriter) try(body []byte, near int) (Codec, int) {
	raw := body[:min(len(body), sample)]
	c.trial = compress(c.trial[:0], raw, Snappy)
	codec, size := Snappy, len(c.trial)
	if len(body) >= fewBytes {
		c.trial = compress(c.trial[:0], raw, Zstd)
		if zstd := len(c.trial); 8*size > near*zstd {
			codec, size = Zstd, zstd
		}
	}
	if 16*size > 15*len(raw) {
		codec, size = Uncompressed, len(raw)
	}
	return codec, scaled(size, body)
}

// scaled is what a body comes to whose sample came to size.
func scaled(size int, body []byte) int {
	return int(int64(size) * int64(len(body)) / int64(max(min(len(body), sample), 1)))
}

func (c *columnWriter) recompress(codec Codec) {
	was := c.chosen
	c.chosen = codec
	var d decompressor
	for i := range c.headers {
		h := &c.headers[i]
		body, err := d.decompress(nil, c.packed[i], int(h.UncompressedPageSize), was.format())
		if err != nil {
			panic("parquet: own page: " + err.Error())
		}
		c.packed[i] = c.arena.keep(c.compress(body, h))
	}
}

// appendHeader appends a page's header.
func (c *columnWriter) appendHeader(dst []byte, h *format.PageHeader) []byte {
	head, err := thrift.Marshal(new(thrift.CompactProtocol), h)
	if err != nil {
		panic("parquet: page header: " + err.Error())
	}
	c.heads = crc32.Update(c.heads, crc32.IEEETable, head)
	return append(dst, head...)
}

// flushChunk writes the chunk's pages by emit, at offset at of the file, and gives its metadata.
func (c *columnWriter) flushChunk(at int64, emit func([]byte) error) (format.ColumnMetaData, error) {
	m := format.ColumnMetaData{
		Type:           c.physical,
		PathInSchema:   []string{c.name},
		Codec:          c.chosen.format(),
		Statistics:     format.Statistics{NullCount: c.allNulls},
		DataPageOffset: at,
	}
	if c.bounded {
		m.Statistics.MinValue, m.Statistics.MaxValue = plainInt(c.min), plainInt(c.max)
	}
	c.heads = 0
	page := func(h *format.PageHeader, body []byte, e format.Encoding) error {
		c.head = c.appendHeader(c.head[:0], h)
		m.TotalCompressedSize += int64(len(c.head) + len(body))
		m.TotalUncompressedSize += int64(len(c.head)) + int64(h.UncompressedPageSize)
		addStats(&m, h.Type, e)
		return errors.Join(emit(c.head), emit(body))
	}
	var n int
	if c.body, n = c.encoder.dictionary(c.body[:0]); n > 0 {
		h := format.PageHeader{
			Type:                 format.DictionaryPage,
			DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain}),
		}
		if err := page(&h, c.compress(c.body, &h), format.Plain); err != nil {
			return m, err
		}
		m.DictionaryPageOffset = at
		m.DataPageOffset = at + m.TotalCompressedSize
	}
	for i := range c.headers {
		h := &c.headers[i]
		if err := page(h, c.packed[i], h.DataPageHeader.V.Encoding); err != nil {
			return m, err
		}
	}
	if c.optional && !slices.Contains(m.Encoding, format.RLE) {
		m.Encoding = append(m.Encoding, format.RLE)
	}
	c.headers, c.packed, c.allNulls, c.bounded = c.headers[:0], c.packed[:0], 0, false
	return m, nil
}

// addStats counts a page.
func addStats(m *format.ColumnMetaData, t format.PageType, e format.Encoding) {
	if !slices.Contains(m.Encoding, e) {
		m.Encoding = append(m.Encoding, e)
	}
	for i := range m.EncodingStats {
		if s := &m.EncodingStats[i]; s.PageType == t && s.Encoding == e {
			s.Count++
			return
		}
	}
	m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: t, Encoding: e, Count: 1})
}
