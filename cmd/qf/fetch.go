package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardis"
)

type fetchOptions struct {
	*common
	lake        lakeFlag
	exchange    string
	symbols     []string
	instruments []string
	types       []string
	from, to    string
	config      string
	set         []string
	dryRun      bool
	freeOnly    bool
	concurrency int
	baseURL     string
	keepRaw     string
	maxBadRows  int64
	replace     bool
	json        bool
	shard       shardFlag
}

func newFetch(s streams, c *common, run func(context.Context, streams, fetchOptions) error) *cobra.Command {
	o := fetchOptions{common: c}
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Download Tardis.dev days into the lake",
		Long: `Downloads daily files from Tardis.dev into the lake, checks each to its last byte, and
fetches only what is not there yet: the same command again goes on where it stopped. Which days:
--exchange, --symbols, --types, --from and --to (exclusive, UTC), or --config for just what a
study needs, warm-up included.

The key is read from TARDIS_API_KEY. Without one, the first day of each month is free.
` + exitPartial,
		Example: `  qf fetch --config study.yaml --dry-run
  qf fetch --config study.yaml
  qf fetch --exchange binance-futures --symbols BTCUSDT,ETHUSDT --types trades,derivative_ticker \
      --from 2024-01-01 --to 2024-04-01
  qf fetch --instruments BTC-USDT-PERPETUAL@binance,bybit,okx --from 2024-01-01 --to 2024-01-02`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	f.StringVar(&o.exchange, "exchange", "", "`EXCHANGE` as Tardis calls it: binance-futures, okex-swap, …")
	f.StringSliceVar(&o.symbols, "symbols", nil, "comma-separated `LIST` of symbols of that exchange, or TYPE:QUOTE for all such, as perpetual:USDT")
	f.StringArrayVar(&o.instruments, "instruments", nil, "`NAME` is exchange:SYMBOL or BASE-QUOTE-PERPETUAL@exchange,… (repeatable)")
	f.StringSliceVar(&o.types, "types", []string{string(datasets.Trades)}, "comma-separated `LIST` of data types")
	f.StringVar(&o.from, "from", "", "first `DAY`, YYYY-MM-DD")
	f.StringVar(&o.to, "to", "", "the `DAY` after the last")
	bindConfig(cmd, &o.config, "fetch what the study in `FILE` needs")
	bindSet(cmd, &o.set)
	f.BoolVar(&o.dryRun, "dry-run", false, "print the plan and fetch nothing")
	f.BoolVar(&o.freeOnly, "free-only", false, "only the free first day of each month")
	f.IntVar(&o.concurrency, "concurrency", 4, "`N` files at once")
	f.StringVar(&o.baseURL, "base-url", tardis.DefaultBaseURL, "`URL` of the server to fetch from")
	f.StringVar(&o.keepRaw, "keep-raw", "", "keep the .csv.gz files in `FOLDER` too")
	f.BoolVar(&o.replace, "replace", false, "fetch days anew that the lake has")
	f.Int64Var(&o.maxBadRows, "max-bad-rows", 0, "set up to `N` malformed rows of a file aside instead of refusing it")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	o.shard.bind(cmd, "files")
	complete(cmd, "exchange", anyExchange(s))
	complete(cmd, "symbols", listOf(func(cmd *cobra.Command) []string {
		return distinctly(append(lakeSymbols(s)(cmd), told(s, cmd, func(l datasets.Listing) string { return l.Symbol })...))
	}))
	complete(cmd, "instruments", instruments(s))
	complete(cmd, "types", listOf(allTypes))
	complete(cmd, "from", lakeDays(s))
	complete(cmd, "to", lakeDays(s))
	complete(cmd, "keep-raw", folders)
	return cmd
}

func runFetch(ctx context.Context, s streams, o fetchOptions) error {
	want, lake, err := o.plan(s)
	if err != nil {
		return err
	}
	client := &tardis.Client{
		BaseURL: o.baseURL, Key: s.getenv("TARDIS_API_KEY"), Version: qfVersion(),
		KeepRaw: o.keepRaw, MaxBadRows: o.maxBadRows,
	}
	defer client.Close()
	share, err := o.shard.parse(s)
	if err != nil {
		return err
	}
	want = share.files(want)
	known := lake.Catalog()
	want, absent := known.Split(want, datasets.DayOf(time.Now().UnixMicro()))
	if err := known.Err(); err != nil {
		return err
	}
	if o.freeOnly {
		want = slices.DeleteFunc(want, func(p datasets.Partition) bool { return !tardis.Free(p) })
	}
	if o.dryRun {
		return printPlan(s, lake, want, absent, o.json)
	}
	boundMemory()
	progress := newFetchProgress(s, o.common, len(want))
	client.Retrying = progress.retrying
	report, err := datasets.Fetch(ctx, client, lake, want, datasets.FetchOptions{
		Concurrency: o.concurrency, Replace: o.replace, Now: time.Now(), Observe: progress.observe,
	})
	progress.close()
	report.Entries = append(report.Entries, absent...)
	slices.SortStableFunc(report.Entries, func(a, b datasets.FetchEntry) int { return a.Partition.Compare(b.Partition) })
	return finishFetch(s, report, err, o.json, o.quiet)
}

