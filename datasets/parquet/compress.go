package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// The zstd coders are safe for concurrent use and start no goroutines.
var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
		if err != nil {
			panic("parquet: zstd encoder options")
		}
		return e
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxPageBytes))
		if err != nil {
			panic("parquet: zstd decoder options")
		}
		return d
	})
)

// compress appends src, compressed, to dst.
func compress(dst, src []byte, codec Codec) []byte {
	switch codec {
	case Uncompressed:
		return append(dst, src...)
	case Snappy:
		n := snappy.MaxEncodedLen(len(src))
		dst = slices.Grow(dst, n)
		out := snappy.Encode(dst[len(dst):len(dst)+n], src)
		return dst[:len(dst)+len(out)]
	default:
		return zstdEncoder().EncodeAll(src, dst)
	}
}

// The most that a codec can expand one compressed byte to: a zstd block of 4 bytes stands for at
// most 128 KiB, a Snappy copy of 3 bytes for at most 64, a DEFLATE symbol pair of 2 bits for at most
// 258, a byte of an LZ4 length for 255. What claims more is damaged, and is refused before memory is set aside for it.
var maxExpansion = map[format.CompressionCodec]int{
	format.Uncompressed: 1,
	format.Snappy:       22,
	format.Gzip:         1032,
	format.Zstd:         1 << 15,
	format.Lz4Raw:       255,
}

var errSize = errors.New("decompressed size differs from the page header's")

// decompressor holds what a codec reuses from page to page. The zero value is ready to use.
type decompressor struct {
	gzip *gzip.Reader
}

// decompress writes the n bytes that src stands for into dst's memory, growing it, and returns them.
func (d *decompressor) decompress(dst, src []byte, n int, codec format.CompressionCodec) ([]byte, error) {
	limit, ok := maxExpansion[codec]
	switch {
	case !ok:
		return dst, fmt.Errorf("compression %v is not supported", codec)
	case n > limit*(len(src)+1):
		return dst, fmt.Errorf("%d bytes of %v cannot hold %d", len(src), codec, n)
	}
	dst = slices.Grow(dst[:0], n)[:n]
	switch codec {
	case format.Uncompressed:
		if len(src) != n {
			return dst, errSize
		}
		copy(dst, src)
	case format.Snappy:
		if size, err := snappy.DecodedLen(src); err != nil {
			return dst, err
		} else if size != n {
			return dst, errSize
		}
		if _, err := snappy.Decode(dst, src); err != nil {
			return dst, err
		}
	case format.Zstd:
		out, err := zstdDecoder().DecodeAll(src, dst[:0:n])
		if err != nil {
			return dst, err
		}
		if len(out) != n {
			return dst, errSize
		}
	case format.Lz4Raw:
		return dst, unlz4(dst, src)
	case format.Gzip:
		return dst, d.gunzip(dst, src)
	}
	return dst, nil
}

func (d *decompressor) gunzip(dst, src []byte) (err error) {
	r := bytes.NewReader(src)
	if d.gzip == nil {
		d.gzip, err = gzip.NewReader(r)
	} else {
		err = d.gzip.Reset(r)
	}
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(d.gzip, dst); err != nil {
		return err
	}
	var one [1]byte
	if n, err := d.gzip.Read(one[:]); n != 0 {
		return errSize
	} else if err != io.EOF {
		return err
	}
	return nil
}
