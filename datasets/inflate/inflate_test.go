package inflate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	kgzip "github.com/klauspost/compress/gzip"
)

// texts are contents that use the format's parts: nothing, one byte, no repetition, only repetition,
// matches at each small distance, skewed symbols whose codes are long, and tables like ours.
func texts(n int) map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, n)
	skewed := make([]byte, n)
	for i := range random {
		random[i] = byte(rnd.Uint32())
		skewed[i] = byte(min(255, int(rnd.ExpFloat64()*9)))
	}
	var table bytes.Buffer
	for t := 1_717_200_000_000_000; table.Len() < n; t += rnd.IntN(90_000) {
		fmt.Fprintf(&table, "binance-futures,BTCUSDT,%d,%d,%d,%s,%d.%d,0.%03d\n", t/1000*1000, t+rnd.IntN(4000), 5_050_000_000+table.Len(), []string{"buy", "sell"}[rnd.IntN(2)], 61_000+rnd.IntN(50), rnd.IntN(10), rnd.IntN(1000))
	}
	var near []byte
	for d := 1; len(near) < n; d = d%20 + 1 {
		near = append(near, random[:d]...)
		for range 40 + d {
			near = append(near, near[len(near)-d])
		}
	}
	return map[string][]byte{
		"empty": nil, "one": {7}, "random": random, "zeros": make([]byte, n), "skewed": skewed,
		"table": table.Bytes(), "near": near,
	}
}

// pack compresses with the standard library or with klauspost's, at a level.
func pack(t testing.TB, b []byte, level int, klauspost bool) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	if klauspost {
		w, err = kgzip.NewWriterLevel(&out, level)
	} else {
		w, err = gzip.NewWriterLevel(&out, level)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func inflate(src io.Reader) ([]byte, error) {
	r, err := NewReader(src)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// standard is compress/gzip, member by member, but that zeros behind a member count for nothing.
func standard(b []byte) (out []byte, err error) {
	src := bytes.NewReader(b)
	r, err := gzip.NewReader(src)
	for err == nil {
		r.Multistream(false)
		var member []byte
		member, err = io.ReadAll(r)
		out = append(out, member...)
		if rest := b[len(b)-src.Len():]; err != nil || len(bytes.TrimRight(rest, "\x00")) == 0 {
			break
		}
		err = r.Reset(src)
	}
	return out, err
}

func TestLevels(t *testing.T) {
	for _, n := range []int{100, 70_000, 400_000} {
		for name, want := range texts(n) {
			for level := -3; level <= 9; level++ {
				for _, klauspost := range []bool{false, true} {
					if level < -2 && !klauspost {
						continue
					}
					b := pack(t, want, level, klauspost)
					got, err := inflate(bytes.NewReader(b))
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%s of %d, level %d, klauspost %v: %d bytes, %v", name, n, level, klauspost, len(got), err)
					}
				}
			}
		}
	}
}

// Members may follow each other and be empty; matches do not reach across.
func TestMembers(t *testing.T) {
	var b, want []byte
	for i := range 40 {
		for _, text := range texts(1 + i*i*50) {
			b = append(b, pack(t, text, i%10, i%2 == 0)...)
			want = append(want, text...)
		}
	}
	for name, src := range map[string]io.Reader{
		"whole": bytes.NewReader(b), "bytes": iotest.OneByteReader(bytes.NewReader(b)),
		"halves": iotest.HalfReader(bytes.NewReader(b)), "data with EOF": iotest.DataErrReader(bytes.NewReader(b)),
	} {
		got, err := inflate(src)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
		}
	}
	for _, zeros := range []int{1, 7, 600, 1 << 17} {
		if got, err := inflate(strings.NewReader(string(b) + strings.Repeat("\x00", zeros))); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d zeros after the last member: %v", zeros, err)
		}
	}
	for _, tail := range []string{"\x00x", "garbage after the end", strings.Repeat("\x00", 600) + "garbage"} {
		if _, err := inflate(strings.NewReader(string(b) + tail)); !errors.Is(err, ErrHeader) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q after the last member: %v", tail, err)
		}
	}
}

