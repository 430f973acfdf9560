package amd64

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/kernel/memory"
)

// ram returns an allocator over memory of the test's own, for n pages that the
// "machine" has at 16 MiB.
func ram(n int) *memory.Pages {
	const phys = 16 << 20
	buf := make([]byte, (n+1)*abi.PageSize)
	base := (uintptr(unsafe.Pointer(unsafe.SliceData(buf))) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	p := &memory.Pages{Offset: base - phys}
	p.Add(memory.Extent{Base: phys, End: phys + memory.Phys(n)*abi.PageSize}, phys)
	return p
}

// Keep the buffers that only integers point to.
var kept [][]byte

func keep(n int) *memory.Pages {
	p := ram(n)
	kept = append(kept, unsafe.Slice((*byte)(unsafe.Pointer(p.At(16<<20))), n*abi.PageSize))
	return p
}

// places are addresses at which random ranges begin: together they cross the
// borders of tables of every level.
var places = []uintptr{
	0x1000, 0x1f_e000, 0x3fff_d000, 0x7f_ffff_c000, abi.ProgramTop - 8*abi.PageSize, abi.LibosHeap, abi.StdioBase, abi.LibosBase,
}

func pick(r *rand.Rand) uintptr {
	return places[r.IntN(len(places))] + uintptr(r.IntN(40))*abi.PageSize
}

// TestSpaceAgainstModel maps, changes, looks up, and finds pages at random,
// holds the tables against a map, and at the end frees all in pieces.
func TestSpaceAgainstModel(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		pages := keep(600)
		s := Space{Root: pages.AllocZero()}
		model := map[uintptr]uint64{}
		owned := 0
		tables := 1
		for range 3000 {
			switch va := pick(r); r.IntN(5) {
			case 0, 1:
				if model[va]&PageOwned != 0 {
					pages.Free(Frame(model[va]))
					owned--
				}
				bits := uint64(PagePresent | PageUser)
				pa := memory.Phys(0x7_0000_0000) // nobody's RAM here, as the archive's
				if r.IntN(2) == 0 {
					if pa = pages.Alloc(); pa == 0 {
						t.Fatal("the test's machine is too small")
					}
					bits |= PageOwned | PageWrite | PageNX
					owned++
				}
				made := s.Map(pages, va, pa, bits)
				if made < 0 || made > 3 {
					t.Fatalf("seed %d: %d tables made", seed, made)
				}
				tables += made
				model[va] = uint64(pa) | bits
			case 2:
				// Remove some, change others, see every one in order.
				n := uintptr(r.IntN(100))
				seen, last := 0, uintptr(0)
				s.Walk(pages, va, n, func(at uintptr, e uint64) uint64 {
					if at <= last || at < va || at >= va+n*abi.PageSize || model[at] != e {
						t.Fatalf("seed %d: walk of %#x saw %#x at %#x after %#x", seed, va, e, at, last)
					}
					seen, last = seen+1, at
					if r.IntN(3) == 0 {
						if e&PageOwned != 0 {
							pages.Free(Frame(e))
							owned--
						}
						delete(model, at)
						return 0
					}
					model[at] = e ^ PageWrite
					return model[at]
				})
				want := 0
				for at := range model {
					if at >= va && at < va+n*abi.PageSize {
						want++
					}
				}
				if seen < want {
					t.Fatalf("seed %d: walk saw %d of %d", seed, seen, want)
				}
			case 3:
				if e := s.Lookup(pages, va); e != model[va] {
					t.Fatalf("seed %d: %#x maps %#x, want %#x", seed, va, e, model[va])
				}
			default:
				end := va + uintptr(r.IntN(1<<20))*abi.PageSize*uintptr(1+r.IntN(1000))
				want := end
				for at := range model {
					if at >= va && at < end {
						want = min(want, at)
					}
				}
				at, ok := s.Next(pages, va, end)
				if ok != (want != end) || ok && at != want {
					t.Fatalf("seed %d: next from %#x to %#x is %#x, %v; want %#x", seed, va, end, at, ok, want)
				}
			}
			if got := pages.Total() - pages.Available(); got != uint64(owned+tables) {
				t.Fatalf("seed %d: %d pages in use, want %d frames and %d tables", seed, got, owned, tables)
			}
		}
		budget := 1 + r.IntN(40)
		for {
			n := s.Destroy(pages, budget, func(uintptr) bool { return false })
			if n > budget {
				t.Fatalf("seed %d: freed %d, allowed were %d", seed, n, budget)
			}
			if got := pages.Total() - pages.Available(); got < 1 {
				t.Fatalf("seed %d: the top table was freed", seed)
			}
			if n < budget {
				break
			}
		}
		if left := pages.Total() - pages.Available(); left != 1 {
			t.Fatalf("seed %d: %d pages left in use, want the top table", seed, left)
		}
		for at := range model {
			if e := s.Lookup(pages, at); e != 0 {
				t.Fatalf("seed %d: %#x still maps %#x", seed, at, e)
			}
		}
	}
}

