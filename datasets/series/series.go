package series

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"sort"
)

// Series is a figure over time. Values[k] was known from Times[k] on, until the next.
type Series struct {
	Times  []int64   // Unix µs, strictly ascending
	Values []float64 // NaN is missing
	Hold   int64     // how old a value may be, µs

	Path   string // of its file
	Bytes  int64
	SHA256 string // of the file, in hex
}

// At writes for each label, in Unix µs and ascending, the last value known by then,
//
//	dst[t] = Values[k],  k = the last with Times[k] ≤ labels[t],
//
// and NaN where there is none, or where labels[t] − Times[k] > Hold. dst and labels have the same length. It takes
// O(len(labels) + log len(Times)) time beside the rows that lie between the labels.
func (s *Series) At(dst []float64, labels []int64) {
	if len(labels) == 0 {
		return
	}
	k := sort.Search(len(s.Times), func(k int) bool { return s.Times[k] > labels[0] })
	for t, label := range labels {
		for k < len(s.Times) && s.Times[k] <= label {
			k++
		}
		if dst[t] = math.NaN(); k > 0 && label-s.Times[k-1] <= s.Hold {
			dst[t] = s.Values[k-1]
		}
	}
}

// Future is the series had everything after an instant, in Unix µs, been another: absent, or poisoned. Then the values
// after it are others, and there is one more right after it.
func (s *Series) Future(cut int64, poisoned bool) *Series {
	n := sort.Search(len(s.Times), func(k int) bool { return s.Times[k] > cut })
	out := *s
	out.Times, out.Values = s.Times[:n:n], s.Values[:n:n]
	if !poisoned {
		return &out
	}
	other := func(v float64) float64 {
		if v != v {
			return -1
		}
		return -float64(1.5*v) - 1
	}
	if n == len(s.Times) || s.Times[n] > cut+1 {
		last := 0.0
		if n > 0 {
			last = s.Values[n-1]
		}
		out.Times, out.Values = append(out.Times, cut+1), append(out.Values, other(last))
	}
	for k := n; k < len(s.Times); k++ {
		out.Times, out.Values = append(out.Times, s.Times[k]), append(out.Values, other(s.Values[k]))
	}
	return &out
}

// Digest is a hash of the rows, in hex: the same for a CSV and a Parquet file of the same rows.
func (s *Series) Digest() string {
	h := sha256.New()
	var row [16]byte
	for k, at := range s.Times {
		v := s.Values[k]
		if v != v {
			v = math.NaN() // one of them
		}
		binary.LittleEndian.PutUint64(row[:8], uint64(at))
		binary.LittleEndian.PutUint64(row[8:], math.Float64bits(v))
		h.Write(row[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
