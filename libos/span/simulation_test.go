package span

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// The simulation has several dispatchers whose threads wait, wake, requeue, send
// signals, move, start others and end. One step of one dispatcher follows another's as
// a random number says; bells ring late, and steps of others come between any two
// accesses of a wait to what is shared. What must hold is compared with what the
// same would have done on one core.
//
// A seed that fails is run again by go test -run Simulation -seed N.

var seed = flag.Uint64("seed", 0, "seed of the simulation, 0 for many")

const (
	words      = 4  // that threads wait for
	signalling = 10 // the signal that is sent
	pages      = 5  // of the program's memory
)

type simulation struct {
	t      *testing.T
	random *rand.Rand
	memory []uint64 // keeps the frame in place
	nodes  []*node
	words  [words]uint32
	// What home has mapped at each page, 0 for nothing, and what was there that
	// nobody may use any more. Each mapping has a number of its own.
	mapped  [pages]uint32
	gone    [pages]uint32
	told    [pages]uint64 // who was, that it may map the page
	taking  [2]int        // what home is taking away, and waits for
	taken   [pages]uint32 // what it had mapped before
	numbers uint32
	threads map[int32]*life
	steps   int
	patient bool
	trace   []string
}

// life is what the simulation knows of a thread.
type life struct {
	at       int // where it runs or is blocked, -1 while it is on its way
	waits    int // the word it waits for, plus one; 0 if none
	bits     uint32
	promised bool // a wake has counted it
	waited   int  // when it began
	sent     int  // signals
	taken    int
	ended    bool
}

// node is a dispatcher: what a libos does with a Frame, without the libos.
type node struct {
	frame   Frame
	table   []carrier.Thread
	threads carrier.Threads
	waits   [slots]bool
	back    [slots]uint32
	cache   [pages]uint32 // what it has mapped, as simulation.mapped
	active  bool          // a step of it is under way
	inside  bool          // it runs its libos
	bell    bool          // it has been rung
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{t: t, random: rand.New(rand.NewPCG(seed, 1)), threads: map[int32]*life{}, patient: seed%2 == 0}
	n := 2 + s.random.IntN(4)
	s.memory = make([]uint64, abi.SpanSize(uint64(n))/8)
	base := uintptr(unsafe.Pointer(&s.memory[0]))
	for i := range n {
		d := &node{table: make([]carrier.Thread, slots), inside: true}
		d.frame.Init(base, i, n)
		d.threads.InitEmpty(uintptr(unsafe.Pointer(&d.table[0])), slots)
		s.nodes = append(s.nodes, d)
	}
	home := s.nodes[Home]
	home.frame.Begin(100)
	slot, id, _ := home.frame.NewThread(home.frame.All())
	if slot != 0 || id != 100 {
		t.Fatalf("the first thread has slot %d and number %d", slot, id)
	}
	home.threads.Ready(home.threads.Enter(0, &carrier.Thread{ID: id}))
	s.threads[id] = &life{}
	return s
}

func (s *simulation) note(format string, a ...any) {
	if s.trace = append(s.trace, fmt.Sprintf(format, a...)); len(s.trace) > 200 {
		s.trace = s.trace[100:]
	}
}

func (s *simulation) fail(format string, a ...any) {
	s.t.Helper()
	for _, line := range s.trace[max(0, len(s.trace)-40):] {
		s.t.Log(line)
	}
	s.t.Fatalf(format, a...)
}

// others lets other dispatchers do something in the middle of what one does.
func (s *simulation) others() {
	for s.random.IntN(3) == 0 {
		s.step(s.random.IntN(len(s.nodes)))
	}
}

