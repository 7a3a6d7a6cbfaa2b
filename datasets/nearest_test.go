package datasets

import "testing"

func TestDidYouMean(t *testing.T) {
	valid := []string{"momentum", "volatility", "ofi"}
	for _, c := range []struct{ name, want string }{
		{"momentm", ", did you mean momentum?"},
		{"Volatility", ", did you mean volatility?"},
		{"voaltility", ", did you mean volatility?"},
		{"xyzxyz", ", want one of momentum, volatility, ofi"},
	} {
		if got := DidYouMean(c.name, valid); got != c.want {
			t.Errorf("DidYouMean(%q) = %q, want %q", c.name, got, c.want)
		}
	}
	if got := DidYouMean("x", nil); got != "" {
		t.Errorf("without names: %q", got)
	}
}
