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
// what lies between them works on products of places.
type fft struct {
	roots []complex128 // e^(−2πi·k/n), k < n
}

// ffts keeps the roots of length 2^i at place i: they cost as much as a transform.
var ffts [64]sync.Pool

func newFFT(exponent int) *fft {
	if f, ok := ffts[exponent].Get().(*fft); ok {
		return f
	}
	n := 1 << exponent
	f := &fft{roots: make([]complex128, n)}
	for k := range f.roots {
		sin, cos := portable.Sincos(-2 * math.Pi * float64(k) / float64(n))
		f.roots[k] = complex(cos, sin)
	}
	return f
}

func (f *fft) free(exponent int) { ffts[exponent].Put(f) }

// forward decimates in frequency, two halvings at a time.
func (f *fft) forward(x []complex128) {
	n := len(x)
	for size := n; size > 1; size /= 4 {
		step := n / size
		if size == 2 {
			for lo := 0; lo < n; lo += 2 {
				x[lo], x[lo+1] = x[lo]+x[lo+1], x[lo]-x[lo+1]
			}
			break
		}
		q := size / 4
		for lo := 0; lo < n; lo += size {
			a, b, c, d := x[lo:lo+q], x[lo+q:lo+2*q], x[lo+2*q:lo+3*q], x[lo+3*q:lo+4*q]
			for j := range a {
				s, t, u, v := a[j]+c[j], a[j]-c[j], b[j]+d[j], b[j]-d[j]
				v = complex(imag(v), -real(v))
				a[j] = s + u
				b[j] = times(s-u, f.roots[2*j*step])
				c[j] = times(t+v, f.roots[j*step])
				d[j] = times(t-v, f.roots[3*j*step])
			}
		}
	}
}

// inverse undoes forward, but for a factor n.
func (f *fft) inverse(x []complex128) {
	n := len(x)
	for size := 2; size <= n; size *= 2 {
		step := n / size
		for lo := 0; lo < n; lo += size {
			a, b := x[lo:lo+size/2], x[lo+size/2:lo+size]
			for j := range a {
				w := f.roots[j*step]
				t := times(b[j], complex(real(w), -imag(w)))
				a[j], b[j] = a[j]+t, a[j]-t
			}
		}
	}
}

// times is a product whose parts are rounded alike on every processor.
func times(a, b complex128) complex128 {
	return complex(float64(real(a)*real(b))-float64(imag(a)*imag(b)), float64(real(a)*imag(b))+float64(imag(a)*real(b)))
}
