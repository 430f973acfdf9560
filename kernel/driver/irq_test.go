package driver

import (
	"testing"
	"unsafe"

	abicap "skerry/abi/capability"
	"skerry/kernel/kcb"
)

// TestInterrupts lets an interrupt source reach a domain: connected, bound,
// silent after each interrupt until it is acknowledged, and forgotten with what
// it was bound to.
func TestInterrupts(t *testing.T) {
	c := newCore(t, 4)
	c.newDomain(dom, 0, 0)
	b := c.dcb(dom)
	registers := new([8]uint32)
	x := &c.k.Interrupts
	x.Controllers[0] = kcb.Controller{At: uintptr(unsafe.Pointer(registers)), First: 0, Lines: 24}
	x.NumControllers = 1
	x.Sources[17] = kcb.Source{Level: true, Low: true}
	masked := func() bool { return registers[4]>>16&1 == 1 } // of the line touched last
	const sources, vectors = 200, 201
	c.create(c.at(ref(sources)), abicap.IRQSource, 0, 300)
	c.create(c.at(ref(vectors)), abicap.IRQDestination, userVectors, userVectorsEnd-userVectors)
	for i, n := range []uint64{17, 20, 100} { // the last is no controller's
		c.make(210+uint32(i), 1, sources, abicap.IRQSource, n, 1)
	}
	c.make(220, 2, vectors, abicap.IRQDestination, 3, 1)
	line, other, none, vector, vector2 := ref(210), ref(211), ref(212), ref(220), ref(221)
	const at = userVectors + 3

	c.want(abicap.ErrRange, ref(sources), abicap.IRQSourceConnect, vector)
	c.want(abicap.ErrRange, line, abicap.IRQSourceConnect, ref(vectors))
	c.want(abicap.ErrType, line, abicap.IRQSourceConnect, ref(ram))
	c.want(abicap.ErrNotFound, none, abicap.IRQSourceConnect, vector)
	c.want(abicap.ErrState, line, abicap.IRQSourceAcknowledge)
	c.want(abicap.ErrRange, ref(vectors), abicap.IRQDestinationBind, ref(dom+domEndpoint))
	c.want(abicap.ErrType, vector, abicap.IRQDestinationBind, ref(dom+domDispatcher))

	c.must(line, abicap.IRQSourceConnect, vector)
	if registers[0] != 0x10+2*17 || registers[4] != at|1<<15|1<<13 {
		t.Fatalf("register %#x of the controller is %#x", registers[0], registers[4])
	}
	c.want(abicap.ErrInUse, other, abicap.IRQSourceConnect, vector)
	c.interruptVector(at)
	if !masked() || b.Counts.Notified != 0 {
		t.Fatalf("an interrupt for nobody: masked %v, %d notified", masked(), b.Counts.Notified)
	}
	c.must(vector, abicap.IRQDestinationBind, ref(dom+domEndpoint))
	for n := range uint64(3) {
		c.must(line, abicap.IRQSourceAcknowledge)
		if masked() {
			t.Fatal("acknowledged, and still silent")
		}
		c.interruptVector(at)
		if !masked() || b.Counts.Notified != n+1 || b.Page().HasWork == 0 {
			t.Fatalf("after interrupt %d: masked %v, %d notified", n+1, masked(), b.Counts.Notified)
		}
	}

	// Routed elsewhere, the vector is free for another.
	c.must(line, abicap.IRQSourceConnect, vector2)
	c.must(other, abicap.IRQSourceConnect, vector)
	c.interruptVector(at + 1)
	if b.Counts.Notified != 3 || registers[0] != 0x10+2*17 {
		t.Fatalf("the vector it was routed to notified somebody, or its line was not silenced")
	}
	// With its last capability a source is silenced, with its last a vector is
	// nobody's, with an endpoint its vectors are.
	c.must(other, abicap.IRQSourceAcknowledge)
	c.must(ref(base), abicap.L2CNodeDelete, 211)
	c.finish()
	if registers[0] != 0x10+2*20 || !masked() || x.Vectors[at].Connected || x.Sources[20].Vector != 0 {
		t.Error("a source without capability is not silent")
	}
	c.must(ref(base), abicap.L2CNodeDelete, 221)
	c.finish()
	if x.Vectors[at+1].Connected || x.Sources[17].Vector != 0 || registers[0] != 0x10+2*17 || !masked() {
		t.Error("a vector without capability is connected")
	}
	if x.Vectors[at].Endpoint == 0 {
		t.Fatal("the endpoint was forgotten too early")
	}
	c.deletes(ref(base), abicap.L2CNodeRevoke, dom+domDispatcher)
	c.finish()
	if x.Vectors[at].Endpoint != 0 {
		t.Error("an endpoint that has ended is notified")
	}
	c.interruptVector(at)
	if b.Counts.Notified != 3 {
		t.Error("an interrupt reached who is not bound any longer")
	}
	// What the kernel uses itself stays as it is.
	x.Sources[4] = kcb.Source{Kernel: true, Vector: 0x48}
	if c.sourceEnded(4, 1); x.Sources[4].Vector != 0x48 {
		t.Error("the kernel's own source was taken from it")
	}
}

// TestPortRanges checks which I/O ports a capability reaches.
func TestPortRanges(t *testing.T) {
	c := newCore(t, 4)
	c.create(c.at(ref(200)), abicap.IOPorts, 0xfff0, 0x10)
	for _, test := range []struct {
		offset, width uint64
		want          abicap.Error
		port          uint16
	}{
		{0, 1, abicap.OK, 0xfff0}, {15, 1, abicap.OK, 0xffff}, {14, 2, abicap.OK, 0xfffe}, {12, 4, abicap.OK, 0xfffc},
		{16, 1, abicap.ErrRange, 0}, {15, 2, abicap.ErrRange, 0}, {13, 4, abicap.ErrRange, 0}, {1<<52 - 1, 4, abicap.ErrRange, 0},
		{0, 0, abicap.ErrArgument, 0}, {0, 3, abicap.ErrArgument, 0}, {0, 8, abicap.ErrArgument, 0},
	} {
		if port, err := c.portAt(c.at(ref(200)), test.offset, test.width); err != test.want || port != test.port {
			t.Errorf("%d bytes at %d: port %#x, %v", test.width, test.offset, port, err)
		}
	}
}

// TestCounterRange checks which counters a capability names.
func TestCounterRange(t *testing.T) {
	c := newCore(t, 4)
	c.create(c.at(ref(200)), abicap.PerformanceCounter, 2, 3)
	for offset, want := range []abicap.Error{abicap.OK, abicap.OK, abicap.OK, abicap.ErrRange} {
		if n, err := c.counterAt(c.at(ref(200)), uint64(offset)); err != want || err == abicap.OK && n != uint32(2+offset) {
			t.Errorf("counter %d: %d, %v", offset, n, err)
		}
	}
}
