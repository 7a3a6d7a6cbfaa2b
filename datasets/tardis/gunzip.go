package tardis

import (
	"io"

	"github.com/qf-dev/qf/datasets/inflate"
)

// gunzip reads a gzip file of one or more members from r, to r's end: anything behind the last
// trailer is an error, as is a checksum or a length that does not match. It has read the first
// header when it returns.
func gunzip(r io.Reader) (io.Reader, error) {
	return inflate.NewReader(r)
}
