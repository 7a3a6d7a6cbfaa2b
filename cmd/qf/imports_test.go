package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/qf-dev/qf/"

// layers is the architecture: each package with those of ours that it may import, all of them to
// its left in the line fetch → lake → bars → factors → signals → backtest → reports.
var layers = map[string][]string{
	"datasets/parquet":        {},
	"datasets/inflate":        {},
	"datasets/atomicfile":     {},
	"datasets/scratch":        {},
	"datasets":                {"datasets/parquet", "datasets/atomicfile"},
	"datasets/tardis":         {"datasets", "datasets/inflate"},
	"datasets/tardistest":     {"datasets", "datasets/tardis"},
	"datasets/bars":           {"datasets"},
	"datasets/series":         {"datasets", "datasets/parquet"},
	"factors/kernel/radix":    {},
	"factors/kernel/portable": {},
	"factors/kernel":          {"factors/kernel/radix", "factors/kernel/portable"},
	"factors":                 {"datasets", "datasets/bars", "factors/kernel", "factors/kernel/portable"},
	"factors/expr":            {"datasets", "factors", "factors/kernel", "factors/kernel/portable"},
	"signals":                 {"datasets", "factors"},
	"signals/llm":             {"datasets", "datasets/atomicfile", "factors", "signals"},
	"signals/llm/llmtest":     {},
	"backtest/metrics":        {"factors/kernel/radix", "factors/kernel/portable"},
	"backtest/yamlconf":       {"datasets"},
	"backtest/study":          {"datasets", "datasets/bars", "factors", "factors/expr", "signals", "signals/llm", "backtest/yamlconf"},
	"backtest/portfolio":      {"datasets", "datasets/bars", "factors", "factors/kernel", "backtest/study", "backtest/metrics"},
	"backtest/universe":       {"datasets", "backtest/study"},
	"backtest/evaluate":       {"datasets", "factors/kernel/portable", "datasets/bars", "datasets/scratch", "factors", "signals", "backtest/metrics", "backtest/study", "backtest/portfolio"},
	"backtest/opinions":       {"datasets", "factors/kernel/portable", "datasets/bars", "factors", "signals/llm", "backtest/metrics", "backtest/study", "backtest/evaluate"},
	"backtest":                {"datasets", "factors/kernel/portable", "datasets/bars", "datasets/scratch", "datasets/series", "factors", "signals", "signals/llm", "backtest/metrics", "backtest/yamlconf", "backtest/study", "backtest/portfolio", "backtest/evaluate", "backtest/opinions", "backtest/universe", "backtest/ledger"},
	"backtest/sweep":          {"datasets", "factors", "factors/kernel/portable", "backtest", "backtest/ledger", "backtest/metrics", "backtest/yamlconf", "backtest/study", "backtest/portfolio", "backtest/evaluate"},
	"reports/chart":           {},
	"reports":                 {"datasets", "datasets/atomicfile", "datasets/bars", "datasets/parquet", "factors", "signals/llm", "backtest", "backtest/ledger", "backtest/sweep", "backtest/study", "backtest/portfolio", "backtest/evaluate", "backtest/opinions", "backtest/yamlconf", "reports/chart"},
	"cmd/qf":                  nil, // everything
	"backtest/ledger":         {"datasets", "datasets/atomicfile", "backtest/metrics", "backtest/study", "backtest/portfolio", "backtest/evaluate"},
}

// owners are the libraries that one part of the tree keeps to itself.
var owners = map[string][]string{
	"github.com/parquet-go/parquet-go":  {"datasets/parquet"},
	"github.com/spf13/cobra":            {"cmd/qf"},
	"github.com/schollz/progressbar/v3": {"cmd/qf"},
	"github.com/goccy/go-yaml":          {"backtest/yamlconf", "reports"},
	"github.com/sashabaranov/go-openai": {"signals/llm"},
	"github.com/hashicorp/go-retryable": {"datasets/tardis", "signals/llm"},
	"net/http":                          {"datasets/tardis", "datasets/tardistest", "signals/llm", "signals/llm/llmtest"},
	"html/template":                     {"reports", "reports/chart"},
	"github.com/klauspost/compress":     {"datasets/parquet", "datasets/tardis", "datasets/tardistest"},
}

func TestImportsPointLeft(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(rel))
		allowed, known := layers[pkg]
		if !known {
			t.Errorf("%s: package %s has no place in the table of layers", rel, pkg)
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if ours, ok := strings.CutPrefix(name, module); ok && pkg != "cmd/qf" && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, which is not to the left of %s", rel, ours, pkg)
			}
			for library, parts := range owners {
				if strings.HasPrefix(name, library) && !slices.Contains(parts, pkg) {
					t.Errorf("%s imports %s, which only %v may touch", rel, name, parts)
				}
			}
			if strings.Contains(name, "apache/arrow") && strings.HasSuffix(name, "/compute") {
				t.Errorf("%s imports Arrow's compute package, which triples the binary", rel)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTopLevelIsFixed(t *testing.T) {
	allowed := []string{"cmd", "backtest", "datasets", "factors", "signals", "reports", "testdata", "findings", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}
	entries, err := filepath.Glob(filepath.Join("..", "..", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := filepath.Base(e)
		if made := []string{"qf", "demo", "runs", "lake", "bench"}; slices.Contains(made, name) || strings.HasPrefix(name, ".") {
			continue // what make and qf leave behind, all of it ignored by git
		}
		if !slices.Contains(allowed, name) {
			t.Errorf("%s stands at the top level, which holds only %v", name, allowed)
		}
	}
}
