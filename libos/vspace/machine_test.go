package vspace

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	kernel "skerry/kernel/capability"
	"skerry/kernel/memory"
)

// The machine that tests run on: physical memory is a file, of which the pages
// that page tables lead to are mapped where the program has them, with their
// protections. So what the space touches it really touches, and what is not
// mapped faults. Capabilities are the CPU driver's own; what the CPU driver does
// with page tables is here once more, in few lines.

const (
	ramBase     = 1 << 30 // a physical address
	ramSize     = 512 << 20
	archiveSize = 4 << 20 // at the end of RAM
	poolBase    = ramBase + 64<<20
	poolSize    = ramSize - archiveSize - 64<<20

	l1Bytes = 4 << 10 // size of the first L1 CNode

	// Where tests let programs map.
	testBase = 0x10_0000_0000
	testEnd  = testBase + 64<<30
	topSize  = 64 << 30
	topBase  = abi.ProgramTop - topSize
	tablesAt = abi.LibosHeap + 1<<40
)

// Entries of the model's page tables, as the processor has them as far as it
// matters.
const (
	presentEntry = 1 << 0
	userEntry    = 1 << 2
	writeEntry   = 1 << 1
	largeEntry   = 1 << 7
	executeEntry = 1 << 62
	frameMask    = 1<<52 - 1<<12
)

type machine struct {
	kernel.System
	t    testing.TB
	fd   int
	ram  uintptr // where the file is mapped whole
	root memory.Phys
	top  uint64 // the top table

	homes map[uint64]home // of tables that are mapped somewhere

	calls  map[string]int
	refuse int // how many Supply calls succeed before all fail; -1: all succeed
	lent   map[uint32]uint64
	pool   map[uint64]uint64 // pieces that are lent: base and size
	quota  uint64
	asked  int
	// cnodes and mostCNodes are Config's.
	cnodes, mostCNodes uint32
	// failing, unless it is 0, counts invocations Map and Retype down to the one
	// that is refused.
	failing int
	inHeap  map[capability.Reference]bool // slots that NestedFault has used
	// shown, unless it is nil, sees the pages that appear to the program.
	shown func(address uint64, words *[512]uint64)
	// held says that RAM is held back for other cores; awaited counts calls of Await,
	// each of which ends that.
	held    bool
	awaited int
}

// home is where a page table is mapped: the level and the address that its first
// entry serves.
type home struct{ level, address uint64 }

var emptySpace, emptyReserve = space, reserve

func raw(t testing.TB, number, a, b, c, d, e, f uintptr) uintptr {
	r, _, errno := syscall.Syscall6(number, a, b, c, d, e, f)
	if errno != 0 {
		t.Helper()
		t.Fatalf("system call %d(%#x, %#x): %v", number, a, b, errno)
	}
	return r
}

const fixed = syscall.MAP_FIXED

