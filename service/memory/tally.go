package memory

import "skerry/abi/capability"

// Tally adds up what a core's RAM is used for, from descriptions of all objects
// in the order of the database. Every byte counts once: as the type that it was
// last made into.
type Tally struct {
	// Core is whose RAM counts.
	Core uint32
	// Types are the bytes by type; RAM is what nothing is made of.
	Types [capability.NumTypes]uint64
	// Lent are those of which another core decides.
	Lent uint64

	open []span // the objects in which the next one lies, the outermost first
	at   uint64 // up to where has been counted
}

// span is what is left of an object.
type span struct {
	end  uint64
	kind capability.Type
	lent bool
}

// Add counts an object. What is not RAM and not made of RAM does not count.
func (t *Tally) Add(d *capability.Description) {
	rule := capability.Of(d.Type)
	if rule.Space != capability.SpaceMemory || rule.Dependent || d.Type == capability.Null {
		return
	}
	t.close(d.Base)
	added := span{d.Base + d.Size, d.Type, d.Owner != t.Core}
	if n := len(t.open); n == 0 {
		if d.Type != capability.RAM {
			return
		}
		t.at = max(t.at, d.Base)
	} else {
		// One inside another, unless they changed while they were listed.
		added.end = min(added.end, t.open[n-1].end)
		t.count(max(t.at, d.Base))
	}
	if added.end > t.at {
		t.open = append(t.open, added)
	}
}

// End counts what is left when all objects have been added.
func (t *Tally) End() { t.close(^uint64(0)) }

// close counts the objects that end at an address or before it.
func (t *Tally) close(at uint64) {
	for n := len(t.open); n > 0 && t.open[n-1].end <= at; n = len(t.open) {
		t.count(t.open[n-1].end)
		t.open = t.open[:n-1]
	}
}

// count counts the bytes up to an address as the innermost open object's.
func (t *Tally) count(to uint64) {
	if to <= t.at {
		return
	}
	if s := t.open[len(t.open)-1]; s.lent {
		t.Lent += to - t.at
	} else {
		t.Types[s.kind] += to - t.at
	}
	t.at = to
}

// Sum returns the bytes of all types together.
func (t *Tally) Sum() (bytes uint64) {
	for _, n := range t.Types {
		bytes += n
	}
	return bytes
}
