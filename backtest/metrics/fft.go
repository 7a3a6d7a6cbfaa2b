package metrics

import (
	"math"
	"sync"

	"github.com/qf-dev/qf/factors/kernel/portable"
)

// fft transforms complex series whose length is a power of two,
//
//	X_j = Σ_t x_t e^(−2πi·jt/n),
//
// in place. forward leaves X in bit-reversed order, which inverse takes, so that neither reorders anything:
// what lies between them works on products of places. Both quarter the series until a quarter fits into the processor's
// nearest memory, and finish one quarter before they begin the next.
type fft struct {
	roots [][]complex128 // by quartering, w = e^(−2πi/size): w^2j, w^j and w^3j of each j below size/4, one after the other
	half  []complex128   // e^(−πi·j/n), j < n: the odd coefficients of a length of 2n
}

// nearLength is the length below which a series is transformed pass by pass.
const nearLength = 1 << 11

// ffts keeps the roots of length 2^i at place i: they cost as much as a transform.
var ffts [64]sync.Pool

func newFFT(exponent int) *fft {
	if f, ok := ffts[exponent].Get().(*fft); ok {
		return f
	}
	n := 1 << exponent
	f := &fft{half: make([]complex128, n)}
	for j := range f.half[:n/2+1] {
		sin, cos := portable.Sincos(math.Pi * float64(j) / float64(n))
		f.half[j] = complex(cos, -sin)
		if j > 0 {
			f.half[n-j] = complex(-cos, -sin)
		}
	}
	root := func(k, size int) complex128 { // e^(−2πi·k/size)
		k *= 2 * n / size
		if k < n {
			return f.half[k]
		}
		return -f.half[k-n]
	}
	for size := n; size >= 4; size /= 4 {
		level := make([]complex128, 0, 3*size/4)
		for j := range size / 4 {
			level = append(level, root(2*j, size), root(j, size), root(3*j, size))
		}
		f.roots = append(f.roots, level)
	}
	return f
}

func (f *fft) free(exponent int) { ffts[exponent].Put(f) }

// forward decimates in frequency, two halvings at a time.
func (f *fft) forward(x []complex128) { f.forwardFrom(x, 0) }

func (f *fft) forwardFrom(x []complex128, level int) {
	if len(x) > nearLength {
		quarter(x, f.roots[level])
		for q := len(x) / 4; len(x) > 0; x = x[q:] {
			f.forwardFrom(x[:q], level+1)
		}
		return
	}
	size := len(x)
	for ; size >= 4; size /= 4 {
		for lo := 0; lo < len(x); lo += size {
			quarter(x[lo:lo+size], f.roots[level])
		}
		level++
	}
	if size == 2 {
		pairwise(x)
	}
}

// quarter is two halvings of forward.
func quarter(x, roots []complex128) {
	q := len(x) / 4
	a, b, c, d := x[:q], x[q:2*q], x[2*q:3*q], x[3*q:4*q]
	roots = roots[:3*q]
	for j := range a {
		s, t, u, v := a[j]+c[j], a[j]-c[j], b[j]+d[j], b[j]-d[j]
		v = complex(imag(v), -real(v))
		w := roots[3*j : 3*j+3 : 3*j+3]
		a[j] = s + u
		b[j] = times(s-u, w[0])
		c[j] = times(t+v, w[1])
		d[j] = times(t-v, w[2])
	}
}

// pairwise is a halving of series of two, its own inverse.
func pairwise(x []complex128) {
	for lo := 0; lo+1 < len(x); lo += 2 {
		x[lo], x[lo+1] = x[lo]+x[lo+1], x[lo]-x[lo+1]
	}
}

// inverse undoes forward, but for a factor n.
func (f *fft) inverse(x []complex128) { f.inverseFrom(x, 0) }

func (f *fft) inverseFrom(x []complex128, level int) {
	if len(x) > nearLength {
		q := len(x) / 4
		for lo := 0; lo < len(x); lo += q {
			f.inverseFrom(x[lo:lo+q], level+1)
		}
		unquarter(x, f.roots[level])
		return
	}
	size, deep := len(x), level
	for ; size >= 16; size /= 4 {
		deep++
	}
	if size == 2 || size == 8 {
		pairwise(x)
	}
	if size < 4 {
		return
	}
	for ; deep >= level; deep-- {
		for lo := 0; lo < len(x); lo += size {
			unquarter(x[lo:lo+size], f.roots[deep])
		}
		size *= 4
	}
}

// unquarter undoes quarter, but for a factor 4.
func unquarter(x, roots []complex128) {
	q := len(x) / 4
	a, b, c, d := x[:q], x[q:2*q], x[2*q:3*q], x[3*q:4*q]
	roots = roots[:3*q]
	for j := range a {
		w := roots[3*j : 3*j+3 : 3*j+3]
		e, g, h := timesConjugate(b[j], w[0]), timesConjugate(c[j], w[1]), timesConjugate(d[j], w[2])
		s, u, t, v := a[j]+e, a[j]-e, g+h, g-h
		v = complex(-imag(v), real(v))
		a[j], c[j] = s+t, s-t
		b[j], d[j] = u+v, u-v
	}
}

// times is a product whose parts are rounded alike on every processor.
func times(a, b complex128) complex128 {
	return complex(float64(real(a)*real(b))-float64(imag(a)*imag(b)), float64(real(a)*imag(b))+float64(imag(a)*real(b)))
}

// timesConjugate is a times the conjugate of b.
func timesConjugate(a, b complex128) complex128 {
	return complex(float64(real(a)*real(b))+float64(imag(a)*imag(b)), float64(imag(a)*real(b))-float64(real(a)*imag(b)))
}