// TestMapRange maps ranges of any alignment and checks each page, however
// large the page that maps it.
func TestMapRange(t *testing.T) {
	const large = 2 << 20
	tests := []struct {
		va, pa, size uintptr
		larges       int
	}{
		{0, 0, 3 * large, 3},
		{large - 0x3000, large - 0x3000, large + 0x5000, 1},
		{large, 0x1000, large, 0}, // apart: never aligned together
		{abi.WindowBase + 0x20_0000, 0x20_0000, large, 1},
		{0x7f_ffe0_0000, 0x40_0000, 2 * large, 2}, // across a border of every level
		{0x1000, 0x1000, 0, 0},
	}
	for _, test := range tests {
		pages := keep(3000)
		s := Space{Root: pages.AllocZero()}
		if !s.MapRange(pages, test.va, memory.Phys(test.pa), test.size, PagePresent|PageWrite) {
			t.Fatal("no memory")
		}
		larges := map[uint64]bool{}
		for off := uintptr(0); off < test.size; off += abi.PageSize {
			e, level := translate(pages, s, test.va+off)
			if e&PagePresent == 0 || e&PageWrite == 0 {
				t.Fatalf("%#x: nothing at offset %#x", test, off)
			}
			span := uintptr(1)<<(12+9*level) - 1
			if got := uintptr(e&pageAddress)&^span | (test.va+off)&span; got != test.pa+off {
				t.Fatalf("%#x: offset %#x is at %#x", test, off, got)
			}
			if level == 1 {
				larges[e] = true
			}
		}
		if len(larges) != test.larges {
			t.Errorf("%#x: %d large pages", test, len(larges))
		}
		for _, at := range []uintptr{test.va - abi.PageSize, test.va + test.size} {
			if e, _ := translate(pages, s, at); e&PagePresent != 0 {
				t.Errorf("%#x: %#x is mapped too", test, at)
			}
		}
	}
}

// translate walks the tables as the processor does.
func translate(pages *memory.Pages, s Space, va uintptr) (e uint64, level uint) {
	t := s.Root
	for level = 3; ; level-- {
		e = *(*uint64)(unsafe.Pointer(pages.At(t) + va>>(12+9*level)&511*8))
		if e&PagePresent == 0 || level == 0 || e&(1<<7) != 0 {
			return e, level
		}
		t = memory.Phys(e & 0x000f_ffff_ffff_f000)
	}
}

// TestUserTables checks that only tables of the user half let users through.
func TestUserTables(t *testing.T) {
	pages := keep(50)
	s := Space{Root: pages.AllocZero()}
	for va, user := range map[uintptr]bool{0x1000: true, abi.UserTop - abi.PageSize: true, abi.WindowBase: false, abi.KernelBase: false} {
		s.Map(pages, va, 0x5000, PagePresent|PageUser)
		top := *(*uint64)(unsafe.Pointer(pages.At(s.Root) + va>>39&511*8))
		if (top&PageUser != 0) != user {
			t.Errorf("the top entry of %#x is %#x", va, top)
		}
	}
}

// TestShared destroys a space that shares a slot and the kernel half with
// another, and expects the other whole.
func TestShared(t *testing.T) {
	pages := keep(200)
	template := Space{Root: pages.AllocZero()}
	template.MapRange(pages, abi.ArchiveBase, 0x20_0000, 5<<20, PagePresent|PageUser)
	template.Map(pages, abi.KernelHeap, 0x9000, PagePresent)
	used := pages.Available()

	s := Space{Root: pages.AllocZero()}
	s.Share(pages, template, abi.ArchiveBase)
	s.ShareKernel(pages, template)
	for _, va := range []uintptr{abi.ArchiveBase + 4<<20, abi.KernelHeap} {
		if a, b := s.Lookup(pages, va), template.Lookup(pages, va); a != b || a == 0 {
			t.Fatalf("%#x maps %#x, in the other space %#x", va, a, b)
		}
	}
	for i := range uintptr(20) {
		s.Map(pages, 0x40_0000+i<<21, pages.Alloc(), PagePresent|PageOwned)
	}
	slot := uintptr(abi.ArchiveBase) >> 39 & 511
	if n := s.Destroy(pages, 1000, func(i uintptr) bool { return i == slot }); n != 20+20+2 {
		t.Errorf("%d frames and tables were freed, want 20 frames, 20 tables and the 2 above them", n)
	}
	pages.Free(s.Root)
	if pages.Available() != used {
		t.Errorf("%d pages are free, before it were %d", pages.Available(), used)
	}
	for _, va := range []uintptr{abi.ArchiveBase + 4<<20, abi.KernelHeap} {
		if template.Lookup(pages, va) == 0 {
			t.Errorf("%#x is gone from the other space", va)
		}
	}
}

// TestNoMemory maps until memory ends, and expects what was there to stay and
// all to be freed.
func TestNoMemory(t *testing.T) {
	for n := 1; n < 30; n++ {
		pages := keep(n)
		s := Space{Root: pages.AllocZero()}
		done := 0
		for va := uintptr(0x1000); ; va += 1 << 30 {
			if s.Map(pages, va, 0x7000, PagePresent) < 0 {
				break
			}
			done++
		}
		if pages.Available() != 0 {
			t.Fatalf("%d pages: it gave up with %d free", n, pages.Available())
		}
		for i := range done {
			if s.Lookup(pages, uintptr(0x1000+i<<30)) == 0 {
				t.Fatalf("%d pages: page %d is gone", n, i)
			}
		}
		if s.MapRange(pages, 1<<46, 0, 1<<21, PagePresent) {
			t.Fatalf("%d pages: mapped without memory", n)
		}
		s.Destroy(pages, 1000, func(uintptr) bool { return false })
		if left := pages.Total() - pages.Available(); left != 1 {
			t.Fatalf("%d pages: %d are left in use", n, left)
		}
	}
}
