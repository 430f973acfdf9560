package domain

import (
	"errors"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
)

// model is the builder's side of a CPU driver, as simple as can be: slots that
// hold objects, each a range, and tables that say what is mapped.
type model struct {
	t      *testing.T
	slots  map[capability.Reference]object
	memory map[uint64][]byte // of frames, by start
	ram    uint64            // start of the RAM
	calls  int
	fail   int // the call that is refused, counted from 1
	root   uint64
	tables map[uint64]map[uint64]mapped // by the table's start, then by entry
	setup  []uint64
	name   []uint64
}

type object struct {
	kind       capability.Type
	base, size uint64
}

// overlap reports whether two objects share an address, within whether a lies in
// b and is smaller.
func overlap(a, b object) bool {
	return a.base < b.base+b.size && b.base < a.base+a.size && b.kind != capability.Mapping
}

func within(a, b object) bool {
	return b.base <= a.base && a.base+a.size <= b.base+b.size && a.size < b.size
}

type mapped struct {
	base, prot uint64
}

var errRefused = capability.ErrBusy

// ref returns the reference to a slot of a CNode.
func (m *model) ref(cnode capability.Reference, index uint64) capability.Reference {
	if cnode == capability.Base(capability.SlotCSpace) {
		return capability.LevelOneReference(uint32(index))
	}
	switch o := m.slots[cnode]; {
	case cnode.Valid() && cnode&capability.LevelOne != 0:
		return capability.MakeReference(cnode.L1(), uint32(index))
	case o.kind == capability.L2CNode:
		return inObject(o.base, index)
	}
	return inDomain(uint32(index))
}

// inDomain stands for a slot of the new domain's L1 CNode, inObject for one of
// the L2 CNode at an address.
func inDomain(index uint32) capability.Reference {
	return 1<<30 | capability.Reference(index)<<capability.SlotBits
}

func inObject(base, index uint64) capability.Reference {
	return 1<<29 | capability.Reference(base-testRAM)<<4 | capability.Reference(index)
}

func (m *model) put(r capability.Reference, o object) capability.Error {
	if m.slots[r].kind != capability.Null {
		m.t.Errorf("%#x is filled twice", r)
		return capability.ErrOccupied
	}
	m.slots[r] = o
	return capability.OK
}

