package reports

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/ledger"
	"github.com/qf-dev/qf/backtest/yamlconf"
)

// Manifest is manifest.json: where a run's numbers come from.
type Manifest struct {
	Schema  int    `json:"schema"`
	Name    string `json:"name"`
	Digest  string `json:"digest"`
	Version string `json:"qf_version"` // stands here and in no other file of a run, as the platform does
	// Platform is the system and architecture that made the run; every other byte is the same on all.
	Platform string `json:"platform"`
	Span     Span   `json:"span"`
	// Config is the study with every default filled in, under the keys of its file and with windows
	// and dates as they are written there. Folders, endpoints and rates are left out: they are no part of a run.
	Config   json.RawMessage         `json:"config"`
	Sources  []Source                `json:"sources"`
	Series   []backtest.SeriesSource `json:"series,omitempty"` // the study's own
	Ledger   *ledger.Head            `json:"ledger,omitempty"` // that the run was judged by: qf ledger verify looks whether it is still there
	Warnings []string                `json:"warnings"`
}

// Source is one lake file that was read.
type Source struct {
	Partition string `json:"partition"` // exchange/type/SYMBOL/YYYY-MM-DD
	Rows      int64  `json:"rows"`
	Digest    string `json:"digest"` // of the cells
	Path      string `json:"source_path"`
	Bytes     int64  `json:"source_bytes"`
	SHA256    string `json:"source_sha256"`
}

// circumstances are the keys of a study that say where something lies or how fast it may be asked for:
// they are no part of a result.
var circumstances = []string{
	"data.lake", "report.dir",
	"signals.llm.cache", "signals.llm.base_url", "signals.llm.api_key_env", "signals.llm.budget_usd", "signals.llm.concurrency",
	"signals.llm.requests_per_minute", "signals.llm.tokens_per_minute", "signals.llm.max_retries",
}

// NewManifest says where the numbers of d, the report on r, come from. version is qf's.
func NewManifest(r *backtest.Result, d *Report, version string) (*Manifest, error) {
	config := r.Study.Document()
	for _, path := range circumstances {
		drop(config, strings.Split(path, "."))
	}
	raw, err := config.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", d.Name, err)
	}
	m := &Manifest{
		Schema: Schema, Name: d.Name, Digest: d.Digest, Version: version, Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Span: d.Span, Config: raw, Sources: []Source{}, Series: r.Series, Ledger: r.Ledger, Warnings: d.Warnings,
	}
	for _, f := range r.Sources {
		m.Sources = append(m.Sources, Source{
			Partition: f.Partition.String(), Rows: f.Rows, Digest: f.Digest,
			Path: f.Source.Path, Bytes: f.Source.Bytes, SHA256: f.Source.SHA256,
		})
	}
	return m, nil
}

// drop takes the value at a path out of a mapping, if it is there.
func drop(n *yamlconf.Node, path []string) {
	k := slices.IndexFunc(n.Keys, func(k yamlconf.Key) bool { return k.Name == path[0] })
	switch {
	case k < 0:
	case len(path) > 1:
		drop(n.Items[k], path[1:])
	default:
		n.Keys, n.Items = slices.Delete(n.Keys, k, k+1), slices.Delete(n.Items, k, k+1)
	}
}
