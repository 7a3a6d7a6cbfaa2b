//go:build !linux

package scratch

// Quarter is a quarter of the memory of a common machine, in bytes.
func Quarter() int64 { return unknownQuarter }