func (m *model) Invoke(word uint64, a *capability.Arguments) (uint64, capability.Error) {
	m.calls++
	if m.calls == m.fail {
		return 0, errRefused
	}
	r, i, err := capability.Unpack(word)
	if err != capability.OK {
		m.t.Fatalf("reference %#x", word)
	}
	o := m.slots[r]
	if err := capability.Check(o.kind, capability.AllRights, i, a); err != capability.OK {
		m.t.Fatalf("%s.%d of slot %#x: %v", o.kind, i, r, err)
	}
	switch o.kind {
	case capability.L1CNode, capability.L2CNode:
		switch i {
		case capability.L2CNodeCopy, capability.L2CNodeMint:
			return 0, m.put(m.ref(r, a[0]), m.slots[capability.Reference(a[1])])
		case capability.L2CNodeMove:
			moved := m.slots[capability.Reference(a[1])]
			delete(m.slots, capability.Reference(a[1]))
			return 0, m.put(m.ref(r, a[0]), moved)
		case capability.L2CNodeRetype:
			source, t := m.slots[capability.Reference(a[1])], capability.Type(a[2])
			if !t.MadeOf(source.kind) || !t.Fits(source.base+a[3], a[4]) || a[3]+a[4] > source.size {
				m.t.Fatalf("retype of %v to %s at %#x of %#x", source, t, a[3], a[4])
			}
			made := object{t, source.base + a[3], a[4]}
			for other, o := range m.slots {
				if overlap(made, o) && !within(made, o) {
					m.t.Fatalf("%s at %#x overlaps slot %#x", t, made.base, other)
				}
			}
			if err := m.put(m.ref(r, a[0]&(1<<32-1)), made); err != capability.OK {
				return 0, err
			}
			if t == capability.Frame {
				m.memory[made.base] = make([]byte, made.size)
				return 0, capability.ErrPending
			}
			return 0, capability.OK
		}
	case capability.PageTable1, capability.PageTable2, capability.PageTable3, capability.PageTable4:
		level := uint(o.kind-capability.PageTable1) + 1
		if m.tables[o.base] == nil {
			m.tables[o.base] = map[uint64]mapped{}
		}
		source := m.slots[capability.Reference(a[1])]
		first, count := a[0]&(1<<32-1), a[0]>>32
		if first+count > 512 || a[3]+count*span(level) > source.size && source.kind != types[max(level, 2)-1] {
			m.t.Fatalf("%d entries from %d of %v at %#x", count, first, source, a[3])
		}
		if (source.base+a[3])%span(level) != 0 && source.kind != types[max(level, 2)-1] {
			m.t.Fatalf("%v at %#x in a table of level %d", source, a[3], level)
		}
		for n := range count {
			if _, there := m.tables[o.base][first+n]; there {
				m.t.Fatalf("entry %d is mapped twice", first+n)
			}
			m.tables[o.base][first+n] = mapped{source.base + a[3] + n*span(level), a[4]}
		}
		return 0, m.put(capability.Reference(a[2]), object{kind: capability.Mapping, base: source.base, size: source.size})
	case capability.Dispatcher:
		switch i {
		case capability.DispatcherSetup:
			m.setup = append([]uint64(nil), a[:]...)
			m.root = m.slots[capability.Reference(a[1])].base
			return 0, capability.OK
		case capability.DispatcherSetName:
			m.name = append([]uint64(nil), a[:4]...)
			return 0, capability.OK
		}
	case capability.Frame:
		if i == capability.InvokeNop {
			if m.calls%3 != 0 {
				return 0, capability.ErrNotReady
			}
			return 0, capability.OK
		}
	}
	m.t.Fatalf("invocation %d of %s", i, o.kind)
	return 0, capability.ErrInvocation
}

func (m *model) Fill(frame capability.Reference, size uint64, fill func([]byte)) error {
	memory := m.memory[m.slots[frame].base]
	if uint64(len(memory)) != size {
		m.t.Fatalf("frame of %d bytes filled as if %d", len(memory), size)
	}
	fill(memory)
	return nil
}

// find returns where an address is mapped, and how.
func (m *model) find(address uint64) (uint64, uint64, bool) {
	t := m.root
	for level := uint(4); ; level-- {
		e, ok := m.tables[t][address/span(level)%512]
		if !ok {
			return 0, 0, false
		}
		if level == 1 || e.prot != 0 {
			return e.base + address%span(level), e.prot, true
		}
		t = e.base
	}
}

const (
	testRAM     = 64 << 20
	testArchive = 512 << 20
	testFrames  = 900 << 20
	mount       = 300
)

func testPlan() (*model, *Plan) {
	m := &model{slots: map[capability.Reference]object{}, memory: map[uint64][]byte{}, tables: map[uint64]map[uint64]mapped{}}
	ram, cspace := capability.MakeReference(2, 9), capability.Base(capability.SlotCSpace)
	m.slots[cspace] = object{capability.L1CNode, 1 << 20, 64 << 10}
	m.slots[ram] = object{capability.RAM, testRAM, 512 << 10}
	gift := func(slot uint32, t capability.Type, base, size uint64) Gift {
		r := capability.MakeReference(3, slot)
		m.slots[r] = object{t, base, size}
		return Gift{slot, r, capability.AllRights}
	}
	libos := make([]byte, 5*abi.PageSize+100)
	for i := range libos {
		libos[i] = byte(i/7 + 1)
	}
	channels := gift(capability.SlotChannels, capability.Frame, testFrames, abi.ChannelsSize)
	return m, &Plan{
		Name: "a program with a name that is too long to be kept", Info: []byte("info of the domain"), Libos: libos,
		Image: &Image{Entry: abi.LibosBase + 0x40, Segments: []Segment{
			{abi.LibosBase, 0, 2 * abi.PageSize, 2 * abi.PageSize, abi.ProtRead | abi.ProtExec},
			{abi.LibosBase + 2*abi.PageSize, 2 * abi.PageSize, abi.PageSize, abi.PageSize, abi.ProtRead},
			{abi.LibosBase + 3*abi.PageSize, 3 * abi.PageSize, 2*abi.PageSize + 100, 7 * abi.PageSize, abi.ProtRead | abi.ProtWrite},
		}},
		LibosOffset: 3 << 20, ArchiveSize: 6 << 20,
		RAM: ram, Base: testRAM, Size: 512 << 10, CSpace: cspace, Mount: mount,
		Gifts: []Gift{
			gift(capability.SlotDomain, capability.Domain, 7, 1),
			gift(capability.SlotSupervisor, capability.Doorbell, testFrames+1<<20, 256),
			gift(capability.SlotArchive, capability.Frame, testArchive, 6<<20),
			channels,
		},
		Devices: []Gift{
			gift(capability.MachineDevices, capability.PhysicalRange, 0xc000_0000, 1<<28),
			gift(capability.MachineDevices+20, capability.IOPorts, 0x22, 0x7e),
		},
		Frames: []Frame{{abi.StdioBase, channels.Source, 0, abi.ChannelsSize, abi.ProtRead | abi.ProtWrite}},
	}
}

