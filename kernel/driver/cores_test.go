package driver

import (
	"testing"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/mailbox"
	"skerry/kernel/memory"
)

// cores are the cores of a machine, each as newCore makes it, with the mailboxes
// between them. Their kernels handle an interrupt when the test says so.
type cores struct {
	t   testing.TB
	all []*core
	// interrupts counts those that each core has been sent and has not handled,
	// sent all.
	interrupts []int
	sent       int
	// now counts events, and reloaded says at which a core's processor has last
	// forgotten all translations.
	now      int
	reloaded []int
	handling int
}

// What the domain of each core has besides.
const (
	bells       = 201 // all remote doorbells
	pageMapping = 98  // the mapping of eight pages at domainAt
	foreignAt   = 1 << 38
	// foreignSize is how much RAM the machine has from foreignAt on that no
	// core here sees.
	foreignSize = 512 << 20
)

// firstAPIC is the interrupt controller number of core 0.
const firstAPIC = 16

// newCores makes a machine of n cores that run, each with a domain in slots from
// dom on, which runs, the Kernel, and all remote doorbells.
func newCores(t testing.TB, n int) *cores {
	t.Helper()
	s := &cores{t: t, interrupts: make([]int, n), reloaded: make([]int, n)}
	outboxes, boxes := make([]byte, n*console.OutboxSize), make([]byte, mailbox.Size(uint32(n)))
	kept = append(kept, outboxes, boxes)
	console.Attach(uintptr(unsafe.Pointer(&outboxes[0])), 0)
	for i := range uint32(n) {
		buf := make([]byte, 6<<20+abi.PageSize)
		kept = append(kept, buf)
		at := (uintptr(unsafe.Pointer(&buf[0])) + abi.PageSize - 1) &^ (abi.PageSize - 1)
		(*kcb.KCB)(unsafe.Pointer(at)).Machine.Core = i
		c := coreIn(t, at, 4)
		s.all = append(s.all, c)
		m := &c.k.Machine
		m.Cores = uint32(n)
		for j := range n {
			m.APICs[j] = uint32(firstAPIC + j)
		}
		c.boxes = mailbox.Boxes{At: uintptr(unsafe.Pointer(&boxes[0])), Cores: uint32(n)}
		c.k.Memory.RAM[0] = memory.Extent{Base: foreignAt, End: foreignAt + foreignSize}
		c.k.Memory.NumRAM = 1
		console.Of(i).State = abi.CoreRunning
		c.newDomain(dom, 0, 0)
		c.create(c.at(ref(kernelSlot)), abicap.Kernel, uint64(i), 1)
		c.create(c.at(ref(bells)), abicap.RemoteDoorbell, 0, uint64(n)*abi.CoreDispatchers)
		c.must(ref(dom+domDir1), abicap.PageTable1Map, 8<<32, ref(dom+domFrame), ref(pageMapping), 0, readWrite)
		c.must(ref(dom+domDispatcher), abicap.DispatcherRun)
	}
	ipi, cr3 := sendIPI, setCR3
	sendIPI = func(apic uint32, vector uint8) {
		if core := int(apic) - firstAPIC; vector != amd64.VectorDoorbell || core < 0 || core >= n || core == s.handling {
			t.Errorf("interrupt %#x to %d", vector, apic)
		} else {
			s.interrupts[core]++
			s.sent++
		}
	}
	setCR3 = func(uintptr) {
		s.now++
		s.reloaded[s.handling] = s.now
	}
	t.Cleanup(func() { kept, sendIPI, setCR3 = nil, ipi, cr3 })
	return s
}

// by returns a core, whose kernel does what comes next.
func (s *cores) by(core int) *core {
	s.now++
	s.handling = core
	return s.all[core]
}

// handle lets a core handle its interrupt, if it has one: several of the same
// vector are one.
func (s *cores) handle(core int) {
	if s.interrupts[core] > 0 {
		s.interrupts[core] = 0
		s.by(core).collect()
	}
}

// handleAll lets all handle theirs until there are none.
func (s *cores) handleAll() {
	s.t.Helper()
	for range 100 {
		idle := true
		for core := range s.all {
			idle = idle && s.interrupts[core] == 0
			s.handle(core)
		}
		if idle {
			return
		}
	}
	s.t.Fatal("interrupts without end")
}

// notified counts what the domain of a core was notified of.
func (s *cores) notified(core int) uint64 { return s.all[core].dcb(dom).Counts.Notified }

// domainCall makes a native call of a core's domain.
func (s *cores) domainCall(core int, number uint64, a ...uint64) (uint64, abi.Error) {
	c := s.by(core)
	b := c.dcb(dom)
	if b.State != abi.DomainReady {
		c.ready(b)
	}
	return c.call(b, number, a...)
}

// invoke makes an invocation by a core's domain.
func (s *cores) invoke(core int, slot uint32, i abicap.Invocation, a ...uint64) abi.Error {
	_, err := s.domainCall(core, abi.CallInvoke, append([]uint64{abicap.Word(abicap.Reference(ref(slot)), i)}, a...)...)
	return err
}

// besides are the invocations of the Kernel that a core made by beside can be
// asked: the others touch devices, or are believed.
var besides = map[abicap.Invocation]bool{abicap.KernelImport: true, abicap.KernelExpel: true, abicap.KernelShare: true, abicap.KernelNotify: true}

// beside makes a core one of three, with the Kernel and all remote doorbells. The
// others are there, but never answer.
func (c *core) beside() {
	console.Attach(uintptr(unsafe.Pointer(&silent.outboxes)), 0)
	console.Of(1).State, console.Of(2).State = abi.CoreRunning, abi.CorePanicked
	clear(silent.boxes[:])
	c.k.Machine.Cores = 3
	c.boxes = mailbox.Boxes{At: uintptr(unsafe.Pointer(&silent.boxes)), Cores: 3}
	c.k.Memory.RAM[0], c.k.Memory.NumRAM = memory.Extent{Base: foreignAt, End: foreignAt + foreignSize}, 1
	c.create(c.at(ref(kernelSlot)), abicap.Kernel, 0, 1)
	c.create(c.at(ref(bells)), abicap.RemoteDoorbell, 0, 3*abi.CoreDispatchers)
}

// silent is the memory of the channels to those others.
var silent struct {
	outboxes [3 * console.OutboxSize]byte
	boxes    [abi.PageSize]byte
}

func init() { sendIPI = func(uint32, uint8) {} }
