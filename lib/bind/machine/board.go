package machine

import (
	"errors"
	"sync"

	"skerry/abi"
	"skerry/abi/capability"
)

// A board comes by three slots of the exchange, one after another.
const (
	slotSleep = iota
	slotHints
	slotDoorbell
	boardSlots
)

// board is another program's: its sleep word and hints, and its doorbell. However
// often a program is bound to another, it has its board once.
type board struct {
	base         uint64 // of the page of hints, in physical memory
	uses         int
	slots        []capability.Reference
	views        []view
	sleep, hints uintptr
	bell         peerDoorbell
}

// boards are those that the program has.
type boards struct {
	system   system
	exchange *exchange

	mu    sync.Mutex
	known map[uint64]*board // by base
}

// take takes a board out of the exchange, from a slot on. drop must follow. If it fails
// the slots are empty.
func (s *boards) take(slot int) (*board, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	base, err := s.exchange.base(slot + slotHints)
	if err != nil {
		s.discard(slot)
		return nil, err
	}
	// Of one that somebody uses the memory is not free, nor anybody else's.
	if b := s.known[base]; b != nil {
		s.discard(slot)
		b.uses++
		return b, nil
	}
	b := &board{base: base, uses: 1}
	if b.slots, err = s.exchange.takeAll(slot, boardSlots); err == nil {
		err = s.open(b)
	}
	if err != nil {
		return nil, errors.Join(err, s.close(b))
	}
	s.known[base] = b
	return b, nil
}

// discard empties the slots of a board.
func (s *boards) discard(slot int) {
	for i := range boardSlots {
		s.exchange.discard(slot + i)
	}
}

// open maps a board.
func (s *boards) open(b *board) (err error) {
	for _, at := range []struct {
		slot int
		to   *uintptr
	}{{slotSleep, &b.sleep}, {slotHints, &b.hints}} {
		if *at.to, err = s.system.mapped(b.slots[at.slot], abi.PageSize, at.slot == slotHints); err != nil {
			return err
		}
		b.views = append(b.views, view{*at.to, abi.PageSize})
	}
	b.bell, err = s.system.doorbell(b.slots[slotDoorbell])
	return err
}

// drop ends one use of a board.
func (s *boards) drop(b *board) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.uses--; b.uses > 0 {
		return nil
	}
	delete(s.known, b.base)
	return s.close(b)
}

// close gives up all that there is of a board.
func (s *boards) close(b *board) (failed error) {
	for _, v := range b.views {
		failed = errors.Join(failed, s.system.unmap(v.at, v.bytes))
	}
	for _, c := range b.slots {
		failed = errors.Join(failed, s.system.drop(c))
	}
	return failed
}
