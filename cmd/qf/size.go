package main

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a flag in bytes: a number with KiB, MiB, GiB or TiB behind it.
type size int64

var sizeUnits = []struct {
	name  string
	bytes float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}}

// Set reads the flag.
func (s *size) Set(text string) error {
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil && v > 0 && v*unit.bytes < 1<<62 {
			*s = size(v * unit.bytes)
			return nil
		}
	}
	return fmt.Errorf("%q: want a size such as 512MiB or 2GiB", text)
}

// String is the flag as Set reads it.
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*s)/(1<<20), 'g', -1, 64) + "MiB"
}

// Type names the flag's value in the help.
func (s *size) Type() string { return "size" }
