package evaluate

import (
	"encoding/json"
	"math"
)

// Figure is a reported number. NaN means that it cannot be computed; JSON shows it as null.
type Figure float64

// MarshalJSON writes the shortest decimal that reads back as the same float64, and null for what is
// not a finite number.
func (f Figure) MarshalJSON() ([]byte, error) {
	if v := float64(f); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON is the inverse: null is NaN.
func (f *Figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Figure(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}
