package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// foreign are signs as other languages have them, with what they are here; longer ones come first.
var foreign = []struct{ sign, want string }{
	{"&&", "and"}, {"||", "or"}, {"**", "^"}, {"&", "and"}, {"|", "or"}, {"!", "not"}, {"?", "if(condition, then, otherwise)"},
	{"“", "\""}, {"”", "\""}, {"‘", "'"}, {"’", "'"}, {"−", "-"}, {"×", "*"}, {"÷", "/"},
}

// hint says what a text that begins with a foreign sign should begin with; empty where there is nothing to say.
func hint(rest string) (sign, want string) {
	for _, f := range foreign {
		if strings.HasPrefix(rest, f.sign) {
			return f.sign, f.want
		}
	}
	return "", ""
}

// nearest suggests a name, or says where names are listed: first one that is the same but for the exchange or for ts_.
func nearest(name string, valid []string, listed string) string {
	for _, v := range valid {
		if symbol := strings.HasSuffix(v, ":"+name); symbol || v == "ts_"+name {
			return fmt.Sprintf(", did you mean %s?", v)
		}
	}
	if at := slices.IndexFunc(valid, func(v string) bool { return strings.EqualFold(v, name) }); at >= 0 {
		return fmt.Sprintf(", did you mean %s?", valid[at])
	}
	if s := datasets.DidYouMean(name, valid); strings.HasPrefix(s, ", did you mean") {
		return s
	}
	return ": " + listed
}
