package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardistest"
	"github.com/qf-dev/qf/signals/llm/llmtest"
)

// block is a fenced block of the README. Behind its language stands the file that it is, or >> and
// the file that it is added to; behind text, the command that prints it.
type block struct {
	language, file string
	line           int
	text           string
}

func readme(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	inside := false
	scan := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; scan.Scan(); n++ {
		fence, ok := strings.CutPrefix(scan.Text(), "```")
		switch {
		case ok && !inside:
			language, file, _ := strings.Cut(fence, " ")
			blocks = append(blocks, block{language: language, file: file, line: n})
			inside = true
		case ok:
			inside = false
		case inside:
			blocks[len(blocks)-1].text += scan.Text() + "\n"
		}
	}
	return blocks
}

// notRun are the beginnings of shell lines of the README that its test leaves out.
var notRun = []struct{ start, because string }{
	{"make ", "it builds and tests this very tree; TestReadmeStudiesAndTargets looks for the target"},
	{"go install ", "the test has the qf of this tree"},
	{"npm install ", "it needs the network; .ci/run does it"},
	{"export ", "the test has keys of its own"},
}

// notebook are the languages of the README whose interpreter the test does not have: it checks that
// the files which such a block opens are there.
var notebook = []string{"python"}

// Every block of the README runs, in order and in one folder, against a simulated vendor and a
// simulated endpoint of models: shell lines by a shell, YAML as the files that they are, the commands
// of CI files too, SQL by DuckDB where QF_DUCKDB names one.
func TestReadmeRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("fetches and backtests five months")
	}
	blocks := readme(t)
	run := readmeShell(t)
	counts := map[string]int{}
	for _, b := range blocks {
		counts[b.language]++
		switch {
		case b.language == "sh":
			run(b, b.text)
		case b.language == "yaml":
			writeBlock(t, b)
			if strings.HasSuffix(b.file, ".yml") {
				run(b, strings.Join(ciCommands(t, b), "\n"))
			}
		case b.language == "csv":
			writeBlock(t, b)
		case b.language == "text":
			if out, _ := exec.Command("sh", "-c", b.file).CombinedOutput(); string(out) != b.text { // errors are what it shows
				t.Errorf("README.md:%d: %s prints\n%s", b.line, b.file, out)
			}
		case b.language == "sql":
			if os.Getenv("QF_DUCKDB") == "" {
				t.Logf("README.md:%d: not run: QF_DUCKDB is not set", b.line)
				continue
			}
			set := "" // what holds for the statements after it
			for statement := range strings.SplitSeq(b.text, ";") {
				switch statement = strings.TrimSpace(statement); {
				case strings.HasPrefix(statement, "set "):
					set += statement + ";"
				case statement != "" && len(duckdb(t, set+statement)) == 0:
					t.Errorf("README.md:%d: no rows from %s", b.line, statement)
				}
			}
			if !strings.Contains(set, "TimeZone = 'UTC'") {
				t.Errorf("README.md:%d: DuckDB shows times in the session's zone: want set TimeZone = 'UTC'", b.line)
			}
		case slices.Contains(notebook, b.language):
			for _, m := range regexp.MustCompile(`(?:scan|read)_(?:parquet|csv)\("([^"]+)"`).FindAllStringSubmatch(b.text, -1) {
				if found, err := filepath.Glob(strings.ReplaceAll(m[1], "**", "*/*/*")); err != nil || len(found) == 0 {
					t.Errorf("README.md:%d: opens %s, and there is no such file", b.line, m[1])
				}
			}
		default:
			t.Errorf("README.md:%d: nothing runs a block of %q: mark what it is, or exempt it here with the reason", b.line, b.language)
		}
	}
	if counts["sh"] < 8 || counts["yaml"] < 6 || counts["sql"] < 1 || counts["python"] < 2 {
		t.Errorf("the README has only %v blocks", counts)
	}
}

