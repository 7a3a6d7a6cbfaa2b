package datasets

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Lake is a folder of Hive-partitioned Parquet files,
//
//	{root}/{type}/exchange={E}/symbol={S}/date={YYYY-MM-DD}/data.parquet
//
// in which a file is there whole or not at all.
type Lake struct{ root string }

// Info is what a lake file's footer records.
type Info struct {
	Partition       Partition
	Source          SourceMeta
	Rows            int64
	Bytes           int64  // of the Parquet file
	First, Last     int64  // local_timestamp of the first and the last row; 0 without rows
	OrderViolations int64  // rows whose local_timestamp is below their predecessor's
	Digest          string // of schema version and all cells: equal cells give equal digests
}

// OpenLake opens the lake at root, which need not exist until something is written.
func OpenLake(root string) (*Lake, error) { panic("datasets: OpenLake") }

// Stat reads the footer of p's file. The error wraps ErrNotFound where there is none.
func (l *Lake) Stat(p Partition) (Info, error) { panic("datasets: Stat") }

// List gives the partitions of one feed of one instrument that the lake holds, by day.
func (l *Lake) List(t DataType, in Instrument) ([]Partition, error) { panic("datasets: List") }

// All gives every partition that the lake holds, in Partition.Compare's order.
func (l *Lake) All() ([]Partition, error) { panic("datasets: All") }

// Scan streams the rows of r (by local_timestamp) in file order, day after day, with the named
// columns or all of them. Days that the lake does not hold are passed over.
func (l *Lake) Scan(ctx context.Context, t DataType, in Instrument, r Range, columns ...string) (array.RecordReader, error) {
	panic("datasets: Scan")
}

// ReadTable reads a derived table that WriteTable wrote; the error wraps ErrNotFound where there is none.
// meta is what WriteTable was given. The caller releases the record.
func (l *Lake) ReadTable(path string) (rec arrow.Record, meta map[string]string, err error) {
	panic("datasets: ReadTable")
}

// WriteTable writes a derived table (the bar cache) as a whole Parquet file at path below the lake's
// root, with the same atomic commit as ticks, replacing what is there.
func (l *Lake) WriteTable(ctx context.Context, path string, rec arrow.Record, meta map[string]string) error {
	panic("datasets: WriteTable")
}
