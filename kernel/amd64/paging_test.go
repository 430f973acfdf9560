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
// holds the tables against a map, and at the end frees all tables.
func TestSpaceAgainstModel(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		pages := keep(300)
		s := Space{Root: pages.AllocZero()}
		model := map[uintptr]uint64{}
		tables := 1
		for range 3000 {
			switch va := pick(r); r.IntN(5) {
			case 0, 1:
				bits := uint64(PagePresent | PageUser)
				if r.IntN(2) == 0 {
					bits |= PageWrite | PageNX
				}
				made := s.Map(pages, va, memory.Phys(va)<<1, bits)
				if made < 0 || made > 3 {
					t.Fatalf("seed %d: %d tables made", seed, made)
				}
				tables += made
				model[va] = uint64(va)<<1 | bits
			case 2:
				if at, level := s.Find(pages, va); level == 0 {
					if Entry(pages, at) != model[va] {
						t.Fatalf("seed %d: found %#x at %#x, want %#x", seed, Entry(pages, at), va, model[va])
					}
					SetEntry(pages, at, 0)
					delete(model, va)
				} else if model[va] != 0 || Entry(pages, at) != 0 {
					t.Fatalf("seed %d: level %d decides about %#x", seed, level, va)
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
			if got := pages.Total() - pages.Available(); got != uint64(tables) {
				t.Fatalf("seed %d: %d pages in use, want %d tables", seed, got, tables)
			}
		}
		s.DropUser(pages)
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

// TestFind looks for pages of every size, and for what is not there.
func TestFind(t *testing.T) {
	pages := keep(50)
	s := Space{Root: pages.AllocZero()}
	s.Map(pages, 0x1000, 0x5000, PagePresent)
	for _, large := range []struct {
		va    uintptr
		level uint
	}{{2 << 20, 1}, {3 << 30, 2}} {
		e, _ := s.leaf(pages, large.va, large.level)
		*e = 0x1_4000_0000 | PagePresent | PageLarge
	}
	for _, test := range []struct {
		va      uintptr
		level   uint
		present bool
	}{
		{0x1fff, 0, true}, {0x2000, 0, false}, {2 << 20, 1, true}, {4<<20 - 1, 1, true}, {4 << 20, 1, false},
		{3<<30 + 0x12345, 2, true}, {4 << 30, 2, false}, {1 << 39, 3, false}, {abi.KernelBase, 3, false},
	} {
		at, level := s.Find(pages, test.va)
		if e := Entry(pages, at); level != test.level || (e&PagePresent != 0) != test.present {
			t.Errorf("%#x: entry %#x at level %d, want %d", test.va, e, level, test.level)
		}
		if e := s.Lookup(pages, test.va); (e != 0) != (test.level == 0 && test.present) {
			t.Errorf("%#x: looked up %#x", test.va, e)
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

// TestShared drops the user half of a space that shares the kernel half of
// another, and expects that whole.
func TestShared(t *testing.T) {
	pages := keep(200)
	kernel := Space{Root: pages.AllocZero()}
	kernel.Map(pages, abi.KernelHeap, 0x9000, PagePresent)
	used := pages.Available()

	s := Space{Root: pages.AllocZero()}
	s.ShareKernel(pages, kernel)
	if got := s.Lookup(pages, abi.KernelHeap); got != kernel.Lookup(pages, abi.KernelHeap) || got == 0 {
		t.Fatalf("the kernel's heap maps %#x", got)
	}
	for i := range uintptr(20) {
		s.Map(pages, 0x40_0000+i<<21, 0x7000, PagePresent)
	}
	s.DropUser(pages)
	pages.Free(s.Root)
	if pages.Available() != used {
		t.Errorf("%d pages are free, before it were %d", pages.Available(), used)
	}
	if kernel.Lookup(pages, abi.KernelHeap) == 0 {
		t.Error("the kernel's heap is gone from the other space")
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
		s.DropUser(pages)
		if left := pages.Total() - pages.Available(); left != 1 {
			t.Fatalf("%d pages: %d are left in use", n, left)
		}
	}
}
