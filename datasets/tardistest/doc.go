// Package tardistest simulates days of perpetual futures in the data vendor's CSV form and serves
// them as the vendor's server would, on the loopback interface, for `qf demo`, tests and benchmarks.
package tardistest
