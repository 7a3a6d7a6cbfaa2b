package study

import (
	"fmt"
	"slices"
	"testing"

	"github.com/qf-dev/qf/factors"
)

// The preset has every formula of the paper but the one that wants market capitalization, and each looks back as far as its
// windows say, worked out by hand for some.
func TestAlpha101(t *testing.T) {
	text, err := Preset("alpha101")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse("alpha101", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.MakeFactors(s.Grid())
	if err != nil {
		t.Fatal(err)
	}
	lookback := map[string]int{}
	for _, f := range list {
		lookback[f.Name] = f.Lookback
	}
	for k := 1; k <= 101; k++ {
		if _, ok := lookback[fmt.Sprintf("alpha%03d", k)]; ok == (k == 56) {
			t.Errorf("alpha %d: there is one: %v", k, ok)
		}
	}
	for name, want := range map[string]int{
		"alpha101": 1,                 // today's bar alone
		"alpha012": 2,                 // and yesterday's
		"alpha006": 10,                // correlation over 10
		"alpha024": 200,               // the change over 100 days of a mean of 100
		"alpha019": 251,               // 250 returns
		"alpha036": 200,               // the longest of five parts
		"alpha064": 120 + 12 + 16 - 2, // sums of 12 of means of 120, correlated over 16
	} {
		if lookback[name] != want {
			t.Errorf("%s looks back %d bars, want %d", name, lookback[name], want)
		}
	}
	if i := slices.IndexFunc(list, func(f factors.Factor) bool { return f.Sample != nil }); i >= 0 {
		t.Errorf("%s looks ahead", list[i].Name)
	}
}
