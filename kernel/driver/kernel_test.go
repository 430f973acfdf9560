package driver

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/console"
	"skerry/kernel/memory"
)

// kernelSlot holds the Kernel in newKernel's core.
const kernelSlot = 200

// newKernel makes a core with a domain that has a page at domainAt and the
// Kernel, on a machine of three cores, the second of which runs.
func newKernel(t *testing.T) *core {
	c := newCore(t, 10)
	c.newDomain(dom, 0, 0)
	c.create(c.at(ref(kernelSlot)), abicap.Kernel, 0, 1)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 4<<32, ref(dom+domFrame), ref(spare), 0, readWrite)
	c.must(ref(dom+domDispatcher), abicap.DispatcherRun)
	c.k.Machine.Cores = 3
	outboxes := make([]byte, 3*console.OutboxSize)
	kept = append(kept, outboxes)
	console.Attach(uintptr(unsafe.Pointer(&outboxes[0])), 0)
	console.Of(1).State = abi.CoreRunning
	return c
}

// asks makes an invocation of the Kernel by the domain.
func (c *core) asks(i abicap.Invocation, a ...uint64) (uint64, abi.Error) {
	return c.invokes(c.dcb(dom), ref(kernelSlot), i, a...)
}

// read reads what an invocation has written to the domain's page.
func read[T any](c *core, at uint64) (v T) {
	c.t.Helper()
	if err := c.copyIn(c.dcb(dom), uintptr(at), bytesOf(&v)); err != abi.OK {
		c.t.Fatal(err)
	}
	return v
}

