package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

func newCompletion(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the script that completes qf in your shell",
		Long: `Prints a completion script. It completes commands, flags and what is there to choose from: the
exchanges, symbols, data types and days of the lake, factor kinds, runs, presets, formats, and the
keys of a study for --set. To have it in every new shell:

  bash         qf completion bash > ~/.local/share/bash-completion/completions/qf
               (it needs your system's package bash-completion)
  zsh          qf completion zsh > "${fpath[1]}/_qf"
               (once, in ~/.zshrc, if completion is off: autoload -U compinit; compinit)
  fish         qf completion fish > ~/.config/fish/completions/qf.fish
  powershell   qf completion powershell >> $PROFILE
` + exitPlain,
		Example:   "  source <(qf completion bash)    # this shell only",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(s.out, true)
			case "zsh":
				return root.GenZshCompletion(s.out)
			case "fish":
				return root.GenFishCompletion(s.out, true)
			}
			return cmd.Root().GenPowerShellCompletionWithDesc(s.out)
		},
	}
}

// completer lists what may stand where the cursor is.
type completer = cobra.CompletionFunc

// complete registers what completes a flag.
func complete(cmd *cobra.Command, flag string, c completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, c); err != nil {
		panic("qf: " + err.Error())
	}
}

// offer gives the candidates that go on from what has been typed, in their order.
func offer(typed string, candidates []string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, c := range candidates {
		if strings.HasPrefix(c, typed) {
			out = append(out, c)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func fixed(candidates ...string) completer {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return offer(typed, candidates)
	}
}

// files completes with files that have one of the endings.
func files(endings ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// studies completes a first argument with YAML files.
func studies(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return files("yaml", "yml")(cmd, args, typed)
}

// listOf completes the last element of a comma-separated list with candidates that it does not have yet.
func listOf(candidates func(*cobra.Command) []string) completer {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before, last := "", typed
		if i := strings.LastIndexByte(typed, ','); i >= 0 {
			before, last = typed[:i+1], typed[i+1:]
		}
		have := strings.Split(before, ",")
		var out []string
		for _, c := range candidates(cmd) {
			if strings.HasPrefix(c, last) && !slices.Contains(have, c) {
				out = append(out, before+c)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
	}
}

// liveLake is what a completion knows of the lake that the command line means: the partitions that
// agree with the other flags, those of the named ones aside. It is empty where nothing can be read.
func liveLake(s streams, cmd *cobra.Command, aside ...string) []datasets.Partition {
	text := func(flag string) string {
		if f := cmd.Flags().Lookup(flag); f != nil {
			return f.Value.String()
		}
		return ""
	}
	lake := completionLake(s, cmd)
	if lake == nil {
		return nil
	}
	parts, err := lake.All()
	if err != nil {
		return nil
	}
	chosen := selection{exchange: text("exchange")}
	chosen.symbols, _ = cmd.Flags().GetStringSlice("symbols") // nil where the command has no such flag
	if f := cmd.Flags().Lookup("types"); f != nil && f.Changed {
		chosen.types, _ = cmd.Flags().GetStringSlice("types")
	}
	for _, flag := range aside {
		switch flag {
		case "exchange":
			chosen.exchange = ""
		case "symbols":
			chosen.symbols = nil
		case "types":
			chosen.types = nil
		}
	}
	return chosen.of(parts)
}

// distinct lists what f says of partitions, each once, sorted.
func distinct(parts []datasets.Partition, f func(datasets.Partition) string) []string {
	var out []string
	for _, p := range parts {
		out = append(out, f(p))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func lakeExchanges(s streams) func(*cobra.Command) []string {
	return func(cmd *cobra.Command) []string {
		return distinct(liveLake(s, cmd, "exchange", "symbols", "types"), func(p datasets.Partition) string { return p.Exchange })
	}
}

func lakeSymbols(s streams) func(*cobra.Command) []string {
	return func(cmd *cobra.Command) []string {
		return distinct(liveLake(s, cmd, "symbols", "types"), func(p datasets.Partition) string { return p.Symbol })
	}
}

func lakeTypes(s streams) func(*cobra.Command) []string {
	return func(cmd *cobra.Command) []string {
		return distinct(liveLake(s, cmd, "types"), func(p datasets.Partition) string { return string(p.Type) })
	}
}

// anyExchange lists the lake's exchanges and then the vendor's others.
func anyExchange(s streams) completer {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		list := lakeExchanges(s)(cmd)
		for _, e := range datasets.Exchanges() {
			if !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
		return offer(typed, list)
	}
}

// instruments completes exchange:SYMBOL with those of the lake, and then the exchange alone.
func instruments(s streams) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		list := distinct(liveLake(s, cmd, "exchange", "symbols"), func(p datasets.Partition) string { return p.Instrument.String() })
		if exchange, _, ok := strings.Cut(typed, ":"); ok { // what the vendor has of it
			if lake := completionLake(s, cmd); lake != nil {
				if v, err := lake.Venue(exchange); err == nil && v != nil {
					for _, l := range v.Listings {
						list = append(list, exchange+":"+l.Symbol)
					}
				}
			}
		}
		list = distinctly(list)
		for _, e := range datasets.Exchanges() {
			list = append(list, e+":")
		}
		list, _ = offer(typed, list)
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
	}
}

// lakeDays lists the days of the chosen series that are in the lake, and the day after the last,
// with which the next fetch begins.
func lakeDays(s streams) completer {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		list := distinct(liveLake(s, cmd), func(p datasets.Partition) string { return p.Day.String() })
		if n := len(list); n > 0 {
			if last, err := datasets.ParseDay(list[n-1]); err == nil {
				list = append(list, (last + 1).String())
			}
		}
		return offer(typed, list)
	}
}

func allTypes(*cobra.Command) []string {
	var names []string
	for _, t := range datasets.DataTypes() {
		names = append(names, string(t))
	}
	return names
}

// kinds completes factor kinds, each with its formula.
func kinds(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var list []string
	for _, k := range factors.Catalogue {
		list = append(list, cobra.CompletionWithDesc(k.Name, k.Formula))
	}
	return offer(typed, list)
}

// finishedRuns completes up to n arguments with the runs below ./runs, or below the folder that has been
// typed; where there are none, with files.
func finishedRuns(n int) completer {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		dir := cmp.Or(strings.TrimSuffix(typed[:strings.LastIndexByte(typed, '/')+1], "/"), "runs")
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var list []string
		for _, e := range entries {
			run := filepath.Join(dir, e.Name())
			if _, err := os.Stat(filepath.Join(run, "report.json")); err == nil {
				list = append(list, run)
			}
		}
		list, _ = offer(typed, list)
		return list, cobra.ShellCompDirectiveDefault
	}
}

// settings completes path=value with the keys of a study and, behind the =, with the values of those
// that have few.
func settings(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var list []string
	schemaValues("", yamlconf.Schema(study.Default()), func(path string, s map[string]any) {
		if strings.HasPrefix(typed, path+"=") {
			for _, v := range choices(s) {
				list = append(list, path+"="+v)
			}
			return
		}
		doc, _ := s["description"].(string)
		list = append(list, cobra.CompletionWithDesc(path+"=", doc))
	})
	list, directive := offer(typed, list)
	return list, directive | cobra.ShellCompDirectiveNoSpace
}

// schemaValues calls f for each key of a schema that has a value of its own, by path.
func schemaValues(path string, s map[string]any, f func(string, map[string]any)) {
	properties, ok := s["properties"].(map[string]any)
	if !ok {
		f(path, s)
		return
	}
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if sub, ok := properties[name].(map[string]any); ok {
			schemaValues(strings.TrimPrefix(path+"."+name, "."), sub, f)
		}
	}
}

// choices are the values of a schema that has few.
func choices(s map[string]any) []string {
	if enum, ok := s["enum"].([]string); ok {
		return enum
	}
	if s["type"] == "boolean" {
		return []string{"true", "false"}
	}
	if d, ok := s["default"]; ok {
		return []string{fmt.Sprint(d)}
	}
	return nil
}
