package schedule

import (
	"fmt"
	"testing"
)

// spread keeps how far two tasks drift apart in service per weight, in either
// direction, over any window.
type spread struct{ at, low, high float64 }

func (p *spread) add(x float64) {
	p.at += x
	p.low, p.high = min(p.low, p.at), max(p.high, p.at)
}

// TestFairness holds the bound of start-time fair queueing, over every window, for
// those that are always ready, among sleepers, yielders, short lives and reserved
// ones.
func TestFairness(t *testing.T) {
	for seed := range uint64(40) {
		m := newMachine(t, seed)
		var hogs []*task
		for i := range 2 + m.r.IntN(5) {
			hogs = append(hogs, m.add(fmt.Sprint("hog ", i), 1+m.r.IntN([]int{3, 1000, MaxWeight}[m.r.IntN(3)]), hog))
		}
		others(m)
		drift := map[[2]*task]*spread{}
		// longest is the longest slice of each in ns, by its tags; tags are what they
		// were before. It begins as one that has just had a slice.
		longest, tags := map[*task]int64{}, map[*task]int64{}
		for _, k := range hogs {
			m.start(k)
		}
		for _, k := range hogs {
			longest[k] = (k.tag - m.s.virtual()) * k.weight
			tags[k] = k.tag
		}
		m.watch = func(k *task, from, to int64) {
			if _, ok := tags[k]; !ok {
				return
			}
			longest[k] = max(longest[k], (k.tag-tags[k])*k.weight)
			tags[k] = k.tag
			if m.s.slicer == &k.Entry {
				longest[k] = max(longest[k], m.s.used)
			}
			x := float64(to-from) / float64(k.weight)
			for _, a := range hogs {
				for _, b := range hogs {
					if a == b || a != k && b != k {
						continue
					}
					p := drift[[2]*task{a, b}]
					if p == nil {
						p = new(spread)
						drift[[2]*task{a, b}] = p
					}
					if a == k {
						p.add(x)
					} else {
						p.add(-x)
					}
				}
			}
		}
		m.until(4_000_000_000)
		for pair, p := range drift {
			a, b := pair[0], pair[1]
			bound := float64(longest[a])/float64(a.weight) + float64(longest[b])/float64(b.weight) + 4
			if p.high-p.low > bound {
				t.Errorf("seed %d: weights %d and %d drift by %.0f in a window, bound %.0f", seed, a.weight, b.weight, p.high-p.low, bound)
			}
			if longest[a] > maxCharge+a.weight {
				t.Errorf("seed %d: a slice of %d", seed, longest[a])
			}
		}
	}
}

// others adds tasks of all kinds, up to what the core can do.
func others(m *machine) {
	for i := range m.r.IntN(6) {
		k := m.add(fmt.Sprint("sleeper ", i), 1+m.r.IntN(MaxWeight), func(int64) (int64, int64) {
			return 1 + m.r.Int64N(3_000_000), 1 + m.r.Int64N(30_000_000)
		})
		m.start(k)
	}
	for i := range m.r.IntN(3) {
		k := m.add(fmt.Sprint("yielder ", i), 1+m.r.IntN(1000), func(int64) (int64, int64) { return 1 + m.r.Int64N(100_000), 0 })
		m.start(k)
	}
	for i := range m.r.IntN(8) {
		period := 1_000_000 + m.r.Int64N(60_000_000)
		r := Reservation{Period: period, Deadline: period - m.r.Int64N(period/3)}
		r.Budget = MinBudget + m.r.Int64N(r.Deadline/5)
		behaviour := hog
		if m.r.IntN(2) == 0 {
			behaviour = func(int64) (int64, int64) { return 1 + m.r.Int64N(2*r.Budget), m.r.Int64N(2 * period) }
		}
		k := m.add(fmt.Sprint("reserved ", i), NormalWeight, behaviour)
		if m.s.Admit(&k.Entry, r, m.now).Reason == Admitted {
			m.start(k)
		}
	}
}

// TestStarvation holds how long a ready fair entry waits at most against chains of
// short lives, sleepers, hogs and a core reserved up to the bound.
func TestStarvation(t *testing.T) {
	for seed := range uint64(6) {
		m := newMachine(t, seed)
		const heavy = 200
		light := m.add("light", 1, hog)
		m.start(light)
		for i := range 5 {
			m.start(m.add(fmt.Sprint("hog ", i), heavy, hog))
		}
		for i := range 5 {
			m.start(m.add(fmt.Sprint("sleeper ", i), heavy, func(int64) (int64, int64) { return 1_000_000, 1 + m.r.Int64N(10_000_000) }))
		}
		for i := range 5 {
			k := m.add(fmt.Sprint("reserved ", i), NormalWeight, hog)
			m.reserve(k, Reservation{Period: 10_000_000, Budget: 1_800_000, Deadline: 10_000_000})
			m.start(k)
		}
		var spawn func()
		life := 0
		spawn = func() {
			life++
			m.start(m.add(fmt.Sprint("life ", life), heavy, func(int64) (int64, int64) { return 1 + m.r.Int64N(4_000_000), -1 }))
		}
		// While it waits, each of the eleven, and all of the chain together, are
		// served what makes their tags pass its own, and a slice; the chain may
		// use more than it pays for by a slice to a floor.
		slice := int64(Floor)
		bound := 10*(slice*heavy+Latency) + Latency/Floor*(slice*heavy+Latency)
		bound *= Whole / (Whole - Bound)
		longest, runs := int64(0), 0
		last := int64(0)
		m.watch = func(k *task, from, to int64) {
			if k == light {
				longest = max(longest, from-last)
				last = to
				runs++
			}
		}
		for m.now < 30_000_000_000 {
			m.step(m.now + 1_000_000_000)
			if n := len(m.tasks); n < 17 {
				spawn()
			}
			if m.now-last > bound {
				t.Fatalf("seed %d: has waited for %d, bound %d", seed, m.now-last, bound)
			}
		}
		if runs < 3 {
			t.Errorf("seed %d: ran %d times, longest wait %d", seed, runs, longest)
		}
	}
}