// step is one visit of a dispatcher to its libos.
func (s *simulation) step(i int) {
	d := s.nodes[i]
	if d.active {
		return
	}
	d.active = true
	defer func() { d.active = false }()
	s.steps++
	if i == Home && s.taking[1] != 0 {
		if d.inside || d.bell {
			s.awaitForgotten()
		}
		return
	}
	expired := s.random.IntN(20) == 0 && s.expire(d)
	if !d.inside {
		// It runs a thread, or is parked until it is rung.
		if !d.bell && !expired && !d.threads.HasReady() {
			return
		}
		d.bell, d.inside = false, true
		d.frame.Enter()
	}
	s.attend(i)
	s.others()
	for range 1 + s.random.IntN(3) {
		th := d.threads.Next()
		if th == nil {
			break
		}
		s.run(i, th)
		if th := d.threads.Current(); th != nil {
			d.threads.Yield()
		}
		if i == Home && s.taking[1] != 0 {
			return
		}
		s.ring(i)
	}
	s.ring(i)
	if d.frame.Leave() {
		d.inside = false
	}
}

// expire ends the wait of a thread that has waited for long enough; in a patient
// simulation not of one that something else should make ready.
func (s *simulation) expire(d *node) bool {
	for slot := range d.threads.Used() {
		if l := s.threads[d.table[slot].ID]; s.patient && l != nil && (l.promised || l.sent != l.taken) {
			continue
		}
		if d.waits[slot] && d.table[slot].State() == carrier.Blocked && s.random.IntN(3) == 0 {
			s.note("%d: thread %d waits no longer", d.frame.Self(), d.table[slot].ID)
			d.threads.Ready(&d.table[slot])
			return true
		}
	}
	return false
}

func (s *simulation) ring(i int) {
	f := &s.nodes[i].frame
	for to, a := f.NextRing(); to >= 0; to, a = f.NextRing() {
		s.nodes[to].bell = true
		s.others()
		f.Rung(to, a)
	}
}

func (s *simulation) attend(i int) {
	d := s.nodes[i]
	generation, start, end, forget := d.frame.ToForget()
	s.others()
	for slot := d.frame.NextMail(); slot >= 0; slot = d.frame.NextMail() {
		if m := d.frame.Receive(slot); m != nil && m.Kind == Fault {
			s.bringIn(i, slot, m)
			continue
		} else if m != nil && m.Kind == FaultDone {
			d.cache[m.Map.Address] = m.Map.Page
			d.threads.Ready(&d.table[slot])
		} else if m != nil {
			th := d.threads.Enter(carrier.Index(slot), &m.Thread)
			l := s.threads[th.ID]
			if l.at != -1 || l.ended {
				s.fail("thread %d comes to %d and is at %d already", th.ID, i, l.at)
			}
			l.at = i
			d.back[slot] = m.Back
			s.signals(d, th, slot)
			d.threads.Ready(th)
			s.note("%d: thread %d arrives", i, th.ID)
		}
		if d.table[slot].State() == carrier.Free {
			if d.frame.Has(slot) && d.frame.Location(slot) != i {
				d.frame.Post(slot)
			}
			continue
		}
		th := &d.table[slot]
		if d.waits[slot] && th.State() == carrier.Blocked && d.frame.Woken(slot) {
			d.threads.Ready(th)
		}
		s.signals(d, th, slot)
		s.others()
	}
	if forget {
		s.others()
		clear(d.cache[start:end])
		s.others()
		d.frame.Forgot(generation)
		s.ring(i)
	}
}

// bringIn is what home does about a fault.
func (s *simulation) bringIn(i, slot int, m *Message) {
	if i != Home {
		s.fail("%d is asked for memory", i)
	}
	page := m.Address
	if s.mapped[page] == 0 {
		s.numbers++
		s.mapped[page] = s.numbers
	}
	s.others()
	s.told[page] |= 1 << m.From
	m.Kind, m.Map = FaultDone, Map{Address: page, Page: s.mapped[page], Count: 1}
	s.nodes[i].frame.Send(slot, int(m.From))
}

// touch uses a page: what is gone nobody has.
func (s *simulation) touch(i int, th *carrier.Thread, slot int) {
	d := s.nodes[i]
	page := s.random.IntN(pages)
	if i == Home {
		return
	}
	if seen := d.cache[page]; seen != 0 {
		if seen <= s.gone[page] {
			s.fail("%d: uses page %d as it was before it was taken away", i, page)
		}
		return
	}
	d.threads.SetAside()
	m := d.frame.Message(slot)
	m.Kind, m.Address = Fault, uint64(page)
	d.frame.Send(slot, Home)
	s.note("%d: thread %d faults at %d", i, th.ID, page)
}

