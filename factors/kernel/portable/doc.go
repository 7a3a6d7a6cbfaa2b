// Package portable has elementary functions whose every bit is the same on every machine.
//
// Those of package math are not: some are assembly on one architecture and Go on another, where the
// compiler may fuse a product with a sum, and math.Exp asks the processor what it can. Here every
// product that goes into a sum is rounded first, and only + − × ÷ and square roots are used, which IEEE
// 754 fixes.
//
//  1. Log, Log1p, Exp, Expm1 and Pow reduce their argument with a table (tables.go), whose rest goes into
//     a short series. Where a sum would lose digits its error is carried along (double.go).
//  2. Erfc, NormalCDF and NormalQuantile, and the tails of Student's t are series and continued
//     fractions in doubled precision: they are called seldom.
//
// Results are within 1 unit in the last place, Log1p, Expm1, Erfc and what is made of them too, and the
// special cases are those of package math. Package tests hold both against big floating-point numbers.
//
// The method of the tables is that of Tang (1989, 1990), the arithmetic of pairs Dekker's (1971).
package portable