// plan says which partitions are wanted and opens the lake for them.
func (o fetchOptions) plan(s streams) ([]datasets.Partition, *datasets.Lake, error) {
	if err := checkIngest(o.concurrency, o.maxBadRows); err != nil {
		return nil, nil, err
	}
	if u, err := url.Parse(o.baseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, usageError{fmt.Errorf("--base-url %s: want a URL such as %s", o.baseURL, tardis.DefaultBaseURL)}
	}
	if o.config != "" {
		if o.exchange != "" || len(o.symbols)+len(o.instruments) > 0 || o.from != "" || o.to != "" {
			return nil, nil, usageError{errors.New("--config says what to fetch: leave out --exchange, --symbols, --instruments, --from and --to")}
		}
		study, err := loadStudy(s, o.lake, o.config, o.set)
		if err != nil {
			return nil, nil, err
		}
		want, err := study.Partitions()
		if err != nil {
			return nil, nil, err
		}
		lake, err := o.lake.open(s, study.Data.Lake, o.config)
		return want, lake, err
	}
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return nil, nil, err
	}
	known := lake.Catalog()
	want, err := o.partitions(s, known)
	if err != nil {
		return nil, nil, usageError{err}
	}
	return want, lake, known.Err()
}

// named are the instruments of the exchange that a symbol means, or that TYPE:QUOTE picks from the vendor's metadata, as in
// perpetual:USDT.
func (o fetchOptions) named(known *datasets.Catalog, symbol string) ([]datasets.Instrument, error) {
	kind, quote, ok := strings.Cut(symbol, ":")
	if !ok || !slices.Contains(instrumentTypes, kind) {
		in, err := known.Instrument(o.exchange + ":" + symbol)
		return []datasets.Instrument{in}, err
	}
	v := known.Venue(strings.ToLower(o.exchange))
	if v == nil {
		return nil, fmt.Errorf("the lake does not know what %s has: qf instruments --exchange %s asks", o.exchange, o.exchange)
	}
	first, last, err := days(o.from, o.to)
	if err != nil {
		return nil, err
	}
	list := v.Pick(kind, quote, first, last)
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no %s against %s between these days", v.Exchange, kind, strings.ToUpper(quote))
	}
	return list, nil
}

// mostBadRows bounds --max-bad-rows.
const mostBadRows = 100_000

// checkIngest checks what fetch and import have in common.
func checkIngest(concurrency int, maxBadRows int64) error {
	switch {
	case concurrency < 1 || concurrency > 64:
		return usageError{fmt.Errorf("--concurrency %d: want 1 to 64", concurrency)}
	case maxBadRows < 0 || maxBadRows > mostBadRows: // they are held until the file is whole
		return usageError{fmt.Errorf("--max-bad-rows %d: want 0 to %d", maxBadRows, mostBadRows)}
	}
	return nil
}

// partitions is the product of instruments, types and days; what is named twice counts once.
func (o fetchOptions) partitions(s streams, known *datasets.Catalog) ([]datasets.Partition, error) {
	var instruments []datasets.Instrument
	switch {
	case o.exchange == "" && len(o.instruments) == 0:
		return nil, errors.New("which instruments? want --exchange and --symbols, --instruments or --config (see 'qf fetch --help')")
	case o.exchange != "" && len(o.symbols) == 0:
		return nil, fmt.Errorf("which symbols of %s? want --symbols", o.exchange)
	case o.exchange == "" && len(o.symbols) > 0:
		return nil, errors.New("which exchange? want --exchange")
	}
	for _, symbol := range o.symbols {
		list, err := o.named(known, symbol)
		if err != nil {
			return nil, fmt.Errorf("--exchange %s --symbols %s: %w", o.exchange, symbol, err)
		}
		instruments = append(instruments, list...)
	}
	for _, name := range o.instruments {
		list, err := known.Resolve(name)
		if err != nil {
			return nil, err
		}
		instruments = append(instruments, list...)
	}
	instruments = distinctly(instruments)
	for _, in := range instruments {
		if !datasets.KnownExchange(in.Exchange) {
			fmt.Fprintf(s.err, "qf: warning: exchange %q is not one that qf has heard of\n", in.Exchange)
		}
	}
	first, last, err := days(o.from, o.to)
	if err != nil {
		return nil, err
	}
	if len(o.types) == 0 {
		return nil, errors.New("which data types? want --types, as in --types trades,derivative_ticker")
	}
	var want []datasets.Partition
	for _, name := range distinctly(o.types) {
		t, err := datasets.ParseDataType(name)
		if err != nil {
			return nil, err
		}
		for _, in := range instruments {
			for d := first; d < last; d++ {
				want = append(want, datasets.Partition{Instrument: in, Type: t, Day: d})
			}
		}
	}
	return want, nil
}