// takeAway has home take pages away. It does nothing else then until all have
// forgotten them, no mail either: see awaitForgotten.
func (s *simulation) takeAway() {
	start := s.random.IntN(pages)
	end := start + 1 + s.random.IntN(pages-start)
	s.taken, s.taking = s.mapped, [2]int{start, end}
	holders := uint64(0)
	for i, other := range s.nodes {
		for page := start; page < end; page++ {
			// Those that have it, or that have been told that they may.
			if s.told[page]>>i&1 != 0 || other.cache[page] != 0 || s.random.IntN(2) == 0 {
				holders |= 1 << i
			}
		}
	}
	clear(s.mapped[start:end])
	clear(s.told[start:end])
	f := &s.nodes[Home].frame
	f.Forget(uint64(start), uint64(end), holders)
	s.note("home takes [%d, %d) away from %b", start, end, holders)
	s.ring(Home)
	s.awaitForgotten()
}

// awaitForgotten is home's wait, as far as it gets until somebody else must act.
func (s *simulation) awaitForgotten() {
	d := s.nodes[Home]
	f := &d.frame
	f.Enter()
	d.inside, d.bell = true, false
	if !f.Forgotten() {
		f.Listen()
		s.others()
		if !f.Forgotten() {
			d.inside = d.bell // until it is rung
			return
		}
	}
	f.Enter()
	for page := s.taking[0]; page < s.taking[1]; page++ {
		s.gone[page] = max(s.gone[page], s.taken[page])
		for i, other := range s.nodes {
			if c := other.cache[page]; c != 0 && c == s.taken[page] {
				s.fail("%d has page %d that was taken away", i, page)
			}
		}
	}
	s.taking = [2]int{}
}

func (s *simulation) signals(d *node, th *carrier.Thread, slot int) {
	if sent, _ := d.frame.TakeSignals(slot); sent != 0 {
		l := s.threads[th.ID]
		l.taken = l.sent
		d.threads.Interrupt(th)
	}
}

// endWait is what a libos does with a thread that has waited, before it goes on.
func (s *simulation) endWait(d *node, th *carrier.Thread, slot int) {
	if !d.waits[slot] {
		return
	}
	d.waits[slot] = false
	l := s.threads[th.ID]
	woken := d.frame.EndWait(slot)
	if woken != l.promised {
		s.fail("thread %d was woken: %v, counted as woken: %v", th.ID, woken, l.promised)
	}
	l.waits, l.promised = 0, false
}

func (s *simulation) move(i int, th *carrier.Thread, slot, to int, kind, back uint32) {
	d := s.nodes[i]
	s.note("%d: thread %d leaves for %d", i, th.ID, to)
	s.threads[th.ID].at = -1
	d.threads.Leave(th)
	d.frame.SendThread(slot, to, kind, back, th)
}

