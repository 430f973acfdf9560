package driver

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// calls reads native calls out of bytes.
type callReader struct{ data []byte }

func (r *callReader) byte() byte {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *callReader) word() uint64 {
	var w [8]byte
	r.data = r.data[copy(w[:], r.data):]
	return binary.LittleEndian.Uint64(w[:])
}

// wild are words that lie at the edges of what arguments can be.
var wild = [...]uint64{
	1<<64 - 1, 1 << 63, 1<<47 - 1, 1 << 47, 1<<52 - 1, 1<<52 - 4096, abi.WindowBase, abi.WindowBase + corePhys, abi.KernelBase, userEnd,
	domainAt, domainAt + 4090, abi.DispatcherBase, abi.LibosHeap, uint64(abicap.LevelOneReference(1)), uint64(abicap.MakeReference(2, 1)),
	abi.PageSize, foreignAt, 2 << 20, 1 << 30, 1 << 20, 16 << 10, 32 << 10, 64 << 10, 256, 512 << 32, 511 | 1<<32, 1 << 32, 8 << 32, 32 << 32, 1<<23 - 1,
}

// argument reads a word: a small number, a slot, one at an edge, several, or any.
func (r *callReader) argument() uint64 {
	switch kind, v := r.byte(), uint64(r.byte()); kind % 6 {
	case 0:
		return v
	case 1:
		return ref(uint32(v))
	case 2:
		return wild[v%uint64(len(wild))]
	case 3:
		return v << 12
	case 4:
		return v | (1+uint64(kind/6))<<32
	}
	return r.word()
}

// writeCall is the inverse of what FuzzNative reads, for seeds.
func writeCall(data []byte, number byte, slot uint32, i abicap.Invocation, a ...uint64) []byte {
	data = append(data, 0, number, byte(slot), byte(i))
	for n := range abicap.MaxArguments {
		data = append(data, 5, 0)
		v := uint64(0)
		if n < len(a) {
			v = a[n]
		}
		data = binary.LittleEndian.AppendUint64(data, v)
	}
	return data
}

