package agent

import (
	"errors"
	"slices"

	"skerry/abi/capability"
)

// imported is memory of another core that programs here use, as parts of bindings.
type imported struct {
	base, size uint64
	uses       int
	going      bool // nobody uses it, and the kernel is expelling it
}

// expulsion is the removal of all that there is here of a range of another core's
// memory.
type expulsion struct {
	base, size uint64
	done       func()
}

// use says that memory of another core is being used, unless it is being given up.
func (a *Agent) use(base, size uint64) (*imported, bool) {
	i := a.imports[base]
	if i == nil {
		i = &imported{base: base, size: size}
		a.imports[base] = i
	}
	if i.going {
		return nil, false
	}
	i.uses++
	return i, true
}

// unuse takes that back. If it was the last use the kernel expels the memory, and
// done is called after; else at once.
func (a *Agent) unuse(i *imported, done func()) {
	if i.uses--; i.uses > 0 {
		done()
		return
	}
	i.going = true
	a.expel(i.base, i.size, func() {
		delete(a.imports, i.base)
		a.roomy = true // what waited to use it again may
		done()
	})
}

// expel removes all imports of a range, then calls done.
func (a *Agent) expel(base, size uint64, done func()) {
	a.expulsions = append(a.expulsions, expulsion{base, size, done})
	a.changed = true
}

// expelled goes on with what is being expelled.
func (a *Agent) expelled() (progress bool) {
	list := a.expulsions
	a.expulsions = nil
	list = slices.DeleteFunc(list, func(x expulsion) bool {
		if a.kernel.Expel(x.base, x.size) != nil {
			return false
		}
		x.done()
		progress = true
		return true
	})
	a.expulsions = append(list, a.expulsions...)
	return progress
}

// put is what is to be put into a slot of an exchange: a copy of what the monitor
// has, or else memory of another core.
type put struct {
	source capability.Reference
	rights capability.Rights
	base   uint64
	size   uint64
	core   uint32
}

// fill puts capabilities into empty slots of a program's exchange, one after the
// other. ErrAgain: it cannot yet. used are those imports that are in use from then on.
func (a *Agent) fill(v *conversation, slot uint32, list []put) (used []*imported, err error) {
	for n, p := range list {
		if p.source != 0 {
			err = a.kernel.Place(v.Mount, slot+uint32(n), p.source, p.rights)
		} else if i, ok := a.use(p.base, p.size); !ok {
			err = capability.ErrAgain
		} else {
			used = append(used, i)
			err = a.kernel.ImportTo(v.Mount, slot+uint32(n), capability.Frame, p.base, p.size, p.core, p.rights)
		}
		if errors.Is(err, capability.ErrOccupied) {
			err = capability.ErrAgain // the program was faster
		}
		if err == nil {
			continue
		}
		for n--; n >= 0; n-- {
			a.kernel.Clear(v.Mount, slot+uint32(n))
		}
		for _, i := range used {
			a.unuse(i, func() {})
		}
		return nil, err
	}
	return used, nil
}