func TestReset(t *testing.T) {
	r, err := NewReader(bytes.NewReader(pack(t, []byte("first"), 6, false)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range texts(300_000) {
		b := pack(t, want, 6, false)
		if err := r.Reset(bytes.NewReader(b[:len(b)/2])); err == nil {
			io.ReadAll(r)
		}
		if err := r.Reset(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if err := r.Reset(strings.NewReader("nonsense, at length")); !errors.Is(err, ErrHeader) {
		t.Error(err)
	}
}

func TestSmallReads(t *testing.T) {
	want := texts(200_000)["table"]
	r, err := NewReader(bytes.NewReader(pack(t, want, 6, false)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(iotest.OneByteReader(r)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n, err := r.Read(make([]byte, 5)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

// header makes a member with optional parts.
func header(flags byte, extra, name, comment string, crc bool) []byte {
	b := []byte{0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 5, 6}
	if flags&flagExtra != 0 {
		b = append(b, byte(len(extra)), byte(len(extra)>>8))
		b = append(b, extra...)
	}
	if flags&flagName != 0 {
		b = append(append(b, name...), 0)
	}
	if flags&flagComment != 0 {
		b = append(append(b, comment...), 0)
	}
	if flags&flagHeaderCRC != 0 {
		sum := crc32.ChecksumIEEE(b)
		if !crc {
			sum++
		}
		b = append(b, byte(sum), byte(sum>>8))
	}
	// An empty final block of the fixed code, CRC and length 0.
	return append(b, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}

func TestHeaders(t *testing.T) {
	for flags := range byte(32) {
		for _, text := range []string{"", "x", strings.Repeat("y", 511), strings.Repeat("y", 512), strings.Repeat("z", 3000)} {
			for _, crc := range []bool{true, false} {
				b := header(flags, text, text, text, crc)
				_, want := standard(b)
				_, got := inflate(bytes.NewReader(b))
				if (got == nil) != (want == nil) {
					t.Errorf("flags %05b, %d bytes of text, crc %v: %v; compress/gzip: %v", flags, len(text), crc, got, want)
				}
			}
		}
	}
}

// A file that is cut anywhere is reported as cut.
func TestTruncation(t *testing.T) {
	for name, text := range texts(3000) {
		for _, level := range []int{0, 1, 6, gzip.HuffmanOnly} {
			b := pack(t, text, level, false)
			for n := range b {
				got, err := inflate(bytes.NewReader(b[:n]))
				if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(text, got) {
					t.Fatalf("%s, level %d, %d of %d bytes: %d bytes, %v", name, level, n, len(b), len(got), err)
				}
			}
		}
	}
}

// same holds the reader against compress/gzip.
func same(t *testing.T, b []byte) {
	t.Helper()
	want, wantErr := standard(b)
	for _, src := range []io.Reader{bytes.NewReader(b), iotest.OneByteReader(bytes.NewReader(b))} {
		got, err := inflate(src)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%x: %v; compress/gzip: %v", b, err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%x: %d bytes, %d from compress/gzip, and they differ", b, len(got), len(want))
		}
	}
}

func TestBitFlips(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, text := range texts(2000) {
		for _, level := range []int{0, 1, 6, 9, gzip.HuffmanOnly} {
			b := pack(t, text, level, false)
			for range 60 {
				bad := bytes.Clone(b)
				for range 1 + rnd.IntN(2) {
					i := rnd.IntN(len(bad) * 8)
					bad[i/8] ^= 1 << (i % 8)
				}
				same(t, bad)
			}
		}
	}
}

// Noise is mostly refused at once; behind a header it exercises the codes for lengths.
func TestNoise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	head := header(0, "", "", "", false)[:10]
	for range 3000 {
		b := bytes.Clone(head)
		for range 1 + rnd.IntN(80) {
			b = append(b, byte(rnd.Uint32()))
		}
		if rnd.IntN(2) == 0 {
			b[10] = b[10]&^7 | 5 // a final block with its own code
		}
		same(t, b)
	}
}

func TestSourceError(t *testing.T) {
	cause := errors.New("connection lost")
	b := pack(t, texts(100_000)["table"], 6, false)
	for _, n := range []int{0, 5, 1000, len(b) - 3, len(b)} {
		if _, err := inflate(io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(cause))); !errors.Is(err, cause) {
			t.Errorf("after %d of %d bytes: %v", n, len(b), err)
		}
	}
	if _, err := inflate(stuck{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a source that gives nothing: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestAllocations(t *testing.T) {
	b := pack(t, texts(400_000)["table"], 6, false)
	src := bytes.NewReader(b)
	r, err := NewReader(src)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 32<<10)
	n := testing.AllocsPerRun(5, func() {
		src.Reset(b)
		if r.Reset(src) != nil {
			t.Fatal(r.err)
		}
		for {
			if _, err := r.Read(out); err != nil {
				break
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a file", n)
	}
}

// FuzzInflate holds the reader against compress/gzip on whole files, and on noise behind a header.
func FuzzInflate(f *testing.F) {
	for _, text := range texts(600) {
		for _, level := range []int{0, 1, 6, gzip.HuffmanOnly} {
			b := pack(f, text, level, false)
			f.Add(b)
			f.Add(b[10:])
		}
	}
	f.Add(header(flagExtra|flagName|flagComment|flagHeaderCRC, "e", "n", "c", true))
	head := header(0, "", "", "", false)[:10]
	f.Fuzz(func(t *testing.T, b []byte) {
		same(t, b)
		same(t, append(bytes.Clone(head), b...))
		// The data alone, whose checksum nobody has computed: what came out before the error must
		// agree as well.
		want, _ := standard(append(bytes.Clone(head), b...))
		got, _ := inflate(bytes.NewReader(append(bytes.Clone(head), b...)))
		if n := min(len(got), len(want)); !bytes.Equal(got[:n], want[:n]) {
			t.Fatalf("%x: the first %d bytes differ", b, n)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	text := texts(32 << 20)["table"]
	packed := pack(b, text, 6, false)
	out := make([]byte, 64<<10)
	drain := func(b *testing.B, r io.Reader) {
		n := 0
		for {
			k, err := r.Read(out)
			n += k
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if n != len(text) {
			b.Fatal(n)
		}
	}
	src := bytes.NewReader(packed)
	b.Run("inflate", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		src.Reset(packed)
		r, err := NewReader(src)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			src.Reset(packed)
			if err := r.Reset(src); err != nil {
				b.Fatal(err)
			}
			drain(b, r)
		}
	})
	b.Run("klauspost", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		r := new(kgzip.Reader)
		for b.Loop() {
			src.Reset(packed)
			if err := r.Reset(src); err != nil {
				b.Fatal(err)
			}
			drain(b, r)
		}
	})
}