func TestMain(m *testing.M) {
	for _, r := range [][2]uintptr{{tablesAt, TablesSize}, {abi.ArchiveBase, archiveSize}} {
		const noReplace = 0x100000
		at, _, errno := syscall.Syscall6(syscall.SYS_MMAP, r[0], r[1], 0, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE|noReplace, ^uintptr(0), 0)
		if errno != 0 || at != r[0] {
			fmt.Printf("reserving %#x: %v\n", r[0], errno)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// Slots of the first L2 CNode that the test has for itself.
const testSlot = capability.SlotFree

// newMachine makes a machine whose domain has a first piece of size bytes.
func newMachine(t testing.TB, size uint64) *machine {
	m := bareMachine(t, size)
	m.must(m.start())
	return m
}

// bareMachine is a machine whose domain has not begun to run.
func bareMachine(t testing.TB, size uint64) *machine {
	m := &machine{t: t, inHeap: map[capability.Reference]bool{}, calls: map[string]int{}, refuse: -1, pool: map[uint64]uint64{}, lent: map[uint32]uint64{}, homes: map[uint64]home{}, quota: poolSize, cnodes: l1Bytes / capability.SlotSize, mostCNodes: MaxCNodes}
	name := []byte("ram\x00")
	m.fd = int(raw(t, 319, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0, 0, 0)) // memfd_create
	runtime.KeepAlive(name)
	if err := syscall.Ftruncate(m.fd, ramSize); err != nil {
		t.Fatal(err)
	}
	m.ram = raw(t, syscall.SYS_MMAP, 0, ramSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED, uintptr(m.fd), 0)
	raw(t, syscall.SYS_MMAP, tablesAt, TablesSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE|fixed, ^uintptr(0), 0)
	raw(t, syscall.SYS_MMAP, abi.ArchiveBase, archiveSize, syscall.PROT_READ, syscall.MAP_SHARED|fixed, uintptr(m.fd), ramSize-archiveSize)
	t.Cleanup(func() {
		for _, a := range m.mappedPages() {
			syscall.Syscall(syscall.SYS_MUNMAP, uintptr(a.address), uintptr(a.size), 0)
		}
		syscall.Syscall(syscall.SYS_MUNMAP, m.ram, ramSize, 0)
		syscall.Close(m.fd)
	})
	for p := uint64(0); p < archiveSize/pageSize; p++ {
		m.words(ramBase + ramSize - archiveSize + p*pageSize)[0] = archiveWord(p)
		m.words(ramBase + ramSize - archiveSize + p*pageSize)[511] = archiveWord(p)
	}

	st := (*kernel.State)(unsafe.Pointer(m.ram + 64<<10))
	kernel.Init(st, ramBase+64<<10, m.ram-ramBase, 0)
	m.System = kernel.System{State: st, Kernel: m}
	m.root = rootSlot
	const l1, dispatcher, l2, spare, first = ramBase + 256<<10, ramBase + 384<<10, ramBase + 512<<10, ramBase + 528<<10, ramBase + 2<<20
	m.top = ramBase + 576<<10
	l2slot := func(i uint64) memory.Phys { return memory.Phys(l2 + i*capability.SlotSize) }
	create := func(slot memory.Phys, k capability.Type, base, size uint64, rights capability.Rights) {
		if err := m.Create(slot, kernel.Object{Type: k, Base: base, Size: size}, rights); err != capability.OK {
			t.Fatal(err)
		}
	}
	const all = capability.AllRights
	create(m.root, capability.L1CNode, l1, l1Bytes, all)
	create(memory.Phys(l1+capability.SlotSize), capability.L2CNode, l2, 16<<10, all)
	m.must(m.Copy(l2slot(capability.SlotCSpace), m.root, all))
	m.must(m.Copy(l2slot(capability.SlotBase), memory.Phys(l1+capability.SlotSize), all))
	create(l2slot(capability.SlotDispatcher), capability.Dispatcher, dispatcher, 32<<10, all)
	create(l2slot(capability.SlotVSpace), capability.PageTable4, m.top, pageSize, all)
	create(l2slot(capability.SlotArchive), capability.Frame, ramBase+ramSize-archiveSize, archiveSize, capability.RightRead|capability.RightExecute|capability.RightGrant)
	create(memory.Phys(spare+capability.SlotSize), capability.RAM, poolBase, poolSize, all)
	// Not aligned, as a spawner leaves it.
	create(l2slot(capability.SlotMemory), capability.RAM, first+5*pageSize, size, all)
	m.homes[m.top] = home{4, 0}

	space, reserve = emptySpace, emptyReserve
	hooks = m
	return m
}

// start begins.
func (m *machine) start() capability.Error {
	return Init(Config{
		Kernel: func(word, a, b, c, d, e uint64) (uint64, capability.Error) { return hooks.invoke(word, a, b, c, d, e) },
		Supply: func(n uint32, size uint64, frame bool) (uint64, capability.Error) {
			return hooks.supply(n, size, frame)
		},
		Return: func(n uint32) { hooks.giveBack(n) },
		Await:  func() { hooks.held, hooks.awaited = false, hooks.awaited+1 },
		Tables: tablesAt,
		CNodes: m.cnodes, MostCNodes: m.mostCNodes,
	})
}

// rootSlot and the one after it are by turns the dispatcher's slot for its CSpace.
const rootSlot = memory.Phys(ramBase + 128<<10)

// hooks is the machine of the test that runs.
var hooks *machine

func (m *machine) must(err capability.Error) {
	m.t.Helper()
	if err != capability.OK {
		m.t.Fatal(err)
	}
}

func archiveWord(page uint64) uint64 { return 0xa0000000 + page }

// words returns a page of physical memory.
func (m *machine) words(physical uint64) *[512]uint64 {
	return (*[512]uint64)(unsafe.Pointer(m.ram + uintptr(physical&^pageMask-ramBase)))
}

// poolSlot is the spawner's slot for a piece, mountSlot the domain's.
func poolSlot(n uint32) memory.Phys {
	return memory.Phys(ramBase + 528<<10 + uint64(n+2)*capability.SlotSize)
}

func mountSlot(n uint32) memory.Phys {
	return memory.Phys(ramBase + 512<<10 + uint64(capability.SlotMemory+n)*capability.SlotSize)
}

// supply is the spawner: it has a pool, and pieces are powers of two.
func (m *machine) supply(n uint32, want uint64, frame bool) (uint64, capability.Error) {
	m.asked++
	if m.refuse == 0 {
		return 0, capability.ErrQuota
	}
	if m.refuse > 0 {
		m.refuse--
	}
	for size := want; size >= supplyLeast; size /= 2 {
		for base := (poolBase + size - 1) &^ (size - 1); base+size <= poolBase+poolSize && size <= m.quota; base += size {
			free := true
			for b, s := range m.pool {
				free = free && (base+size <= b || b+s <= base)
			}
			if !free {
				continue
			}
			for {
				err := m.Retype(poolSlot(n), memory.Phys(ramBase+528<<10+capability.SlotSize), capability.RAM, base-poolBase, size, 1)
				if err == capability.OK {
					break
				}
				if err != capability.ErrInUse || !m.Step(8) {
					m.t.Fatalf("spawner: retype of %#x bytes at %#x: %v", size, base, err)
				}
			}
			if frame {
				if err := m.Retype(mountSlot(n), poolSlot(n), capability.Frame, 0, size, 1); err != capability.ErrPending {
					m.must(err)
				}
				for m.Step(8) {
				}
			} else {
				m.must(m.Copy(mountSlot(n), poolSlot(n), capability.AllRights))
			}
			m.pool[base], m.lent[n] = size, base
			m.quota -= size
			return size, capability.OK
		}
	}
	return 0, capability.ErrQuota
}

func (m *machine) giveBack(n uint32) {
	base, ok := m.lent[n]
	if !ok {
		m.t.Fatalf("piece %d given back, which the domain does not have", n)
	}
	if m.TypeOf(mountSlot(n)) != capability.Null {
		m.t.Errorf("piece %d given back, its slot is not empty", n)
	}
	if m.HasDescendants(poolSlot(n)) {
		for m.Step(8) { // a CNode that is not gone yet is no fault
		}
		if m.HasDescendants(poolSlot(n)) {
			m.t.Errorf("piece %d given back with something made of it", n)
		}
	}
	m.must(m.Revoke(poolSlot(n)))
	for m.Step(8) {
	}
	m.must(m.Delete(poolSlot(n)))
	m.quota += m.pool[base]
	delete(m.pool, base)
	delete(m.lent, n)
}

// Zero and Ended make it a Kernel.
func (m *machine) Zero(base memory.Phys, size uint64) {
	clear(unsafe.Slice((*byte)(unsafe.Pointer(m.ram+uintptr(base)-ramBase)), size))
}

func (m *machine) Settled() bool { return !m.held }

func (m *machine) Ended(o kernel.Object) {
	switch {
	case o.Type == capability.Mapping && o.Table != capability.Null:
		m.clear(uint64(o.Entry), o.Entries, o.Base, o.Size)
	case capability.PageTable1 <= o.Type && o.Type <= capability.PageTable4:
		if h, ok := m.homes[o.Base]; ok {
			for i, e := range m.words(o.Base) {
				if e != 0 && h.level == 1 {
					m.t.Errorf("table for %#x ends with page %d mapped", h.address, i)
				}
			}
			delete(m.homes, o.Base)
		}
	}
}

// clear clears those of n entries that lead into a range.
func (m *machine) clear(entry, n, base, size uint64) {
	for i := range n {
		at := entry + 8*i
		e := &m.words(at)[at%pageSize/8]
		if *e != 0 && *e&frameMask-base < size {
			old := *e
			*e = 0
			m.changed(at, old)
		}
	}
}

// changed makes the host's mappings what an entry says; old is what it said.
func (m *machine) changed(at, old uint64) {
	table := at &^ pageMask
	h, ok := m.homes[table]
	if !ok {
		return // not in the address space
	}
	e, span := m.words(at)[at%pageSize/8], spanOf(h.level-1)
	address := h.address + at%pageSize/8*span
	leaf := func(e uint64) bool { return e != 0 && (h.level == 1 || e&largeEntry != 0) }
	switch {
	case leaf(e):
		m.show(address, span, e)
	case leaf(old):
		m.hide(address, span)
	case e != 0:
		m.homes[e&frameMask] = home{h.level - 1, address}
		for i := range uint64(512) {
			if below := m.words(e & frameMask)[i]; below != 0 {
				m.changed(e&frameMask+8*i, 0)
			}
		}
	case old != 0:
		for i := range uint64(512) {
			if below := m.words(old & frameMask)[i]; below != 0 && h.level == 2 {
				m.hide(address+i*pageSize, pageSize)
			}
		}
		delete(m.homes, old&frameMask)
	}
}

// inTest says whether tests may map at an address.
func inTest(address uint64) bool {
	return testBase <= address && address < testEnd || topBase <= address && address < abi.ProgramTop ||
		abi.SpanTop-topSize <= address && address < abi.SpanTop
}

func inHeap(address uint64) bool { return abi.LibosHeap <= address && address < abi.LibosHeapEnd }

// inWindow says whether an address is of the window through which pages are filled.
func inWindow(address uint64) bool {
	return tablesAt+windowAt < address && address < tablesAt+leavesAt
}

func (m *machine) show(address, size, e uint64) {
	if inHeap(address) && !inWindow(address) {
		return // the host has it mapped for the test
	}
	if !inTest(address) && !inWindow(address) {
		m.t.Fatalf("mapping at %#x", address)
	}
	if m.shown != nil && size == pageSize && !inWindow(address) {
		m.shown(address, m.words(e&frameMask))
	}
	prot := uintptr(0)
	if e&userEntry != 0 {
		prot = syscall.PROT_READ
	}
	if e&writeEntry != 0 {
		prot |= syscall.PROT_WRITE
	}
	raw(m.t, syscall.SYS_MMAP, uintptr(address), uintptr(size), prot, syscall.MAP_SHARED|fixed, uintptr(m.fd), uintptr(e&frameMask&^largeEntry-ramBase))
}

func (m *machine) hide(address, size uint64) {
	if inTest(address) || inWindow(address) {
		raw(m.t, syscall.SYS_MUNMAP, uintptr(address), uintptr(size), 0, 0, 0, 0)
	}
}

// invoke is the CPU driver.
func (m *machine) invoke(word, a, b, c, d, e uint64) (uint64, capability.Error) {
	args := capability.Arguments{a, b, c, d, e}
	slot, i, err := m.Decode(m.root, word, &args)
	if err == capability.OK {
		name := capability.InvocationName(m.TypeOf(slot), i)
		m.calls[name]++
		if m.failing > 0 && (name == "Map" || name == "Retype" || name == "Copy" || name == "SetCSpace") {
			if m.failing--; m.failing == 0 {
				return 0, capability.ErrRevoking
			}
		}
		err = m.do(slot, i, &args)
	}
	m.Step(8)
	return 0, err
}

func (m *machine) do(slot memory.Phys, i capability.Invocation, a *capability.Arguments) capability.Error {
	switch i {
	case capability.InvokeNop:
		return capability.OK
	case capability.InvokeIdentify:
		*(*capability.Description)(pointer(uintptr(a[0]))) = m.Identify(slot)
		return capability.OK
	}
	switch t := m.TypeOf(slot); t {
	case capability.L1CNode, capability.L2CNode:
		return m.Invoke(m.root, slot, i, a)
	case capability.PageTable1, capability.PageTable2, capability.PageTable3, capability.PageTable4:
		return m.doMap(slot, uint64(t-capability.PageTable1), a)
	case capability.Dispatcher:
		return m.doSetCSpace(a)
	case capability.Mapping:
		if i == capability.MappingProtect {
			return m.doProtect(slot, a)
		}
		return m.doUnmap(slot, a)
	}
	return capability.ErrInvocation
}

func bitsFor(prot uint64, rights capability.Rights) (uint64, capability.Error) {
	need := capability.Rights(prot)
	if prot != 0 {
		need |= capability.RightRead
	}
	if need&^rights != 0 || prot&protBoth == protBoth {
		return 0, capability.ErrRights
	}
	bits := uint64(presentEntry)
	if prot != 0 {
		bits |= userEntry
	}
	if prot&abi.ProtWrite != 0 {
		bits |= writeEntry
	}
	if prot&abi.ProtExec != 0 {
		bits |= executeEntry
	}
	return bits, capability.OK
}

func (m *machine) doMap(table memory.Phys, level uint64, a *capability.Arguments) capability.Error {
	first, count, offset := a[0]&(1<<32-1), a[0]>>32, a[3]
	most := uint64(512)
	if level == 3 {
		most = 256
	}
	if count == 0 || first >= most || count > most-first {
		return capability.ErrRange
	}
	source, err := m.Lookup(m.root, capability.Reference(a[1]), 0)
	if err != capability.OK {
		return err
	}
	to, err := m.Vacancy(m.root, capability.Reference(a[2]), capability.Mapping)
	if err != capability.OK {
		return err
	}
	base, size, span := m.BaseOf(source), m.SizeOf(source), uint64(pageSize)<<(9*level)
	var bits uint64
	switch k := m.TypeOf(source); {
	case k == capability.Frame && level < 3:
		if bits, err = bitsFor(a[4], m.RightsOf(source)); err != capability.OK {
			return err
		}
		if offset > size || count > (size-offset)/span || (base+offset)%span != 0 {
			return capability.ErrRange
		}
		if level > 0 {
			bits |= largeEntry
		}
	case level > 0 && k == capability.PageTable1+capability.Type(level-1):
		if count != 1 || offset != 0 {
			return capability.ErrRange
		}
		bits = presentEntry | userEntry | writeEntry | executeEntry
	default:
		return capability.ErrType
	}
	at := m.BaseOf(table) + 8*first
	for i := range count {
		if m.words(at)[first+i] != 0 {
			return capability.ErrInUse
		}
	}
	if err := m.Map(to, table, source, first, count); err != capability.OK {
		return err
	}
	if h, ok := m.homes[m.BaseOf(table)]; ok && inHeap(h.address+first*span) {
		m.inHeap[capability.Reference(a[1])], m.inHeap[capability.Reference(a[2])] = true, true
	}
	for i := range count {
		m.words(at)[first+i] = base + offset + i*span | bits
		m.changed(at+8*i, 0)
	}
	return capability.OK
}

// doSetCSpace is what the only invocation of a dispatcher that there is here does.
func (m *machine) doSetCSpace(a *capability.Arguments) capability.Error {
	l1, err := m.LookupType(m.root, capability.Reference(a[0]), capability.L1CNode, 0)
	if err != capability.OK {
		return err
	}
	to := rootSlot + rootSlot + capability.SlotSize - m.root
	m.must(m.Copy(to, l1, capability.AllRights))
	m.must(m.Delete(m.root))
	m.root = to
	return capability.OK
}

// part checks which entries of a mapping are meant.
func (m *machine) part(slot memory.Phys, first, count, address uint64) (uint64, uint64, bool, capability.Error) {
	at, n, table := m.MappingOf(slot)
	if table == capability.Null {
		m.t.Error("invocation of a mapping whose table is gone")
	}
	if count == 0 && first == 0 {
		count = n
	}
	if count == 0 || first >= n || count > n-first {
		return 0, 0, false, capability.ErrRange
	}
	entry := uint64(at) + 8*first
	if h, ok := m.homes[entry&^pageMask]; ok && h.address+entry%pageSize/8*spanOf(h.level-1) != address {
		m.t.Errorf("the hint for %#x is %#x", h.address+entry%pageSize/8*spanOf(h.level-1), address)
	}
	return entry, count, count == n, capability.OK
}

func (m *machine) doUnmap(slot memory.Phys, a *capability.Arguments) capability.Error {
	entry, count, all, err := m.part(slot, a[0], a[1], a[2])
	if err != capability.OK {
		return err
	}
	m.clear(entry, count, m.BaseOf(slot), m.SizeOf(slot))
	if all {
		return m.Delete(slot)
	}
	return capability.OK
}

func (m *machine) doProtect(slot memory.Phys, a *capability.Arguments) capability.Error {
	entry, count, _, err := m.part(slot, a[0], a[1], a[3])
	if err != capability.OK {
		return err
	}
	bits, err := bitsFor(a[2], m.RightsOf(slot))
	if err != capability.OK {
		return err
	}
	for i := range count {
		at := entry + 8*i
		e := &m.words(at)[at%pageSize/8]
		if old := *e; old != 0 && old&frameMask-m.BaseOf(slot) < m.SizeOf(slot) {
			*e = old&(frameMask|largeEntry) | bits
			m.changed(at, old)
		}
	}
	return capability.OK
}

// walk returns the entry that maps an address, and how much it maps; 0 if none
// does.
func (m *machine) walk(address uint64) (entry, span uint64) {
	table := m.top
	for level := uint64(4); ; level-- {
		span = spanOf(level - 1)
		e := m.words(table)[address/span%512]
		if e == 0 || level == 1 || e&largeEntry != 0 {
			return e, span
		}
		table = e & frameMask
	}
}

// mapped is a range of the host's addresses.
type mapped struct{ address, size uint64 }

// mappedPages lists what the test has mapped.
func (m *machine) mappedPages() (list []mapped) {
	for table, h := range m.homes {
		if h.level == 4 || !inTest(h.address) {
			continue
		}
		for i, e := range m.words(table) {
			if e != 0 && (h.level == 1 || e&largeEntry != 0) {
				list = append(list, mapped{h.address + uint64(i)*spanOf(h.level-1), spanOf(h.level - 1)})
			}
		}
	}
	return list
}

// access does what a program's access does: it faults as often as the tables
// let it. It reports whether the access succeeds.
func (m *machine) access(address uint64, want uint32) (code int32, err capability.Error) {
	m.t.Helper()
	for range 3 {
		e, _ := m.walk(address)
		if e&userEntry != 0 && (want&abi.ProtWrite == 0 || e&writeEntry != 0) && (want&abi.ProtExec == 0 || e&executeEntry != 0) {
			return 0, capability.OK
		}
		if code, err := Fault(address, want); code != 0 || err != capability.OK {
			return code, err
		}
	}
	m.t.Fatalf("access to %#x faults for ever", address)
	return 0, capability.OK
}

// total is how many invocations there were since the last call.
func (m *machine) total() int {
	n := 0
	for _, c := range m.calls {
		n += c
	}
	m.calls = map[string]int{}
	return n
}
