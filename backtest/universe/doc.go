// Package universe decides which instruments a study trades when, from what was known then.
//
//  1. Days holds what is looked at: the turnover of each UTC day, and when instruments were listed and delisted.
//  2. Instants are the days at whose start members are chosen: the first of the evaluated span, and each beginning of a period.
//  3. Select ranks at each of them those that are listed, old enough, and still traded, by the turnover of the days before, and takes
//     the first. A member that is delisted leaves with its last bar.
//  4. Schedule says who is a member at a bar's label. A bar labelled with the instant itself counts: it, and all before it, is known.
package universe
