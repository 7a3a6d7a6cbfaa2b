package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
)

// selection picks series of the lake: those of an exchange, of symbols, of data types. Its zero value
// leaves nothing out.
type selection struct {
	exchange string
	symbols  []string
	types    []string
}

func (o *selection) bind(s streams, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.exchange, "exchange", "", "only this `EXCHANGE`")
	f.StringSliceVar(&o.symbols, "symbols", nil, "only the symbols of this comma-separated `LIST`")
	f.StringSliceVar(&o.types, "types", nil, "only the data types of this comma-separated `LIST`")
	complete(cmd, "exchange", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return offer(typed, lakeExchanges(s)(cmd))
	})
	complete(cmd, "symbols", listOf(lakeSymbols(s)))
	complete(cmd, "types", listOf(lakeTypes(s)))
}

// all reports whether nothing is left out.
func (o selection) all() bool { return o.exchange == "" && len(o.symbols)+len(o.types) == 0 }

// check refuses a data type that there is not.
func (o selection) check() error {
	for _, t := range o.types {
		if _, err := datasets.ParseDataType(t); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// has reports whether a series is one of those that are picked. Exchange and symbols are compared as
// the lake spells them, whatever their case.
func (o selection) has(t datasets.DataType, in datasets.Instrument) bool {
	return (o.exchange == "" || strings.ToLower(o.exchange) == in.Exchange) &&
		(len(o.symbols) == 0 || slices.ContainsFunc(o.symbols, func(s string) bool { return datasets.NormalizeSymbol(s) == in.Symbol })) &&
		(len(o.types) == 0 || slices.Contains(o.types, string(t)))
}

// of leaves the partitions that are picked.
func (o selection) of(parts []datasets.Partition) []datasets.Partition {
	return slices.DeleteFunc(parts, func(p datasets.Partition) bool { return !o.has(p.Type, p.Instrument) })
}
