package scratch

// unknownQuarter is Quarter where the machine does not say what it has.
const unknownQuarter = 2 << 30
