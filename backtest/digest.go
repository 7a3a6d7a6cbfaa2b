package backtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/qf-dev/qf/backtest/opinions"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
)

// digest names a run: a hash over the configuration, but for where things lie, and over the cells
// of every source, and what the models said.
func digest(s *study.Study, sources []datasets.Info, own []SeriesSource, models *opinions.Models) (string, error) {
	h := sha256.New()
	doc := s.Document()
	for i, k := range doc.Keys {
		item := doc.Items[i]
		switch k.Name {
		case "report":
			continue
		case "data":
			item = withoutPaths(item.Without("lake"))
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
	for _, f := range own {
		io.WriteString(h, "series "+f.Name+" "+f.Digest+"\n")
	}
	if models != nil {
		if err := models.WriteReplies(h); err != nil {
			return "", fmt.Errorf("digest: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// withoutPaths leaves out of a study's data where its series lie.
func withoutPaths(data *yamlconf.Node) *yamlconf.Node {
	out := &yamlconf.Node{Kind: yamlconf.Map}
	for i, k := range data.Keys {
		item := data.Items[i]
		if k.Name == "series" {
			list := &yamlconf.Node{Kind: yamlconf.List}
			for _, f := range item.Items {
				list.Items = append(list.Items, f.Without("path"))
			}
			item = list
		}
		out.Add(k.Name, item)
	}
	return out
}
