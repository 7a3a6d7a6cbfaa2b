// Package study is the configuration of a backtest: one YAML file with every default filled in.
//
//  1. Load reads the file (package yamlconf keeps where each value stands) and applies overrides of the form path=value.
//  2. Decoding puts it over Default, section by section; the tags of the fields are the rules of types and ranges that
//     reading, the JSON Schema and the documentation share.
//  3. check holds the sections against each other, and against the catalogue of factors, on a grid without bars
//     (Study.Grid). All problems are reported at once, each with its line.
//  4. What follows from the study alone is asked of it: what it reads (Needs, Partitions), its bars (BarSpec), the
//     replays of its span (Spans), its horizons (HorizonsOn), the rule of its targets (Rule), and what of it looks ahead
//     (LooksAhead).
//
// Study.Document is the way back: the resolved study as a tree, for the manifest and for the name of a run.
package study
