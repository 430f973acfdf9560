package driver

import (
	"testing"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/capability"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// core is a core made of memory: whatever can be done without running anybody
// can be tested on it. Its physical addresses begin at corePhys with the KCB and
// the kernel's own pages; then come a CSpace and RAM.
type core struct {
	*Driver
	t    testing.TB
	root memory.Phys // the slot with the L1 CNode
}

const (
	corePhys    = 64 << 20
	kernelPages = 128 // beside the KCB
	ramAt       = corePhys + 2<<20
	devicesAt   = 1 << 40
	devicesSize = 8 << 30
)

// What lies in the slots of the core's first L2 CNode.
const (
	ram     = 1 + iota // all RAM
	devices            // devicesSize bytes from devicesAt on that are no RAM
	domains            // all domain numbers
	cspace             // the L1 CNode
	base               // the L2 CNode itself
	free               // the first empty one
)

// ref is the reference of a slot of the first L2 CNode.
func ref(slot uint32) uint64 { return uint64(abicap.MakeReference(1, slot)) }

var kept [][]byte // memory that only integers point to

// newCore makes a core with n MiB of RAM.
func newCore(t testing.TB, n uintptr) *core {
	t.Helper()
	buf := make([]byte, (n+2)<<20+abi.PageSize)
	kept = append(kept, buf)
	t.Cleanup(func() { kept = nil })
	at := (uintptr(unsafe.Pointer(unsafe.SliceData(buf))) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	return coreIn(t, at, n)
}

// coreIn makes a core of zeroed memory at an address.
func coreIn(t testing.TB, at, n uintptr) *core {
	t.Helper()
	k := (*kcb.KCB)(unsafe.Pointer(at))
	k.Magic, k.Version = kcb.Magic, kcb.Version
	pages := &k.Pages
	pages.Offset = at - corePhys
	pages.Add(memory.Extent{Base: corePhys + kcb.Size, End: corePhys + kcb.Size + kernelPages*abi.PageSize}, corePhys+kcb.Size)
	carry.SetHz(&k.Machine.Clock, 1_000_000_000)
	k.Machine.Cores = 1
	carry.Setup(k)
	amd64.VectorSize = 832
	amd64.CPU.GiantPages = true

	k.Root = pages.AllocZero()
	kernel := amd64.Space{Root: k.Root}
	if !kernel.MapRange(pages, abi.WindowBase+corePhys, corePhys, (n+2)<<20, amd64.PagePresent|amd64.PageWrite|amd64.PageNX) ||
		!kernel.MakeKernelSlots(pages, abi.KernelHeap, abi.KernelHeap) {
		t.Fatal("too few pages")
	}
	c := &core{Driver: New(k), t: t, root: pages.AllocZero()}
	const l1At, l2At = ramAt - 64<<10, ramAt - 32<<10
	c.create(c.root, abicap.L1CNode, l1At, 16<<10)
	c.create(l1At+abicap.SlotSize, abicap.L2CNode, l2At, 16<<10)
	slot := func(i memory.Phys) memory.Phys { return l2At + i*abicap.SlotSize }
	c.create(slot(ram), abicap.RAM, ramAt, uint64(n)<<20)
	c.create(slot(devices), abicap.PhysicalRange, devicesAt, devicesSize)
	c.create(slot(domains), abicap.Domain, 1, 1<<20)
	c.cap.Copy(slot(cspace), c.root, abicap.AllRights)
	c.cap.Copy(slot(base), l1At+abicap.SlotSize, abicap.AllRights)
	return c
}

func (c *core) create(slot memory.Phys, t abicap.Type, base, size uint64) {
	c.t.Helper()
	if err := c.cap.Create(slot, capability.Object{Type: t, Base: base, Size: size}, abicap.AllRights); err != abicap.OK {
		c.t.Fatal(err)
	}
}

// ask makes an invocation as the kernel.
func (c *core) ask(r uint64, i abicap.Invocation, a ...uint64) abicap.Error {
	var args abicap.Arguments
	copy(args[:], a)
	_, err := c.invokeAs(c.root, abicap.Word(abicap.Reference(r), i), &args)
	return err
}

// want makes an invocation and expects an answer.
func (c *core) want(want abicap.Error, r uint64, i abicap.Invocation, a ...uint64) {
	c.t.Helper()
	if err := c.ask(r, i, a...); err != want {
		c.t.Fatalf("%v of a %v: %v, want %v", i, c.kind(r), err, want)
	}
}

// must makes an invocation that has to succeed.
func (c *core) must(r uint64, i abicap.Invocation, a ...uint64) {
	c.t.Helper()
	c.want(abicap.OK, r, i, a...)
}

// deletes makes an invocation that deletes, as often as it takes until all of it is
// done.
func (c *core) deletes(r uint64, i abicap.Invocation, a ...uint64) {
	c.t.Helper()
	for range 1000 {
		err := c.ask(r, i, a...)
		c.finish()
		switch err {
		case abicap.OK:
			return
		case abicap.ErrPending, abicap.ErrRevoking:
		default:
			c.t.Fatalf("%v of a %v: %v", i, c.kind(r), err)
		}
	}
	c.t.Fatalf("%v of a %v: never done", i, c.kind(r))
}

// at returns the slot that a reference names.
func (c *core) at(r uint64) memory.Phys {
	c.t.Helper()
	slot, err := c.cap.Find(c.root, abicap.Reference(r))
	if err != abicap.OK {
		c.t.Fatal(err)
	}
	return slot
}

func (c *core) kind(r uint64) abicap.Type { return c.cap.TypeOf(c.at(r)) }

// make makes count objects of a capability's object, from an offset on, in slots
// of the first L2 CNode.
func (c *core) make(slot uint32, count uint64, source uint32, t abicap.Type, offset, size uint64) {
	c.t.Helper()
	err := c.ask(ref(base), abicap.L2CNodeRetype, uint64(slot)|count<<32, ref(source), uint64(t), offset, size)
	if err != abicap.OK && err != abicap.ErrPending {
		c.t.Fatalf("making %d %v of %d bytes: %v", count, t, size, err)
	}
	c.finish()
}

// finish lets the capability system do what it has left to do.
func (c *core) finish() {
	c.t.Helper()
	for n := 0; c.work(); n++ {
		if n > 1_000_000 {
			c.t.Fatal("the capability system does not finish")
		}
	}
}

// What newDomain makes, in slots from its first on.
const (
	domDispatcher = iota
	domEndpoint
	domBell
	domNumber
	domSpace // the tables, from the top
	domDir3
	domDir2
	domDir1
	domMaps  // their mappings
	domFrame = domMaps + 3
	domFree  = domFrame + 1
)

const (
	entryPoint = 0x40_0000
	// domainAt is where the last table of a new domain lies, domainFrame the
	// size of its frame, which is nowhere mapped.
	domainAt    = 0x20_0000
	domainFrame = 8 * abi.PageSize
)

// domainSize is how much RAM newDomain takes.
const domainSize = 128 << 10

// newDomain makes a domain of domainSize bytes of RAM from an offset on, in the
// slots of the first L2 CNode from a number on, that has the core's own CSpace.
// supervisor is a doorbell or 0.
func (c *core) newDomain(first uint32, offset, supervisor uint64) *kcb.DCB {
	c.t.Helper()
	c.make(first+domDispatcher, 1, ram, abicap.Dispatcher, offset, kcb.ObjectSize)
	c.make(first+domEndpoint, 1, first+domDispatcher, abicap.Endpoint, 5*abi.PageSize, 256)
	c.make(first+domBell, 1, first+domEndpoint, abicap.Doorbell, 0, 256)
	c.make(first+domNumber, 1, domains, abicap.Domain, uint64(first), 1)
	for i := range uint32(4) {
		c.make(first+domSpace+i, 1, ram, abicap.PageTable4-abicap.Type(i), offset+kcb.ObjectSize+uint64(i)*abi.PageSize, abi.PageSize)
	}
	for i, at := range []uint64{0, 0, domainAt >> 21 & 511} {
		c.must(ref(first+domSpace+uint32(i)), abicap.PageTable4Map, at|1<<32, ref(first+domDir3+uint32(i)), ref(first+domMaps+uint32(i)), 0, 0)
	}
	c.make(first+domFrame, 1, ram, abicap.Frame, offset+64<<10, domainFrame)
	c.must(ref(first+domDispatcher), abicap.DispatcherSetup, ref(cspace), ref(first+domSpace), ref(first+domNumber), supervisor, entryPoint)
	return c.dcb(first)
}

// dcb returns the DCB of a domain.
func (c *core) dcb(first uint32) *kcb.DCB { return c.target(c.at(ref(first + domDispatcher))) }

// call makes a native call of b, and returns what it returned.
func (c *core) call(b *kcb.DCB, number uint64, a ...uint64) (uint64, abi.Error) {
	var args arguments
	copy(args[:], a)
	b.Regs.RAX = abi.NativeCall | number
	b.Regs.RDI, b.Regs.RSI, b.Regs.RDX, b.Regs.R10, b.Regs.R8, b.Regs.R9 = args[0], args[1], args[2], args[3], args[4], args[5]
	b.Resume = kcb.ResumeCall
	c.native(b)
	return b.Regs.RDX, abi.Error(b.Regs.RAX)
}

// invokes makes an invocation by b.
func (c *core) invokes(b *kcb.DCB, r uint64, i abicap.Invocation, a ...uint64) (uint64, abi.Error) {
	return c.call(b, abi.CallInvoke, append([]uint64{abicap.Word(abicap.Reference(r), i)}, a...)...)
}

// mapped returns the entry by which b has mapped an address, 0 for none.
func (c *core) mapped(b *kcb.DCB, address uintptr) uint64 {
	e, _ := c.page(b, address)
	return e
}

// runs gives b the core.
func (c *core) runs(b *kcb.DCB) {
	c.ready(b)
	c.switchTo(b, carry.Now())
}

// queued returns those that the scheduler has ready.
func (c *core) queued() (all []*kcb.DCB) {
	c.catchUp(carry.Now())
	for _, b := range c.k.Dispatchers {
		if b != nil && b.Entry.IsReady() {
			all = append(all, b)
		}
	}
	return all
}
