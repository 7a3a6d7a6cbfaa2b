// Package chart draws small SVG charts for a page that must read well at any width: positions along
// x are percentages of the width, positions along y are pixels, so that text and strokes keep their
// size while the chart stretches. Colours come from the page's style sheet through class names.
//
// The style sheet must give svg.chart "overflow: visible", and room at its left for the labels of the
// y axis: axisWidth pixels.
package chart

import (
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Pixels around the plot that labels take.
const (
	axisHeight = 26 // below it, where the x axis has ticks
	axisWidth  = 51 // left of it
	unitHeight = 20 // above it, where the y axis has a unit
)

// Axis is a linear scale with its ticks. Unit says what its numbers are: that of the y axis stands
// above its labels, that of the x axis left of them.
type Axis struct {
	Lo, Hi float64
	Ticks  []Tick
	Unit   string
}

// In is the axis with a unit.
func (a Axis) In(unit string) Axis {
	a.Unit = unit
	return a
}

// Bare is the axis without ticks and unit, for a plot that stands above another one with the same axis.
func (a Axis) Bare() Axis { return Axis{Lo: a.Lo, Hi: a.Hi} }

// Tick is a labelled place on an axis. A minor one may be left out where there is little room.
type Tick struct {
	At    float64
	Label string
	Minor bool
}

// Plot is one chart under construction. Later marks cover earlier ones.
type Plot struct {
	label  string
	height float64 // of the plot area, pixels
	x, y   Axis
	marks  strings.Builder
}

// New starts a plot of the given height in pixels; label describes it to those who cannot see it.
// An axis of no extent is widened.
func New(label string, height int, x, y Axis) *Plot {
	p := &Plot{label: label, height: float64(height), x: x.widened(), y: y.widened()}
	for _, t := range p.y.Ticks {
		class := "grid"
		if t.At == 0 {
			class = "grid zero"
		}
		p.el("line", "class", class, "x1", "0", "x2", "100%", "y1", p.py(t.At), "y2", p.py(t.At))
		p.text("y", "-10", px(p.yAt(t.At)+4), "end", t.Label)
	}
	for _, t := range p.x.Ticks {
		class := "x"
		if t.Minor {
			class = "x minor"
		}
		p.text(class, p.pc(t.At), px(p.height+20), p.anchor(t.At), t.Label)
	}
	if x.Unit != "" {
		p.text("unit", px(-axisWidth), px(p.height+20), "start", x.Unit)
	}
	if y.Unit != "" {
		p.text("unit", px(-axisWidth), "-12", "start", y.Unit)
	}
	return p
}

// edge is the share of the width, in percent, within which a label of the x axis is drawn inwards.
const edge = 2

// anchor keeps the label of an x tick off the unit at its left and within the plot at its right.
func (p *Plot) anchor(at float64) string {
	switch v := p.xAt(at); {
	case v < edge:
		return "start"
	case v > 100-edge:
		return "end"
	}
	return "middle"
}

func (a Axis) widened() Axis {
	if !(a.Hi > a.Lo) {
		a.Lo, a.Hi = a.Lo-1, a.Lo+1
	}
	return a
}

// Line draws y over x as one line that breaks where y is NaN.
func (p *Plot) Line(class string, x, y []float64) {
	p.path(class, p.trace(x, y))
}

// Area fills between y and base, in runs that break where y is NaN.
func (p *Plot) Area(class string, x, y []float64, base float64) {
	var d strings.Builder
	for lo := 0; lo < len(y); {
		if math.IsNaN(y[lo]) {
			lo++
			continue
		}
		hi := lo
		for hi < len(y) && !math.IsNaN(y[hi]) {
			hi++
		}
		d.WriteString(p.trace(x[lo:hi], y[lo:hi]))
		d.WriteString("V" + px(p.yAt(base)) + "H" + num(p.xAt(x[lo])*10, 1) + "Z")
		lo = hi
	}
	p.path(class, d.String())
}

// Bar draws a box between two places on each axis; title shows when a pointer rests on it.
func (p *Plot) Bar(class string, x0, x1, y0, y1 float64, title string) {
	top, bottom := p.yAt(math.Max(y0, y1)), p.yAt(math.Min(y0, y1))
	p.open("rect", "class", class, "x", p.pc(x0), "width", num(p.xAt(x1)-p.xAt(x0), 2)+"%",
		"y", px(top), "height", px(math.Max(bottom-top, 0.5)))
	p.close("rect", title)
}

// Column is an unseen box of the plot's full height that carries a title: what a pointer finds there.
func (p *Plot) Column(x0, x1 float64, title string) {
	x0, x1 = math.Max(x0, p.x.Lo), math.Min(x1, p.x.Hi)
	p.open("rect", "class", "hover", "x", p.pc(x0), "width", num(p.xAt(x1)-p.xAt(x0), 2)+"%",
		"y", "0", "height", px(p.height))
	p.close("rect", title)
}

// Interval draws the mark of the k-th series at (x, mid) with a line from lo to hi; what is NaN is left
// out.
func (p *Plot) Interval(k int, x, lo, mid, hi float64) {
	if !math.IsNaN(lo) && !math.IsNaN(hi) {
		p.el("line", "class", series(k)+" whisker", "x1", p.pc(x), "x2", p.pc(x), "y1", p.py(lo), "y2", p.py(hi))
	}
	if !math.IsNaN(mid) {
		p.open("svg", "x", p.pc(x), "y", p.py(mid), "overflow", "visible")
		p.marks.WriteByte('>')
		p.el("path", "class", series(k)+" mark", "d", marks[k%len(marks)])
		p.marks.WriteString("</svg>")
	}
}

// Rule draws a vertical line over the whole height with a label at its top.
func (p *Plot) Rule(class string, x float64, label string) {
	p.el("line", "class", class, "x1", p.pc(x), "x2", p.pc(x), "y1", "0", "y2", px(p.height))
	p.text("rule", p.pc(x), "-6", "middle", label)
}

// Level draws a horizontal line at y from x0 to x1.
func (p *Plot) Level(class string, x0, x1, y float64) {
	p.el("line", "class", class, "x1", p.pc(x0), "x2", p.pc(x1), "y1", p.py(y), "y2", p.py(y))
}

// Text writes a label centred at x, dy pixels below y.
func (p *Plot) Text(class string, x, y, dy float64, text string) {
	p.text(class, p.pc(x), px(p.yAt(y)+dy), "middle", text)
}

// SVG ends the plot.
func (p *Plot) SVG() template.HTML {
	below, style := 0.0, ""
	if len(p.x.Ticks) > 0 || p.x.Unit != "" {
		below = axisHeight
	}
	if p.y.Unit != "" {
		style = ` style="margin-top: ` + px(unitHeight) + `px"`
	}
	return template.HTML(`<svg class="chart" role="img" aria-label="` + html.EscapeString(p.label) +
		`" width="100%" height="` + num(p.height+below, 0) + `"` + style + `>` + p.marks.String() + "</svg>")
}

// trace is path data through the points, in the units of the stretched inner view.
func (p *Plot) trace(x, y []float64) string {
	var d strings.Builder
	pen := "M"
	for i, v := range y {
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		d.WriteString(pen + num(p.xAt(x[i])*10, 1) + " " + num(p.yAt(v), 1))
		pen = "L"
	}
	return d.String()
}

// path draws path data in a view that stretches with the width.
func (p *Plot) path(class, d string) {
	h := num(p.height, 0)
	p.open("svg", "viewBox", "0 0 1000 "+h, "width", "100%", "height", h, "preserveAspectRatio", "none")
	p.marks.WriteByte('>')
	p.el("path", "class", class, "d", d)
	p.marks.WriteString("</svg>")
}

func (p *Plot) text(class, x, y, anchor, text string) {
	p.open("text", "class", class, "x", x, "y", y, "text-anchor", anchor)
	p.marks.WriteString(">" + html.EscapeString(text) + "</text>")
}

func (p *Plot) el(name string, attrs ...string) {
	p.open(name, attrs...)
	p.marks.WriteString("/>")
}

func (p *Plot) open(name string, attrs ...string) {
	p.marks.WriteString("<" + name)
	for i := 0; i < len(attrs); i += 2 {
		p.marks.WriteString(" " + attrs[i] + `="` + html.EscapeString(attrs[i+1]) + `"`)
	}
}

func (p *Plot) close(name, title string) {
	if title == "" {
		p.marks.WriteString("/>")
		return
	}
	p.marks.WriteString("><title>" + html.EscapeString(title) + "</title></" + name + ">")
}

// xAt is a place on the x axis in percent of the width.
func (p *Plot) xAt(v float64) float64 { return 100 * (v - p.x.Lo) / (p.x.Hi - p.x.Lo) }

// yAt is a place on the y axis in pixels from the top, held within the plot.
func (p *Plot) yAt(v float64) float64 {
	share := (v - p.y.Lo) / (p.y.Hi - p.y.Lo)
	return p.height * (1 - math.Min(math.Max(share, 0), 1))
}

func (p *Plot) pc(v float64) string { return num(p.xAt(v), 2) + "%" }
func (p *Plot) py(v float64) string { return px(p.yAt(v)) }

func px(v float64) string { return num(v, 1) }

// num is v with at most the given decimals and no trailing zeros.
func num(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}
