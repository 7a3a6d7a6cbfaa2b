package tardis

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/qf-dev/qf/datasets"
)

// sourcePath is p's file on the vendor's server, {exchange}/{type}/{YYYY}/{MM}/{DD}/{SYMBOL} and ext, not escaped.
func sourcePath(p datasets.Partition, ext string) string {
	return fmt.Sprintf("%s/%s/%s/%s%s", p.Exchange, p.Type, p.Day.Time().Format("2006/01/02"), p.Symbol, ext)
}

// escapedPath is the same with every segment percent-encoded: all bytes but letters, digits and
// "-_.~". url.PathEscape would leave +, @, = and others alone.
func escapedPath(p datasets.Partition) string {
	segments := strings.Split(sourcePath(p, ".csv.gz"), "/")
	for i, s := range segments {
		var b strings.Builder
		for k := range len(s) {
			switch c := s[k]; {
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
				b.WriteByte(c)
			default:
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		segments[i] = b.String()
	}
	return strings.Join(segments, "/")
}

var unsafeInNames = strings.NewReplacer(":", "-", `\`, "-", "/", "-", "?", "-", "*", "-", "<", "-", ">", "-", "|", "-", `"`, "-")

// FileName is the name under which the vendor's own clients store p's file:
// {exchange}_{type}_{YYYY-MM-DD}_{symbol}.csv.gz, with "-" for characters that file systems refuse.
func FileName(p datasets.Partition) string {
	return unsafeInNames.Replace(fmt.Sprintf("%s_%s_%s_%s.csv.gz", p.Exchange, p.Type, p.Day, p.Symbol))
}

// cutExt splits .csv or .csv.gz off a name.
func cutExt(name string) (base, ext string) {
	for _, ext := range []string{".csv.gz", ".csv"} {
		if base, ok := strings.CutSuffix(name, ext); ok {
			return base, ext
		}
	}
	return name, ""
}

// fromPath reads the partition from a path as FileName or sourcePath would write it.
func fromPath(path string) (datasets.Partition, bool) {
	base, ext := cutExt(filepath.Base(path))
	if ext == "" {
		return datasets.Partition{}, false
	}
	if p, ok := fromName(base); ok {
		return p, true
	}
	return fromLayout(filepath.ToSlash(filepath.Dir(path)), base)
}

func fromName(base string) (datasets.Partition, bool) {
	exchange, rest, _ := strings.Cut(base, "_")
	for _, t := range datasets.DataTypes() {
		after, ok := strings.CutPrefix(rest, string(t)+"_")
		if !ok {
			continue
		}
		date, symbol, ok := strings.Cut(after, "_")
		if !ok {
			continue
		}
		return assemble(exchange, string(t), date, symbol)
	}
	return datasets.Partition{}, false
}

func fromLayout(dir, symbol string) (datasets.Partition, bool) {
	d := strings.Split(dir, "/")
	if len(d) < 5 {
		return datasets.Partition{}, false
	}
	d = d[len(d)-5:]
	if plain, err := url.PathUnescape(symbol); err == nil {
		symbol = plain
	}
	return assemble(d[0], d[1], strings.Join(d[2:], "-"), symbol)
}

func assemble(exchange, feed, date, symbol string) (p datasets.Partition, ok bool) {
	t, err := datasets.ParseDataType(feed)
	if err != nil {
		return p, false
	}
	day, err := datasets.ParseDay(date)
	if err != nil {
		return p, false
	}
	p = datasets.Partition{Instrument: datasets.Instrument{Exchange: exchange, Symbol: datasets.NormalizeSymbol(symbol)}, Type: t, Day: day}
	return p, p.Instrument.Validate() == nil
}