// seeds are sequences of calls that succeed.
func seeds() (all [][]byte) {
	const one = 1 << 32
	var d []byte
	invoke := func(slot uint32, i abicap.Invocation, a ...uint64) {
		d = writeCall(d, abi.CallInvoke, slot, i, a...)
	}
	next := func() {
		all = append(all, d)
		d = nil
	}
	invoke(ram, abicap.InvokeNop)
	invoke(ram, abicap.InvokeIdentify, domainAt)
	next()
	invoke(base, abicap.L2CNodeRetype, 100|3*one, ref(ram), uint64(abicap.Frame), 1<<20, 8192)
	invoke(dom+domDir1, abicap.PageTable1Map, 9|2*one, ref(100), ref(110), 0, readWrite)
	invoke(110, abicap.MappingProtect, 0, 2, abi.ProtRead|abi.ProtExec, domainAt+9<<12)
	invoke(110, abicap.MappingUnmap, 0, 1, domainAt+9<<12)
	invoke(base, abicap.L2CNodeMint, 111, ref(100), uint64(abicap.RightRead))
	invoke(base, abicap.L2CNodeRevoke, 100)
	invoke(base, abicap.L2CNodeDelete, 100)
	next()
	invoke(base, abicap.L2CNodeRetype, 100|2*one, ref(ram), uint64(abicap.PageTable1), 1<<20, 4096)
	invoke(dom+domDir2, abicap.PageTable2Map, 3|one, ref(100), ref(102), 0, 0)
	invoke(100, abicap.PageTable1Map, 0|8*one, ref(dom+domFrame), ref(103), 0, abi.ProtRead|abi.ProtExec)
	invoke(base, abicap.L2CNodeDelete, 100)
	invoke(base, abicap.L2CNodeRetype, 100|one, ref(ram), uint64(abicap.PageTable2), 1<<20, 4096)
	invoke(103, abicap.MappingUnmap, 0, 0)
	next()
	invoke(base, abicap.L2CNodeRetype, 100|one, ref(ram), uint64(abicap.Dispatcher), 1<<20, kcb.ObjectSize)
	invoke(base, abicap.L2CNodeRetype, 101|one, ref(100), uint64(abicap.Endpoint), 5<<12, 256)
	invoke(base, abicap.L2CNodeRetype, 102|one, ref(101), uint64(abicap.Doorbell), 0, 256)
	invoke(100, abicap.DispatcherSetup, ref(cspace), ref(dom+domSpace), ref(dom+domNumber), ref(dom+domBell), entryPoint)
	invoke(100, abicap.DispatcherSetName, 0x41)
	invoke(100, abicap.DispatcherRun)
	invoke(102, abicap.DoorbellRing)
	invoke(100, abicap.DispatcherStop)
	invoke(100, abicap.DispatcherSetCSpace, ref(cspace))
	invoke(100, abicap.DispatcherState)
	invoke(dom+domDir1, abicap.PageTable1Map, 20|3*one, ref(100), ref(103), kcb.SharedAt, readWrite)
	invoke(base, abicap.L2CNodeDelete, 100)
	next()
	invoke(cspace, abicap.L1CNodeRetype, 2|one, ref(ram), uint64(abicap.L2CNode), 1<<20, 16<<10)
	invoke(cspace, abicap.L1CNodeRevoke, 2)
	invoke(devices, abicap.InvokeNop)
	invoke(base, abicap.L2CNodeRetype, 100|one, ref(devices), uint64(abicap.DeviceFrame), 0, 1<<30)
	invoke(dom+domDir3, abicap.PageTable3Map, 5|one, ref(100), ref(101), 0, readWrite)
	invoke(dom+domDir2, abicap.PageTable2Map, 5|8*one, ref(100), ref(102), 0, abi.ProtRead)
	invoke(base, abicap.L2CNodeRevoke, ram)
	next()
	invoke(base, abicap.L2CNodeRetype, 100|one, ref(bells), uint64(abicap.RemoteDoorbell), abi.CoreDispatchers+1, 1)
	invoke(100, abicap.RemoteDoorbellRing)
	invoke(kernelSlot, abicap.KernelNotify, 1)
	invoke(kernelSlot, abicap.KernelImport, ref(101), uint64(abicap.PageTable3), foreignAt, 4096, abicap.ImportFrom(1, abicap.AllRights))
	invoke(dom+domSpace, abicap.PageTable4Map, 3|one, ref(101), ref(102), 0, 0)
	invoke(kernelSlot, abicap.KernelImport, ref(103), uint64(abicap.Frame), foreignAt+4096, 16<<10, abicap.ImportFrom(2, abicap.AllRights))
	invoke(dom+domDir1, abicap.PageTable1Map, 9|4*one, ref(103), ref(104), 0, readWrite)
	invoke(104, abicap.MappingProtect, 0, 4, abi.ProtRead, domainAt+9<<12)
	invoke(base, abicap.L2CNodeMove, 105, ref(101))
	invoke(base, abicap.L2CNodeDelete, 105)
	invoke(base, abicap.L2CNodeDelete, 103)
	next()
	invoke(kernelSlot, abicap.KernelShare, 1, 1)
	invoke(dom+domDir1, abicap.PageTable1Map, 9|4*one, ref(dom+domFrame), ref(104), 0, readWrite)
	invoke(104, abicap.MappingUnmap, 0, 2, domainAt+9<<12)
	d = writeCall(d, abi.CallSettle, 0, 0)
	invoke(kernelSlot, abicap.KernelShare, 2, 5)
	invoke(kernelSlot, abicap.KernelShare, 1, 0)
	invoke(104, abicap.MappingProtect, 2, 2, abi.ProtRead, domainAt+9<<12)
	d = writeCall(d, abi.CallSettle, 0, 0)
	next()
	for n := byte(0); n < abi.NumCalls+2; n++ {
		if n != abi.CallInvoke {
			d = writeCall(d, n, 0, 0, domainAt, 64)
		}
	}
	next()
	return all
}

// FuzzNative makes native calls of two domains out of bytes and checks after
// each that the page tables and dispatchers are sound, and that no memory is
// lost.
func FuzzNative(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	const size = 3
	buf := make([]byte, (size+2)<<20+abi.PageSize)
	f.Fuzz(func(t *testing.T, data []byte) {
		clear(buf)
		at := (uintptr(unsafe.Pointer(unsafe.SliceData(buf))) + abi.PageSize - 1) &^ (abi.PageSize - 1)
		nativeCalls(t, coreIn(t, at, size), data)
	})
}

// TestRandomCalls makes calls of random bytes, and of damaged seeds.
func TestRandomCalls(t *testing.T) {
	runs := 400
	if testing.Short() {
		runs = 50
	}
	const size = 3
	buf := make([]byte, (size+2)<<20+abi.PageSize)
	at := (uintptr(unsafe.Pointer(unsafe.SliceData(buf))) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	all := seeds()
	counts := map[abi.Error]int{}
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 1))
		var data []byte
		for range 4 {
			data = append(data, all[r.IntN(len(all))]...)
		}
		for range r.IntN(20) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		for range r.IntN(500) {
			data = append(data, byte(r.Uint32()))
		}
		clear(buf)
		for err, n := range nativeCalls(t, coreIn(t, at, size), data) {
			counts[err] += n
		}
	}
	if counts[abi.OK] < runs {
		t.Errorf("few calls succeeded: %v", counts)
	}
}

