package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
)

// opened is what a browser made of a page.
type opened struct {
	dom      string   // after its scripts ran
	console  []string // what it wrote there
	requests []string // addresses that it asked for
}

// open shows a page to headless Chromium without a network. It skips the test where there is none.
func open(t *testing.T, page string) opened {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium in PATH")
	}
	dir, err := os.MkdirTemp("", "qf-page-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // its processes may still be leaving: no reason to fail
	file, log := filepath.Join(dir, "page.html"), filepath.Join(dir, "net.json")
	if err := os.WriteFile(file, []byte(page), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--enable-logging=stderr", "--v=0", "--log-net-log="+log, "--dump-dom", "file://"+file)
	var dom, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &dom, &messages
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, messages.String())
	}
	out := opened{dom: dom.String()}
	for line := range strings.Lines(messages.String()) {
		if strings.Contains(line, "CONSOLE") {
			out.console = append(out.console, line)
		}
	}
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var net struct {
		Events []struct {
			Params struct {
				URL       string `json:"url"`
				Isolation string `json:"network_isolation_key"`
			} `json:"params"`
		} `json:"events"`
	}
	if err := json.Unmarshal(b, &net); err != nil {
		t.Fatalf("%s: %v", log, err)
	}
	for _, e := range net.Events {
		// The browser's own requests belong to no page.
		if strings.HasPrefix(e.Params.URL, "http") && strings.Contains(e.Params.Isolation, "file://") {
			out.requests = append(out.requests, e.Params.URL)
		}
	}
	return out
}

// TestBrowserIsWatched: a page that loads something and fails is seen to.
func TestBrowserIsWatched(t *testing.T) {
	o := open(t, `<!doctype html><title>x</title><img src="http://elsewhere.invalid/a.png"><script>console.error("broken")</script>`)
	if len(o.console) == 0 || len(o.requests) == 0 {
		t.Errorf("console %q, requests %q: want one of each at least", o.console, o.requests)
	}
}

// TestPageInBrowser opens a report of ten instruments over 90 days, with models.
func TestPageInBrowser(t *testing.T) {
	o := open(t, render(t, HTML, finishedResult(t, modelSample(t, large))))
	if len(o.console) > 0 || len(o.requests) > 0 {
		t.Errorf("console %q, requests %q: want none", o.console, o.requests)
	}
	if !strings.Contains(o.dom, `<button type="button">`) {
		t.Error("the tables cannot be sorted: the page's own script did not run")
	}
	if n := strings.Count(o.dom, `<svg class="chart"`); n < 20 {
		t.Errorf("%d charts, want 20 at least", n)
	}
	if !strings.HasSuffix(strings.TrimSpace(o.dom), "</html>") {
		t.Error("the page breaks off")
	}
}

// TestTablesSort presses the head of a column twice: rising, then falling, and what is missing last
// both times.
func TestTablesSort(t *testing.T) {
	r := sample(t, small)
	r.Figures.Persistence = nil
	for k, lag1 := range []evaluate.Figure{0.25, nan, 0.9985, -0.5} {
		r.Figures.Persistence = append(r.Figures.Persistence, evaluate.PersistenceRow{Signal: "composite", Instrument: string(rune('a' + k)), Lag1: lag1})
	}
	page := render(t, HTML, finishedResult(t, r))
	policy := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)
	if !policy.MatchString(page) {
		t.Fatal("the page has no content security policy")
	}
	// The policy lets no other script run, this one included.
	page = strings.Replace(policy.ReplaceAllString(page, ""), "</body>", `<script>
		const table = [...document.querySelectorAll("table.sortable")].find((t) => t.tHead.textContent.includes("Half-life"));
		const head = [...table.tHead.rows[0].cells].findIndex((c) => c.textContent === "Autocorrelation");
		const keys = () => [...table.tBodies[0].rows].map((r) => r.cells[head].dataset.key || "none").join(" ");
		const out = [];
		for (const _ of [1, 2]) { table.tHead.rows[0].cells[head].querySelector("button").click(); out.push(keys()); }
		document.title = out.join(", ");</script></body>`, 1)
	o := open(t, page)
	if want := "<title>-0.5 0.25 0.9985 none, 0.9985 0.25 -0.5 none</title>"; !strings.Contains(o.dom, want) {
		t.Errorf("the titles are %q, want %q; console %q", regexp.MustCompile(`<title>.*?</title>`).FindString(o.dom), want, o.console)
	}
}

// TestHostilePageInBrowser: nothing that a name or an answer says is run.
func TestHostilePageInBrowser(t *testing.T) {
	o := open(t, render(t, HTML, finishedResult(t, hostileSample(t))))
	if len(o.console) > 0 || len(o.requests) > 0 {
		t.Errorf("console %q, requests %q: want none", o.console, o.requests)
	}
	title, _, _ := strings.Cut(o.dom, "</title>")
	if strings.HasSuffix(title, "<title>owned") {
		t.Error("a script of a name was run")
	}
}
