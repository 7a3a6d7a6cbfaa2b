package metrics

import (
	"math/bits"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
)

// The transform is gonum's in bit-reversed order, at lengths of both parities of halvings, and inverse undoes it.
func TestFFTIsGonums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for exponent := range 13 {
		n := 1 << exponent
		x := make([]complex128, n)
		for i := range x {
			x[i] = complex(r.NormFloat64(), r.NormFloat64())
		}
		want := fourier.NewCmplxFFT(n).Coefficients(nil, x)
		f, got := newFFT(exponent), append([]complex128(nil), x...)
		f.forward(got)
		for i, v := range got {
			if j := bits.Reverse64(uint64(i)) >> (64 - exponent); cmplx.Abs(v-want[j]) > 1e-13*float64(n) {
				t.Fatalf("length %d: place %d is %v, coefficient %d is %v", n, i, v, j, want[j])
			}
		}
		f.inverse(got)
		for i, v := range got {
			if cmplx.Abs(v/complex(float64(n), 0)-x[i]) > 1e-14*float64(exponent+1) {
				t.Fatalf("length %d: value %d comes back as %v, was %v", n, i, v, x[i])
			}
		}
	}
}