// nativeCalls makes the calls that are read from data, and counts the answers.
func nativeCalls(t testing.TB, c *core, data []byte) map[abi.Error]int {
	counts := map[abi.Error]int{}
	c.beside()
	ds := [2]*kcb.DCB{c.newDomain(dom, 0, 0), c.newDomain(dom+domFree, domainSize, ref(dom+domBell))}
	for i, first := range []uint32{dom, dom + domFree} {
		c.must(ref(first+domDir1), abicap.PageTable1Map, 1<<32, ref(first+domFrame), ref(98+uint32(i)), 0, readWrite)
		c.must(ref(first+domDispatcher), abicap.DispatcherRun)
	}
	r, tables := callReader{data}, [3]uint64{}
	for n := 0; len(r.data) > 0 && n < 100; n++ {
		control := r.byte()
		b := ds[control&1]
		if b.State == abi.DomainEnded {
			b = ds[1-control&1]
		}
		switch b.State {
		case abi.DomainEnded:
			return counts
		case abi.DomainParked:
			c.notify(b)
		case abi.DomainNew:
			if b.Root == 0 {
				return counts
			}
			c.ready(b)
		}
		if control&2 != 0 {
			b.Page().Disabled ^= 1
		}
		c.runs(b)
		number, slot, i := r.byte(), r.byte(), r.byte()
		var a [6]uint64
		for j := range abicap.MaxArguments {
			a[1+j] = r.argument()
		}
		a[0] = abicap.Word(abicap.Reference(ref(uint32(slot))), abicap.Invocation(i))
		if control&4 != 0 {
			a[0] = a[5]
		}
		if number != abi.CallInvoke {
			copy(a[:], a[1:])
		} else if abicap.Reference(a[0]) == abicap.Reference(ref(kernelSlot)) && !besides[abicap.Invocation(a[0]>>32)] {
			continue
		}
		c.loaded = b.Root
		before, loaded, generation := c.known(), c.loaded, c.k.Shootdown.Generation()
		_, err := c.call(b, uint64(number), a[:]...)
		if err >= abi.Error(abicap.Errors) {
			t.Fatalf("call %d %#x returned %d", number, a, err)
		}
		counts[err]++
		c.work()
		if loaded == c.loaded && c.k.Shootdown.Generation() == generation && (tables[1] > 0 || tables[2] > 0) {
			for at, e := range before {
				if now := c.entryAt(at); now == 0 || allows(e.entry)&^allows(now) != 0 {
					t.Fatalf("call %d %#x made %#x of the entry %#x at %#x, and other cores need not know", number, a, now, e.entry, at)
				}
			}
		}
		if err == abi.OK && number == abi.CallInvoke && a[0] == abicap.Word(abicap.Reference(ref(kernelSlot)), abicap.KernelShare) {
			tables[a[1]] = a[2]
		}
		if err := c.remembers(before); err != nil && loaded == c.loaded {
			t.Fatalf("call %d %#x: %v", number, a, err)
		}
		c.choose()
		if err := c.check(); err != nil {
			t.Fatalf("after call %d %#x: %v", number, a, err)
		}
	}
	c.finish()
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	if at := c.lost(); at != 0 {
		t.Fatalf("no capability names the memory at %#x", at)
	}
	return counts
}

// lost returns the first address of the core's RAM that no capability names, 0
// if there is none.
func (c *core) lost() uint64 {
	end := uint64(ramAt)
	for _, o := range c.objects() {
		if abicap.Of(o.Type).Space != abicap.Of(abicap.RAM).Space || o.Base+o.Size <= end {
			continue
		}
		if o.Base > end {
			break
		}
		end = o.Base + o.Size
	}
	if end < c.ramEnd() {
		return end
	}
	return 0
}

func (c *core) ramEnd() uint64 {
	end := memory.Phys(ramAt)
	for c.owns(end) {
		end += abi.PageSize
	}
	return uint64(end)
}

// TestSeeds checks that the calls of all seeds but the last, which are wrong on
// purpose, succeed.
func TestSeeds(t *testing.T) {
	all := seeds()
	for i, s := range all[:len(all)-1] {
		for err, n := range nativeCalls(t, newCore(t, 3), s) {
			if err != abi.OK && err != abicap.ErrPending {
				t.Errorf("seed %d: %d calls: %v", i, n, err)
			}
		}
	}
}