// TestKernel asks what the Kernel answers about the machine.
func TestKernel(t *testing.T) {
	c := newKernel(t)
	m := &c.k.Machine
	m.CommandLineLength = uint32(copy(m.CommandLine[:], "panic=9:9 more"))
	copy(c.k.Memory.Distance[:], []uint8{10, 20, 31})
	for name, test := range map[string]struct {
		i     abicap.Invocation
		a     []uint64
		value uint64
		want  abi.Error
	}{
		"own distance":          {abicap.KernelDistance, []uint64{0}, 10, abi.OK},
		"distance":              {abicap.KernelDistance, []uint64{2}, 31, abi.OK},
		"distance of nobody":    {abicap.KernelDistance, []uint64{3}, 0, abicap.ErrNotFound},
		"far distance":          {abicap.KernelDistance, []uint64{1 << 63}, 0, abicap.ErrNotFound},
		"state":                 {abicap.KernelState, []uint64{1}, abi.CoreRunning, abi.OK},
		"state of an absent":    {abicap.KernelState, []uint64{2}, abi.CoreAbsent, abi.OK},
		"state of nobody":       {abicap.KernelState, []uint64{3}, 0, abicap.ErrNotFound},
		"command line":          {abicap.KernelCommandLine, []uint64{domainAt, 5}, 14, abi.OK},
		"command line nowhere":  {abicap.KernelCommandLine, []uint64{4096, 5}, 14, abi.ErrFault},
		"long line":             {abicap.KernelLog, []uint64{domainAt, 257}, 0, abi.ErrTooBig},
		"line from nowhere":     {abicap.KernelLog, []uint64{4096, 8}, 0, abi.ErrFault},
		"line":                  {abicap.KernelLog, []uint64{domainAt, 8}, 8, abi.OK},
		"notice to an absent":   {abicap.KernelNotify, []uint64{2}, 0, abicap.ErrNotFound},
		"notice to nobody":      {abicap.KernelNotify, []uint64{1<<32 + 1}, 0, abicap.ErrNotFound},
		"no port":               {abicap.KernelPortWrite, []uint64{2, domainAt, 1}, 0, abicap.ErrNotFound},
		"no port to read":       {abicap.KernelPortRead, []uint64{1 << 40, domainAt, 1}, 0, abicap.ErrNotFound},
		"too much for a line":   {abicap.KernelPortWrite, []uint64{abi.PortConsole, domainAt, 2049}, 0, abi.ErrTooBig},
		"neither off nor reset": {abicap.KernelPower, []uint64{2, 0}, 0, abi.ErrArgument},
		"nothing to reclaim":    {abicap.KernelReclaim, []uint64{ref(spare2)}, 0, abicap.ErrEmpty},
		"reclaim to nowhere":    {abicap.KernelReclaim, []uint64{0}, 0, abicap.ErrReference},
		"reclaim to a full":     {abicap.KernelReclaim, []uint64{ref(ram)}, 0, abicap.ErrOccupied},
		"relations of nothing":  {abicap.KernelRelations, []uint64{ref(spare2), 1, 0}, 0, abicap.ErrEmpty},
		"relations to nobody":   {abicap.KernelRelations, []uint64{ref(ram), 3, 0}, 0, abi.ErrArgument},
		"wild relations":        {abicap.KernelRelations, []uint64{ref(ram), 1, 1 << 40}, 0, abi.ErrArgument},
		"relations":             {abicap.KernelRelations, []uint64{ref(devices), 1, uint64(abicap.RemoteCopies)}, 0, abi.OK},
		"no dispatcher":         {abicap.KernelDispatcher, []uint64{1 << 31, domainAt}, 0, abicap.ErrNotFound},
		"dispatcher to nowhere": {abicap.KernelDispatcher, []uint64{0, 4096}, 0, abi.ErrFault},
		"census to nowhere":     {abicap.KernelNext, []uint64{4096}, 0, abi.ErrFault},
		"information nowhere":   {abicap.KernelInformation, []uint64{4096}, 0, abi.ErrFault},
	} {
		value, err := c.asks(test.i, test.a...)
		if err != test.want || err == abi.OK && value != test.value {
			t.Errorf("%s: %d, %v, want %d, %v", name, value, err, test.value, test.want)
		}
	}
	if got := read[[6]byte](c, domainAt); string(got[:]) != "panic\x00" {
		t.Errorf("command line %q", got)
	}
	if d := c.cap.Identify(c.at(ref(devices))); d.Owner != 1 || d.Relations != abicap.RemoteCopies {
		t.Errorf("relations are not what was said: %+v", d)
	}
	if _, err := c.asks(abicap.KernelDispatcher, 0, domainAt); err != abi.OK {
		t.Fatal(err)
	}
	if i := read[abi.DomainInfo](c, domainAt); i.Domain != dom+1 || i.State != abi.DomainReady {
		t.Errorf("%+v", i)
	}
	// A line of the log cannot pass for two, or for the kernel's.
	dirty := []byte("a\nskerry: panic\x1b[0m")
	if err := c.copyOut(c.dcb(dom), domainAt, dirty); err != abi.OK {
		t.Fatal(err)
	}
	lines := console.Lines
	if _, err := c.asks(abicap.KernelLog, domainAt, uint64(len(dirty))); err != abi.OK || console.Lines != lines+1 {
		t.Errorf("%v, %d lines", err, console.Lines-lines)
	}
}

