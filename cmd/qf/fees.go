package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// withFees adds to a starter study, as a comment, the taker fees that the vendor's metadata in the lake gives for its exchanges. They
// are illustrative, so that none is filled in.
func withFees(text []byte, lake *datasets.Lake) []byte {
	s, err := study.Parse("preset", text, nil)
	if err != nil {
		return text
	}
	var lines []string
	known := lake.Catalog()
	for _, in := range s.Data.Instruments {
		v := known.Venue(in.Exchange)
		if v == nil {
			continue
		}
		for _, l := range v.Lives(in.Symbol) {
			if l.TakerFee == nil || !l.To.IsZero() {
				continue
			}
			bps := strconv.FormatFloat(*l.TakerFee*1e4, 'g', 6, 64)
			lines = append(lines, fmt.Sprintf("  # %s: a taker pays %s bps by the vendor's metadata of %s, which is illustrative", in.Exchange, bps, v.Asked))
		}
	}
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "  taker_bps:") {
			for _, l := range distinctly(lines) {
				out.WriteString(l + "\n")
			}
		}
		out.WriteString(line)
	}
	return []byte(out.String())
}
