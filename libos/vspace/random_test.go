package vspace

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
)

var (
	seeds     = flag.Int("seeds", 8, "how many random runs")
	firstSeed = flag.Uint64("seed", 0, "the first run's seed")
	steps     = flag.Int("steps", 300, "operations of a run")
)

// The window that random runs map in: four huge pages' worth.
const (
	windowBase  = testBase + 1<<30 - 2*hugeBytes // around the bounds of a table of level 2
	windowPages = 4 * hugePages
)

// linuxPage is what Linux would have at a page.
type linuxPage struct {
	mapped, shared bool
	prot           uint32
	file           int64 // the archive's page, -1 for none
	value          uint64
	written        bool
}

// linuxModel is Linux's memory, page by page.
type linuxModel struct {
	*machine
	pages  [windowPages]linuxPage
	random *rand.Rand
	log    []string
	// after, unless it is nil, is called after each step.
	after func(*linuxModel)
}

func (l *linuxModel) logf(format string, args ...any) {
	l.log = append(l.log, fmt.Sprintf(format, args...))
}

// want is what a page reads as.
func (p *linuxPage) want() uint64 {
	switch {
	case p.written:
		return p.value
	case p.file >= 0:
		return archiveWord(uint64(p.file))
	}
	return 0
}

// span picks some pages: mostly few, sometimes many, sometimes whole huge pages.
func (l *linuxModel) span() (first, n int) {
	switch l.random.IntN(8) {
	case 0:
		first = l.random.IntN(4) * hugePages
		n = hugePages * (1 + l.random.IntN(4-first/hugePages))
	case 1:
		first = l.random.IntN(windowPages)
		n = 1 + l.random.IntN(windowPages-first)
	default:
		// Near the bounds of tables more often than elsewhere.
		first = l.random.IntN(windowPages)
		if l.random.IntN(2) == 0 {
			first = min(windowPages-1, max(0, l.random.IntN(5)*hugePages+l.random.IntN(40)-20))
		}
		n = 1 + l.random.IntN(min(40, windowPages-first))
	}
	return first, n
}

func (l *linuxModel) prot() uint32 {
	return [...]uint32{0, linux.PROT_READ, readWrite, readWrite, readWrite, linux.PROT_READ | linux.PROT_EXEC, linux.PROT_WRITE}[l.random.IntN(7)]
}

func address(page int) uint64 { return windowBase + uint64(page)*pageSize }

// step does one operation. Operations may fail for want of memory only if
// starved is set.
func (l *linuxModel) step(starved bool) {
	first, n := l.span()
	part := l.pages[first : first+n]
	start, size := address(first), uint64(n)*pageSize
	whole := true
	for i := range part {
		whole = whole && part[i].mapped
	}
	result := func(got, want int64) bool {
		l.t.Helper()
		if starved && got == -linux.ENOMEM {
			return false
		}
		if got != want {
			l.t.Fatalf("returned %d, want %d", got, want)
		}
		return got >= 0
	}
	hole := func() int64 {
		if whole {
			return 0
		}
		return -linux.ENOMEM
	}
	switch l.random.IntN(16) {
	case 0, 1, 2:
		l.mmap(first, n, starved)
	case 3:
		l.logf("munmap %d+%d", first, n)
		if result(Munmap(start, size), 0) {
			clear(part)
		}
	case 4, 5:
		prot := l.prot()
		l.logf("mprotect %d+%d %d", first, n, prot)
		got := Mprotect(start, size, prot)
		if starved && got == -linux.ENOMEM {
			l.resync()
			return
		}
		result(got, hole())
		for i := range part {
			if !part[i].mapped {
				break
			}
			part[i].prot = prot
		}
	case 6, 7:
		advice := uint64(linux.MADV_DONTNEED)
		private := true
		for i := range part {
			private = private && (!part[i].mapped || part[i].file < 0 && !part[i].shared)
		}
		if l.random.IntN(3) == 0 && private {
			advice = linux.MADV_FREE
		}
		l.logf("madvise %d+%d %d", first, n, advice)
		got := Madvise(start, size, advice)
		if starved && got == -linux.ENOMEM && whole {
			l.resyncContents(first, n)
			return
		}
		result(got, hole())
		if starved && got == -linux.ENOMEM {
			l.resyncContents(first, n)
			return
		}
		for i := range part {
			if !part[i].shared {
				part[i].written = false
			}
		}
	case 8:
		advice := [...]uint64{linux.MADV_HUGEPAGE, linux.MADV_HUGEPAGE, linux.MADV_NOHUGEPAGE, linux.MADV_WILLNEED}[l.random.IntN(4)]
		l.logf("madvise %d+%d %d", first, n, advice)
		result(Madvise(start, size, advice), hole())
	case 9:
		advice := uint64(linux.MADV_POPULATE_READ)
		able := true
		for i := range part {
			able = able && part[i].prot != 0
		}
		l.logf("madvise %d+%d %d", first, n, advice)
		got := Madvise(start, size, advice)
		if whole && able {
			result(got, 0)
		} else if got >= 0 {
			l.t.Fatalf("populate: %d, all mapped %v, accessible %v", got, whole, able)
		}
	case 10:
		l.huge(starved)
	default:
		l.touch(first, n)
	}
}

