package kernel

// blocks walks n rows in blocks of the window's length. For each row t it calls done with the state
// of the window's rows in t's own block, oldest first, and that of its rows in the block before,
// newest first; together they are the window. push adds row t to a state; the zero state is empty.
func blocks[S any](n, window int, push func(s S, t int) S, done func(t int, head, tail S)) {
	tails := make([]S, min(window, n)+1) // tails[j]: the last block from offset j on
	for lo := 0; lo < n; lo += window {
		size := min(window, n-lo)
		var s S
		for j := range size {
			s = push(s, lo+j)
			done(lo+j, s, tails[j+1])
		}
		if size < window {
			return
		}
		s = *new(S)
		for j := size - 1; j >= 0; j-- {
			s = push(s, lo+j)
			tails[j] = s
		}
	}
}
