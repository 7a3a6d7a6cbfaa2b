package parquet

import "github.com/parquet-go/parquet-go/format"

// Encoding is how the values of a column are laid out in its pages.
type Encoding uint8

// The encodings there are for each type. Dictionary and Default go back to the type's own encoding
// within a row group whose distinct values turn out to be too many.
const (
	Default     Encoding = iota // Delta for integers and times, Plain for booleans, else Dictionary
	Plain                       // as they are
	Dictionary                  // numbers of the row group's distinct values: floats and text
	Delta                       // differences: integers, times, and text as shared prefix and rest
	DeltaLength                 // text: the lengths, then all bytes
)

// Codec is how the encoded pages of a column are compressed.
type Codec uint8

// The codecs there are for writing; gzip is read as well.
const (
	DefaultCodec Codec = iota // tried on the first page of a row group: whichever of these pays
	Uncompressed
	Snappy
	Zstd // at its fastest level
)

// Column says how one column is stored. Its zero suits the column's type.
type Column struct {
	Encoding Encoding
	Codec    Codec
}

func (c Codec) format() format.CompressionCodec {
	switch c {
	case Uncompressed:
		return format.Uncompressed
	case Snappy:
		return format.Snappy
	default:
		return format.Zstd
	}
}
