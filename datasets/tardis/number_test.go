package tardis

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// randomNumber spells a decimal of 1 to 40 digits, with or without sign, fraction and exponent.
func randomNumber(rng *rand.Rand) string {
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + rng.IntN(10))
		}
		if rng.IntN(4) == 0 {
			return strings.Repeat("0", n)
		}
		return string(b)
	}
	limit := []int{4, 8, 9, 17, 20, 40}[rng.IntN(6)]
	whole := rng.IntN(limit + 1)
	s := digits(whole)
	if fraction := rng.IntN(limit + 1 - whole); whole == 0 || fraction > 0 {
		s += "." + digits(max(fraction, 1))
	}
	if rng.IntN(3) == 0 {
		s = "-" + s
	}
	if rng.IntN(8) == 0 {
		s += []string{"e", "E", "e-", "e+"}[rng.IntN(4)] + strconv.Itoa(rng.IntN(290))
		if f, err := strconv.ParseFloat(s, 64); err != nil || math.IsInf(f, 0) {
			return "0"
		}
	}
	return s
}

// TestNumbersAreTheNearestDouble compares both readers with strconv.ParseFloat to the bit.
func TestNumbersAreTheNearestDouble(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	fast := 0
	for i := range 100_000 {
		s := randomNumber(rng)
		if i%4 == 0 { // as exchanges print them: the shortest decimal of a double
			s = strconv.FormatFloat(rng.NormFloat64()*math.Pow10(rng.IntN(12)-6), 'f', rng.IntN(18)-1, 64)
		}
		want, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseNumber([]byte(s)); err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("parseNumber(%q) = %v, %v, want %v", s, got, err, want)
		}
		got, end := fastNumber([]byte(s+",99999999999999999999999999"), 0)
		if end != len(s) {
			if strings.ContainsAny(s, "eE") || len(s) > 15 { // more may pass 2⁵³
				continue
			}
			t.Fatalf("fastNumber(%q) stops at %d", s, end)
		}
		fast++
		if math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("fastNumber(%q) = %v, want %v", s, got, want)
		}
	}
	if fast < 50_000 {
		t.Errorf("only %d numbers took the fast way", fast)
	}
}

func TestDigits(t *testing.T) {
	for c := range 256 {
		for n := range 9 {
			text := "12345678"[:n] + string([]byte{byte(c)}) + "\xff\x00,9999999"
			want := n
			if c >= '0' && c <= '9' {
				want = min(n+1, 8)
			}
			v, got := digits([]byte(text), 0)
			if value, _ := strconv.ParseUint("0"+text[:want], 10, 64); got != want || v != value {
				t.Fatalf("digits(%q) = %d, %d digits; want %d, %d", text, v, got, value, want)
			}
		}
	}
}
