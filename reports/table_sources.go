package reports

import "strings"

// sourceGrid lists the lake files that were read.
func sourceGrid(m *Manifest) grid {
	g := grid{Caption: "Source files", Head: []heading{{Text: "Partition"}, {Text: "Rows", Numeric: true}, {Text: "SHA-256"}}}
	rows, note := bounded(m.Sources, manifestFile)
	g.Note = strings.TrimSpace(note + " With the start of each file's SHA-256; " + manifestFile + " has it in full.")
	for _, s := range rows {
		g.Rows = append(g.Rows, []entry{words(s.Partition), integer(int(s.Rows)), {Text: s.SHA256[:min(len(s.SHA256), 16)], Class: "hash"}})
	}
	return g
}
