package names

import (
	"bytes"
	"maps"
	"slices"

	"skerry/lib/session"
)

// Registry knows who has which name.
type Registry struct {
	send  func(to uint32, m Message)
	names map[session.Name]*name
	where map[source]session.Name // of all that is exported or waits
}

// source names a request: its core and that core's number.
type source struct{ core, number uint32 }

// name is one that somebody has, or else that somebody waits for.
type name struct {
	holder  source // the zero source: nobody
	entry   Entry
	waits   []source // first come, first answered
	watches []source
}

// NewRegistry returns an empty registry. It speaks to agents by send.
func NewRegistry(send func(to uint32, m Message)) *Registry {
	return &Registry{send: send, names: map[session.Name]*name{}, where: map[source]session.Name{}}
}

// Handle takes a message from the agent of a core.
func (r *Registry) Handle(from uint32, m Message) {
	s := source{from, m.Number}
	if _, known := r.where[s]; known != (m.Kind == Unexport || m.Kind == Cancel) {
		return // it has been answered, or the holder is gone
	}
	switch m.Kind {
	case Export:
		r.export(s, m.Name, m.Entry)
	case Unexport:
		r.release(r.where[s], s)
	case Lookup:
		n := r.names[m.Name]
		if n == nil || !n.had() {
			r.answer(s, session.ErrNotFound, Entry{})
		} else {
			r.answer(s, session.ErrNone, n.entry)
		}
	case Wait:
		n := r.name(m.Name)
		if n.had() {
			r.answer(s, session.ErrNone, n.entry)
		} else {
			n.waits = append(n.waits, s)
			r.where[s] = m.Name
		}
	case Watch:
		n := r.names[m.Name]
		if n == nil || !n.had() {
			r.answer(s, session.ErrNone, Entry{})
		} else {
			n.watches = append(n.watches, s)
			r.where[s] = m.Name
		}
	case Cancel:
		if at := r.where[s]; r.names[at].holder != s {
			r.forget(at, s)
			r.answer(s, session.ErrCancelled, Entry{})
		}
	}
}

// Lost takes note that a core is lost or cut, with all its programs.
func (r *Registry) Lost(core uint32) {
	for _, at := range r.sorted() {
		n := r.names[at]
		for _, s := range slices.Concat(n.waits, n.watches) {
			if s.core == core {
				r.forget(at, s)
			}
		}
		if n.had() && n.holder.core == core {
			r.release(at, n.holder)
		}
	}
}

// Names returns the names that somebody has, in order, and who.
func (r *Registry) Names() (list []session.Name, entries []Entry) {
	for _, at := range r.sorted() {
		if n := r.names[at]; n.had() {
			list, entries = append(list, at), append(entries, n.entry)
		}
	}
	return list, entries
}

// Waited returns the names that nobody has and somebody waits for, in order, and the cores on
// which somebody does.
func (r *Registry) Waited() (list []session.Name, cores [][]uint32) {
	for _, at := range r.sorted() {
		var on []uint32
		for _, w := range r.names[at].waits {
			on = append(on, w.core)
		}
		if len(on) > 0 {
			slices.Sort(on)
			list, cores = append(list, at), append(cores, slices.Compact(on))
		}
	}
	return list, cores
}

// sorted returns all names in order.
func (r *Registry) sorted() []session.Name {
	return slices.SortedFunc(maps.Keys(r.names), func(a, b session.Name) int { return bytes.Compare(a[:], b[:]) })
}

// Idle reports whether nobody has a name or waits.
func (r *Registry) Idle() bool { return len(r.names)+len(r.where) == 0 }

func (n *name) had() bool { return n.holder != source{} }

// name returns what is known of a name, which may be nothing.
func (r *Registry) name(at session.Name) *name {
	if r.names[at] == nil {
		r.names[at] = &name{}
	}
	return r.names[at]
}

func (r *Registry) answer(s source, err session.Error, e Entry) {
	r.send(s.core, Message{Kind: Answer, Number: s.number, Error: err, Entry: e})
}

// export gives a name to s, and tells those who wait for it.
func (r *Registry) export(s source, at session.Name, e Entry) {
	n := r.name(at)
	if n.had() {
		r.answer(s, session.ErrTaken, Entry{})
		return
	}
	n.holder, n.entry = s, e
	r.where[s] = at
	r.answer(s, session.ErrNone, Entry{})
	for _, w := range n.waits {
		delete(r.where, w)
		r.answer(w, session.ErrNone, e)
	}
	n.waits = nil
}

// release takes a name from its holder, and tells those who watch it.
func (r *Registry) release(at session.Name, s source) {
	n := r.names[at]
	if n.holder != s {
		return // s waits for it, and does not have it
	}
	delete(r.where, s)
	n.holder, n.entry = source{}, Entry{}
	for _, w := range n.watches {
		delete(r.where, w)
		r.answer(w, session.ErrNone, Entry{})
	}
	delete(r.names, at) // nobody waits for a name that somebody had
}

// forget has s not wait for a name, nor watch it.
func (r *Registry) forget(at session.Name, s source) {
	n := r.names[at]
	is := func(w source) bool { return w == s }
	n.waits, n.watches = slices.DeleteFunc(n.waits, is), slices.DeleteFunc(n.watches, is)
	delete(r.where, s)
	if !n.had() && len(n.waits) == 0 {
		delete(r.names, at)
	}
}
