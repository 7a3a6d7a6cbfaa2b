package reports

import (
	"strings"
)

// finding is a warning and how many others say the same of other instruments or with other numbers.
type finding struct {
	Text  string
	Alike int
}

// findings puts warnings that are alike together, in order of appearance.
func (d *Report) findings() []finding {
	var out []finding
	at := map[string]int{}
	for _, text := range d.Warnings {
		kind := d.kind(text)
		k, known := at[kind]
		if !known {
			at[kind] = len(out)
			out = append(out, finding{Text: text})
			continue
		}
		out[k].Alike++
	}
	return out
}

// kind is a warning without the names of instruments and without digits.
func (d *Report) kind(text string) string {
	for _, in := range d.Instruments {
		text = strings.ReplaceAll(text, in.Instrument, "*")
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == ',' {
			return -1
		}
		return r
	}, text)
}
