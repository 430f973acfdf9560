package capability

// Step goes on with what operations have left to do: deletions, revocations,
// the clearing of new objects. It does at most a given number of units, each
// of which touches a bounded number of slots at O(log n) or clears ClearUnit
// bytes. It reports whether more can be done now. Between two steps any other
// operation may be done.
func (s *System) Step(units int) bool {
	for {
		// One of each in turn: none can hold up another.
		progress := false
		for _, step := range [...]func(*System) bool{(*System).stepDelete, (*System).stepRevoke, (*System).stepClear} {
			if units == 0 {
				return s.Pending()
			}
			if step(s) {
				progress = true
				units--
			}
		}
		if !progress {
			return false
		}
	}
}

// Pending reports whether Step has anything left to do.
func (s *System) Pending() bool {
	return s.firstToDelete != 0 || s.numRevocations != 0 || s.firstToClear != 0
}