// huge maps whole huge pages, and touches some.
func (l *linuxModel) huge(starved bool) {
	first := l.random.IntN(4) * hugePages
	n := hugePages * (1 + l.random.IntN(4-first/hugePages))
	l.logf("huge %d+%d", first, n)
	start, size := address(first), uint64(n)*pageSize
	if got := Mmap(start, size, readWrite, private|linux.MAP_FIXED, BackZero, 0); got < 0 {
		if !starved || got != -linux.ENOMEM {
			l.t.Fatalf("returned %d", got)
		}
		return
	}
	for i := range l.pages[first : first+n] {
		l.pages[first+i] = linuxPage{mapped: true, prot: readWrite, file: -1}
	}
	if got := Madvise(start, size, linux.MADV_HUGEPAGE); got != 0 {
		l.t.Fatalf("madvise: %d", got)
	}
	for range 1 + l.random.IntN(4) {
		l.touch(first+l.random.IntN(n), 1)
	}
}

// mmap maps some of the window.
func (l *linuxModel) mmap(first, n int, starved bool) {
	prot, flags := l.prot(), uint64(private|linux.MAP_FIXED)
	page := linuxPage{mapped: true, prot: prot, file: -1}
	kind, offset := BackZero, uint64(0)
	switch l.random.IntN(6) {
	case 0:
		page.file = int64(l.random.IntN(archiveSize/pageSize - windowPages/4))
		n = min(n, windowPages/4)
		kind, offset = BackArchive, uint64(page.file)*pageSize
		if prot&linux.PROT_WRITE != 0 {
			kind = BackCopy
		}
	case 1:
		flags = linux.MAP_SHARED | linux.MAP_ANONYMOUS | linux.MAP_FIXED
		page.shared = true
	}
	if l.random.IntN(6) == 0 {
		flags |= linux.MAP_POPULATE
	}
	if l.random.IntN(6) == 0 {
		flags = flags&^linux.MAP_FIXED | linux.MAP_FIXED_NOREPLACE
	}
	part := l.pages[first : first+n]
	busy := false
	for i := range part {
		busy = busy || part[i].mapped
	}
	l.logf("mmap %d+%d prot %d flags %#x kind %d offset %#x", first, n, prot, flags, kind, offset)
	got := Mmap(address(first), uint64(n)*pageSize, prot, flags, kind, offset)
	switch {
	case busy && flags&linux.MAP_FIXED_NOREPLACE != 0:
		if got != -linux.EEXIST {
			l.t.Fatalf("returned %d", got)
		}
	case starved && got == -linux.ENOMEM:
		if flags&linux.MAP_POPULATE != 0 {
			l.resync()
		}
	case got != int64(address(first)):
		l.t.Fatalf("returned %d", got)
	default:
		for i := range part {
			part[i] = page
			if page.file >= 0 {
				page.file++
			}
		}
	}
}

// touch reads or writes some pages.
func (l *linuxModel) touch(first, n int) {
	writes := l.random.IntN(2) == 0
	l.logf("touch %d+%d writing %v", first, n, writes)
	step := 1
	if l.random.IntN(3) == 0 {
		step = 1 + l.random.IntN(7)
	}
	for i := first; i < first+n; i += step {
		p := &l.pages[i]
		want, allowed := uint32(linux.PROT_READ), p.prot != 0
		if writes {
			want, allowed = linux.PROT_WRITE, p.prot&linux.PROT_WRITE != 0
		}
		a := address(i)
		code, err := l.access(a+uint64(l.random.IntN(pageSize)), want)
		if err != capability.OK {
			if l.refuse < 0 && space.freeSlots > 0 {
				l.t.Fatalf("page %d: %v", i, err)
			}
			continue
		}
		wantCode := int32(0)
		switch {
		case !p.mapped:
			wantCode = linux.SEGV_MAPERR
		case !allowed:
			wantCode = linux.SEGV_ACCERR
		}
		if code != wantCode {
			l.t.Fatalf("page %d: code %d, want %d", i, code, wantCode)
		}
		if code != 0 {
			continue
		}
		if low, high := *at[uint64](a), *at[uint64](a + pageSize - 8); low != p.want() || high != p.want() {
			l.t.Fatalf("page %d: %#x and %#x, want %#x", i, low, high, p.want())
		}
		if *at[uint64](a + pageSize/2) != 0 {
			l.t.Fatalf("page %d: dirty in the middle: %#x", i, *at[uint64](a + pageSize/2))
		}
		if writes {
			p.value, p.written = l.random.Uint64()|1, true
			*at[uint64](a), *at[uint64](a + pageSize - 8) = p.value, p.value
		}
	}
}

