package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
)

type barsOptions struct {
	*common
	lake     lakeFlag
	config   string
	set      []string
	exchange string
	symbols  []string
	types    []string
	every    time.Duration
	from, to string
	workers  int
	json     bool
	shard    shardFlag
}

func newBars(s streams, c *common, run func(context.Context, streams, barsOptions) error) *cobra.Command {
	o := barsOptions{common: c}
	cmd := &cobra.Command{
		Use:   "bars",
		Short: "Build the bars of a study and keep them in the lake",
		Long: `Folds the lake's ticks into bars and keeps them, day by day, for qf backtest, qf factors and the
like to find; what is there already, of the same day-files, is left alone. Which bars: those that
the study of --config reads, warm-up included, or time bars of --exchange, --symbols and --every
with the columns of --types, over all days of trades that the lake has or those from --from to
--to. Fails where bars could not be kept.
` + exitPlain,
		Example: `  qf bars --config study.yaml
  qf bars --exchange binance-futures --symbols BTCUSDT,ETHUSDT --every 5m --types trades,quotes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	bindConfig(cmd, &o.config, "build what the study in `FILE` reads")
	bindSet(cmd, &o.set)
	f.StringVar(&o.exchange, "exchange", "", "`EXCHANGE` of the symbols")
	f.StringSliceVar(&o.symbols, "symbols", nil, "comma-separated `LIST` of symbols of that exchange")
	f.StringSliceVar(&o.types, "types", []string{string(datasets.Trades)}, "comma-separated `LIST` of data types that columns are made of")
	f.DurationVar(&o.every, "every", time.Minute, "length of a bar: `TIME`, 1s to 24h")
	f.StringVar(&o.from, "from", "", "first `DAY`, YYYY-MM-DD (default: the lake's first)")
	f.StringVar(&o.to, "to", "", "the `DAY` after the last (default: that after the lake's last)")
	f.IntVar(&o.workers, "workers", 0, "`N` days at once (default: all cores)")
	f.BoolVar(&o.json, "json", false, "print as JSON")
	o.shard.bind(cmd, "months of an instrument")
	complete(cmd, "exchange", anyExchange(s))
	complete(cmd, "symbols", listOf(lakeSymbols(s)))
	complete(cmd, "types", listOf(lakeTypes(s)))
	complete(cmd, "from", lakeDays(s))
	complete(cmd, "to", lakeDays(s))
	return cmd
}

func runBars(ctx context.Context, s streams, o barsOptions) error {
	if o.workers < 0 {
		return usageError{fmt.Errorf("--workers %d: want 1 or more, or 0 for all cores", o.workers)}
	}
	share, err := o.shard.parse(s)
	if err != nil {
		return err
	}
	lake, want, err := o.requests(s)
	if err != nil {
		return err
	}
	workers := o.workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	together := min(workers, len(want)) // instruments; the others' days fill the processors that are left
	kept := make([]bars.Kept, len(want))
	err = datasets.ForEach(ctx, together, len(want), func(ctx context.Context, i int) (err error) {
		kept[i], err = bars.Keep(ctx, lake, want[i], bars.Options{Workers: workers / together, Own: share.months})
		return err
	})
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(s, barsJSON(want, kept))
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "instrument\tbars\tfrom\tto\ttables built\tthere already")
	for i, q := range want {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\n", q.Instrument, q.Spec, q.First, q.End, kept[i].Built, kept[i].There)
	}
	return w.Flush()
}

// requests says which bars are wanted, and of which lake.
func (o barsOptions) requests(s streams) (*datasets.Lake, []bars.Request, error) {
	named := o.exchange != "" || len(o.symbols) > 0 || o.from != "" || o.to != ""
	switch {
	case o.config != "" && named:
		return nil, nil, usageError{errors.New("--config says which bars: leave out --exchange, --symbols, --from and --to")}
	case o.config != "":
		study, err := loadStudy(s, o.lake, o.config, o.set)
		if err != nil {
			return nil, nil, err
		}
		lake, err := o.lake.open(s, study.Data.Lake, o.config)
		if err != nil {
			return nil, nil, err
		}
		if study, _, err = study.Held(lake); err != nil {
			return nil, nil, err
		}
		want, err := backtest.BarRequests(lake, study)
		return lake, want, err
	case o.exchange == "" || len(o.symbols) == 0:
		return nil, nil, usageError{errors.New("which bars? want --config, or --exchange and --symbols (see 'qf bars --help')")}
	}
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return nil, nil, err
	}
	spec := bars.Spec{Every: o.every}
	if err := spec.Validate(); err != nil {
		return nil, nil, usageError{fmt.Errorf("--every: %w", err)}
	}
	var feeds []datasets.DataType
	for _, name := range distinctly(o.types) {
		t, err := datasets.ParseDataType(name)
		if err != nil {
			return nil, nil, usageError{err}
		}
		if t != datasets.Trades {
			feeds = append(feeds, t)
		}
	}
	known := lake.Catalog()
	var want []bars.Request
	for _, symbol := range distinctly(o.symbols) {
		in, err := known.Instrument(o.exchange + ":" + symbol)
		if err != nil {
			return nil, nil, usageError{fmt.Errorf("--exchange %s --symbols %s: %w", o.exchange, symbol, err)}
		}
		contract, changes, differs, ok := known.Contract(in)
		if differs != nil {
			fmt.Fprintf(s.err, "qf: warning: %v\n", differs)
		}
		if !ok {
			return nil, nil, fmt.Errorf("%s: qf does not know what an amount of it means; say it as multiplier in a study, and use --config", in)
		}
		q := bars.Request{Instrument: in, Contract: contract, Changes: changes, Spec: spec, Feeds: feeds}
		if q.First, q.End, err = o.days(lake, in); err != nil {
			return nil, nil, err
		}
		want = append(want, q)
	}
	return lake, want, known.Err()
}

// days is the span of --from and --to, or for what they leave open that of the lake's trades.
func (o barsOptions) days(lake *datasets.Lake, in datasets.Instrument) (first, end datasets.Day, err error) {
	held, err := lake.List(datasets.Trades, in)
	if err != nil {
		return 0, 0, err
	}
	if len(held) > 0 {
		first, end = held[0].Day, held[len(held)-1].Day+1
	} else if o.from == "" || o.to == "" {
		return 0, 0, fmt.Errorf("bars %s: no trades: %w in the lake; run qf fetch --exchange %s --symbols %s --types trades --from DAY --to DAY",
			in, datasets.ErrNotFound, in.Exchange, in.Symbol)
	}
	for _, flag := range []struct {
		name, text string
		day        *datasets.Day
	}{{"from", o.from, &first}, {"to", o.to, &end}} {
		if flag.text == "" {
			continue
		}
		if *flag.day, err = datasets.ParseDay(flag.text); err != nil {
			return 0, 0, usageError{fmt.Errorf("--%s: %w", flag.name, err)}
		}
	}
	if first >= end {
		return 0, 0, usageError{fmt.Errorf("%s: days from %s to %s: want at least one", in, first, end)}
	}
	return first, end, nil
}

type keptJSON struct {
	Exchange string              `json:"exchange"`
	Symbol   string              `json:"symbol"`
	Bars     string              `json:"bars"`
	Types    []datasets.DataType `json:"types"`
	From     datasets.Day        `json:"from"`
	To       datasets.Day        `json:"to"`
	Built    int                 `json:"day_tables_built"`
	There    int                 `json:"day_tables_there"`
}

func barsJSON(want []bars.Request, kept []bars.Kept) []keptJSON {
	list := []keptJSON{}
	for i, q := range want {
		types := append([]datasets.DataType{datasets.Trades}, slices.DeleteFunc(slices.Clone(q.Feeds), func(t datasets.DataType) bool { return t == datasets.Trades })...)
		list = append(list, keptJSON{q.Instrument.Exchange, q.Instrument.Symbol, q.Spec.String(), types, q.First, q.End, kept[i].Built, kept[i].There})
	}
	return list
}
