package backtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// digest names a run: a hash over the configuration, but for where things lie, and over the cells
// of every source, and what the models said.
func digest(s *study.Study, sources []datasets.Info, models *opinions.Models) (string, error) {
	h := sha256.New()
	doc := s.Document()
	for i, k := range doc.Keys {
		item := doc.Items[i]
		switch k.Name {
		case "report":
			continue
		case "data":
			item = item.Without("lake")
		case "signals":
			item = s.Signals.Identity(item)
		}
		text, err := json.Marshal(item)
		if err != nil {
			return "", fmt.Errorf("digest: %s: %w", k.Name, err)
		}
		fmt.Fprintf(h, "%s %s\n", k.Name, text)
	}
	for _, src := range sources {
		io.WriteString(h, src.Partition.String()+" "+src.Digest+"\n")
	}
	if models != nil {
		if err := models.WriteReplies(h); err != nil {
			return "", fmt.Errorf("digest: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}