// distinctly leaves each value where it stands first.
func distinctly[T comparable](list []T) []T {
	var out []T
	seen := make(map[T]bool, len(list))
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// maxDays bounds a span: 30 years.
const maxDays = 366 * 30

// days reads --from and --to.
func days(from, to string) (first, end datasets.Day, err error) {
	if from == "" || to == "" {
		return 0, 0, errors.New("which days? want --from (first day) and --to (day after the last)")
	}
	if first, err = datasets.ParseDay(from); err != nil {
		return 0, 0, fmt.Errorf("--from: %w", err)
	}
	if end, err = datasets.ParseDay(to); err != nil {
		return 0, 0, fmt.Errorf("--to: %w", err)
	}
	if end-first > maxDays {
		return 0, 0, fmt.Errorf("--from %s --to %s: %d days, want at most 30 years", from, to, end-first)
	}
	if end <= first {
		return 0, 0, fmt.Errorf("--to %s: want a day after --from %s (to is exclusive)", to, from)
	}
	return first, end, nil
}

// printPlan lists what a fetch would do by series.
func printPlan(s streams, lake *datasets.Lake, want []datasets.Partition, absent []datasets.FetchEntry, asJSON bool) error {
	type series struct {
		Type    datasets.DataType `json:"type"`
		Name    string            `json:"instrument"`
		From    datasets.Day      `json:"from"`
		To      datasets.Day      `json:"to"`
		Files   int               `json:"files"`
		Present int               `json:"present"`
		Free    int               `json:"free"`
		Paid    int               `json:"paid"`
		Absent  int               `json:"not_asked_for"` // the vendor is known not to have them
	}
	list := []series{}
	lacking := map[datasets.Partition]bool{}
	want = slices.Clone(want)
	for _, e := range absent {
		lacking[e.Partition] = true
		want = append(want, e.Partition)
	}
	slices.SortStableFunc(want, func(a, b datasets.Partition) int {
		if len(absent) == 0 {
			return 0 // as the study has them
		}
		if c := a.Instrument.Compare(b.Instrument); c != 0 {
			return c
		}
		return a.Compare(b)
	})
	for i, p := range want {
		if i == 0 || want[i-1].Type != p.Type || want[i-1].Instrument != p.Instrument {
			list = append(list, series{Type: p.Type, Name: p.Instrument.String(), From: p.Day})
		}
		row := &list[len(list)-1]
		row.To = p.Day + 1
		row.Files++
		if lacking[p] {
			row.Absent++
			continue
		}
		switch _, err := lake.Stat(p); {
		case err == nil:
			row.Present++
		case tardis.Free(p):
			row.Free++
		default:
			row.Paid++
		}
	}
	if asJSON {
		return printJSON(s, list)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "type\tinstrument\tfrom\tto\tfiles\talready there\tto fetch, free\tto fetch, with a key\tnot there")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", r.Type, r.Name, r.From, r.To, r.Files, r.Present, r.Free, r.Paid, r.Absent)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printAbsent(s, datasets.FetchReport{Entries: absent})
	return nil
}

// finishFetch prints what became of a fetch or an import, and turns it into the exit code.
func finishFetch(s streams, r datasets.FetchReport, err error, asJSON, quiet bool) error {
	if asJSON {
		if jsonErr := printJSON(s, fetchJSON(r)); jsonErr != nil {
			return jsonErr
		}
	} else if !quiet || err != nil || len(r.Entries) != gotIn(r) {
		printFetch(s, r)
	}
	if err != nil {
		return err
	}
	switch in := gotIn(r); {
	case in == len(r.Entries):
		return nil
	case in > 0, r.Count(datasets.NotYet) == len(r.Entries):
		return quietly(exitPartly, "%s", fetchLines(r))
	}
	return quietly(exitFailed, "%s", fetchLines(r))
}

// fetchLines says what did not come in, a line for each file that failed and for each series of days that
// are not to be had.
func fetchLines(r datasets.FetchReport) string {
	var lines []string
	for _, e := range r.Entries {
		if e.Status == datasets.Failed {
			lines = append(lines, e.Err.Error())
		}
	}
	for _, list := range absent(r) {
		p := list[0].Partition
		lines = append(lines, fmt.Sprintf("%s: %s/%s/%s %s", list[0].Status, p.Exchange, p.Type, p.Symbol, dayList(daysOf(list))))
	}
	return strings.Join(lines, "\n")
}

func gotIn(r datasets.FetchReport) int {
	return r.Count(datasets.Fetched) + r.Count(datasets.Empty) + r.Count(datasets.Present) + unasked(r)
}

// unasked counts the files that the vendor is known not to have.
func unasked(r datasets.FetchReport) int {
	return r.Count(datasets.Unlisted) + r.Count(datasets.Unexported) + r.Count(datasets.Unfed)
}

// printFetch prints the counts and then what is not in the lake, days of a series together.
func printFetch(s streams, r datasets.FetchReport) {
	var counts []string
	for status := datasets.NotReached; status <= datasets.Unfed; status++ {
		if n := r.Count(status); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, status))
		}
	}
	fmt.Fprintf(s.out, "%d file(s): %s\n", len(r.Entries), strings.Join(counts, ", "))
	for _, e := range r.Entries {
		if e.Damaged != nil {
			fmt.Fprintf(s.out, "  %s: replaced a file that did not read: %v\n", e.Partition, e.Damaged)
		}
		if e.Status == datasets.Failed {
			fmt.Fprintf(s.out, "  %v\n", e.Err)
		}
	}
	printAbsent(s, r)
	if r.Count(datasets.KeyNeeded) > 0 {
		fmt.Fprintln(s.out, "Set TARDIS_API_KEY to fetch paid days (https://tardis.dev); the first day of each month is free.")
	}
}

