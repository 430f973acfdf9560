package vspace

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	kernel "skerry/kernel/capability"
	"skerry/kernel/memory"
)

// replica is what another dispatcher has mapped, by page: a physical address, and
// with which protection. Home has told it so.
type replica map[uint64]struct{ physical, prot uint64 }

// replicated is a machine whose domain keeps other dispatchers' tables equal.
type replicated struct {
	*machine
	others  []replica // by dispatcher, home's own is nil
	settled int
}

// replicas is the machine of the test that runs.
var replicas *replicated

func newReplicated(t *testing.T, dispatchers int) *replicated {
	r := &replicated{machine: bareMachine(t, 4<<20), others: make([]replica, dispatchers)}
	for d := 1; d < dispatchers; d++ {
		r.others[d] = replica{}
	}
	replicas = r
	r.must(Init(Config{
		Kernel: func(word, a, b, c, d, e uint64) (uint64, capability.Error) { return hooks.invoke(word, a, b, c, d, e) },
		Supply: func(n uint32, size uint64, frame bool) (uint64, capability.Error) {
			return hooks.supply(n, size, frame)
		},
		Return: func(n uint32) { t.Errorf("piece %d is given back", n) },
		Tables: tablesAt,
		CNodes: r.cnodes, MostCNodes: r.mostCNodes,
		Shared: true, Replicated: true, Settle: func() { replicas.settle() },
	}))
	if !NestedFault(tablesAt + windowAt) {
		t.Fatal("no table for the window")
	}
	return r
}

// settle has those forget who are asked to.
func (r *replicated) settle() {
	r.settled++
	start, end, set := Taken(len(r.others))
	if set == 0 || start >= end || set&1 != 0 {
		r.t.Errorf("%b are to forget [%#x, %#x)", set, start, end)
	}
	for d, other := range r.others {
		for page := range other {
			if set>>d&1 != 0 && start <= page && page < end {
				delete(other, page)
			}
		}
	}
}

// tell tells a dispatcher of an address, and returns of how many pages.
func (r *replicated) tell(address uint64, to int) uint32 {
	x := Tell(address, to)
	source := capability.Base(capability.SlotArchive)
	if x.Frame != 0 {
		source = capability.Base(capability.SlotMemory + x.Frame)
	}
	slot, err := r.Find(r.root, source)
	if r.must(err); r.TypeOf(slot) != capability.Frame {
		r.t.Fatalf("%+v is of a %v", x, r.TypeOf(slot))
	}
	if page := address &^ pageMask; x.Count > 0 && (page < x.Address || page >= x.Address+uint64(x.Count)*pageSize) {
		r.t.Fatalf("told %+v about %#x", x, address)
	}
	for i := range uint64(x.Count) {
		r.others[to][x.Address+i*pageSize] = struct{ physical, prot uint64 }{r.BaseOf(slot) + (uint64(x.Page)+i)*pageSize, uint64(x.Prot)}
	}
	return x.Count
}

// equal holds that nobody has what home has not.
func (r *replicated) equal() {
	r.t.Helper()
	for d, other := range r.others {
		for page, has := range other {
			e, _ := r.walk(page)
			allows, _ := bitsFor(has.prot, capability.AllRights)
			if e == 0 || e&frameMask != has.physical || allows&^e&(userEntry|writeEntry|executeEntry) != 0 {
				r.t.Fatalf("dispatcher %d has %#x mapped to %#x with %d, home %#x", d, page, has.physical, has.prot, e)
			}
		}
	}
}

// TestReplicatedRandom is TestRandom with other dispatchers that have mapped what they
// were told of. More of them than there are holders are told apart, too.
func TestReplicatedRandom(t *testing.T) {
	for s := *firstSeed; s < *firstSeed+uint64(*seeds); s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			r := newReplicated(t, 2+int(s%4)*7)
			starve := func(int) {}
			if s%2 == 1 {
				random := rand.New(rand.NewPCG(s, 9))
				starve = func(int) {
					if random.IntN(10) == 0 {
						r.refuse = random.IntN(5) - 1
					}
				}
			}
			runWith(t, s, r.machine, *steps, starve, func(l *linuxModel) {
				r.equal()
				for range l.random.IntN(6) {
					r.tell(address(l.random.IntN(windowPages)), 1+l.random.IntN(len(r.others)-1))
				}
				r.equal()
			})
			if r.settled == 0 {
				t.Error("nothing was to be forgotten")
			}
		})
	}
}

