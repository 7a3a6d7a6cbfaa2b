package scratch

import "syscall"

// Quarter is a quarter of the machine's memory in bytes.
func Quarter() int64 {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return unknownQuarter
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit) / 4)
}
