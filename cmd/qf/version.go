package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// Set at build time with -ldflags "-X main.version=…"; what is not set is taken from what the Go
// tools recorded.
var version, commit, commitDate string

func qfVersion() string {
	info, ok := debug.ReadBuildInfo()
	if version == "" && ok && info.Main.Version != "(devel)" {
		return cmp.Or(info.Main.Version, "devel")
	}
	return cmp.Or(version, "devel")
}

// build is how this program came to be. What is not known is empty.
type build struct {
	Version    string       `json:"version"`
	Commit     string       `json:"commit"`
	CommitDate string       `json:"commit_date"` // UTC
	Modified   bool         `json:"modified"`    // built from a tree that is not the commit's
	Go         string       `json:"go"`
	Platform   string       `json:"platform"`
	Modules    []moduleJSON `json:"modules"`
}

type moduleJSON struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

func buildInfo() build {
	b := build{Version: qfVersion(), Commit: commit, CommitDate: commitDate, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Modules: []moduleJSON{}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = cmp.Or(b.Commit, s.Value)
		case "vcs.time":
			b.CommitDate = cmp.Or(b.CommitDate, s.Value)
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Modules = append(b.Modules, moduleJSON{m.Path, m.Version})
	}
	return b
}

type versionOptions struct {
	*common
	json bool
}

func newVersion(s streams, c *common, run func(streams, versionOptions) error) *cobra.Command {
	o := versionOptions{common: c}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and how it was built",
		Long: `Prints version, commit, the commit's date, the Go version and the platform; with --verbose or
--json also the version of each module that qf was built with.
` + exitPlain,
		Example: "  qf version\n  qf version --verbose\n  qf version --json | jq -r .commit",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return run(s, o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print as JSON")
	return cmd
}

func runVersion(s streams, o versionOptions) error {
	b := buildInfo()
	if o.json {
		return printJSON(s, b)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "qf %s\n", b.Version)
	from := cmp.Or(b.Commit, "unknown")
	if b.Modified {
		from += ", modified"
	}
	fmt.Fprintf(w, "  commit\t%s\n  date\t%s\n  go\t%s\n  platform\t%s\n", from, cmp.Or(b.CommitDate, "unknown"), b.Go, b.Platform)
	if o.verbose {
		fmt.Fprintln(w, "  modules")
		for _, m := range b.Modules {
			fmt.Fprintf(w, "    %s\t%s\n", m.Path, m.Version)
		}
	}
	return w.Flush()
}
