// Package series reads a figure over time that a study brings along, such as a sentiment index or flows into a fund, and
// lays it over the bars by what was known at each label.
//
//  1. Read reads two columns of a CSV or Parquet file: when a value was known, and the value.
//  2. Series.At gives each label the last value known by then. One that is older than Series.Hold is missing, and so is
//     an empty cell, from its time on.
//  3. Series.Future is the series had its future been another one, for audits.
//
// A series is held in memory, 16 bytes a row.
package series