// TestReplicatedAsks: only those who were told of something are asked to forget it,
// when it goes or allows less, and only of that.
func TestReplicatedAsks(t *testing.T) {
	r := newReplicated(t, 4)
	const pages = 64
	a := r.mmap(testBase, pages, readWrite)
	for p := range uint64(pages) {
		r.write(a+p*pageSize, p)
	}
	if n := r.tell(a+40*pageSize, 2); n < 8 {
		t.Errorf("told of %d pages that lie side by side", n)
	}
	for name, c := range map[string]struct {
		page  uint64 // the first of two
		told  int
		call  func(at uint64) int64
		asked bool
	}{
		"what nobody was told of":       {0, 0, func(at uint64) int64 { return Munmap(at, 2*pageSize) }, false},
		"munmap":                        {2, 1, func(at uint64) int64 { return Munmap(at, 2*pageSize) }, true},
		"mprotect that narrows":         {4, 3, func(at uint64) int64 { return Mprotect(at, 2*pageSize, linux.PROT_READ) }, true},
		"mprotect that changes nothing": {6, 1, func(at uint64) int64 { return Mprotect(at, 2*pageSize, readWrite) }, false},
		"madvise":                       {8, 1, func(at uint64) int64 { return Madvise(at, 2*pageSize, linux.MADV_DONTNEED) }, true},
		"a mapping over it": {10, 2, func(at uint64) int64 {
			return int64(r.mmap(at, 2, readWrite) - at)
		}, true},
	} {
		at := a + c.page*pageSize
		for d := range r.others {
			clear(r.others[d])
		}
		// Forget who was told before.
		Mprotect(a, 16*pageSize, linux.PROT_READ)
		Mprotect(a, 16*pageSize, readWrite)
		for p := range uint64(2) {
			r.read(at + p*pageSize)
		}
		r.settled = 0
		if c.told != 0 {
			r.tell(at, c.told)
			r.tell(at+pageSize, c.told)
		}
		if e := c.call(at); e != 0 {
			t.Errorf("%s: %d", name, e)
		}
		if (r.settled > 0) != c.asked {
			t.Errorf("%s: others are asked %d times", name, r.settled)
		}
		r.equal()
		if c.told != 0 && c.asked {
			if _, ok := r.others[c.told][at]; ok {
				t.Errorf("%s: it is not forgotten", name)
			}
		}
		r.mmap(at, 2, readWrite)
		r.write(at, 1)
	}
	if r.others[2] == nil || MapFrame(0, capability.Base(capability.SlotArchive), 0, pageSize, linux.PROT_READ) != -linux.EOPNOTSUPP {
		t.Error("a frame is mapped that others do not have")
	}
	r.check()
}

// TestReplicatedContents: memory that was used is used again, and cleared before;
// little more is asked for than is in use.
func TestReplicatedContents(t *testing.T) {
	r := newReplicated(t, 2)
	r.shown = func(address uint64, words *[512]uint64) {
		if words[0] != 0 || words[511] != 0 {
			t.Errorf("%#x appears with %#x and %#x", address, words[0], words[511])
		}
	}
	const pages = 200
	for range 40 {
		a := r.mmap(testBase, pages, readWrite)
		for p := range uint64(pages) {
			r.write(a+p*pageSize, ^p)
		}
		if e := Munmap(a, pages*pageSize); e != 0 {
			t.Fatal(e)
		}
		r.check()
	}
	if space.held > 8<<20 {
		t.Errorf("%d bytes are held", space.held)
	}
}

