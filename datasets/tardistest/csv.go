package tardistest

import (
	"io"
	"math"
	"strconv"

	"github.com/qf-dev/qf/datasets"
)

// csvWriter writes rows as the vendor does: comma, LF, no quotes, numbers in JavaScript's shortest
// form. Its first error sticks and is reported by flush.
type csvWriter struct {
	w    io.Writer
	lead []byte // "exchange,symbol," of every row
	buf  []byte
	err  error
}

func newCSVWriter(w io.Writer, p datasets.Partition) *csvWriter {
	o := &csvWriter{w: w, buf: make([]byte, 0, 64<<10)}
	o.lead = append(o.lead, p.Exchange+","+p.Symbol...)
	o.buf = append(o.buf, "exchange,symbol"...)
	for _, c := range p.Type.Columns() {
		o.buf = append(append(o.buf, ','), c.Name...)
	}
	o.buf = append(o.buf, '\n')
	return o
}

// row starts a row with its two times, Unix µs.
func (o *csvWriter) row(ts, local int64) {
	o.buf = append(o.buf, o.lead...)
	o.int(ts)
	o.int(local)
}

func (o *csvWriter) int(v int64) { o.buf = strconv.AppendInt(append(o.buf, ','), v, 10) }

func (o *csvWriter) text(s string) { o.buf = append(append(o.buf, ','), s...) }

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

// end finishes a row.
func (o *csvWriter) end() {
	o.buf = append(o.buf, '\n')
	if len(o.buf) > 60<<10 {
		o.write()
	}
}

func (o *csvWriter) write() {
	if o.err == nil {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

func (o *csvWriter) flush() error {
	o.write()
	return o.err
}