func TestBuild(t *testing.T) {
	m, p := testPlan()
	m.t = t
	if err := Build(m, p); err != nil {
		t.Fatal(err)
	}
	own := func(slot uint32) object { return m.slots[capability.MakeReference(mount, slot)] }
	dispatcher := own(capability.SlotDispatcher)
	const rw, rx = abi.ProtRead | abi.ProtWrite, abi.ProtRead | abi.ProtExec
	for _, test := range []struct {
		name          string
		address, n    uint64
		to, prot      uint64 // to is 0 for the data frame
		after, before bool   // whether the pages around are mapped
	}{
		{"archive", abi.ArchiveBase, 6 << 20, testArchive, abi.ProtRead, false, false},
		{"dispatcher", abi.DispatcherBase, abi.DispatcherSize, dispatcher.base + 2*abi.PageSize, rw, false, false},
		{"channels", abi.StdioBase, abi.ChannelsSize, testFrames, rw, false, false},
		{"text", abi.LibosBase, 2 * abi.PageSize, testArchive + 3<<20, rx, true, false},
		{"rodata", abi.LibosBase + 2*abi.PageSize, abi.PageSize, testArchive + 3<<20 + 2*abi.PageSize, abi.ProtRead, true, true},
		{"data", abi.LibosBase + 3*abi.PageSize, 7 * abi.PageSize, 0, rw, false, true},
		{"info", abi.InfoBase, abi.PageSize, 0, abi.ProtRead, false, false},
	} {
		first, _, _ := m.find(test.address)
		if test.to == 0 {
			test.to = first
		}
		for off := uint64(0); off < test.n; off += abi.PageSize {
			if at, prot, ok := m.find(test.address + off); !ok || at != test.to+off || prot != test.prot {
				t.Fatalf("%s at %#x: mapped %v to %#x with %d", test.name, test.address+off, ok, at, prot)
			}
		}
		if _, _, ok := m.find(test.address + test.n); ok != test.after {
			t.Errorf("%s: mapped behind: %v", test.name, ok)
		}
		if _, _, ok := m.find(test.address - abi.PageSize); ok != test.before {
			t.Errorf("%s: mapped before: %v", test.name, ok)
		}
	}
	data, _, _ := m.find(abi.LibosBase + 3*abi.PageSize)
	memory := m.memory[data]
	if string(memory[:2*abi.PageSize+100]) != string(p.Libos[3*abi.PageSize:]) || memory[2*abi.PageSize+100] != 0 {
		t.Error("the libos's data is not what its file has")
	}
	if got := string(memory[7*abi.PageSize:][:len(p.Info)]); got != string(p.Info) {
		t.Errorf("Info is %q", got)
	}
	rest := own(capability.SlotMemory)
	if rest.kind != capability.RAM || rest.base+rest.size != testRAM+p.Size || rest.size < p.Size-p.Least() {
		t.Errorf("the rest is %+v, the plan needs %d", rest, p.Least())
	}
	devices := m.slots[inDomain(2)]
	for _, g := range p.Devices {
		if got := m.slots[inObject(devices.base, uint64(g.Slot))]; devices.kind != capability.L2CNode || got != m.slots[g.Source] {
			t.Errorf("slot %d of %+v holds %+v", g.Slot, devices, got)
		}
	}
	for slot := uint32(capability.SlotSpawned); slot < capability.SlotMemory; slot++ {
		if own(slot) == devices {
			t.Errorf("the CNode with devices is in slot %d, too", slot)
		}
	}
	if m.setup[0] != uint64(capability.MakeReference(mount, capability.SlotCSpace)) || m.setup[3] == 0 || m.setup[4] != p.Image.Entry {
		t.Errorf("set up with %#x", m.setup)
	}
	if m.name[0] != 'a'|' '<<8|'p'<<16|'r'<<24|'o'<<32|'g'<<40|'r'<<48|'a'<<56 || m.name[3]>>56 != 0 {
		t.Errorf("named %#x", m.name)
	}
}