// TestSleeper checks that one that has slept gets no more than its share afterwards,
// runs soon, and that one which slept in debt does not lose it.
func TestSleeper(t *testing.T) {
	m := newMachine(t, 1)
	a := m.add("a", NormalWeight, hog)
	b := m.add("b", NormalWeight, hog)
	m.start(a)
	b.wake, b.run = 5_000_000_003, Never/2
	m.until(5_000_000_003)
	first := int64(-1)
	m.watch = func(k *task, from, to int64) {
		if k == b && first < 0 {
			first = from
		}
	}
	before := a.served
	m.until(6_000_000_003)
	if wait := first - 5_000_000_003; wait > Floor {
		t.Errorf("one that woke waited for %d", wait)
	}
	if got := a.served - before; got < 490_000_000 || got > 510_000_000 {
		t.Errorf("the other had %d of a second", got)
	}
	// It naps for a moment whenever it has used most of a slice.
	m = newMachine(t, 1)
	a = m.add("a", NormalWeight, hog)
	b = m.add("b", NormalWeight, func(int64) (int64, int64) { return 9_900_000, 1 })
	m.start(a)
	m.start(b)
	m.until(10_000_000_000)
	if b.served > 5_020_000_000 {
		t.Errorf("napping makes %d of ten seconds", b.served)
	}
}

// TestYield checks that yields let all others of its weight go on.
func TestYield(t *testing.T) {
	m := newMachine(t, 1)
	a := m.add("a", MaxWeight, func(int64) (int64, int64) { return 1000, 0 })
	var others []*task
	m.start(a)
	for range 4 {
		k := m.add("b", NormalWeight, hog)
		others = append(others, k)
		m.start(k)
	}
	last := (*task)(nil)
	m.watch = func(k *task, _, _ int64) {
		if k == a && last == a {
			t.Fatal("ran on after it had yielded to others")
		}
		last = k
	}
	m.until(1_000_000_000)
	for _, k := range others {
		if k.served < 230_000_000 {
			t.Errorf("had %d of a second", k.served)
		}
	}
	if a.served == 0 {
		t.Error("one that yields does not run at all")
	}
}

// TestSetWeight changes weights on the way, and checks the shares before and after.
func TestSetWeight(t *testing.T) {
	m := newMachine(t, 1)
	a, b := m.add("a", 100, hog), m.add("b", 300, hog)
	m.start(a)
	m.start(b)
	for _, w := range [][2]int{{100, 300}, {10_000, 100}, {1, 4}, {50, 50}} {
		if !m.s.SetWeight(&a.Entry, w[0]) || !m.s.SetWeight(&b.Entry, w[1]) {
			t.Fatal("refused")
		}
		if a.Weight() != w[0] {
			t.Fatal("not set")
		}
		from, had := m.now, a.served
		m.until(from + 10_000_000_000)
		want := 10_000_000_000 * int64(w[0]) / int64(w[0]+w[1])
		if got := a.served - had; got < want-120_000_000 || got > want+120_000_000 {
			t.Errorf("weights %v: %d of 10 s, want %d", w, got, want)
		}
	}
	for _, w := range []int{-1, 0, MaxWeight + 1} {
		if m.s.SetWeight(&a.Entry, w) || m.s.Enter(new(Entry), w) {
			t.Errorf("weight %d accepted", w)
		}
	}
	if m.s.SetWeight(new(Entry), 1) {
		t.Error("weight of one that has not entered")
	}
}

// TestShortLives checks that programs that come, run and go one after the other get
// no more than one that stays.
func TestShortLives(t *testing.T) {
	m := newMachine(t, 1)
	stays := m.add("stays", NormalWeight, hog)
	m.start(stays)
	for m.now < 10_000*ms {
		if len(m.tasks) < 2 {
			m.start(m.add("life", NormalWeight, func(int64) (int64, int64) { return 5 * ms, -1 }))
		}
		m.step(10_000 * ms)
	}
	if stays.served < 4_500*ms || stays.served > 9_000*ms {
		t.Errorf("had %d of 10 s", stays.served)
	}
}

// TestDebts checks that what one owes changes with its weight, and is forgotten when
// nobody waits for it.
func TestDebts(t *testing.T) {
	s := new(Scheduler)
	es := enter(t, s, 2)
	a, b := es[0], es[1]
	s.SetWeight(a, 1)
	s.Ready(a, 0)
	s.Ready(b, 0)
	s.owe(a, b, 10*ms)
	if s.SetWeight(a, NormalWeight); a.tag-b.tag != 10*ms/NormalWeight {
		t.Errorf("owes %d for 10 ms", (a.tag-b.tag)*NormalWeight)
	}
	s.Block(b, 0)
	s.Block(a, 0)
	s.Ready(b, 0)
	s.Ready(a, 0)
	if a.tag != b.tag {
		t.Errorf("still owes %d", (a.tag-b.tag)*NormalWeight)
	}
}

// owe makes a owe b so many ns of service.
func (s *Scheduler) owe(a, b *Entry, service int64) {
	a.tag = b.tag + service/a.weight
	s.fair.fix(a, a.tag)
}
