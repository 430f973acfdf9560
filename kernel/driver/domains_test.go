package driver

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// A core made of memory: what the native calls do without running anybody can
// be tested on it. Its domains have no libos and never run.

var kept [][]byte // memory that only integers point to

func newCore(t *testing.T, pages int) *Driver {
	t.Helper()
	const phys = 64 << 20
	buf := make([]byte, (pages+1)*abi.PageSize)
	kept = append(kept, buf)
	base := (uintptr(unsafe.Pointer(unsafe.SliceData(buf))) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	k := &kcb.KCB{Magic: kcb.Magic, Version: kcb.Version}
	k.Pages.Offset = base - phys
	k.Pages.Add(memory.Extent{Base: phys, End: phys + memory.Phys(pages)*abi.PageSize}, phys)
	carry.SetHz(&k.Machine.Clock, 1_000_000_000)
	k.Machine.Cores = 1
	k.Machine.ArchivePhys, k.Machine.ArchiveSize = 0x20_0000, 3<<20+5
	carry.Setup(k)
	k.Root = k.Pages.AllocZero()
	d := &Driver{k: k, loaded: k.Root}
	d.template = amd64.Space{Root: k.Pages.AllocZero()}
	if !d.template.MapRange(&k.Pages, abi.ArchiveBase, memory.Phys(k.Machine.ArchivePhys), 4<<20, amd64.PagePresent|amd64.PageUser|amd64.PageNX) {
		t.Fatal("the test's core is too small")
	}
	return d
}

const allRights = 1<<63 - 1

func (d *Driver) testDomain(t *testing.T, quota, rights uint64) *kcb.DCB {
	t.Helper()
	b, err := d.create([32]byte{'t'}, quota, rights)
	if err != abi.OK {
		t.Fatal(err)
	}
	return b
}

// Where a test's parent has its Spawn, its Info, and the stdio frame.
const (
	spawnAt = 0x10_0000
	infoAt  = 0x20_0000
	stdioAt = 0x30_0000
)

// parent makes a domain that is ready to spawn.
func (d *Driver) parent(t *testing.T) *kcb.DCB {
	t.Helper()
	b := d.testDomain(t, 64<<20, allRights)
	for _, at := range []uint64{spawnAt, infoAt, stdioAt} {
		if _, err := mapPages(d, b, &arguments{at, abi.InfoMax / abi.PageSize, abi.ProtRead | abi.ProtWrite}); err != abi.OK {
			t.Fatal(err)
		}
	}
	return b
}

func (d *Driver) spawn(t *testing.T, b *kcb.DCB, s abi.Spawn) (uint64, abi.Error) {
	t.Helper()
	if err := d.copyOut(b, spawnAt, bytesOf(&s)); err != abi.OK {
		t.Fatal(err)
	}
	return spawn(d, b, &arguments{spawnAt})
}

// free counts the pages that are free.
func (d *Driver) free() uint64 { return d.k.Pages.Available() }

func (d *Driver) reclaimAll(t *testing.T) {
	t.Helper()
	for n := 0; d.k.Reclaim.First != nil; n++ {
		if n > 10_000 {
			t.Fatal("taking memory back does not end")
		}
		d.reclaim()
	}
}

var goodSpawn = abi.Spawn{Info: infoAt, InfoSz: 3*abi.PageSize + 7, Stdio: stdioAt, Quota: 4 << 20, Rights: abi.RightMonitor}

// TestSpawnShortOfMemory spawns with every number of free pages there can be,
// so that each allocation on the way fails in turn: either there is a domain,
// or there is nothing left of it.
func TestSpawnShortOfMemory(t *testing.T) {
	spawned, refused := 0, 0
	for free := range uint64(60) {
		d := newCore(t, 400)
		b := d.parent(t)
		var held []memory.Phys
		for d.k.Pages.Available() > free {
			held = append(held, d.k.Pages.Alloc())
		}
		before, domains := d.free(), d.k.NumDomains
		n, err := d.spawn(t, b, goodSpawn)
		switch err {
		case abi.OK:
			spawned++
			if c := d.k.Find(uint32(n)); c == nil || c.Parent != b.ID || c.State != abi.DomainReady {
				t.Fatalf("%d pages: domain %d: %+v", free, n, c)
			}
			notified := b.Notified
			if _, err := kill(d, b, &arguments{n}); err != abi.OK {
				t.Fatal(err)
			}
			if _, err := reap(d, b, &arguments{spawnAt}); err != abi.ErrAgain || b.Notified != notified {
				t.Fatalf("told of the end before the memory was back: %v", err)
			}
			d.reclaimAll(t)
			if _, err := reap(d, b, &arguments{spawnAt}); err != abi.OK || b.Notified == notified {
				t.Fatalf("not told of the end: %v", err)
			}
		case abi.ErrMemory:
			refused++
		default:
			t.Fatalf("%d pages: %v", free, err)
		}
		d.reclaimAll(t)
		if d.free() != before || d.k.NumDomains != domains || b.Children != 0 {
			t.Fatalf("%d pages: %d are free, before it were %d; %d domains, %d children", free, d.free(), before, d.k.NumDomains, b.Children)
		}
		if e := space(b).Lookup(&d.k.Pages, stdioAt); e&amd64.PageShared != 0 {
			t.Fatalf("%d pages: the stdio frame stays shared", free)
		}
		_ = held
	}
	if spawned == 0 || refused < 10 {
		t.Errorf("%d spawned, %d refused: the range of free pages tests little", spawned, refused)
	}
}

// TestSpawnRefuses asks for domains that may not be.
func TestSpawnRefuses(t *testing.T) {
	d := newCore(t, 3000)
	b := d.parent(t)
	change := func(f func(s *abi.Spawn)) abi.Spawn {
		s := goodSpawn
		f(&s)
		return s
	}
	if _, err := d.spawn(t, b, goodSpawn); err != abi.OK {
		t.Fatal(err)
	}
	if _, err := d.spawn(t, b, goodSpawn); err != abi.ErrFault {
		t.Errorf("a frame that another child has: %v", err)
	}
	for c := d.k.NextAfter(0); c != nil; c = d.k.NextAfter(c.ID + 1) {
		if c != b {
			kill(d, b, &arguments{uint64(c.ID)})
		}
	}
	d.reclaimAll(t)
	for { // what the kills left to be told
		if _, err := reap(d, b, &arguments{spawnAt}); err != abi.OK {
			break
		}
	}
	before := d.free()
	for name, test := range map[string]struct {
		abi.Spawn
		abi.Error
	}{
		"rights it lacks":         {change(func(s *abi.Spawn) { s.Rights = 1 << 63 }), abi.ErrRights},
		"too little quota":        {change(func(s *abi.Spawn) { s.Quota = leastQuota - 1 }), abi.ErrArgument},
		"info too small":          {change(func(s *abi.Spawn) { s.InfoSz = 1 }), abi.ErrTooBig},
		"info too large":          {change(func(s *abi.Spawn) { s.InfoSz = abi.InfoMax + 1 }), abi.ErrTooBig},
		"info unaligned":          {change(func(s *abi.Spawn) { s.Info += 8 }), abi.ErrArgument},
		"info not there":          {change(func(s *abi.Spawn) { s.Info = 0x50_0000 }), abi.ErrFault},
		"info not all there":      {change(func(s *abi.Spawn) { s.Info += (abi.InfoMax - abi.PageSize) &^ 0xfff }), abi.ErrFault},
		"info in the kernel":      {change(func(s *abi.Spawn) { s.Info = abi.WindowBase }), abi.ErrFault},
		"info wraps around":       {change(func(s *abi.Spawn) { s.Info = 1<<64 - abi.PageSize }), abi.ErrFault},
		"stdio not there":         {change(func(s *abi.Spawn) { s.Stdio = 0x50_0000 }), abi.ErrFault},
		"stdio in the kernel":     {change(func(s *abi.Spawn) { s.Stdio = abi.WindowBase }), abi.ErrArgument},
		"stdio in the dispatcher": {change(func(s *abi.Spawn) { s.Stdio = abi.DispatcherBase }), abi.ErrArgument},
		"stdio in the archive":    {change(func(s *abi.Spawn) { s.Stdio = abi.ArchiveBase }), abi.ErrArgument},
		"stdio wraps around":      {change(func(s *abi.Spawn) { s.Stdio = 1<<64 - 2*abi.PageSize }), abi.ErrArgument},
	} {
		_, err := d.spawn(t, b, test.Spawn)
		if err != test.Error {
			t.Errorf("%s: %v, want %v", name, err, test.Error)
		}
		d.reclaimAll(t)
		if d.free() != before || b.Children != 0 {
			t.Errorf("%s: %d pages are free, before it were %d", name, d.free(), before)
		}
	}
}

// TestTree makes trees of domains at random, ends some, and at last the root:
// nothing is left of any, in time or memory.
func TestTree(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := newCore(t, 6000)
		init := d.testDomain(t, 64<<20, allRights)
		before := d.free()
		root, err := d.create([32]byte{'r'}, 64<<20, allRights)
		if err != abi.OK {
			t.Fatal(err)
		}
		root.Parent, init.Children = init.ID, 1
		live := []*kcb.DCB{root}
		for range 60 {
			b := live[r.IntN(len(live))]
			if b.State == abi.DomainEnded {
				continue
			}
			switch r.IntN(4) {
			case 0, 1:
				for _, at := range []uint64{spawnAt, infoAt, stdioAt} {
					mapPages(d, b, &arguments{at, abi.InfoMax / abi.PageSize, abi.ProtRead | abi.ProtWrite})
				}
				s := goodSpawn
				s.Rights = allRights
				if n, err := d.spawn(t, b, s); err == abi.OK {
					live = append(live, d.k.Find(uint32(n)))
				} else if err != abi.ErrFault && err != abi.ErrMemory && err != abi.ErrQuota {
					t.Fatal(err)
				}
			case 2:
				if b != root {
					d.end(b, abi.Status{Kind: abi.ExitCode, Code: 3})
				}
			default:
				if d.k.Reclaim.First != nil {
					d.reclaim()
				}
			}
		}
		d.end(root, abi.Status{Kind: abi.ExitKilled})
		d.reclaimAll(t)
		if n, err := reap(d, init, &arguments{0x40_0000}); err != abi.ErrFault {
			t.Fatalf("reaped into nothing: %d, %v", n, err)
		}
		mapPages(d, init, &arguments{spawnAt, 1, abi.ProtRead | abi.ProtWrite})
		if _, err := reap(d, init, &arguments{spawnAt}); err != abi.OK {
			t.Fatal(err)
		}
		unmapAll(d, init)
		if d.k.NumDomains != 1 || d.k.NumWakeups != 0 || d.k.Ready.Len != 1 || d.k.Ready.First != init || d.k.Reclaim.Len != 0 {
			t.Fatalf("seed %d: %d domains, %d wake-ups, %d ready, %d to reclaim", seed, d.k.NumDomains, d.k.NumWakeups, d.k.Ready.Len, d.k.Reclaim.Len)
		}
		// The tables of init's own page stay: at most three.
		if left := before - d.free(); left > 3 {
			t.Fatalf("seed %d: %d pages have leaked", seed, left)
		}
	}
}

