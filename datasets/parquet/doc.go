// Package parquet reads and writes flat Parquet files as Arrow record batches, a column at a time.
//
// It knows the few types that tick data needs: times in microseconds, integers, floats, booleans,
// text, and text from a short list of words. Whatever another engine writes in those types it reads:
// required and optional columns, data pages of both versions, dictionary pages with a fall-back in
// the middle of a chunk, the delta encodings, byte stream split, and Snappy, zstd, gzip and LZ4. What it
// cannot read it names.
//
// Both directions work on whole pages and reuse their buffers: no value is boxed and nothing is
// allocated for a row. The reader's memory is one page and one batch for each column, whatever the
// file's length; the writer's is one encoded row group. The same rows give the same bytes.
//
// A file may be damaged or hostile. All sizes in it are checked against the bytes there are before
// anything is allocated, page checksums are verified where they are present, and every failure is an
// error that names the row group and the column. Of a file that Writer wrote, a seal covers footer and
// page headers too: NewFile finds any change of the one, and reading a chunk to its end any of the other.
package parquet