// readmeShell makes a folder to run the README in and gives what runs lines there.
func readmeShell(t *testing.T) func(b block, script string) {
	t.Helper()
	first, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	market := &tardistest.Market{
		Seed: 1, Start: first, TradesPerDay: 300, TickerEvery: 900,
		Instruments: []datasets.Instrument{
			{Exchange: "binance-futures", Symbol: "BTCUSDT"}, {Exchange: "binance-futures", Symbol: "ETHUSDT"},
			{Exchange: "bybit", Symbol: "BTCUSDT"}, {Exchange: "bybit", Symbol: "ETHUSDT"}, {Exchange: "coinbase", Symbol: "BTC-USD"},
		},
	}
	vendor := &tardistest.Server{Days: market, Keys: []string{tardistest.DemoKey}, Metadata: &tardistest.Metadata{Market: market}}
	if err := vendor.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = vendor.Close() })
	models := &llmtest.Server{Key: modelKey, Rule: llmtest.Honest(1, 0.5)}
	if err := models.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = models.Close() })
	t.Setenv("TARDIS_API_KEY", tardistest.DemoKey)
	t.Setenv("HOLYSHEEP_API_KEY", modelKey)
	t.Chdir(t.TempDir())
	if err := os.Mkdir("downloads", 0o777); err != nil {
		t.Fatal(err)
	}
	download, err := os.Create("downloads/binance-futures_quotes_2024-01-01_BTCUSDT.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := market.WriteDay(download, datasets.Partition{Instrument: market.Instruments[0], Type: datasets.Quotes, Day: first}); err != nil {
		t.Fatal(err)
	}
	if err := download.Close(); err != nil {
		t.Fatal(err)
	}
	// The commands as they stand, but for where the servers are and how long they may be asked.
	to := strings.NewReplacer(
		"qf fetch ", "qf fetch --base-url "+vendor.URL()+" ",
		"qf instruments ", "qf instruments --base-url "+vendor.URL()+" ",
		"qf signals fill ", "qf signals fill --set signals.llm.base_url="+models.URL()+" --set signals.llm.requests_per_minute=1000000 ",
	)
	return func(b block, script string) {
		t.Helper()
		for line := range strings.Lines(script) {
			line = strings.TrimSpace(line)
			if line == "" || slices.ContainsFunc(notRun, func(n struct{ start, because string }) bool { return strings.HasPrefix(line, n.start) }) {
				continue
			}
			if out, err := exec.Command("sh", "-c", to.Replace(line)).CombinedOutput(); err != nil {
				t.Fatalf("README.md:%d: %s: %v\n%s", b.line, line, err, out)
			}
		}
	}
}

// writeBlock makes a block the file that it says it is.
func writeBlock(t *testing.T, b block) {
	t.Helper()
	file, added := strings.CutPrefix(b.file, ">>")
	if file == "" {
		t.Fatalf("README.md:%d: which file is this?", b.line)
	}
	var before []byte
	if added {
		var err error
		if before, err = os.ReadFile(file); err != nil {
			t.Fatalf("README.md:%d: %v", b.line, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(before, b.text...), 0o666); err != nil {
		t.Fatal(err)
	}
}

// ciCommands are the shell lines of a GitHub or GitLab file: what stands under run and script.
func ciCommands(t *testing.T, b block) []string {
	t.Helper()
	doc, err := yamlconf.Parse(b.file, []byte(b.text))
	if err != nil {
		t.Fatalf("README.md:%d: %v", b.line, err)
	}
	var out []string
	var walk func(n *yamlconf.Node, commands bool)
	walk = func(n *yamlconf.Node, commands bool) {
		if n.Kind == yamlconf.Scalar && commands {
			out = append(out, n.Text)
		}
		for i, item := range n.Items {
			walk(item, commands || n.Kind == yamlconf.Map && (n.Keys[i].Name == "run" || n.Keys[i].Name == "script"))
		}
	}
	walk(doc, false)
	if len(out) < 3 {
		t.Errorf("README.md:%d: %s runs %q only", b.line, b.file, out)
	}
	return out
}

// The README's studies are valid ones, and its lines about make name targets that there are.
func TestReadmeStudiesAndTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	studies := map[string]string{}
	for _, b := range readme(t) {
		switch b.language {
		case "yaml":
			if file := strings.TrimPrefix(b.file, ">>"); strings.Contains(b.text, "version: 1\n") || file != b.file {
				studies[file] += b.text
				if _, err := study.Parse(file, []byte(studies[file]), nil); err != nil {
					t.Errorf("README.md:%d: %v", b.line, err)
				}
			}
		case "sh":
			for line := range strings.Lines(b.text) {
				if f := strings.Fields(line); len(f) > 1 && f[0] == "make" && !strings.Contains(string(makefile), "\n"+f[1]+":") {
					t.Errorf("README.md:%d: the Makefile has no target for: %s", b.line, line)
				}
			}
		}
	}
	if len(studies) < 2 {
		t.Errorf("the README has %d studies", len(studies))
	}
}