// unmapAll frees the frames below the libos of a domain that never runs; the
// call itself would flush a TLB.
func unmapAll(d *Driver, b *kcb.DCB) {
	space(b).Walk(&d.k.Pages, 0x1000, 1<<20, func(_ uintptr, e uint64) uint64 {
		if e&amd64.PageOwned != 0 {
			d.k.Pages.Free(amd64.Frame(e))
			b.Pages--
		}
		return 0
	})
}

// TestCopies copies in and out at every alignment across pages of different
// rights: what may not be touched is not, and a copy out is all or nothing.
func TestCopies(t *testing.T) {
	d := newCore(t, 3000)
	b := d.testDomain(t, 64<<20, 0)
	const base = 0x10_0000
	// Pages: writable, writable, read-only, writable, none, archive, no access.
	for i, prot := range []uint64{3, 3, 1, 3} {
		if _, err := mapPages(d, b, &arguments{uint64(base + i*abi.PageSize), 1, prot}); err != abi.OK {
			t.Fatal(err)
		}
	}
	if _, err := mapArchive(d, b, &arguments{base + 5*abi.PageSize, 1, abi.ProtRead, 0}); err != abi.OK {
		t.Fatal(err)
	}
	if _, err := mapPages(d, b, &arguments{base + 6*abi.PageSize, 1, 0}); err != abi.OK {
		t.Fatal(err)
	}
	model := make([]byte, 4*abi.PageSize)
	readable := func(at, n int) bool { return n == 0 || at >= 0 && at+n <= len(model) }
	writable := func(at, n int) bool {
		return readable(at, n) && (at+n <= 2*abi.PageSize || at >= 3*abi.PageSize || n == 0)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		at, n := r.IntN(8*abi.PageSize)-abi.PageSize/2, r.IntN(3*abi.PageSize)
		buf := make([]byte, n)
		if r.IntN(2) == 0 {
			err := d.copyIn(b, uintptr(base+at), buf)
			if (err == abi.OK) != readable(at, n) {
				t.Fatalf("reading %d bytes at %d: %v", n, at, err)
			}
			if err == abi.OK && n > 0 && !bytes.Equal(buf, model[at:at+n]) {
				t.Fatalf("reading %d bytes at %d gives others", n, at)
			}
			continue
		}
		for i := range buf {
			buf[i] = byte(r.Uint32())
		}
		err := d.copyOut(b, uintptr(base+at), buf)
		if (err == abi.OK) != writable(at, n) {
			t.Fatalf("writing %d bytes at %d: %v", n, at, err)
		}
		if err == abi.OK && n > 0 {
			copy(model[at:], buf)
		}
	}
	all := make([]byte, len(model))
	if d.copyIn(b, base, all) != abi.OK || !bytes.Equal(all, model) {
		t.Error("a write that was refused changed something")
	}
	for _, at := range []uintptr{0, abi.ProgramTop, abi.DispatcherBase + abi.DispatcherSize, userEnd - 1, userEnd, abi.UserTop, abi.WindowBase + 64<<20, abi.KernelBase, ^uintptr(0)} {
		if d.copyIn(b, at, all[:8]) == abi.OK || d.copyOut(b, at, all[:8]) == abi.OK {
			t.Errorf("%#x can be copied from or to", at)
		}
	}
}

