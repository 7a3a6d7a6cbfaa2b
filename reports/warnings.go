package reports

import "strings"

// finding is a warning and how many others say the same of other instruments or with other numbers.
type finding struct {
	Text  string
	Alike int
}

// findings puts warnings that are alike together, in order of appearance: those that differ in names of
// instruments and in numbers.
func (d *Report) findings() []finding {
	names := []string{}
	for _, in := range d.Instruments {
		names = append(names, in.Instrument, "")
	}
	for _, digit := range "0123456789," {
		names = append(names, string(digit), "")
	}
	kind := strings.NewReplacer(names...)
	var out []finding
	at := map[string]int{}
	for _, text := range d.Warnings {
		k, known := at[kind.Replace(text)]
		if !known {
			at[kind.Replace(text)] = len(out)
			out = append(out, finding{Text: text})
			continue
		}
		out[k].Alike++
	}
	return out
}