// resync takes over what is mapped after an operation that has failed for want of
// memory in the middle, as it may. What is mapped holds what it held.
func (l *linuxModel) resync() {
	for i := range l.pages {
		g, ok := Regions().Find(address(i))
		p := &l.pages[i]
		if !ok {
			*p = linuxPage{}
			continue
		}
		if !p.mapped {
			l.t.Fatalf("page %d is mapped after a failed call", i)
		}
		p.prot = g.Prot
	}
}

// resyncContents looks which of some pages have lost what they held.
func (l *linuxModel) resyncContents(first, n int) {
	for i := first; i < first+n; i++ {
		if l.pages[i].written && entryOf(address(i)) == 0 {
			l.pages[i].written = false
		}
	}
}

// verify compares regions with the model: protection and what backs them.
func (l *linuxModel) verify() {
	for i := range l.pages {
		p := &l.pages[i]
		g, ok := Regions().Find(address(i))
		if ok != p.mapped || ok && g.Prot != p.prot {
			l.t.Fatalf("page %d: %+v, %v; want %+v", i, g, ok, *p)
		}
		if ok && (g.Kind != BackZero) != (p.file >= 0) {
			l.t.Fatalf("page %d: %+v, want %+v", i, g, *p)
		}
		if e := entryOf(address(i)); e == 0 && p.written {
			l.t.Fatalf("page %d is lost", i)
		}
	}
}

// run does a random run with a machine.
func run(t *testing.T, seed uint64, m *machine, steps int, starve func(step int)) *linuxModel {
	return runWith(t, seed, m, steps, starve, nil)
}

// runWith is run with something to do after each step.
func runWith(t *testing.T, seed uint64, m *machine, steps int, starve func(step int), after func(*linuxModel)) *linuxModel {
	l := &linuxModel{machine: m, random: rand.New(rand.NewPCG(seed, 7)), after: after}
	defer func() {
		if t.Failed() {
			for _, line := range l.log[max(0, len(l.log)-20):] {
				t.Log(line)
			}
			t.Logf("replay with -seed %d -seeds 1", seed)
		}
	}()
	for i := range steps {
		if starve != nil {
			starve(i)
		}
		l.step(m.refuse >= 0)
		l.verify()
		if l.after != nil {
			l.after(l)
		}
		if i%8 == 0 || starve != nil {
			m.check()
		}
	}
	m.check()
	l.touchAll()
	return l
}

// touchAll reads every page that can be read.
func (l *linuxModel) touchAll() {
	for i := range l.pages {
		if p := &l.pages[i]; p.prot != 0 {
			a := address(i)
			if code, err := l.access(a, linux.PROT_READ); err == capability.OK && (code != 0 || *at[uint64](a) != p.want()) {
				l.t.Fatalf("page %d: code %d, %#x, want %#x", i, code, *at[uint64](a), p.want())
			}
		}
	}
}

// TestRandom compares random operations with Linux's semantics, page by page.
func TestRandom(t *testing.T) {
	for s := *firstSeed; s < *firstSeed+uint64(*seeds); s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			run(t, s, newMachine(t, 1<<20), *steps, nil)
		})
	}
}

// TestStarved is TestRandom with a spawner that has only so much.
func TestStarved(t *testing.T) {
	for s := *firstSeed; s < *firstSeed+uint64(*seeds); s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			m := newMachine(t, 512<<10)
			random := rand.New(rand.NewPCG(s, 9))
			m.refuse = random.IntN(4)
			run(t, s, m, *steps/2, func(step int) {
				if random.IntN(50) == 0 {
					m.refuse = random.IntN(3)
				}
			})
		})
	}
}

// TestNothingLeft unmaps everything after random runs: what is held is then what
// was held before, again and again.
func TestNothingLeft(t *testing.T) {
	m := newMachine(t, 1<<20)
	var first abi.Memory
	var firstSlots uint32
	for s := range uint64(6) {
		l := run(t, s, m, *steps/2, nil)
		if e := Munmap(windowBase, windowPages*pageSize); e != 0 {
			t.Fatal(e)
		}
		clear(l.pages[:])
		trim()
		space.idle = true
		settle()
		m.check()
		var now abi.Memory
		Memory(&now)
		now.Peak = 0
		if s == 0 {
			first, firstSlots = now, space.freeSlots
			continue
		}
		if now != first || space.freeSlots != firstSlots || space.resident != 0 {
			t.Errorf("run %d: %+v and %d slots free, at first %+v and %d", s, now, space.freeSlots, first, firstSlots)
		}
	}
}
