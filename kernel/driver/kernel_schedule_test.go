package driver

import (
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/schedule"
)

// TestWeight changes a dispatcher's weight, and refuses to.
func TestWeight(t *testing.T) {
	c := newKernel(t)
	c.make(190, 1, ram, abicap.Dispatcher, 1<<20, 32<<10)
	c.must(ref(base), abicap.L2CNodeMint, 191, ref(dom+domDispatcher), uint64(abicap.RightRead))
	e := &c.dcb(dom).Entry
	for name, test := range map[string]struct {
		dispatcher, weight uint64
		want               abi.Error
	}{
		"least":             {ref(dom + domDispatcher), 1, abi.OK},
		"most":              {ref(dom + domDispatcher), 10_000, abi.OK},
		"none":              {ref(dom + domDispatcher), 0, abi.ErrArgument},
		"too much":          {ref(dom + domDispatcher), 10_001, abi.ErrArgument},
		"far too much":      {ref(dom + domDispatcher), 1<<63 + 1, abi.ErrArgument},
		"not set up":        {ref(190), 100, abi.ErrState},
		"no dispatcher":     {ref(dom + domEndpoint), 100, abicap.ErrType},
		"no right":          {ref(191), 100, abicap.ErrRights},
		"nothing":           {ref(spare2), 100, abicap.ErrEmpty},
		"no right reserved": {0, 100, abicap.ErrReference},
	} {
		before := e.Weight()
		_, err := c.asks(abicap.KernelWeight, test.dispatcher, test.weight)
		want := before
		if test.want == abi.OK {
			want = int(test.weight)
		}
		if err != test.want || e.Weight() != want {
			t.Errorf("%s: %v, weight %d", name, err, e.Weight())
		}
	}
	c.sound()
}

// TestReserve reserves time, and refuses to.
func TestReserve(t *testing.T) {
	c := newKernel(t)
	d := ref(dom + domDispatcher)
	b := c.dcb(dom)
	const ms = 1_000_000
	for name, test := range map[string]struct {
		a    [3]uint64 // period, budget, deadline
		want abi.Error
	}{
		"tiny":        {[3]uint64{10 * ms, 49_999, 10 * ms}, abi.ErrArgument},
		"late":        {[3]uint64{10 * ms, 5 * ms, 11 * ms}, abi.ErrArgument},
		"tight":       {[3]uint64{10 * ms, 5 * ms, 4 * ms}, abi.ErrArgument},
		"rare":        {[3]uint64{1001 * ms, 5 * ms, 10 * ms}, abi.ErrArgument},
		"wild":        {[3]uint64{1 << 63, 1<<63 + 5*ms, 1 << 63}, abi.ErrArgument},
		"no period":   {[3]uint64{0, 5 * ms, 10 * ms}, abi.ErrArgument},
		"all of it":   {[3]uint64{10 * ms, 10 * ms, 10 * ms}, abicap.ErrOverload},
		"by deadline": {[3]uint64{10 * ms, 2 * ms, 2 * ms}, abicap.ErrOverload},
	} {
		left, err := c.asks(abicap.KernelReserve, d, test.a[0], test.a[1], test.a[2])
		if err != test.want || left != schedule.Bound {
			t.Errorf("%s: %v, %d left", name, err, left)
		}
		if _, ok := b.Entry.Reservation(); ok {
			t.Errorf("%s: it has it", name)
		}
	}
	want := schedule.Reservation{Period: 10 * ms, Budget: 6 * ms, Deadline: 8 * ms}
	if left, err := c.asks(abicap.KernelReserve, d, 10*ms, 6*ms, 8*ms); err != abi.OK || left != schedule.Bound {
		t.Fatalf("%v, %d left", err, left)
	}
	if got, _ := b.Entry.Reservation(); got != want {
		t.Errorf("it has %+v", got)
	}
	if _, err := c.asks(abicap.KernelDispatcher, 0, domainAt); err != abi.OK {
		t.Fatal(err)
	}
	if i := read[abi.DomainInfo](c, domainAt); i.Period != want.Period || i.Budget != want.Budget || i.Deadline != want.Deadline || i.Weight != schedule.NormalWeight {
		t.Errorf("%+v", i)
	}
	other := c.newDomain(210, domainSize, 0)
	if left, err := c.asks(abicap.KernelReserve, ref(210), 10*ms, 2*ms, 10*ms); err != abicap.ErrOverload || left != schedule.Bound-750_000 {
		t.Errorf("the rest: %v, %d left", err, left)
	}
	if left, err := c.asks(abicap.KernelReserve, d, 0, 0, 0); err != abi.OK || left > schedule.Bound {
		t.Errorf("ending it: %v, %d left", err, left)
	}
	if _, ok := b.Entry.Reservation(); ok || other.Entry.Weight() != schedule.NormalWeight {
		t.Error("it still has it")
	}
	c.sound()
}

// TestAllDispatchers lists the dispatchers of a core, of which two are of one
// domain, and asks for their numbers.
func TestAllDispatchers(t *testing.T) {
	c := newKernel(t)
	b := c.dcb(dom)
	const second = 210
	other := c.newDomain(second, domainSize, 0)
	c.make(second+domFree, 1, ram, abicap.Dispatcher, 1<<20, 32<<10)
	c.want(abi.ErrState, ref(second+domFree), abicap.DispatcherNumber)
	c.must(ref(second+domFree), abicap.DispatcherSetup, ref(cspace), ref(dom+domSpace), ref(dom+domNumber), 0, entryPoint)
	b.Counts.Traps, other.Counts.Sent = 5, 6
	var list []abi.DomainInfo
	for from := uint64(0); ; {
		_, err := c.asks(abicap.KernelDispatcher, from, domainAt)
		if err == abicap.ErrNotFound {
			break
		}
		if err != abi.OK || len(list) > 3 {
			t.Fatalf("%v after %d", err, len(list))
		}
		i := read[abi.DomainInfo](c, domainAt)
		list = append(list, i)
		from = uint64(i.Domain) | uint64(i.Number+1)<<32
	}
	if len(list) != 3 || list[0].Domain != dom+1 || list[1].Domain != dom+1 || list[2].Domain != second+1 {
		t.Fatalf("%+v", list)
	}
	for i, slot := range []uint32{dom, second + domFree, second} {
		n, err := c.invokes(b, ref(slot+domDispatcher), abicap.DispatcherNumber)
		if err != abi.OK || n != uint64(list[i].Number) || c.k.Numbered(n) != c.dcb(slot) {
			t.Errorf("number %d, %v; the list says %d", n, err, list[i].Number)
		}
	}
	if list[0].Counts.Traps != 5 || list[0].Counts.NativeCalls == 0 || list[2].Counts.Sent != 6 || !list[2].Disabled || list[2].State != abi.DomainNew {
		t.Errorf("%+v", list)
	}
	// A number stays while others come and go.
	n, _ := other.Number()
	c.deletes(ref(base), abicap.L2CNodeDelete, dom+domDispatcher)
	if m, ok := other.Number(); !ok || m != n || c.k.Numbered(0) != nil {
		t.Errorf("%d became %d", n, m)
	}
	c.sound()
}
