package wait

import (
	"context"
	"slices"
)

// Item is something that can be waited for. One goroutine at a time may wait at
// it.
type Item struct {
	set     *Set
	pending func() bool
	wake    chan struct{} // holds one if a Wait is to end
	number  int
	removed bool
	next    *Item // of its number
	kind    int   // hinted, or unhinted
	armed   int   // the place in set.armed[kind], plus one; 0: nobody waits
	roused  bool  // the pump has woken who waits
}

// Kinds of items: a peer leaves hints for one, or there is no sign but a notification.
const (
	hinted = iota
	unhinted
)

// add makes an item of a number. The caller has the lock.
func (s *Set) add(number, kind int, pending func() bool) (*Item, error) {
	if s.err != nil {
		return nil, s.err
	}
	at := &s.numbers[number]
	i := &Item{set: s, pending: pending, wake: make(chan struct{}, 1), number: number, kind: kind, next: at.first}
	at.first = i
	at.items++
	s.items++
	s.armed[kind] = slices.Grow(s.armed[kind], s.items-len(s.armed[kind]))
	return i, nil
}

// Number is by which number peers leave hints for the item. If there are more items
// than numbers, some share one.
func (i *Item) Number() int { return i.number }

// Set returns what the item is of.
func (i *Item) Set() *Set { return i.set }

// Twin makes another item of the same number, as Add does: a hint wakes who waits at
// either.
func (i *Item) Twin(pending func() bool) (*Item, error) {
	i.set.mu.Lock()
	defer i.set.mu.Unlock()
	return i.set.add(i.number, hinted, pending)
}

// Remove takes the item out of its Set. Nobody may wait at it any more.
func (i *Item) Remove() {
	s := i.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.removed {
		return
	}
	i.removed = true
	link := &s.numbers[i.number].first
	for *link != i {
		link = &(*link).next
	}
	*link = i.next
	s.numbers[i.number].items--
	s.items--
}

// Wake ends a Wait, or else the next one. It does not block. Any goroutine can call
// it.
func (i *Item) Wake() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// rouse wakes who waits, once. If nobody does, whoever will finds by arm what this was
// for. The caller has the Set's lock.
func (i *Item) rouse() {
	if i.armed != 0 && !i.roused {
		i.roused = true
		i.set.roused.Store(true)
		i.Wake()
	}
}

// Wait calls arm, which says to the peer that it must wake, and reports whether
// nothing has come so that the goroutine may sleep. If it may, Wait parks it until
// the item is hinted or woken, or pending reports something, or the context
// ends, whose error it returns. It may return too early: the caller looks, and
// waits again. arm must not block, nor call the Set. Wait allocates nothing.
func (i *Item) Wait(ctx context.Context, arm func() (sleep bool)) error {
	s := i.set
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return s.err
	}
	// Under the lock the pump cannot ask between the announcement and the
	// item's being among those to be asked.
	if !arm() {
		s.mu.Unlock()
		return nil
	}
	at := &s.armed[i.kind]
	*at = append(*at, i)
	i.armed = len(*at)
	s.mu.Unlock()

	var err error
	select {
	case <-i.wake:
	case <-ctx.Done():
		err = ctx.Err()
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.disarm(i)
	if i.roused && err != nil {
		select { // a wake-up for this wait is none for the next
		case <-i.wake:
		default:
		}
	}
	i.roused = false
	if err == nil {
		err = s.err
	}
	return err
}

// disarm takes an item off those at which somebody waits.
func (s *Set) disarm(i *Item) {
	at := s.armed[i.kind]
	last := len(at) - 1
	moved := at[last]
	at[i.armed-1], moved.armed = moved, i.armed
	at[last] = nil
	s.armed[i.kind] = at[:last]
	i.armed = 0
}
