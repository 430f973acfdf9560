package amd64

// The local interrupt controller (SDM 3A 11). It is driven through model-
// specific registers in x2APIC mode where the processor has it, else through
// its page of device memory.

// Interrupt vectors the kernel uses.
const (
	VectorTimer    = 0x40
	VectorDoorbell = 0x41 // another core has something for us
	VectorPanic    = 0x42 // another core's kernel has ended
	VectorLog      = 0x43 // another core's outbox holds lines for the console
	VectorSerial0  = 0x48 // COM1
	VectorSerial1  = 0x49 // COM2
	VectorSpurious = 0xff
)

const (
	msrAPICBase    = 0x1b
	msrTSCDeadline = 0x6e0
	msrX2APIC      = 0x800

	apicID       = 0x20
	apicEOI      = 0xb0
	apicSpurious = 0xf0
	apicICRLow   = 0x300
	apicICRHigh  = 0x310
	apicTimer    = 0x320
	apicLINT0    = 0x350
	apicLINT1    = 0x360
	apicError    = 0x370
	apicInitial  = 0x380
	apicCurrent  = 0x390
	apicDivide   = 0x3e0

	apicMasked       = 1 << 16
	apicDeadlineMode = 2 << 17
)

// apicAt is where the controller's page is mapped; unused in x2APIC mode.
var apicAt uintptr

func apicRead(r uintptr) uint32 {
	if CPU.X2APIC {
		return uint32(ReadMSR(msrX2APIC + uint32(r>>4)))
	}
	return Read32(apicAt + r)
}

func apicWrite(r uintptr, v uint32) {
	if CPU.X2APIC {
		WriteMSR(msrX2APIC+uint32(r>>4), uint64(v))
		return
	}
	Write32(apicAt+r, v)
}

// APICBase returns the physical address of the controller's page.
func APICBase() uintptr { return uintptr(ReadMSR(msrAPICBase) &^ 0xfff & (1<<52 - 1)) }

// SetupAPIC enables this core's interrupt controller, whose page is mapped at
// va, with every local source masked.
func SetupAPIC(va uintptr) {
	apicAt = va
	base := ReadMSR(msrAPICBase) | 1<<11
	WriteMSR(msrAPICBase, base)
	if CPU.X2APIC {
		WriteMSR(msrAPICBase, base|1<<10)
	}
	apicWrite(apicLINT0, apicMasked)
	apicWrite(apicLINT1, apicMasked)
	apicWrite(apicError, apicMasked)
	apicWrite(apicTimer, apicMasked|VectorTimer)
	apicWrite(apicDivide, 0xb) // divide by 1
	apicWrite(apicSpurious, 1<<8|VectorSpurious)
}

// APICID returns this core's interrupt controller number.
func APICID() uint32 {
	if CPU.X2APIC {
		return apicRead(apicID)
	}
	return apicRead(apicID) >> 24
}

// EOI ends the interrupt in service.
func EOI() { apicWrite(apicEOI, 0) }

// Interrupt commands (SDM 3A 11.6.1).
const (
	icrFixed   = 0 << 8
	icrINIT    = 5 << 8
	icrStartup = 6 << 8
	icrAssert  = 1 << 14
	icrPending = 1 << 12
)

func sendIPI(apic, command uint32) {
	if CPU.X2APIC {
		Fence() // writing this register waits for no write to memory (SDM 3A 11.12.3)
		WriteMSR(msrX2APIC+apicICRLow>>4, uint64(apic)<<32|uint64(command))
		return
	}
	// Delivery takes a bounded time; a controller that never accepts is
	// broken, and the command is given all the same.
	for i := 0; i < 100_000 && apicRead(apicICRLow)&icrPending != 0; i++ {
		Pause()
	}
	apicWrite(apicICRHigh, apic<<24)
	apicWrite(apicICRLow, command)
}

// SendIPI interrupts the core with the given controller number.
func SendIPI(apic uint32, vector uint8) {
	sendIPI(apic, icrFixed|icrAssert|uint32(vector))
}

// SendINIT resets the core with the given controller number.
func SendINIT(apic uint32) { sendIPI(apic, icrINIT|icrAssert) }

// SendStartup makes a core that was sent INIT start in real mode at the
// physical address page<<12.
func SendStartup(apic uint32, page uint8) { sendIPI(apic, icrStartup|icrAssert|uint32(page)) }

// Timer is the one-shot timer of this core.
type Timer struct {
	// Hz is the frequency of the time-stamp counter, TickHz that of the
	// interrupt controller's timer.
	Hz, TickHz uint64
	armed      uint64 // deadline in TSC ticks, 0 if none
}

// Setup prepares the timer; it is not armed.
func (t *Timer) Setup() {
	if CPU.TSCDeadline {
		apicWrite(apicTimer, apicDeadlineMode|VectorTimer)
		return
	}
	apicWrite(apicTimer, VectorTimer)
}

// Arm makes VectorTimer come when the time-stamp counter reaches deadline, or
// at once if it has; 0 disarms.
func (t *Timer) Arm(deadline uint64) {
	if deadline == t.armed {
		return
	}
	t.armed = deadline
	if CPU.TSCDeadline {
		WriteMSR(msrTSCDeadline, deadline)
		return
	}
	if deadline == 0 {
		apicWrite(apicInitial, 0)
		return
	}
	ticks := uint64(1)
	if now := TSC(); deadline > now {
		d := deadline - now
		ticks = 1 << 31 // further away than this: comes early, and is armed again
		if d < 1<<31*t.Hz/t.TickHz {
			ticks = d*t.TickHz/t.Hz + 1
		}
	}
	apicWrite(apicInitial, uint32(ticks))
}

// Fired tells the timer that its interrupt came.
func (t *Timer) Fired() { t.armed = 0 }
