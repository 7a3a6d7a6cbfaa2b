package tardis

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/inflate"
)

// stream is one day-file on its way: bytes, counted and digested, through gunzip into the decoder.
// It implements datasets.Stream and datasets.Quarantine.
type stream struct {
	*Decoder
	ctx   context.Context
	meter *meter
	body  io.Reader       // plain text
	zip   *inflate.Reader // what body is, of a compressed file
	text  *blocks         // of body, what the decoder reads
	path  string
	total int64  // length that the bytes have to have, -1 when nobody said
	md5   string // digest that they have to have, hex, or ""
	// remote marks bytes that came over a network, where reading them again may help.
	remote bool
	commit func() error // called once all is verified
	closer func()       // called once, when the stream is let go
	done   bool
	err    error
}

// unpack looks at the first bytes and sets body: the plain text. compressed says that the bytes have
// to be gzip.
func (s *stream) unpack(compressed bool) error {
	head := make([]byte, 512)
	n, _ := io.ReadFull(s.meter, head) // what there is, of a shorter file
	head = head[:n]
	s.body = io.MultiReader(bytes.NewReader(head), s.meter)
	switch {
	case s.meter.err != nil:
		return s.meter.err
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		var err error
		if s.zip, err = gunzip(s.body); err != nil {
			return s.again(fmt.Errorf("gzip header: %w", err))
		}
		s.body = s.zip
	case compressed && len(head) < 2:
		return s.again(fmt.Errorf("%d bytes where a gzip file was expected: %w", len(head), io.ErrUnexpectedEOF))
	case compressed:
		return fmt.Errorf("not a gzip file, it starts with %s", start(head))
	}
	return nil
}

// decode starts the decoder, which reads what unpack has set.
func (s *stream) decode(p datasets.Partition, file string, maxBad int64) {
	s.text = ahead(s.body)
	s.Decoder = newDecoder(s.text, p, file, maxBad)
}

// start shows how a body that is not what it should be begins.
func start(head []byte) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(head), " "))
	return quote(strings.Join(strings.Fields(text), " "))
}

// Next reads the next batch. At the end of the rows it verifies what has been read.
func (s *stream) Next() bool {
	if s.done {
		return false
	}
	if s.ctx.Err() != nil {
		s.done, s.err = true, context.Cause(s.ctx)
		s.Decoder.releaseRecord()
		return false
	}
	if s.Decoder.Next() {
		return true
	}
	s.done = true
	if s.err = s.verdict(s.Decoder.Err()); s.err == nil && s.commit != nil {
		s.err = s.commit()
	}
	return false
}

// verdict finds out what an end of the rows means, err being the decoder's.
func (s *stream) verdict(err error) error {
	var syntax *SyntaxError
	if err == nil || errors.As(err, &syntax) {
		// Malformed text in a body that is damaged is the fault of the transfer, not of the file.
		if gz := s.text.drain(); gz != nil {
			err = gz
		}
	}
	if s.meter.err != nil {
		return s.meter.err
	}
	if wrong := s.compare(); wrong != nil {
		return s.again(fmt.Errorf("%s: %w", s.file, wrong))
	}
	if err == nil || errors.As(err, &syntax) {
		return err
	}
	cut := errors.Is(err, io.ErrUnexpectedEOF)
	err = fmt.Errorf("%s: gunzip: %w", s.file, err)
	if cut && !s.remote {
		err = fmt.Errorf("%w: the file ends too early; download it again", err)
	}
	if s.md5 != "" { // these are the bytes that the server has
		return err
	}
	return s.again(err)
}

// compare reads the bytes that are left and checks length and digest.
func (s *stream) compare() error {
	if _, err := io.Copy(io.Discard, s.meter); err != nil {
		return err
	}
	if n := s.meter.n.Load(); s.total >= 0 && n != s.total {
		return fmt.Errorf("%d bytes of %d", n, s.total)
	}
	if s.md5 != "" {
		if sum := hex.EncodeToString(s.meter.md5.Sum(nil)); sum != s.md5 {
			return fmt.Errorf("the bytes have MD5 %s, the server says %s", sum, s.md5)
		}
	}
	return nil
}

// again marks an error as worth another attempt where the bytes came over a network.
func (s *stream) again(err error) error {
	if s.remote {
		return damaged{err}
	}
	return err
}

// Err is what ended the stream, nil where every check has passed.
func (s *stream) Err() error { return s.err }

// Meta describes the bytes; see datasets.Stream.
func (s *stream) Meta() datasets.SourceMeta {
	return datasets.SourceMeta{
		Path:    s.path,
		Bytes:   s.meter.n.Load(),
		SHA256:  hex.EncodeToString(s.meter.sha256.Sum(nil)),
		BadRows: int64(len(s.BadRows())),
	}
}

// Progress gives the compressed bytes read and expected; see datasets.Stream.
func (s *stream) Progress() (done, total int64) { return s.meter.n.Load(), s.total }

// Release lets the stream go; see array.RecordReader.
func (s *stream) Release() {
	s.Decoder.Release()
	if s.refs.Load() == 0 && s.closer != nil {
		s.closer()
		s.closer = nil
		s.text.close()
		if s.zip != nil {
			unzippers.Put(s.zip)
			s.zip = nil
		}
	}
}

// meter passes bytes on, counts and digests them, and remembers why reading failed.
type meter struct {
	r      io.Reader
	n      atomic.Int64
	sha256 hash.Hash
	md5    hash.Hash // nil where no digest has to be checked
	copy   io.Writer // nil where no copy is kept
	err    error
}

// newMeter digests with MD5 too where there is one to compare with.
func newMeter(r io.Reader, compareMD5 bool) *meter {
	m := &meter{r: r, sha256: sha256.New()}
	if compareMD5 {
		m.md5 = md5.New()
	}
	return m
}

func (m *meter) Read(b []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.r.Read(b)
	m.sha256.Write(b[:n])
	if m.md5 != nil {
		m.md5.Write(b[:n])
	}
	if m.copy != nil && n > 0 {
		if _, err := m.copy.Write(b[:n]); err != nil {
			m.err = err
			return n, err
		}
	}
	m.n.Add(int64(n))
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

// damaged is a failure of a transfer. It implements datasets.Retryable.
type damaged struct{ error }

func (d damaged) Unwrap() error        { return d.error }
func (d damaged) Retry() time.Duration { return 0 }

var _ interface {
	datasets.Stream
	datasets.Quarantine
} = (*stream)(nil)

var _ datasets.Retryable = damaged{}
