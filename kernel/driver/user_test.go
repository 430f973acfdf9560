package driver

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
)

// TestCopies copies in and out at every alignment across pages of different
// rights and sizes: what may not be touched is not, and a copy out is all or
// nothing.
func TestCopies(t *testing.T) {
	const large = 2 << 20
	d := domain(t)
	b := d.dcb(dom)
	d.make(100, 1, devices, abicap.DeviceFrame, 0, large)
	d.make(101, 1, ram, abicap.Frame, large, large)
	// From the end of what one table serves, pages: writable, writable,
	// read-only, writable; and behind them: device registers, no access, none.
	const first, base = 505, domainAt + 505<<12
	for i, m := range []struct{ source, offset, prot uint64 }{
		{dom + domFrame, 0, 3}, {dom + domFrame, 5, 3}, {dom + domFrame, 2, 1}, {dom + domFrame, 7, 3}, {100, 0, 3}, {dom + domFrame, 1, 0},
	} {
		d.must(ref(dom+domDir1), abicap.PageTable1Map, uint64(first+i)|1<<32, ref(uint32(m.source)), ref(uint32(102+i)), m.offset<<12, m.prot)
	}
	model := make([]byte, 4*abi.PageSize)
	readable := func(at, n int) bool { return n == 0 || at >= 0 && at+n <= len(model) }
	writable := func(at, n int) bool {
		return readable(at, n) && (at+n <= 2*abi.PageSize || at >= 3*abi.PageSize || n == 0)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		at, n := r.IntN(7*abi.PageSize)-abi.PageSize/2, r.IntN(3*abi.PageSize)
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

	// A page of 2 MiB is one piece of memory.
	d.must(ref(dom+domDir2), abicap.PageTable2Map, 20|1<<32, ref(101), ref(110), 0, readWrite)
	d.must(ref(dom+domDir2), abicap.PageTable2Map, 21|1<<32, ref(100), ref(111), 0, readWrite)
	for range 200 {
		at := uintptr(r.IntN(large - len(model)))
		if d.copyOut(b, 20*large+at, model) != abi.OK || d.copyIn(b, 20*large+at, all) != abi.OK || !bytes.Equal(all, model) {
			t.Fatalf("copying at %#x of a large page", at)
		}
	}
	if d.copyIn(b, 21*large-1, all[:2]) == abi.OK || d.copyIn(b, 21*large-1, all[:1]) != abi.OK {
		t.Error("a large page ends elsewhere")
	}

	for _, at := range []uintptr{0, abi.ProgramTop, abi.LibosHeap, abi.DispatcherBase, userEnd - 1, userEnd, abi.UserTop, abi.WindowBase + corePhys, abi.KernelBase, ^uintptr(0)} {
		if d.copyIn(b, at, all[:8]) == abi.OK || d.copyOut(b, at, all[:8]) == abi.OK {
			t.Errorf("%#x can be copied from or to", at)
		}
	}
	if d.copyIn(nil, base, all[:8]) == abi.OK || d.copyOut(nil, base, all[:8]) == abi.OK {
		t.Error("the kernel has user memory")
	}
}