// newSatellite makes a machine whose domain has two frames of home's.
func newSatellite(t *testing.T) *machine {
	m := newMachine(t, 1<<20)
	const peers = ramBase + 640<<10
	create := func(slot memory.Phys, k capability.Type, base, size uint64) {
		m.must(m.Create(slot, kernel.Object{Type: k, Base: base, Size: size}, capability.AllRights))
	}
	l1, err := m.Find(m.root, capability.Base(capability.SlotCSpace))
	m.must(err)
	create(memory.Phys(m.BaseOf(l1)+3*capability.SlotSize), capability.L2CNode, peers, 16<<10)
	for i := range uint64(2) {
		create(memory.Phys(peers+(capability.PeerFrames+1+i)*capability.SlotSize), capability.Frame, ramBase+32<<20+i*(2<<20), 2<<20)
	}
	return m
}

// TestSatellite: what is installed is mapped, in the way of what was, until it is
// discarded; and all that this took can be had back.
func TestSatellite(t *testing.T) {
	for s := range uint64(6) {
		m := newSatellite(t)
		random := rand.New(rand.NewPCG(s, 3))
		const pages = 600
		var want [pages]struct{ physical, prot uint64 }
		for step := range 400 {
			page := random.IntN(pages)
			at := testBase + uint64(page)*pageSize
			switch random.IntN(4) {
			case 0:
				n := 1 + random.IntN(100)
				m.must(Discard(at, at+uint64(n)*pageSize))
				clear(want[page:min(page+n, pages)])
			default:
				// What home has at a page is always the same, but for the protection.
				count := 1 + random.IntN(30)
				count = min(count, pages-page, 512-page%512)
				x := Extent{Address: at, Page: uint32(page % 512), Count: uint32(count), Prot: abi.ProtRead}
				source := uint64(ramBase + ramSize - archiveSize)
				if page < 512 {
					x.Frame, source = 1, ramBase+32<<20
				}
				if x.Frame != 0 && random.IntN(2) == 0 {
					x.Prot |= abi.ProtWrite
				}
				asked := page + random.IntN(count)
				address := testBase + uint64(asked)*pageSize
				if entryOf(address).prot()&^uint64(x.Prot) != 0 {
					break // home has told less before it was forgotten: never
				}
				present := want[asked].prot != 0
				m.must(Install(x, address))
				first, last := asked, asked+1
				if present {
					first, last = page, page+count
				} else {
					for first > page && want[first-1].prot == 0 {
						first--
					}
					for last < page+count && want[last].prot == 0 {
						last++
					}
				}
				for p := first; p < last; p++ {
					want[p].physical, want[p].prot = source+uint64(p%512)*pageSize, uint64(x.Prot)
				}
			}
			for p := range want {
				e, _ := m.walk(testBase + uint64(p)*pageSize)
				bits, _ := bitsFor(want[p].prot, capability.AllRights)
				if want[p].prot == 0 {
					bits = 0
				}
				if e != want[p].physical|bits {
					t.Fatalf("seed %d, step %d: page %d is %#x, want %#x", s, step, p, e, want[p].physical|bits)
				}
			}
			if step%16 == 0 {
				m.check()
			}
		}
		m.must(Discard(0, abi.SpanTop))
		m.check()
		if space.resident != 0 {
			t.Errorf("%d pages are left", space.resident)
		}
	}
}

// TestSatelliteRefuses: what makes no sense is not mapped.
func TestSatelliteRefuses(t *testing.T) {
	m := newSatellite(t)
	good := Extent{Address: testBase, Frame: 1, Count: 4, Prot: abi.ProtRead}
	for name, change := range map[string]func(*Extent){
		"elsewhere":             func(x *Extent) { x.Address += 8 * pageSize },
		"nothing":               func(x *Extent) { x.Count = 0 },
		"not aligned":           func(x *Extent) { x.Address++ },
		"in two tables":         func(x *Extent) { x.Count = 513 },
		"too much":              func(x *Extent) { x.Count = 1<<32 - 1 },
		"a frame that is none":  func(x *Extent) { x.Frame = 9 },
		"a number that none is": func(x *Extent) { x.Frame = capability.MemorySlots },
		"behind the frame":      func(x *Extent) { x.Page = 512 },
		"the archive, written":  func(x *Extent) { x.Frame, x.Prot = 0, abi.ProtRead|abi.ProtWrite },
	} {
		x := good
		change(&x)
		if err := Install(x, testBase); err == capability.OK {
			t.Errorf("%s is mapped", name)
		}
		m.check()
	}
	m.must(Install(good, testBase))
}
