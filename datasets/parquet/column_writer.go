package parquet

import (
	"encoding/binary"
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
	encoder  encoder

	valid []byte // bits of the page's rows, of an optional column
	rows  int    // in the page
	nulls int    // in the page

	// Of the row group's chunk so far:
	headers  []format.PageHeader // of its data pages
	packed   []byte              // their compressed bodies
	chosen   Codec
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
	out   []byte // the chunk
}

func newColumnWriter(f arrow.Field, o Column, s *scratch) (*columnWriter, error) {
	c := &columnWriter{name: f.Name, optional: f.Nullable, codec: o.Codec, scratch: s}
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
		c.choose()
	}
	c.packed = c.compress(c.packed, c.body, &h)
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

// compress appends a page's body, compressed, and completes its header.
func (c *columnWriter) compress(dst, body []byte, h *format.PageHeader) []byte {
	at := len(dst)
	dst = compress(dst, body, c.chosen)
	h.UncompressedPageSize, h.CompressedPageSize = int32(len(body)), int32(len(dst)-at)
	h.CRC = int32(crc32.ChecksumIEEE(dst[at:]))
	return dst
}

// sample is how much of a page a codec is tried on.
const sample = 16 << 10

// choose picks the chunk's codec, if none was asked for, by the start of body: none where neither
// saves a sixteenth, Snappy where it comes within an eighth of zstd, which takes twice the time.
// It is called again when the encoding changes; pages that there are already are then compressed
// anew, since a chunk has one codec.
func (c *columnWriter) choose() {
	codec := c.codec
	if codec == DefaultCodec {
		raw := c.body[:min(len(c.body), sample)]
		c.trial = compress(c.trial[:0], raw, Snappy)
		snappy := len(c.trial)
		c.trial = compress(c.trial[:0], raw, Zstd)
		zstd := len(c.trial)
		switch {
		case 16*min(snappy, zstd) > 15*len(raw):
			codec = Uncompressed
		case 8*snappy <= 9*zstd:
			codec = Snappy
		default:
			codec = Zstd
		}
	}
	if codec != c.chosen && len(c.headers) > 0 {
		c.recompress(codec)
	}
	c.chosen = codec
}

func (c *columnWriter) recompress(codec Codec) {
	old, was := c.packed, c.chosen
	c.packed, c.chosen = nil, codec
	var d decompressor
	for i := range c.headers {
		h := &c.headers[i]
		body, err := d.decompress(nil, old[:h.CompressedPageSize], int(h.UncompressedPageSize), was.format())
		if err != nil {
			panic("parquet: own page: " + err.Error())
		}
		old = old[h.CompressedPageSize:]
		c.packed = c.compress(c.packed, body, h)
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

// flushChunk gives the chunk's bytes, which go to offset at of the file, and its metadata. The bytes
// are valid until the next page or chunk of any column is flushed.
func (c *columnWriter) flushChunk(at int64) ([]byte, format.ColumnMetaData) {
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
	c.out, c.heads = c.out[:0], 0
	saved := 0 // by compression
	var n int
	if c.body, n = c.encoder.dictionary(c.body[:0]); n > 0 {
		h := format.PageHeader{
			Type:                 format.DictionaryPage,
			DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain}),
		}
		c.trial = c.compress(c.trial[:0], c.body, &h)
		c.out = append(c.appendHeader(c.out, &h), c.trial...)
		saved += len(c.body) - len(c.trial)
		m.DictionaryPageOffset = at
		m.DataPageOffset = at + int64(len(c.out))
		addStats(&m, format.DictionaryPage, format.Plain)
	}
	packed := c.packed
	for i := range c.headers {
		h := &c.headers[i]
		c.out = append(c.appendHeader(c.out, h), packed[:h.CompressedPageSize]...)
		packed = packed[h.CompressedPageSize:]
		saved += int(h.UncompressedPageSize - h.CompressedPageSize)
		addStats(&m, format.DataPage, h.DataPageHeader.V.Encoding)
	}
	if c.optional && !slices.Contains(m.Encoding, format.RLE) {
		m.Encoding = append(m.Encoding, format.RLE)
	}
	m.TotalCompressedSize = int64(len(c.out))
	m.TotalUncompressedSize = int64(len(c.out) + saved)
	c.headers, c.packed, c.allNulls, c.bounded = c.headers[:0], c.packed[:0], 0, false
	return c.out, m
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