// TestRefused has each invocation refused in turn: Build says so.
func TestRefused(t *testing.T) {
	for fail := 1; ; fail++ {
		m, p := testPlan()
		m.t, m.fail = t, fail
		err := Build(m, p)
		if m.calls < fail {
			if fail < 30 {
				t.Errorf("only %d invocations", fail)
			}
			return
		}
		if !errors.Is(err, errRefused) {
			t.Fatalf("invocation %d refused: %v", fail, err)
		}
	}
}

func TestBadPlans(t *testing.T) {
	for want, change := range map[string]func(*Plan){
		"not aligned":          func(p *Plan) { p.Base += abi.PageSize },
		"KiB of memory, needs": func(p *Plan) { p.Size = p.Least() - abi.PageSize },
		"Info has":             func(p *Plan) { p.Info = make([]byte, abi.InfoMax+1) },
		"not at slot 1":        func(p *Plan) { p.InPlace = true },
		"devices to give":      func(p *Plan) { p.InPlace, p.Mount = true, 1 },
	} {
		m, p := testPlan()
		m.t = t
		change(p)
		if err := Build(m, p); err == nil || !strings.Contains(err.Error(), want) || m.calls != 0 {
			t.Errorf("want %q: %v after %d invocations", want, err, m.calls)
		}
	}
	// What Least says is enough, wherever the data ends.
	for info := 1; info <= abi.InfoMax; info += 3 * abi.PageSize {
		m, p := testPlan()
		m.t = t
		p.Info = make([]byte, info)
		if info%2 == 0 {
			p.Devices = nil
		}
		p.Size = p.Least() + abi.PageSize
		m.slots[p.RAM] = object{capability.RAM, testRAM, p.Size}
		if err := Build(m, p); err != nil {
			t.Error(err)
		}
	}
}

// TestExchange: a domain that is given messages has its exchange where package
// capability says, and the builder too.
func TestExchange(t *testing.T) {
	m, p := testPlan()
	m.t = t
	p.Exchange = mount + 2
	if err := Build(m, p); err != nil {
		t.Fatal(err)
	}
	got := m.slots[inDomain(capability.Exchange(0).L1())]
	if own := m.slots[capability.LevelOneReference(p.Exchange)]; got != own || got.kind != capability.L2CNode || got.size != l2Size {
		t.Errorf("the domain has %+v, the builder %+v", got, own)
	}
	for fail := 1; ; fail++ {
		m, p := testPlan()
		m.t, m.fail, p.Exchange = t, fail, mount+2
		err := Build(m, p)
		if m.calls < fail {
			break
		}
		if !errors.Is(err, errRefused) {
			t.Fatalf("invocation %d refused: %v", fail, err)
		}
	}
	m, p = testPlan()
	m.t, p.InPlace, p.Mount, p.Devices, p.Exchange = t, true, 1, nil, 7
	if err := Build(m, p); err == nil || !strings.Contains(err.Error(), "has an exchange") {
		t.Errorf("an exchange in place: %v", err)
	}
}
