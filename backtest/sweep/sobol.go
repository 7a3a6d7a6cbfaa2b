package sweep

import "fmt"

// sobolNumbers are the primitive polynomials (degree, coefficients) and initial direction numbers of dimensions 2 to
// 10, of Joe and Kuo (2008), new-joe-kuo-6.
var sobolNumbers = []struct {
	a uint32
	m []uint32
}{
	{0, []uint32{1}}, {1, []uint32{1, 3}}, {1, []uint32{1, 3, 1}}, {2, []uint32{1, 1, 1}}, {1, []uint32{1, 1, 3, 3}},
	{4, []uint32{1, 3, 5, 13}}, {2, []uint32{1, 1, 5, 5, 17}}, {4, []uint32{1, 1, 5, 5, 5}}, {7, []uint32{1, 1, 7, 11, 19}},
}

const sobolBits = 32

// sobol is the Sobol (1967) sequence in Gray code order (Antonov and Saleev 1979).
type sobol struct {
	v [][sobolBits]uint32 // by dimension
	x []uint32
	n uint32
}

func newSobol(dimensions int) (*sobol, error) {
	if most := len(sobolNumbers) + 1; dimensions > most {
		return nil, fmt.Errorf("sweep: a Sobol sequence of %d settings: want at most %d, or method random", dimensions, most)
	}
	s := &sobol{v: make([][sobolBits]uint32, dimensions), x: make([]uint32, dimensions)}
	for d := range s.v {
		v := &s.v[d]
		if d == 0 {
			for i := range v {
				v[i] = 1 << (sobolBits - 1 - i)
			}
			continue
		}
		p := sobolNumbers[d-1]
		degree := len(p.m)
		for i := range v {
			if i < degree {
				v[i] = p.m[i] << (sobolBits - 1 - i)
				continue
			}
			v[i] = v[i-degree] ^ v[i-degree]>>degree
			for k := 1; k < degree; k++ {
				v[i] ^= (p.a >> (degree - 1 - k) & 1) * v[i-k]
			}
		}
	}
	return s, nil
}

// next is the next point of [0, 1)^d; the first is 0.
func (s *sobol) next() []float64 {
	u := make([]float64, len(s.x))
	for d, x := range s.x {
		u[d] = float64(x) / (1 << sobolBits)
	}
	bit := 0
	for s.n>>bit&1 == 1 {
		bit++
	}
	for d := range s.x {
		s.x[d] ^= s.v[d][bit]
	}
	s.n++
	return u
}
