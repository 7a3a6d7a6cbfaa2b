package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

// Pages carry checksums of their bodies. The seal, which stands between the last page and the
// footer, where Parquet's readers do not look, covers the rest of the file:
//
//	CRC-32 of the page headers of each column chunk, in file order, 4 bytes each
//	XXH3-128 of those and of the footer, 16 bytes
//	the number of chunks, 4 bytes
//	sealMagic
//
// The footer names sealedBy as its writer, so that the loss of either shows. A tool that writes the
// file anew, even one that keeps our metadata, leaves both out.
const (
	sealMagic = "QFS1"
	sealedBy  = "qf version 2"
	sealTail  = 16 + 4 + len(sealMagic)
)

var errSeal = errors.New("its digest is not that which was written with it")

// appendSeal appends the seal of a footer and of the checksums of page headers to dst.
func appendSeal(dst []byte, heads []uint32, footer []byte) []byte {
	at := len(dst)
	for _, sum := range heads {
		dst = binary.LittleEndian.AppendUint32(dst, sum)
	}
	digest := sealOf(dst[at:], footer)
	dst = append(dst, digest[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(heads)))
	return append(dst, sealMagic...)
}

func sealOf(heads, footer []byte) [16]byte {
	h := xxh3.New()
	h.Write(heads)
	h.Write(footer)
	return h.Sum128().Bytes()
}

// checkSeal holds the footer, whose bytes b begin at offset limit of the file, against its seal and
// gives the chunks their checksums. Files of older versions and of other writers have no seal.
func (f *File) checkSeal(b []byte, limit int64) error {
	var end [sealTail]byte
	at := limit - int64(sealTail)
	if at >= int64(len(magic)) {
		if err := readAt(f.r, end[:], at); err != nil {
			return err
		}
	}
	there := string(end[sealTail-len(sealMagic):]) == sealMagic
	if !there && f.footer.writer != sealedBy {
		return nil
	}
	size := 4 * int64(binary.LittleEndian.Uint32(end[16:]))
	if !there || f.footer.writer != sealedBy || at-size < int64(len(magic)) {
		return errSeal
	}
	heads := make([]byte, size)
	if err := readAt(f.r, heads, at-size); err != nil {
		return err
	}
	if sealOf(heads, b) != [16]byte(end[:16]) {
		return errSeal
	}
	f.footer.sealed = true
	for g := range f.footer.groups {
		chunks := f.footer.groups[g].chunks
		if len(heads) < 4*len(chunks) {
			return fmt.Errorf("%d checksums of page headers are too few", size/4)
		}
		for c := range chunks {
			chunks[c].heads, chunks[c].sealed = binary.LittleEndian.Uint32(heads), true
			heads = heads[4:]
		}
	}
	return nil
}

// Check reads the file to its end and compares all pages with their checksums, without decoding them.
// Of a file that is sealed nothing is left unchecked.
func (f *File) Check(ctx context.Context) error {
	p := pages{r: f.r}
	for g := range f.footer.groups {
		for c := range f.footer.groups[g].chunks {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			ch := &f.footer.groups[g].chunks[c]
			p.reset(ch)
			var err error
			for err == nil {
				_, _, err = p.raw()
			}
			if err == io.EOF {
				err = p.finish(ch)
			}
			if err != nil {
				return fmt.Errorf("row group %d: column %q: %w", g, f.footer.leaves[c].name, err)
			}
		}
	}
	return nil
}