// run lets the current thread of a dispatcher make a call.
func (s *simulation) run(i int, th *carrier.Thread) {
	d := s.nodes[i]
	f := &d.frame
	slot := int(d.threads.Index(th))
	l := s.threads[th.ID]
	if l == nil || l.at != i || l.ended {
		s.fail("thread %d runs at %d and is elsewhere", th.ID, i)
	}
	s.endWait(d, th, slot)
	if back := d.back[slot]; back != 0 {
		d.threads.SetAside()
		s.move(i, th, slot, int(back)-1, Move, 0)
		return
	}
	finishing := s.steps > 4000
	switch what := s.random.IntN(20); {
	case finishing && what < 8:
		s.wake(i, s.random.IntN(words), carrier.AllBits, words*slots)
	case finishing || what == 0:
		if sent, _ := f.TakeSignals(slot); (sent != 0) != (l.sent != l.taken) {
			s.fail("thread %d ends with %d of %d signals", th.ID, l.taken, l.sent)
		}
		d.threads.SetAside()
		d.threads.Leave(th)
		l.ended = true
		s.note("%d: thread %d ends", i, th.ID)
		last := f.EndThread(slot)
		if living := s.living(); last != (living == 0) {
			s.fail("the last thread: %v, of %d left", last, living)
		}
	case what < 6:
		s.wait(i, th, slot, l)
	case what < 9:
		bits := uint32(carrier.AllBits)
		if what == 7 {
			bits = 1 << s.random.IntN(2)
		}
		s.wake(i, s.random.IntN(words), bits, s.random.IntN(4))
	case what == 9:
		s.requeue(i)
	case what == 10: // a call at home
		d.threads.SetAside()
		if i == Home {
			d.threads.Ready(th)
			return
		}
		s.move(i, th, slot, Home, Call, uint32(i)+1)
	case what == 11:
		d.threads.SetAside()
		s.move(i, th, slot, s.random.IntN(len(s.nodes)), Move, 0)
	case what < 14:
		s.clone(i)
	case what < 17:
		s.touch(i, th, slot)
	case what == 17:
		if i == Home {
			s.takeAway()
		}
	default:
		s.signal(i)
	}
}

func (s *simulation) living() (n int) {
	for _, l := range s.threads {
		if !l.ended {
			n++
		}
	}
	return n
}

func key(word int) uint64 { return 0x1000 + uint64(word)*4 }

func (s *simulation) wait(i int, th *carrier.Thread, slot int, l *life) {
	d := s.nodes[i]
	word := s.random.IntN(words)
	bits := uint32(1 + s.random.IntN(3))
	value := s.words[word]
	s.others()
	for asleep := false; !asleep; asleep = d.frame.Sleep(slot) {
		s.steps++
		l.waited = s.steps
		d.frame.Wait(slot, key(word), bits)
		s.others()
		now := s.words[word]
		s.others()
		if now != value {
			d.frame.EndWait(slot) // no wake-up has counted it
			return
		}
	}
	l.waits, l.bits = word+1, bits
	d.waits[slot] = true
	d.threads.Block(0, 0, 0)
	s.note("%d: thread %d waits for %d", i, th.ID, word)
}

// wake changes a word and wakes: what counts is what one core would have counted,
// the threads that wait then, longest first.
func (s *simulation) wake(i, word int, bits uint32, n int) {
	s.words[word]++
	s.others()
	var want []*life
	for {
		var first *life
		for _, l := range s.threads {
			if l.waits == word+1 && !l.promised && !l.ended && l.bits&bits != 0 && (first == nil || l.waited < first.waited) {
				first = l
			}
		}
		if first == nil || len(want) == n {
			break
		}
		first.promised = true
		want = append(want, first)
	}
	if got := s.nodes[i].frame.Wake(key(word), bits, n); got != len(want) {
		s.fail("%d: wakes %d of word %d, want %d", i, got, word, len(want))
	}
	s.note("%d: wakes %d of %d", i, len(want), word)
}

func (s *simulation) requeue(i int) {
	from, to := s.random.IntN(words), s.random.IntN(words)
	if from == to {
		return
	}
	f := &s.nodes[i].frame
	began, ticket := s.steps, f.Now()
	s.others()
	n := s.random.IntN(3)
	want := 0
	for ; want < n; want++ {
		var first *life
		for _, l := range s.threads {
			if l.waits == from+1 && l.waited <= began && !l.promised && !l.ended && (first == nil || l.waited < first.waited) {
				first = l
			}
		}
		if first == nil {
			break
		}
		first.waits = to + 1
	}
	if got := f.Requeue(key(from), key(to), 0, n, ticket); got != want {
		s.fail("%d: requeues %d, want %d", i, got, want)
	}
}

