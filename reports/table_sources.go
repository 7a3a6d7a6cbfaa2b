package reports

// sourceGrid lists the lake files that were read.
func sourceGrid(m *Manifest) grid {
	g := grid{
		Caption: "Source files", Note: "With the start of each file's SHA-256; manifest.json has it in full.",
		Head: []heading{{Text: "Partition"}, {Text: "Rows", Numeric: true}, {Text: "SHA-256"}},
	}
	for _, s := range m.Sources {
		g.Rows = append(g.Rows, []entry{words(s.Partition), integer(int(s.Rows)), {Text: s.SHA256[:min(len(s.SHA256), 16)], Class: "hash"}})
	}
	return g
}