// TestLibosHeap touches the libos's heap by copies: pages come by themselves,
// up to the quota.
func TestLibosHeap(t *testing.T) {
	d := newCore(t, 3000)
	b := d.testDomain(t, 100*abi.PageSize, 0)
	start := b.Pages
	var err abi.Error
	n := uintptr(0)
	for ; n < 200; n++ {
		if err = d.copyOut(b, abi.LibosHeap+n*abi.PageSize+abi.PageSize-4, make([]byte, 1)); err != abi.OK {
			break
		}
	}
	if err != abi.ErrQuota || b.Pages > 100+2 {
		t.Errorf("after %d pages beyond the first %d: %v with %d charged", n, start, err, b.Pages)
	}
	var w [1]byte
	if d.copyIn(b, abi.ArchiveBase-1, w[:]) == abi.OK {
		t.Error("the quota does not hold for a read")
	}
	if b.PeakPages < b.Pages {
		t.Errorf("peak %d below %d", b.PeakPages, b.Pages)
	}
}

// TestSpawnFromUsedMemory spawns after all memory has been used and given
// back, so that no two pages that are free lie side by side.
func TestSpawnFromUsedMemory(t *testing.T) {
	d := newCore(t, 3000)
	b := d.parent(t)
	var all []memory.Phys
	for a := d.k.Pages.Alloc(); a != 0; a = d.k.Pages.Alloc() {
		all = append(all, a)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, a := range all {
		d.k.Pages.Free(a)
	}
	if _, err := d.spawn(t, b, goodSpawn); err != abi.OK {
		t.Errorf("with %d pages free: %v", d.k.Pages.Available(), err)
	}
}

// TestWakeups lets wake-up times arrive for dispatchers in every state: a
// parked one becomes ready, and one that waits for the processor inside the
// libos, where no upcall can tell it, must find it in HasWork.
func TestWakeups(t *testing.T) {
	for name, test := range map[string]struct {
		state, disabled uint32
		hasWork         bool
	}{
		"parked":                 {abi.DomainParked, 1, false},
		"ready, in the libos":    {abi.DomainReady, 1, true},
		"ready, in the program":  {abi.DomainReady, 0, false},
		"ready, about to resume": {abi.DomainReady, 2, true},
	} {
		d := newCore(t, 3000)
		b := d.testDomain(t, 8<<20, 0)
		b.Entries = abi.Entries{Run: 0x1000, CriticalLow: 0x2000, CriticalHigh: 0x2010}
		b.State, b.Regs.RIP, b.Resume = test.state, 0x5000, kcb.ResumeExact
		if test.state == abi.DomainReady {
			d.k.Ready.Push(b)
		}
		if test.disabled == 2 {
			b.Regs.RIP = 0x2008
		}
		d.page(b).Disabled = test.disabled & 1
		d.k.WakeLater(b, 1000)
		d.expire(999)
		if b.WakeAt != 1000 || d.page(b).HasWork != 0 {
			t.Errorf("%s: woken early", name)
		}
		d.expire(1000)
		if b.WakeAt != 0 || b.State != abi.DomainReady || d.k.Ready.First != b || d.k.Ready.Len != 1 {
			t.Errorf("%s: not ready, or its time is not cleared", name)
		}
		if got := d.page(b).HasWork != 0; got != test.hasWork {
			t.Errorf("%s: HasWork is %v", name, got)
		}
		if test.state == abi.DomainParked && b.Resume != kcb.ResumeRun {
			t.Errorf("%s: resumes by %d", name, b.Resume)
		}
	}
}

// TestReserve lets a domain ask for more than ordinary domains may have: it is
// refused, pays for what it got alone, and the monitor can still have more.
func TestReserve(t *testing.T) {
	d := newCore(t, 3000)
	b, monitor := d.testDomain(t, 64<<20, 0), d.testDomain(t, 64<<20, abi.RightMonitor)
	used := func() uint64 { return d.k.Pages.Total() - d.k.Pages.Available() }
	before, charged := used(), b.Pages
	got := uint64(0)
	err := abi.OK
	for at := uint64(0x10_0000); err == abi.OK; at += abi.MapMax * abi.PageSize {
		var n uint64
		n, err = mapPages(d, b, &arguments{at, abi.MapMax, abi.ProtRead})
		got += n
	}
	if err != abi.ErrMemory || got == 0 {
		t.Fatalf("after %d pages: %v", got, err)
	}
	if used()-before != b.Pages-charged {
		t.Errorf("it took %d pages and was charged %d", used()-before, b.Pages-charged)
	}
	if left := d.k.Pages.Available(); left > reserve || left < reserve-8 {
		t.Errorf("%d pages are left, want about %d", left, reserve)
	}
	if n, err := mapPages(d, monitor, &arguments{0x10_0000, 100, abi.ProtRead}); n != 100 || err != abi.OK {
		t.Errorf("the monitor got %d pages: %v", n, err)
	}
}
