package tardis

import (
	"io"
	"sync"

	"github.com/qf-dev/qf/datasets/inflate"
)

// gunzip reads a gzip file of one or more members from r, to r's end: anything behind the last
// trailer is an error, as is a checksum or a length that does not match. It has read the first
// header when it returns.
func gunzip(r io.Reader) (*inflate.Reader, error) {
	if z, ok := unzippers.Get().(*inflate.Reader); ok {
		return z, z.Reset(r)
	}
	return inflate.NewReader(r)
}

// unzippers are readers, with their windows, that no stream needs any more.
var unzippers sync.Pool
