package amd64

// Serial is a 16550 serial port (PC16550D datasheet) with buffers on both
// sides. Nothing waits for it: Write takes what fits, Pump moves what the
// device will take. It is freestanding.
type Serial struct {
	port           uint16
	enabled        uint8 // interrupts the device may raise
	used           bool  // whether interrupts are used at all
	out            [16 << 10]byte
	in             [4 << 10]byte
	outGet, outPut uint32 // free-running
	inGet, inPut   uint32
}

// Registers and bits.
const (
	serialData      = 0
	serialInterrupt = 1
	serialFIFO      = 2
	serialLine      = 3
	serialModem     = 4
	serialStatus    = 5

	statusData      = 1 << 0
	statusEmpty     = 1 << 5 // room in the FIFO
	statusIdle      = 1 << 6 // nothing on its way either
	interruptData   = 1
	interruptEmpty  = 2
	serialFIFODepth = 16
	// pumpBudget bounds the bytes moved by one Pump.
	pumpBudget = 512
	// drainPatience bounds the polls for a device that takes nothing.
	drainPatience = 1_000_000
)

// Setup programs the port at the given I/O address: 115,200 baud, 8 data
// bits, FIFOs on, interrupts off. It reports whether there is a port.
func (s *Serial) Setup(port uint16) bool {
	s.port = port
	Out(port+serialInterrupt, 0)
	Out(port+serialLine, 0x80)
	Out(port+serialData, 1)
	Out(port+serialInterrupt, 0)
	Out(port+serialLine, 3)
	Out(port+serialFIFO, 0xc7) // on, cleared, an interrupt at 14 bytes
	Out(port+serialModem, 0xb)
	return In(port+serialStatus) != 0xff
}

// EnableInterrupts makes the port interrupt when bytes come, and when it can
// take more while some are waiting.
func (s *Serial) EnableInterrupts() {
	s.used, s.enabled = true, interruptData
	Out(s.port+serialInterrupt, s.enabled)
}

// Room returns how many bytes Write would take.
func (s *Serial) Room() int { return len(s.out) - int(s.outPut-s.outGet) }

// Write queues as much of the n bytes at b as fits and returns how much that
// was.
func (s *Serial) Write(b []byte) int {
	n := min(len(b), s.Room())
	for i := range n {
		s.out[s.outPut%uint32(len(s.out))] = b[i]
		s.outPut++
	}
	return n
}

// Read takes bytes that came in.
func (s *Serial) Read(b []byte) int {
	n := 0
	for n < len(b) && s.inGet != s.inPut {
		b[n] = s.in[s.inGet%uint32(len(s.in))]
		s.inGet++
		n++
	}
	return n
}

// Waiting returns how many bytes Read would give.
func (s *Serial) Waiting() int { return int(s.inPut - s.inGet) }

// Pump moves bytes both ways, a bounded number; the device interrupts for what
// is left.
func (s *Serial) Pump() {
	for s.inPut-s.inGet < uint32(len(s.in)) && In(s.port+serialStatus)&statusData != 0 {
		s.in[s.inPut%uint32(len(s.in))] = In(s.port + serialData)
		s.inPut++
	}
	want := uint8(0)
	if s.inPut-s.inGet < uint32(len(s.in)) {
		want = interruptData // else the device holds the sender back
	}
	for sent := 0; s.outGet != s.outPut; {
		if In(s.port+serialStatus)&statusEmpty == 0 {
			want |= interruptEmpty
			break
		}
		if sent >= pumpBudget {
			want |= interruptEmpty // it comes at once: the rest is another event's
			break
		}
		for i := 0; i < serialFIFODepth && s.outGet != s.outPut; i++ {
			Out(s.port+serialData, s.out[s.outGet%uint32(len(s.out))])
			s.outGet++
			sent++
		}
	}
	s.enable(want)
}

// Listen lets the port interrupt for bytes again when there is room for them.
func (s *Serial) Listen() {
	if s.inPut-s.inGet < uint32(len(s.in)) {
		s.enable(s.enabled | interruptData)
	}
}

func (s *Serial) enable(interrupts uint8) {
	if s.used && interrupts != s.enabled {
		s.enabled = interrupts
		Out(s.port+serialInterrupt, interrupts)
	}
}

// Drain sends all that waits and lets the last byte leave the device, giving up
// when the device takes nothing for a long time. For a kernel's last words.
func (s *Serial) Drain() {
	for idle := 0; idle < drainPatience; idle++ {
		status := In(s.port + serialStatus)
		if s.outGet == s.outPut && status&statusIdle != 0 {
			return
		}
		if s.outGet != s.outPut && status&statusEmpty != 0 {
			Out(s.port+serialData, s.out[s.outGet%uint32(len(s.out))])
			s.outGet++
			idle = 0
		}
		Pause()
	}
}