func (s *simulation) clone(i int) {
	d := s.nodes[i]
	if s.living() > 30 {
		return
	}
	slot, id, ok := d.frame.NewThread(d.frame.All())
	if !ok {
		s.fail("no slot for a thread, with %d", s.living())
	}
	if s.threads[id] != nil {
		s.fail("number %d is given twice", id)
	}
	s.threads[id] = &life{at: i}
	d.back[slot], d.waits[slot] = 0, false
	child := d.threads.Fork(carrier.Index(slot), id, 0, 0, false)
	if to := s.random.IntN(len(s.nodes)); to != i {
		s.move(i, child, slot, to, Move, 0)
	} else {
		d.threads.Ready(child)
	}
}

func (s *simulation) signal(i int) {
	for id, l := range s.threads {
		slot := s.nodes[i].frame.Find(id)
		if (slot < 0) != l.ended {
			s.fail("thread %d has slot %d, ended: %v", id, slot, l.ended)
		}
		if slot >= 0 {
			l.sent++
			s.nodes[i].frame.Signal(slot, 1<<(signalling-1), false)
			return
		}
	}
}

// TestSimulation: no wake is lost and none counts for two, no thread is lost or
// doubled, all signals arrive, and in the end all threads have ended.
func TestSimulation(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 50
	}
	first := uint64(1)
	if *seed != 0 {
		first, seeds = *seed, 1
	}
	for n := first; n < first+seeds; n++ {
		s := newSimulation(t, n)
		for s.living() > 0 {
			before := s.steps
			s.step(s.random.IntN(len(s.nodes)))
			if before > 40_000 || s.steps == before {
				s.stuck(n)
			}
			if t.Failed() {
				t.Fatalf("seed %d", n)
			}
		}
		for id, l := range s.threads {
			if l.waits != 0 && l.promised {
				s.fail("seed %d: thread %d was woken and never went on", n, id)
			}
		}
	}
}

// stuck says what is left of threads that should all have ended. Those that wait
// are woken by those that run, so that none may be left.
func (s *simulation) stuck(n uint64) {
	for id, l := range s.threads {
		if l.ended {
			continue
		}
		s.t.Errorf("seed %d: thread %d at %d waits for %d, woken %v, %d of %d signals", n, id, l.at, l.waits, l.promised, l.taken, l.sent)
	}
	s.fail("seed %d: threads are left after %d steps", n, s.steps)
}

// TestActions: what home publishes others read, once.
func TestActions(t *testing.T) {
	memory := make([]uint64, abi.SpanSize(2)/8)
	var home, other Frame
	base := uintptr(unsafe.Pointer(&memory[0]))
	home.Init(base, 0, 2)
	other.Init(base, 1, 2)
	var mine, theirs Actions
	if other.ReadActions(&theirs) {
		t.Error("there are actions before any were published")
	}
	for i := range 5 {
		mine[linux.SIGURG].Handler = uint64(i + 1)
		home.Publish(&mine)
		if !other.ReadActions(&theirs) || theirs != mine {
			t.Errorf("version %d did not arrive", i)
		}
		if other.ReadActions(&theirs) {
			t.Error("it arrives twice")
		}
	}
}

// TestEnd: the first end counts, and home is rung for it.
func TestEnd(t *testing.T) {
	memory := make([]uint64, abi.SpanSize(3)/8)
	base := uintptr(unsafe.Pointer(&memory[0]))
	frames := [3]Frame{}
	for i := range frames {
		frames[i].Init(base, i, 3)
	}
	home := &frames[Home]
	if _, _, _, ok := home.Ended(); ok || !home.Leave() {
		t.Error("it has ended before it began")
	}
	if !frames[2].End(abi.ExitCode, 7, []byte("last words")) || frames[1].End(abi.ExitSignal, 9, nil) {
		t.Error("not the first end counts")
	}
	if to, _ := frames[2].NextRing(); to != Home {
		t.Errorf("%d is rung", to)
	}
	if kind, code, text, ok := home.Ended(); kind != abi.ExitCode || code != 7 || string(text) != "last words" || !ok {
		t.Errorf("it ended with %d, %d, %q", kind, code, text)
	}
	if home.Enter(); home.Leave() {
		t.Error("home leaves without having seen the end")
	}
}