// TestSerialOfOthers asks for serial ports on a core that has none.
func TestSerialOfOthers(t *testing.T) {
	c := newKernel(t)
	c.k.Machine.Core = 1
	for _, port := range []uint64{abi.PortConsole, abi.PortLink} {
		if _, err := c.asks(abicap.KernelPortRead, port, domainAt, 1); err != abicap.ErrNotFound {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

// census lists all objects as a user does.
func (c *core) census() (all []abicap.Description) {
	c.t.Helper()
	at := abicap.Description{}
	for {
		if err := c.copyOut(c.dcb(dom), domainAt, bytesOf(&at)); err != abi.OK {
			c.t.Fatal(err)
		}
		n, err := c.asks(abicap.KernelNext, domainAt)
		if err != abi.OK {
			c.t.Fatal(err)
		}
		if n == 0 {
			return all
		}
		got := read[[abicap.CensusMax]abicap.Description](c, domainAt)
		all = append(all, got[:n]...)
		at = got[n-1]
	}
}

// outermost counts the pages of RAM that capabilities of this core name.
func (c *core) outermost() (pages uint64) {
	end := uint64(0)
	for _, d := range c.census() {
		if d.Type == abicap.RAM && d.Base >= end && d.Owner == c.k.Machine.Core {
			pages, end = pages+d.Size/abi.PageSize, d.Base+d.Size
		}
	}
	return pages
}

// TestLoans lends memory and takes it back, borrows and gives back, at random,
// and holds the kernel's window, its account and its answers against a model.
func TestLoans(t *testing.T) {
	const unit, units = loanUnit, 8
	c := newKernel(t)
	// Behind the core's own memory begins the memory of others.
	const others = corePhys + 64<<20
	c.k.Memory.RAM[0] = memory.Extent{Base: corePhys, End: others + units*unit}
	c.k.Memory.NumRAM = 1
	c.k.Memory.Owned = c.outermost() + c.kernelPages()
	owned := c.k.Memory.Owned
	const own, borrowed = 150, 170 // slots by unit
	const ownUnits = 2
	for i := range uint32(ownUnits) {
		c.make(own+i, 1, ram, abicap.RAM, uint64(2+i)*unit, unit)
	}
	var lent [ownUnits]bool
	var adopted [units]bool
	check := func(what string) {
		t.Helper()
		want := owned
		for i, is := range lent {
			if is {
				want -= unit / abi.PageSize
			}
			for _, at := range []memory.Phys{0, unit / 2, unit - abi.PageSize} {
				if c.owns(ramAt+memory.Phys(2+i)*unit+at) == is {
					t.Fatalf("%s: own unit %d at %#x lent: %v", what, i, at, is)
				}
			}
		}
		for i, is := range adopted {
			if is {
				want += unit / abi.PageSize
			}
			if c.owns(others+memory.Phys(i)*unit) != is || c.owns(others+memory.Phys(i+1)*unit-1) != is {
				t.Fatalf("%s: unit %d borrowed: %v", what, i, is)
			}
		}
		if c.k.Memory.Owned != want {
			t.Fatalf("%s: %d pages owned, want %d", what, c.k.Memory.Owned, want)
		}
	}
	r := rand.New(rand.NewPCG(3, 3))
	for range 400 {
		i := uint64(r.IntN(units))
		switch r.IntN(4) {
		case 0, 1:
			i %= ownUnits
			lend := r.IntN(2) == 0
			ask, a, want := abicap.KernelRegain, []uint64{ref(own + uint32(i))}, abicap.ErrState
			if lend {
				ask, a, want = abicap.KernelLend, append(a, 1), abicap.ErrRemote
			}
			if lend != lent[i] {
				want = abi.OK
			}
			if _, err := c.asks(ask, a...); err != want {
				t.Fatalf("lend %v, lent %v: %v, want %v", lend, lent[i], err, want)
			}
			lent[i] = lend
			check("lent")
		case 2:
			n := 1 + uint64(r.IntN(2))
			want := abi.OK
			for j := i; j < i+n; j++ {
				if j == units {
					want = abicap.ErrRange
					break
				}
				if adopted[j] {
					want = abicap.ErrInUse
				}
			}
			_, err := c.asks(abicap.KernelAdopt, ref(borrowed+uint32(i)), others+i*unit, n*unit)
			if want == abi.OK {
				adopted[i] = true
				if n == 2 {
					adopted[i+1] = true
				}
			}
			if err != want {
				t.Fatalf("borrow %d units from %d on: %v, want %v", n, i, err, want)
			}
			check("borrowed")
		case 3:
			want := abicap.ErrEmpty
			slot := c.at(ref(borrowed + uint32(i)))
			if c.cap.TypeOf(slot) == abicap.RAM {
				want = abi.OK
				for n := range c.cap.SizeOf(slot) / unit {
					adopted[i+n] = false
				}
			}
			if _, err := c.asks(abicap.KernelRelease, ref(borrowed+uint32(i))); err != want {
				t.Fatalf("give back from %d on: %v, want %v", i, err, want)
			}
			check("given back")
		}
	}
	for i := range lent {
		if lent[i] {
			if _, err := c.asks(abicap.KernelRegain, ref(own+uint32(i))); err != abi.OK {
				t.Fatal(err)
			}
		}
	}
	if _, err := c.asks(abicap.KernelInformation, domainAt); err != abi.OK {
		t.Fatal(err)
	}
	if i := read[abi.CoreInfo](c, domainAt); i.TotalPages != i.KernelPages+c.outermost() || i.KernelSpare > i.KernelPages {
		t.Errorf("%d pages: the kernel's %d, in capabilities %d", i.TotalPages, i.KernelPages, c.outermost())
	}
}

// TestLoansRefused asks for loans that cannot be.
func TestLoansRefused(t *testing.T) {
	c := newKernel(t)
	const others = corePhys + 64<<20
	c.k.Memory.RAM[0] = memory.Extent{Base: corePhys, End: others + 1<<30}
	c.k.Memory.NumRAM = 1
	c.make(150, 1, ram, abicap.RAM, 4<<20, 2<<20)
	c.make(151, 1, ram, abicap.RAM, 6<<20, 1<<20)
	c.make(152, 1, 150, abicap.Frame, 0, abi.PageSize)
	for name, test := range map[string]struct {
		i    abicap.Invocation
		a    []uint64
		want abi.Error
	}{
		"RAM in use":              {abicap.KernelLend, []uint64{ref(150), 1}, abicap.ErrInUse},
		"a small piece":           {abicap.KernelLend, []uint64{ref(151), 1}, abicap.ErrRange},
		"to the core itself":      {abicap.KernelLend, []uint64{ref(150), 0}, abicap.ErrInUse},
		"to nobody":               {abicap.KernelLend, []uint64{ref(150), 3}, abicap.ErrNotFound},
		"what is no RAM":          {abicap.KernelLend, []uint64{ref(devices), 1}, abicap.ErrType},
		"nothing":                 {abicap.KernelLend, []uint64{ref(spare2), 1}, abicap.ErrEmpty},
		"own memory":              {abicap.KernelAdopt, []uint64{ref(spare2), ramAt + 4<<20, 2 << 20}, abicap.ErrInUse},
		"what is not the machine": {abicap.KernelAdopt, []uint64{ref(spare2), others + 1<<30, 2 << 20}, abicap.ErrRange},
		"across its end":          {abicap.KernelAdopt, []uint64{ref(spare2), others + 1<<30 - 2<<20, 4 << 20}, abicap.ErrRange},
		"no memory":               {abicap.KernelAdopt, []uint64{ref(spare2), others, 0}, abicap.ErrRange},
		"a part of a unit":        {abicap.KernelAdopt, []uint64{ref(spare2), others, 1 << 20}, abicap.ErrRange},
		"from inside of a unit":   {abicap.KernelAdopt, []uint64{ref(spare2), others + abi.PageSize, 2 << 20}, abicap.ErrRange},
		"too much at a time":      {abicap.KernelAdopt, []uint64{ref(spare2), others, maxLoan + 2<<20}, abi.ErrTooBig},
		"into a full slot":        {abicap.KernelAdopt, []uint64{ref(ram), others, 2 << 20}, abicap.ErrOccupied},
		"what was not borrowed":   {abicap.KernelRelease, []uint64{ref(150)}, abicap.ErrInUse},
		"what was not lent":       {abicap.KernelRegain, []uint64{ref(150)}, abicap.ErrState},
	} {
		before := c.k.Memory.Owned
		if _, err := c.asks(test.i, test.a...); err != test.want || c.k.Memory.Owned != before {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if c.owns(others) || !c.owns(ramAt+4<<20) {
		t.Error("a loan that was refused had an effect")
	}
}

// TestCensus lists the objects of a core, more than one invocation gives.
func TestCensus(t *testing.T) {
	c := newKernel(t)
	for i := range uint32(20) {
		c.make(150+i, 1, ram, abicap.Frame, 8<<20+uint64(i)*abi.PageSize, abi.PageSize)
	}
	got := map[abicap.Description]int{}
	last := ""
	for _, d := range c.census() {
		got[d]++
		if d.Type == abicap.Mapping {
			t.Errorf("mapping %+v", d)
		}
		last = d.Type.String()
	}
	for i := range uint32(20) {
		if d := c.cap.Identify(c.at(ref(150 + i))); got[d] != 1 {
			t.Errorf("%+v is there %d times", d, got[d])
		}
	}
	if d := c.cap.Identify(c.at(ref(domains))); got[d] != 1 || last != "Domain" {
		t.Errorf("domain numbers are there %d times, last is a %s", got[d], last)
	}
}
