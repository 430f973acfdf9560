package amd64

// Performance counters (SDM 3B 20.2): architectural ones, of which CPUID leaf
// 0xa says how many there are and how wide.

const (
	msrCounter     = 0xc1  // IA32_PMC0
	msrEventSelect = 0x186 // IA32_PERFEVTSEL0
	msrCountersOn  = 0x38f // IA32_PERF_GLOBAL_CTRL, from version 2 on

	// What a user may choose of an event select register: event, unit mask,
	// user and system mode, edge, invert, counter mask; not interrupts, other
	// threads, or pins.
	eventSelectable = 0xff87_ffff
	eventEnable     = 1 << 22
)

// Counters says what performance counters this core has: how many, how wide in
// bits, and whether they must be enabled together too.
type Counters struct {
	Number, Width uint8
	global        bool
}

// FindCounters asks the processor for its performance counters.
func FindCounters() Counters {
	if most, _, _, _ := CPUID(0, 0); most < 0xa {
		return Counters{}
	}
	a, _, _, _ := CPUID(0xa, 0)
	return countersOf(a)
}

// countersOf reads register EAX of CPUID leaf 0xa.
func countersOf(a uint32) Counters {
	version := uint8(a)
	c := Counters{Number: uint8(a >> 8), Width: uint8(a >> 16), global: version >= 2}
	if version == 0 || c.Width == 0 || c.Width > 64 {
		return Counters{}
	}
	return c
}

// Select makes counter n, which must be there, count an event from 0 on, given
// as in its event select register. Event 0 stops it. No counter interrupts.
func (c Counters) Select(n uint32, event uint64) {
	WriteMSR(msrEventSelect+n, 0)
	WriteMSR(msrCounter+n, 0)
	if event == 0 {
		return
	}
	if c.global {
		WriteMSR(msrCountersOn, ReadMSR(msrCountersOn)|1<<n)
	}
	WriteMSR(msrEventSelect+n, eventSelect(event))
}

// eventSelect returns what the event select register is to hold.
func eventSelect(event uint64) uint64 { return event&eventSelectable | eventEnable }

// Read returns counter n, which must be there.
func (c Counters) Read(n uint32) uint64 {
	return ReadMSR(msrCounter+n) & (1<<c.Width - 1)
}
