package schedule

import (
	"math/rand/v2"
	"testing"
)

// machine runs tasks on one simulated core.
type machine struct {
	*testing.T
	s     *Scheduler
	r     *rand.Rand
	now   int64
	tasks []*task
	of    map[*Entry]*task
	// delay returns how much too late a task is stopped.
	delay func() int64
	// watch is told of every run.
	watch func(k *task, from, to int64)
}

// task is a program: it runs, sleeps, and so on.
type task struct {
	Entry
	name string
	// next is asked at the start and when a run is over, how long it runs next,
	// and how long it sleeps before; it yields if that is 0, and has gone if it is
	// less. At the start it does not sleep.
	next func(now int64) (run, sleep int64)

	run    int64
	wake   int64 // when it sleeps
	served int64
}

func newMachine(t *testing.T, seed uint64) *machine {
	return &machine{
		T: t, s: new(Scheduler), r: rand.New(rand.NewPCG(seed, 7)), of: map[*Entry]*task{},
		delay: func() int64 { return 0 },
		watch: func(*task, int64, int64) {},
	}
}

// hog never blocks.
func hog(int64) (int64, int64) { return Never / 2, 0 }

func (m *machine) add(name string, weight int, next func(int64) (int64, int64)) *task {
	k := &task{name: name, next: next, wake: Never}
	if !m.s.Enter(&k.Entry, weight) {
		m.Fatalf("%s was not let in", name)
	}
	m.tasks = append(m.tasks, k)
	m.of[&k.Entry] = k
	return k
}

func (m *machine) start(k *task) {
	k.run, _ = k.next(m.now)
	m.ready(k)
}

func (m *machine) ready(k *task) {
	k.wake = Never
	m.s.Ready(&k.Entry, m.now)
}

// until runs the machine up to a time.
func (m *machine) until(end int64) {
	for m.now < end {
		m.step(end)
	}
}

func (m *machine) step(end int64) {
	stop := end
	for _, k := range m.tasks {
		if k.wake <= m.now {
			m.ready(k)
		}
		stop = min(stop, k.wake)
	}
	e, until := m.s.Pick(m.now)
	verify(m.T, m.s, m.tasks, m.now)
	if until <= m.now {
		m.Fatalf("picked until %d, which is not after %d", until, m.now)
	}
	if e == nil {
		m.now = stop
		return
	}
	k := m.of[e]
	if k == nil || !e.ready {
		m.Fatal("picked one that is not ready")
	}
	if until <= stop && until-m.now < k.run {
		stop = until + m.delay()
	}
	from := m.now
	m.now = min(stop, from+k.run)
	m.s.Ran(from, m.now)
	k.run -= m.now - from
	k.served += m.now - from
	m.watch(k, from, m.now)
	if k.run > 0 {
		return
	}
	run, sleep := k.next(m.now)
	k.run = run
	switch {
	case sleep > 0:
		k.wake = m.now + sleep
		m.s.Block(e, m.now)
	case sleep == 0:
		m.s.Yield(e)
	default:
		m.leave(k)
	}
}

func (m *machine) leave(k *task) {
	m.s.Leave(&k.Entry, m.now)
	for i, other := range m.tasks {
		if other == k {
			m.tasks = append(m.tasks[:i], m.tasks[i+1:]...)
			break
		}
	}
	delete(m.of, &k.Entry)
}

// reserve admits k, which must be accepted.
func (m *machine) reserve(k *task, r Reservation) {
	if a := m.s.Admit(&k.Entry, r, m.now); a.Reason != Admitted {
		m.Fatalf("%+v: %v, %d left", r, a.Reason, a.Left)
	}
}

// verify checks what always holds after Pick, by looking at everything.
func verify(t *testing.T, s *Scheduler, tasks []*task, now int64) {
	t.Helper()
	counts := map[queue]int{}
	heaps := map[queue]*heap{due: &s.due, waiting: &s.waiting, fair: &s.fair}
	weight, reserved, entered, ready, late := int64(0), int64(0), int64(0), int64(0), 0
	best := map[queue]*Entry{}
	for _, k := range tasks {
		e := &k.Entry
		if !e.entered {
			if *e != (Entry{}) {
				t.Fatalf("%s has left, but not wholly", k.name)
			}
			continue
		}
		entered++
		reserved += e.density
		if e.late {
			late++
		}
		counts[e.queue]++
		if b := best[e.queue]; b == nil || e.key < b.key {
			best[e.queue] = e
		}
		if e.ready {
			ready++
		}
		if e.ready || e == s.giver {
			if e.queue == nowhere || (e.queue == fair) != (e.density == 0) {
				t.Fatalf("%s is ready, but in queue %d", k.name, e.queue)
			}
		} else if e.queue != nowhere {
			t.Fatalf("%s is not ready, but in queue %d", k.name, e.queue)
		}
		want := e.key
		switch e.queue {
		case fair:
			weight += e.weight
			want = e.tag
		case due:
			want = e.deadline
			if e.left <= 0 || e.deadline <= now || e.release < e.deadline {
				t.Fatalf("%s is due with %d left at %d, deadline %d", k.name, e.left, now, e.deadline)
			}
		case waiting:
			want = e.release
			if e.left > 0 || e.release <= now {
				t.Fatalf("%s waits for %d at %d with %d left", k.name, e.release, now, e.left)
			}
		}
		if e.key != want {
			t.Fatalf("%s has key %d, want %d", k.name, e.key, want)
		}
		if e.queue != nowhere && heaps[e.queue].entries[e.position] != e {
			t.Fatalf("%s is not where it says", k.name)
		}
	}
	for q, h := range heaps {
		if h.n != counts[q] || h.n > 0 && h.first().key != best[q].key {
			t.Fatalf("queue %d has %d, want %d, or another first", q, h.n, counts[q])
		}
		for p := 1; p < h.n; p++ {
			if h.entries[(p-1)/2].key > h.entries[p].key {
				t.Fatalf("queue %d is not a heap", q)
			}
		}
	}
	if s.weight != weight || s.reserved != reserved || s.reserved > Bound || s.entries != entered {
		t.Fatalf("weight %d, want %d; reserved %d, want %d; %d entered, want %d", s.weight, weight, s.reserved, reserved, s.entries, entered)
	}
	if s.ready != ready {
		t.Fatalf("%d are ready, want %d", s.ready, ready)
	}
	listed, before := 0, (*Entry)(nil)
	for e := s.firstLate; e != nil; e = e.nextLate {
		if !e.late || e.prevLate != before {
			t.Fatal("the list of the late is torn")
		}
		before = e
		listed++
	}
	if listed != late || s.lastLate != before {
		t.Fatalf("%d listed as late, want %d", listed, late)
	}
	if s.giver != nil && (s.giver.queue == nowhere || !s.receiver.ready) {
		t.Fatal("a loan of nothing, or to nobody")
	}
	// The choice: the earliest deadline, then the lowest tag, then the next release.
	want := best[due]
	if want == nil {
		want = best[fair]
	}
	if want == nil {
		want = best[waiting]
	}
	switch a := s.account; {
	case (a == nil) != (want == nil):
		t.Fatal("picked nobody, or somebody out of nobody")
	case a != nil && (a.queue != want.queue || a.key != want.key):
		t.Fatalf("picked from queue %d with key %d, want %d with %d", a.queue, a.key, want.queue, want.key)
	}
}
