package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/tardis"
)

type instrumentsOptions struct {
	lake      lakeFlag
	exchanges []string
	symbols   []string
	kind      string
	base      string
	quote     string
	activeOn  string
	refresh   bool
	apiURL    string
	json      bool
}

// instrumentTypes are those of the vendor.
var instrumentTypes = []string{"spot", "perpetual", "future", "option", "combo"}

func newInstruments(s streams, run func(context.Context, streams, instrumentsOptions) error) *cobra.Command {
	var o instrumentsOptions
	cmd := &cobra.Command{
		Use:   "instruments",
		Short: "List what an exchange has and had, on which terms",
		Long: `Lists the instruments of exchanges as Tardis.dev describes them: type, currencies, what an amount
means, and of which days there are files. An exchange that the lake knows nothing of is asked for,
and kept in the lake under the day on which it was; from then on the list needs no network, until
--refresh asks again. Studies, fetches and qf ls read it there.

Availability and incidents are free. The terms of instruments want a key (TARDIS_API_KEY) of some
plans; without them what an amount means is left to the built-in table.
` + exitPlain,
		Example: `  qf instruments --exchange binance-futures --type perpetual --quote USDT --active-on 2024-03-01
  qf instruments --exchange okex-swap --refresh
  qf instruments --json | jq '.[].incidents'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	f := cmd.Flags()
	o.lake.bind(cmd)
	f.StringSliceVar(&o.exchanges, "exchange", nil, "comma-separated `LIST` of exchanges (default: those that the lake knows of)")
	f.StringSliceVar(&o.symbols, "symbols", nil, "only these symbols, comma-separated `LIST`, as the venue or the files spell them")
	f.StringVar(&o.kind, "type", "", "only instruments of a `TYPE`: "+strings.Join(instrumentTypes, ", "))
	f.StringVar(&o.base, "base", "", "only those of a base `CURRENCY`; of thousands of it too")
	f.StringVar(&o.quote, "quote", "", "only those priced in a `CURRENCY`")
	f.StringVar(&o.activeOn, "active-on", "", "only those of which there are files of a `DAY`")
	f.BoolVar(&o.refresh, "refresh", false, "ask again")
	f.StringVar(&o.apiURL, "base-url", tardis.DefaultAPIURL, "`URL` of the server to ask")
	f.BoolVar(&o.json, "json", false, "print as JSON")
	complete(cmd, "exchange", listOf(func(cmd *cobra.Command) []string { return exchangesOf(s, cmd) }))
	complete(cmd, "symbols", listOf(func(cmd *cobra.Command) []string {
		return told(s, cmd, func(l datasets.Listing) string { return l.Symbol })
	}))
	complete(cmd, "type", fixed(instrumentTypes...))
	for flag, of := range map[string]func(datasets.Listing) string{
		"base":  func(l datasets.Listing) string { return l.Base },
		"quote": func(l datasets.Listing) string { return l.Quote },
	} {
		complete(cmd, flag, func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return offer(typed, told(s, cmd, of))
		})
	}
	return cmd
}

func runInstruments(ctx context.Context, s streams, o instrumentsOptions) error {
	keep, err := o.filter()
	if err != nil {
		return usageError{err}
	}
	lake, err := o.lake.open(s, "", "")
	if err != nil {
		return err
	}
	exchanges := distinctly(o.exchanges)
	if len(exchanges) == 0 {
		if exchanges, err = lake.Venues(); err != nil {
			return err
		}
		if len(exchanges) == 0 {
			return usageError{errors.New("which exchange? the lake knows of none yet: want --exchange, as in --exchange binance-futures")}
		}
	}
	client := &tardis.Client{BaseURL: o.apiURL, Key: s.getenv("TARDIS_API_KEY"), Version: qfVersion()}
	defer client.Close()
	list := []*datasets.Venue{}
	for _, id := range exchanges {
		v, err := o.venue(ctx, s, lake, client, strings.ToLower(id))
		if err != nil {
			return err
		}
		list = append(list, v)
	}
	wanted := map[datasets.Instrument]bool{}
	for _, name := range o.symbols {
		if err := want(wanted, list, name); err != nil {
			return usageError{err}
		}
	}
	for _, v := range list {
		v.Listings = slices.DeleteFunc(v.Listings, func(l datasets.Listing) bool {
			return !keep(l) || len(wanted) > 0 && !wanted[datasets.Instrument{Exchange: v.Exchange, Symbol: l.Symbol}]
		})
	}
	if o.json {
		return printJSON(s, list)
	}
	return printInstruments(s, list)
}

// want adds the instruments that a name means on any of the exchanges.
func want(wanted map[datasets.Instrument]bool, list []*datasets.Venue, name string) error {
	var unknown []error
	for _, v := range list {
		symbol, err := v.Symbol(name)
		if err != nil {
			unknown = append(unknown, err)
			continue
		}
		wanted[datasets.Instrument{Exchange: v.Exchange, Symbol: symbol}] = true
	}
	if len(unknown) == len(list) {
		return errors.Join(unknown...)
	}
	return nil
}

// filter is what the flags leave.
func (o instrumentsOptions) filter() (func(datasets.Listing) bool, error) {
	if o.kind != "" && !slices.Contains(instrumentTypes, o.kind) {
		return nil, fmt.Errorf("--type %s%s", o.kind, datasets.DidYouMean(o.kind, instrumentTypes))
	}
	var on datasets.Day
	if o.activeOn != "" {
		var err error
		if on, err = datasets.ParseDay(o.activeOn); err != nil {
			return nil, fmt.Errorf("--active-on: %w", err)
		}
	}
	return func(l datasets.Listing) bool {
		return (o.kind == "" || l.Type == o.kind) && (o.quote == "" || strings.EqualFold(l.Quote, o.quote)) &&
			(o.base == "" || l.Of(o.base)) && (o.activeOn == "" || l.ActiveOn(on))
	}, nil
}

// venue is what the lake knows of an exchange, or else the vendor.
func (o instrumentsOptions) venue(ctx context.Context, s streams, lake *datasets.Lake, client *tardis.Client, id string) (*datasets.Venue, error) {
	if err := (datasets.Instrument{Exchange: id, Symbol: "X"}).Validate(); err != nil {
		return nil, usageError{err}
	}
	if !o.refresh {
		if v, err := lake.Venue(id); v != nil || err != nil {
			return v, err
		}
	}
	v, refused, err := client.Venue(ctx, id, datasets.DayOf(time.Now().UnixMicro()))
	switch {
	case errors.Is(err, datasets.ErrNotFound):
		return nil, usageError{fmt.Errorf("exchange %q: %w%s", id, datasets.ErrNotFound, datasets.DidYouMean(id, datasets.Exchanges()))}
	case err != nil:
		return nil, fmt.Errorf("metadata of %s: %w", id, err)
	}
	if refused != nil {
		fmt.Fprintf(s.err, "qf: warning: %s: the terms of its instruments were not told, the built-in table stands in: %v\n", id, refused)
	}
	return v, lake.KeepVenue(ctx, v)
}

// printInstruments prints a table, and when the vendor said so.
func printInstruments(s streams, list []*datasets.Venue) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "exchange\tsymbol\ttype\tbase\tquote\tsettle\tmultiplier\tfrom\tto\t")
	n := 0
	for _, v := range list {
		for _, l := range v.Listings {
			n++
			to := ""
			if !l.To.IsZero() {
				to = l.EndDay().String()
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Exchange, l.Symbol, l.Type, l.Base, l.Quote, l.Settlement(),
				multiplierText(l), l.FirstDay(), to, listingNote(l))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, v := range list {
		text := fmt.Sprintf("%s: asked on %s, %d incident(s)", v.Exchange, v.Asked, len(v.Incidents))
		if !v.ExportedUntil.IsZero() {
			text += ", files out up to " + (datasets.DayOf(v.ExportedUntil.UnixMicro() - 1)).String()
		}
		fmt.Fprintln(s.err, text)
	}
	if n == 0 {
		fmt.Fprintln(s.err, "no instrument is left by the filters")
	}
	return nil
}

// multiplierText is what an amount counts, "" where that was not told.
func multiplierText(l datasets.Listing) string {
	if l.Multiplier == 0 {
		return ""
	}
	return strconv.FormatFloat(l.Multiplier, 'g', -1, 64)
}

// listingNote says what is unusual about a listing.
func listingNote(l datasets.Listing) string {
	var notes []string
	add := func(when bool, format string, a ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, a...))
		}
	}
	add(l.ID != "" && datasets.NormalizeSymbol(l.ID) != l.Symbol, "the venue's %s", l.ID)
	add(l.Inverse, "inverse")
	add(l.Quanto, "quanto")
	add(l.AliasFor != "", "alias for %s", l.AliasFor)
	add(!l.Expiry.IsZero(), "expires %s", l.Expiry.Format(time.DateOnly))
	for _, c := range l.Changes {
		add(c.Multiplier > 0, "multiplier %v until %s", c.Multiplier, c.Until.Format(time.DateOnly))
	}
	return strings.Join(notes, ", ")
}

// exchangesOf lists those that the lake knows of and then the others.
func exchangesOf(s streams, cmd *cobra.Command) []string {
	var list []string
	if lake := completionLake(s, cmd); lake != nil {
		list, _ = lake.Venues()
	}
	return distinctly(append(list, datasets.Exchanges()...))
}

// told lists what f says of the instruments of the exchanges that the command line names, or of all of which the lake knows; each
// once, sorted.
func told(s streams, cmd *cobra.Command, f func(datasets.Listing) string) []string {
	lake := completionLake(s, cmd)
	if lake == nil {
		return nil
	}
	var exchanges []string
	if flag := cmd.Flags().Lookup("exchange"); flag != nil && flag.Changed {
		exchanges = strings.Split(strings.Trim(flag.Value.String(), "[]"), ",")
	} else {
		exchanges, _ = lake.Venues()
	}
	var list []string
	for _, e := range exchanges {
		if v, err := lake.Venue(e); err == nil && v != nil {
			for _, l := range v.Listings {
				list = append(list, f(l))
			}
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(text string) bool { return text == "" })
}

// completionLake is the lake that the command line means; nil where it cannot be opened.
func completionLake(s streams, cmd *cobra.Command) *datasets.Lake {
	path := ""
	if f := cmd.Flags().Lookup("lake"); f != nil {
		path = f.Value.String()
	}
	lake, err := lakeFlag{path}.open(s, "", "")
	if err != nil {
		return nil
	}
	return lake
}