// printAbsent prints the days of each series that are not to be had.
func printAbsent(s streams, r datasets.FetchReport) {
	for _, list := range absent(r) {
		p := list[0].Partition
		fmt.Fprintf(s.out, "  %s: %s/%s/%s %s\n", list[0].Status, p.Exchange, p.Type, p.Symbol, dayList(daysOf(list)))
	}
}

// absent groups the entries that did not get in, and did not fail, by status and series, in their order.
func absent(r datasets.FetchReport) [][]datasets.FetchEntry {
	var groups [][]datasets.FetchEntry
	for _, e := range r.Entries {
		switch e.Status {
		case datasets.NotFound, datasets.KeyNeeded, datasets.NotReached, datasets.NotYet, datasets.Unlisted, datasets.Unexported, datasets.Unfed:
		default:
			continue
		}
		i := slices.IndexFunc(groups, func(g []datasets.FetchEntry) bool {
			return g[0].Status == e.Status && g[0].Partition.Type == e.Partition.Type && g[0].Partition.Instrument == e.Partition.Instrument
		})
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], e)
	}
	return groups
}

// daysOf are the days of entries.
func daysOf(entries []datasets.FetchEntry) []datasets.Day {
	var list []datasets.Day
	for _, e := range entries {
		list = append(list, e.Partition.Day)
	}
	return list
}

// dayList writes ascending days, runs as first..last.
func dayList(list []datasets.Day) string {
	var out []string
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j] == list[j-1]+1 {
			j++
		}
		text := list[i].String()
		if j-i > 1 {
			text += ".." + list[j-1].String()
		}
		out = append(out, text)
		i = j
	}
	return strings.Join(out, ", ")
}

type fetchLine struct {
	Exchange string            `json:"exchange"`
	Type     datasets.DataType `json:"type"`
	Symbol   string            `json:"symbol"`
	Day      datasets.Day      `json:"date"`
	Status   string            `json:"status"`
	Rows     int64             `json:"rows"`
	Bytes    int64             `json:"source_bytes"`
	Error    string            `json:"error,omitempty"`
}

func fetchJSON(r datasets.FetchReport) []fetchLine {
	lines := []fetchLine{}
	for _, e := range r.Entries {
		p := e.Partition
		line := fetchLine{
			Exchange: p.Exchange, Type: p.Type, Symbol: p.Symbol, Day: p.Day,
			Status: strings.ReplaceAll(e.Status.String(), " ", "_"), Rows: e.Info.Rows, Bytes: e.Info.Source.Bytes,
		}
		if e.Err != nil {
			line.Error = e.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

// printJSON prints one document.
func printJSON(s streams, v any) error {
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
