package tardistest

import (
	"io"
	"math"
	"strconv"

	"github.com/qf-dev/qf/datasets"
)

// csvWriter writes rows as the vendor does: comma, LF, no quotes, numbers in JavaScript's shortest
// form, and nothing at all, not even the header, where there is no row. Rows that arrived within a
// gap are left out. The first error sticks and is reported by flush.
type csvWriter struct {
	w    io.Writer
	gaps []Gap
	lead []byte // "exchange,symbol" of every row
	head []byte // the header line, until it is written
	buf  []byte
	last int  // where the current row starts in buf
	mute bool // the current row is in a gap
	err  error
}

func newCSVWriter(w io.Writer, p datasets.Partition, gaps []Gap) *csvWriter {
	o := &csvWriter{w: w, gaps: gaps, buf: make([]byte, 0, 64<<10)}
	o.name(p.Exchange, p.Symbol)
	o.head = append(o.head, "exchange,symbol"...)
	for _, c := range p.Type.Columns() {
		o.head = append(append(o.head, ','), c.Name...)
	}
	o.head = append(o.head, '\n')
	return o
}

// name sets exchange and symbol of the rows to come.
func (o *csvWriter) name(exchange, symbol string) {
	o.lead = append(append(append(o.lead[:0], exchange...), ','), symbol...)
}

// silent reports whether what arrives at local, Unix µs, is left out.
func (o *csvWriter) silent(local int64) bool {
	for _, g := range o.gaps {
		if g.From.UnixMicro() <= local && local < g.To.UnixMicro() {
			return true
		}
	}
	return false
}

// row starts a row with its two times, Unix µs.
func (o *csvWriter) row(ts, local int64) {
	o.mute = len(o.gaps) > 0 && o.silent(local)
	if !o.mute && o.head != nil {
		o.buf, o.head = append(o.buf, o.head...), nil
	}
	o.last = len(o.buf)
	o.buf = append(o.buf, o.lead...)
	o.int(ts)
	o.int(local)
}

func (o *csvWriter) int(v int64) { o.buf = strconv.AppendInt(append(o.buf, ','), v, 10) }

func (o *csvWriter) text(s string) { o.buf = append(append(o.buf, ','), s...) }

func (o *csvWriter) bool(v bool) { o.buf = strconv.AppendBool(append(o.buf, ','), v) }

// decimal writes units·10^-decimals without trailing zeros.
func (o *csvWriter) decimal(units int64, decimals int) {
	o.buf = append(o.buf, ',')
	for decimals > 0 && units%10 == 0 {
		units, decimals = units/10, decimals-1
	}
	if decimals == 0 {
		o.buf = strconv.AppendInt(o.buf, units, 10)
		return
	}
	whole, part := units/pow10[decimals], units%pow10[decimals]
	o.buf = append(strconv.AppendInt(o.buf, whole, 10), '.')
	for d := decimals - 1; d > 0 && part < pow10[d]; d-- {
		o.buf = append(o.buf, '0')
	}
	o.buf = strconv.AppendInt(o.buf, part, 10)
}

// number writes v as JavaScript does: plain from 1e-6 on, with an exponent below.
func (o *csvWriter) number(v float64) {
	o.buf = append(o.buf, ',')
	if a := math.Abs(v); a != 0 && a < 1e-6 {
		o.buf = strconv.AppendFloat(o.buf, v, 'e', -1, 64)
		if n := len(o.buf); o.buf[n-2] == '0' { // Go writes e-07 where JavaScript writes e-7
			o.buf = append(o.buf[:n-2], o.buf[n-1])
		}
		return
	}
	o.buf = strconv.AppendFloat(o.buf, v, 'f', -1, 64)
}

// rounded writes v rounded to decimals.
func (o *csvWriter) rounded(v float64, decimals int) {
	scale := float64(pow10[decimals])
	if v = math.Round(v*scale) / scale; v == 0 {
		v = 0 // not -0
	}
	o.number(v)
}

// end finishes a row.
func (o *csvWriter) end() {
	if o.mute {
		o.buf = o.buf[:o.last]
		return
	}
	o.buf = append(o.buf, '\n')
	if len(o.buf) > 60<<10 {
		o.write()
	}
}

func (o *csvWriter) write() {
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

func (o *csvWriter) flush() error {
	o.write()
	return o.err
}
