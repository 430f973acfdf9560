// Package wait lets goroutines wait for what comes to a program from outside of it:
// messages in channels, messages to endpoints, whatever rings the program's doorbell.
// A goroutine that waits is parked, and no thread with it.
//
// A program has one Set. It keeps a goroutine, the pump, that sleeps on the
// doorbell in the runtime's poller. What can be waited for is an Item. Whoever is to
// wait at one says first to the peer that it must be woken from now on (Wait's arm);
// the peer then leaves a hint by the item's number on the program's board
// (urpc.Board), and rings the doorbell if the board says that the pump sleeps. The
// pump takes the hints and wakes the goroutines.
//
// Hints are only hints: any peer can set them, or take away another's. So the
// pump, having said on the board that it sleeps and before it does, asks every item at
// which somebody waits whether something has come. What has no hints, such as
// endpoints, is found in the same way.
//
// Why no wake-up is lost: a peer writes its message, then looks whether it must
// wake, then leaves its hint, then looks whether the pump sleeps. The item's goroutine
// says that it must be woken, then looks for messages (arm). The pump says that it
// sleeps, then looks for hints, then asks those that wait. Between saying and
// looking each has a full fence. So either the goroutine finds the message, or the peer
// leaves a hint; and then the pump finds the hint or the message, or the peer
// rings. A ring after the pump began to look ends its sleep.
//
// A ring can be for a message that the goroutine had found by itself before it said that it
// must be woken. The pump then wakes nobody, and must be rung for the next
// message. So a peer must hint, or ring, for each message while the goroutine is to be woken. Of a
// peer that rings once for each time that it was told to, pending tells it again before
// it looks.
//
// Before a goroutine waits it gives the core to whom the program has sent something on this
// core (HandOver): as long as this program runs, that one cannot answer. Who polls asks
// whether others want the core (Wanted), and whether something has come that only the
// pump would find (Called), which the runtime has no time for while anybody runs. The kernel
// says both in a page of the program.
//
// Transports and package bind import it. It runs on an ordinary host as well, over
// any file that can be polled. It must never know what is waited for.
package wait

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"skerry/lib/native"
	"skerry/lib/native/home"
	"skerry/lib/urpc"
)

// ErrClosed is what Add and Wait fail with after Close.
var ErrClosed = errors.New("the set is closed")

// Set is all that a program waits for. Any goroutine can call its methods.
type Set struct {
	bell  *os.File
	conn  syscall.RawConn
	ended chan struct{} // closed when the pump has ended

	// The pump's own.
	asleep   bool // it has not looked since it went to sleep
	restless int  // how often in a row it did not go to sleep
	buffer   [256]byte

	pollers atomic.Int32 // goroutines that poll
	most    int32        // that may

	page  native.Page   // the zero Page off Skerry
	alone bool          // on Skerry, with one dispatcher
	heard atomic.Uint64 // notifications before the last look at all that has no hints

	neighbours atomic.Int32
	owed       atomic.Pointer[Neighbour]
	roused     atomic.Bool // goroutines have been woken that may not have run yet

	mu      sync.Mutex
	board   *urpc.Board // nil: there are no hints
	numbers [urpc.Hints]struct {
		first *Item // those of the number
		items int
	}
	next  int // number to look at first for another item
	items int
	armed [2][]*Item // at which somebody waits: those that are hinted, and those that are not
	err   error      // why nobody can wait any more
}

// Open returns a Set that sleeps on the program's doorbell. The board is where peers
// leave hints, nil if none do; it is the Set's from then on.
func Open(board *urpc.Board) (*Set, error) {
	bell, err := native.OpenDoorbell()
	if err != nil {
		return nil, err
	}
	s, err := prepare(bell.File(), board)
	if err != nil {
		return nil, errors.Join(err, bell.Close())
	}
	s.Heed(native.OwnPage(), home.Alone())
	go s.pump()
	return s, nil
}

// Heed has the Set heed what the kernel says in a page of the program, which is alone in
// that if it has one dispatcher. Open does so; without it nobody is ever known to want the
// core. It is to be called before anybody waits.
func (s *Set) Heed(p native.Page, alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page, s.alone = p, alone
}

// On returns a Set that sleeps on a file, which whoever has something for the
// program makes readable: an eventfd, a pipe, a socket. It must be one that the
// runtime polls. It is the Set's from then on, which reads away whatever is in it.
func On(bell *os.File, board *urpc.Board) (*Set, error) {
	s, err := prepare(bell, board)
	if err != nil {
		return nil, err
	}
	go s.pump()
	return s, nil
}

// prepare returns a Set whose pump does not run yet.
func prepare(bell *os.File, board *urpc.Board) (*Set, error) {
	conn, err := bell.SyscallConn()
	if err == nil {
		err = bell.SetReadDeadline(time.Time{}) // fails if it is not polled
	}
	if err != nil {
		return nil, fmt.Errorf("wait on %s: %w", bell.Name(), err)
	}
	return &Set{bell: bell, conn: conn, board: board, ended: make(chan struct{}), most: int32(runtime.GOMAXPROCS(0))}, nil
}

// Close ends the Set: whoever waits returns, and nobody can wait any more.
func (s *Set) Close() error {
	s.mu.Lock()
	if s.err == nil {
		s.err = ErrClosed
	}
	s.mu.Unlock()
	err := s.bell.Close()
	<-s.ended
	return err
}

// Poll reports whether the calling goroutine may poll for a while before it waits; if so it
// calls Polled when it has. No more may at a time than run at a time: others would
// keep them from it, and hints are found whoever polls (Look).
func (s *Set) Poll() bool {
	if s.pollers.Add(1) <= s.most {
		return true
	}
	s.pollers.Add(-1)
	return false
}

// Polled ends what Poll began.
func (s *Set) Polled() { s.pollers.Add(-1) }

// Look wakes those for whom something has come. Whoever polls for long, and has only
// goroutines run meanwhile that can run (runtime.Gosched), calls it now and then: beside
// it the runtime's poller, and so the pump, hardly has a turn. Where there are no
// hints and no notifications it reads two words.
func (s *Set) Look() {
	if s.mu.TryLock() {
		s.distribute()
		if s.Called() {
			s.ask(unhinted)
		}
		s.mu.Unlock()
	}
}

// Add makes an item. pending reports whether what is waited for may have come; it is
// called by another goroutine, but only while somebody waits: after arm has
// returned true and before Wait returns. It must not block, nor call the Set. It may be
// nil if only hints and Wake are to end a wait.
func (s *Set) Add(pending func() bool) (*Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// There is always one that has no more than its share.
	for s.numbers[s.next].items > s.items/len(s.numbers) {
		s.next = (s.next + 1) % len(s.numbers)
	}
	number := s.next
	s.next = (s.next + 1) % len(s.numbers)
	return s.add(number, unhinted, pending)
}
