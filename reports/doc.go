// Package reports turns a finished backtest into documents: compute, then describe, then print.
//
// New makes a Report, all the numbers, of a backtest.Result; Write puts a run's folder on disk;
// Render shows a Run in one format; Compare finds the numbers in which two runs differ.
//
// A run is a folder {name}-{digest}, and latest beside it points to the newest:
//
//	report.json        every number (Report); keys below
//	manifest.json      configuration, qf version, source files (Manifest)
//	report.html        one page that needs no network and no script
//	ic.csv             the rows of ic
//	windows.csv        a line per run and window: span, IC at the primary horizon, PnL figures
//	trades.csv         a line per fill
//	equity.parquet     a row per bar: equity and what changed it
//	positions.parquet  a row per bar and instrument: close, target, quantity, weight
//
// Equal results give equal bytes: no clock, host, path or version of qf is written, but for the
// version in manifest.json.
package reports
