package bars

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/url"
	"path"
	"slices"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/qf-dev/qf/datasets"
)

// The bar cache holds the table of each day-file and definition at
//
//	bars/feed={fold}/def={hash}/exchange={E}/symbol={S}/date={D}/data.parquet
//
// below the lake's root. Its metadata names the definition, the cache's version and the digest of
// the day-file (and of the trades' that made the labels, where they did); a table of another one is
// not used and is replaced.
const cacheVersion = "1"

const (
	metaVersion    = "qf.bars.version"
	metaDefinition = "qf.bars.definition"
	metaSource     = "qf.bars.source"
	metaTailBuy    = "qf.bars.tail.buy"
	metaTailSell   = "qf.bars.tail.sell"
)

func (f *feedFold) cachePath(p datasets.Partition) string {
	sum := sha256.Sum256([]byte(f.definition))
	return path.Join("bars", "feed="+f.name, "def="+hex.EncodeToString(sum[:8]),
		"exchange="+url.PathEscape(p.Exchange), "symbol="+url.PathEscape(p.Symbol), "date="+p.Day.String(), "data.parquet")
}

// cached reads the table of a day-file, or nil where the cache has none that fits. A damaged one
// does not fit.
func (f *feedFold) cached(s Store, info datasets.Info, source string) *table {
	rec, meta, err := s.ReadTable(f.cachePath(info.Partition))
	if err != nil {
		return nil
	}
	defer rec.Release()
	if meta[metaVersion] != cacheVersion || meta[metaDefinition] != f.definition || meta[metaSource] != source {
		return nil
	}
	t := newTable(len(f.fields))
	if int(rec.NumCols()) != len(f.fields)+1 {
		return nil
	}
	ts, ok := rec.Column(0).(*array.Timestamp)
	if !ok {
		return nil
	}
	t.ts = make([]int64, ts.Len())
	for i, v := range ts.TimestampValues() {
		t.ts[i] = int64(v)
	}
	for c, name := range f.fields {
		col, ok := rec.Column(c + 1).(*array.Float64)
		if !ok || rec.ColumnName(c+1) != name || col.NullN() > 0 {
			return nil
		}
		t.cols[c] = slices.Clone(col.Float64Values())
	}
	var err1, err2 error
	t.tail[0], err1 = decodeFloats(meta[metaTailBuy])
	t.tail[1], err2 = decodeFloats(meta[metaTailSell])
	if err1 != nil || err2 != nil || len(t.tail[0]) != len(t.tail[1]) {
		return nil
	}
	return t
}

// keep writes the table of a day-file. A lake that cannot be written to still gives bars, so only a
// stop is an error.
func (f *feedFold) keep(ctx context.Context, s Store, info datasets.Info, source string, t *table) error {
	columns := make([]column, len(f.fields))
	for c, name := range f.fields {
		columns[c] = column{name, t.cols[c]}
	}
	rec := record(t.ts, columns, false)
	defer rec.Release()
	_ = s.WriteTable(ctx, f.cachePath(info.Partition), rec, map[string]string{
		metaVersion:    cacheVersion,
		metaDefinition: f.definition,
		metaSource:     source,
		metaTailBuy:    encodeFloats(t.tail[0]),
		metaTailSell:   encodeFloats(t.tail[1]),
	})
	return context.Cause(ctx)
}

func encodeFloats(x []float64) string {
	b := make([]byte, 0, 8*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func decodeFloats(s string) ([]float64, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b)%8 != 0 {
		return nil, base64.CorruptInputError(len(b))
	}
	var x []float64
	for ; len(b) > 0; b = b[8:] {
		x = append(x, math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return x, nil
}
