// Package agenttest is a CPU driver made of memory, for tests of what runs
// above one: its domains are Go functions that hold the program's side of the
// channels. It panics when it is asked for what would break the real one's rules,
// or would give memory to two.
//
// Tests of the monitor import it, nothing else.
package agenttest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
	"skerry/lib/urpc"
	"skerry/service/memory"
	"skerry/service/monitor/agent"
)

// RAM is how much a core has beside its kernel, in bytes.
const RAM = 128 << 20

// kernelSize is how much the kernel has.
const kernelSize = 4 << 20

// Kernel implements agent.Kernel.
type Kernel struct {
	Core uint32
	// Programs are what can be run, by path.
	Programs map[string]func(*Domain)
	// Rung counts the domains' doorbells.
	Rung map[uint32]int
	// Yielded are the domains that were given the core.
	Yielded []uint32
	// Orphans is RAM that can be reclaimed.
	Orphans []memory.Root
	// Slow is how many Steps it takes to destroy a piece.
	Slow int
	// Hesitant is how often a piece is not made yet.
	Hesitant int
	// Machine is the kernels of all cores by number, for domains with several
	// dispatchers. Lost says that this one has ended: nothing checks it any more.
	Machine []*Kernel
	Lost    bool
	// Full makes no domain but one that is built already be connected.
	Full bool
	// Unreserved is how much of the core can be reserved, in millionths.
	Unreserved uint64
	// Free is what the monitor's own libos has left, and Sustained what it got.
	Free, Sustained uint64

	pieces   map[capability.Reference]*piece
	next     capability.Reference
	built    []*Domain            // not forgotten
	channels map[uintptr][]uint64 // their memory, known by address only
	lent     []capability.Description
	borrowed map[capability.Reference]capability.Description
	rung     bool // the monitor's doorbell
	// hesitated says that the monitor is to be notified when a piece can be made.
	hesitated bool

	// SlowFrames and SlowExpel are how often it takes longer to drop a frame, and to expel
	// what is imported.
	SlowFrames, SlowExpel int

	frames    map[capability.Reference]*frame
	own       map[capability.Reference]*Slot // that the monitor took from programs
	removed   map[capability.Reference]bool  // of these, slots that are empty now
	exchanges map[uint32]map[uint32]*Slot    // by slot of the monitor's
	unmapped  [][]uint64
	shared    map[uint32]uint32
}

// piece is a capability to a block.
type piece struct {
	agent.Piece
	dying bool
	left  int // Steps until it is gone
	in    map[*Domain]bool
}

// New returns a kernel for a core.
func New(core uint32, programs map[string]func(*Domain)) *Kernel {
	return &Kernel{
		Core: core, Programs: programs, Rung: make(map[uint32]int), Free: 64 << 20,
		pieces: make(map[capability.Reference]*piece), next: domains,
		channels: make(map[uintptr][]uint64), borrowed: make(map[capability.Reference]capability.Description),
		frames: make(map[capability.Reference]*frame), own: make(map[capability.Reference]*Slot), removed: make(map[capability.Reference]bool), exchanges: make(map[uint32]map[uint32]*Slot),
		shared: make(map[uint32]uint32), Unreserved: 900_000,
	}
}

// domains is the end of the references that go by a domain's number: from there on they are
// given one after the other.
const domains capability.Reference = 1 << 30

// root is the reference of the core's RAM.
const root capability.Reference = 1

// base is the address of the core's RAM.
func (k *Kernel) base() uint64 { return uint64(k.Core+1) << 30 }

// Pool returns a pool with all RAM of the core.
func (k *Kernel) Pool() *memory.Pool {
	p := memory.New(0)
	p.Add(memory.Root{Reference: root, Base: k.base(), Size: RAM})
	return p
}

// Notified reports whether the monitor's doorbell was rung since it was last
// asked.
func (k *Kernel) Notified() bool {
	rung := k.rung
	k.rung = false
	return rung
}

// Step lets every program take input, run its function once and send output, and
// gets on with what is being destroyed. It returns whether anything has happened.
func (k *Kernel) Step() (progress bool) {
	if k.hesitated {
		k.hesitated, k.rung, progress = false, true, true
	}
	for _, d := range slices.Clone(k.built) {
		progress = d.run() || progress
	}
	for _, p := range k.pieces {
		if p.dying && p.left > 0 {
			p.left--
			progress = true
			k.rung = k.rung || p.left == 0
		}
	}
	return progress
}

// Running returns the domains that run.
func (k *Kernel) Running() (list []*Domain) {
	for _, d := range k.built {
		if d.state == abi.DomainReady {
			list = append(list, d)
		}
	}
	return list
}

// Left returns how many pieces, domains and channels there are.
func (k *Kernel) Left() (pieces, domains, channels int) {
	return len(k.pieces), len(k.built), len(k.channels)
}

// take makes sure that nobody has a block.
func (k *Kernel) take(b memory.Block) {
	for _, p := range k.pieces {
		if b.Base < p.Base+p.Size && p.Base < b.Base+b.Size {
			panic(fmt.Sprintf("agenttest: block at %#x is in the piece at %#x", b.Base, p.Base))
		}
	}
	for i := range k.lent {
		if l := &k.lent[i]; b.Base < l.Base+l.Size && l.Base < b.Base+b.Size {
			panic(fmt.Sprintf("agenttest: block at %#x is lent", b.Base))
		}
	}
	if _, ok := k.borrowed[b.Root.Reference]; !ok && b.Root.Reference != root {
		panic(fmt.Sprintf("agenttest: block at %#x of a root that is not there", b.Base))
	}
	if b.Base < b.Root.Base || b.Base+b.Size > b.Root.Base+b.Root.Size || b.Base%b.Size != 0 {
		panic(fmt.Sprintf("agenttest: block of %#x bytes at %#x", b.Size, b.Base))
	}
}

// Make implements agent.Kernel.
func (k *Kernel) Make(b memory.Block) (agent.Piece, error) {
	k.take(b)
	if k.Hesitant > 0 {
		k.Hesitant--
		k.hesitated = true
		return agent.Piece{}, capability.ErrAgain
	}
	k.next++
	p := agent.Piece{Block: b, Reference: k.next}
	k.pieces[p.Reference] = &piece{Piece: p, in: make(map[*Domain]bool)}
	return p, nil
}

// Destroy implements agent.Kernel.
func (k *Kernel) Destroy(p agent.Piece) error {
	known := k.pieces[p.Reference]
	if known == nil || known.Piece != p {
		panic("agenttest: a piece is destroyed that does not exist")
	}
	if !known.dying {
		known.dying, known.left = true, k.Slow
		k.alone(p)
		k.unused(p.Base, p.Size)
		k.removeCopies(p.Base, p.Size)
		for _, d := range k.built {
			if d.Memory == p {
				d.state = abi.DomainEnded
			}
		}
	}
	if known.left > 0 {
		return capability.ErrRevoking
	}
	delete(k.pieces, p.Reference)
	return nil
}

// Sustain implements agent.Kernel.
func (k *Kernel) Sustain(b memory.Block) error {
	if _, err := k.Make(b); err != nil {
		return err
	}
	k.Free += b.Size
	k.Sustained += b.Size
	return nil
}

// Own implements agent.Kernel.
func (k *Kernel) Own() (abi.Memory, error) { return abi.Memory{Held: 8 << 20, Free: k.Free}, nil }

// Channels implements agent.Kernel.
func (k *Kernel) Channels() (agent.Channels, error) {
	m := make([]uint64, (abi.ChannelsSize+abi.PageSize)/8)
	at := (uintptr(unsafe.Pointer(&m[0])) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	k.channels[at] = m
	return agent.Channels{Address: at, Frame: capability.Reference(len(k.channels))}, nil
}

// Least implements agent.Kernel.
func (k *Kernel) Least(*agent.Domain) uint64 { return 200 << 10 }

// Reclaim implements agent.Kernel.
func (k *Kernel) Reclaim() (r memory.Root, ok bool) {
	if len(k.Orphans) == 0 {
		return memory.Root{}, false
	}
	r, k.Orphans = k.Orphans[0], k.Orphans[1:]
	return r, true
}

// Build implements agent.Kernel.
func (k *Kernel) Build(a *agent.Domain) error {
	for _, d := range k.built {
		if d.Number == a.Number || d.Channels == a.Channels || d.mounted(a.Mount) || a.Span != nil && d.mounted(a.Span.Mount) {
			panic(fmt.Sprintf("agenttest: domain %+v has what %+v has", *a, d.Domain))
		}
	}
	if p := k.pieces[a.Memory.Reference]; p == nil || p.dying || a.Mount == 0 || a.Number < 2 || k.channels[a.Channels.Address] == nil {
		panic(fmt.Sprintf("agenttest: domain %+v cannot be built", *a))
	}
	d := &Domain{Domain: *a, kernel: k, state: abi.DomainNew}
	k.built = append(k.built, d)
	var header abi.Info
	if _, err := binary.Decode(a.Info, binary.LittleEndian, &header); err != nil || header.Magic != abi.InfoMagic {
		return capability.ErrArgument
	}
	text := func(at uint32) string { return native.Text(a.Info[at:]) }
	if d.step = k.Programs[text(header.Program)]; d.step == nil {
		return errNoProgram
	}
	for at := header.Args; len(d.Args) < int(header.NumArgs); at += uint32(bytes.IndexByte(a.Info[at:], 0)) + 1 {
		d.Args = append(d.Args, text(at))
	}
	d.channel.Attach(a.Channels.Address, abi.StdioSize, urpc.B)
	d.supply.Attach(a.Channels.Address+abi.StdioSize, abi.SupplySize, urpc.B)
	a.Dispatcher, a.Doorbell = capability.Reference(a.Number<<8|1), capability.Reference(a.Number<<8|2)
	if a.Session != nil {
		k.openSession(d)
	}
	if a.Span != nil {
		if header.Dispatchers != a.Span.Dispatchers || header.Dispatcher != a.Span.Index {
			panic(fmt.Sprintf("agenttest: dispatcher %+v is told that it is %d of %d", *a.Span, header.Dispatcher, header.Dispatchers))
		}
		k.span(d)
	}
	return nil
}

var errNoProgram = errors.New("it cannot be built")

// Forget implements agent.Kernel.
func (k *Kernel) Forget(a *agent.Domain) {
	if k.pieces[a.Memory.Reference] != nil {
		panic("agenttest: a domain is forgotten whose memory is there")
	}
	for _, p := range k.pieces {
		for d := range p.in {
			if d.Number == a.Number {
				panic("agenttest: a domain is forgotten that has memory")
			}
		}
	}
	k.built = slices.DeleteFunc(k.built, func(d *Domain) bool { return d.Number == a.Number })
	if a.Session != nil {
		delete(k.exchanges, a.Session.Mount)
	}
}

// domain returns what was built.
func (k *Kernel) domain(a *agent.Domain) *Domain {
	for _, d := range k.built {
		if d.Number == a.Number {
			return d
		}
	}
	panic(fmt.Sprintf("agenttest: no domain %d", a.Number))
}

// Run implements agent.Kernel.
func (k *Kernel) Run(a *agent.Domain) error {
	d := k.domain(a)
	if a.Span != nil && d.peers == nil {
		panic("agenttest: a domain runs before all its dispatchers are there")
	}
	d.state = abi.DomainReady
	return nil
}

// Stop implements agent.Kernel.
func (k *Kernel) Stop(a *agent.Domain) error {
	k.domain(a).state = abi.DomainNew
	return nil
}

// Ring implements agent.Kernel.
func (k *Kernel) Ring(a *agent.Domain) error {
	k.Rung[a.Number]++
	return nil
}

// State implements agent.Kernel.
func (k *Kernel) State(a *agent.Domain) (uint64, error) {
	if d := k.domain(a); d.Broken {
		return 0, capability.ErrEmpty
	} else {
		return uint64(d.state), nil
	}
}

// Status implements agent.Kernel.
func (k *Kernel) Status(a *agent.Domain) (abi.Status, error) {
	d := k.domain(a)
	if d.state != abi.DomainEnded || d.status == nil {
		return abi.Status{}, capability.ErrState
	}
	return *d.status, nil
}

// Hand implements agent.Kernel.
func (k *Kernel) Hand(a *agent.Domain, number uint32, p agent.Piece) error {
	d := k.domain(a)
	known := k.pieces[p.Reference]
	if known == nil || known.dying || len(known.in) > 0 {
		panic("agenttest: a piece is handed out that is not there, or twice")
	}
	if d.Obstinate {
		return capability.ErrOccupied
	}
	for _, other := range k.pieces {
		if other.in[d] && d.memory[number] == other.Reference {
			panic(fmt.Sprintf("agenttest: slot of piece %d is not empty", number))
		}
	}
	known.in[d] = true
	if d.memory == nil {
		d.memory = make(map[uint32]capability.Reference)
	}
	d.memory[number] = p.Reference
	return nil
}

// cores returns how many cores there are.
func (k *Kernel) cores() uint32 { return uint32(max(len(k.Machine), 1)) }

// CoreInfo implements agent.Kernel.
func (k *Kernel) CoreInfo() (abi.CoreInfo, error) {
	total := uint64(RAM + kernelSize)
	for _, l := range k.lent {
		total -= l.Size
	}
	for _, b := range k.borrowed {
		total += b.Size
	}
	info := abi.CoreInfo{
		Core: k.Core, Cores: k.cores(), BootNs: 12_500_000, NowNs: 100, IdleNs: 40,
		TotalPages: total / abi.PageSize, KernelPages: kernelSize / abi.PageSize,
	}
	if k.Core == 0 {
		info.SharedPages = 100
		info.MachinePages = uint64(k.cores())*(RAM+kernelSize)/abi.PageSize + info.SharedPages
	}
	copy(info.Version[:], "0.1.0")
	copy(info.Go[:], "go1.26.0")
	return info, nil
}

// Dispatcher implements agent.Kernel.
func (k *Kernel) Dispatcher(from uint32) (abi.DomainInfo, bool, error) {
	list := k.Running()
	slices.SortFunc(list, func(a, b *Domain) int { return cmp.Compare(a.Number, b.Number) })
	for _, d := range list {
		if d.Number >= from {
			info := abi.DomainInfo{
				Domain: d.Number, CPU: 1000, State: abi.DomainReady, Weight: max(d.Weight, 100),
				Period: int64(d.Reservation[0]), Budget: int64(d.Reservation[1]), Deadline: int64(d.Reservation[2]),
				Counts: abi.DispatcherCounts{
					Dispatches: 7, Runs: 1, PageFaults: 2, NestedFaults: 3, Traps: 4, LinuxCalls: 5, NativeCalls: 6,
					Notified: 8, Sent: 9, Received: 10, Missed: 11, Throttled: 12,
				},
			}
			copy(info.Name[:], d.Name)
			return info, true, nil
		}
	}
	return abi.DomainInfo{}, false, nil
}

// Yield implements agent.Kernel: programs have their turns of the test.
func (k *Kernel) Yield(d *agent.Domain) { k.Yielded = append(k.Yielded, d.Number) }

// Others implements agent.Kernel: every domain that runs can.
func (k *Kernel) Others() uint32 { return uint32(len(k.Running())) }

// Census implements agent.Kernel: every domain's CSpace and dispatcher are listed.
func (k *Kernel) Census(each func(*capability.Description)) error {
	list := []capability.Description{{Type: capability.RAM, Owner: k.Core, Base: k.base(), Size: RAM}}
	for _, p := range k.pieces {
		list = append(list, capability.Description{Type: capability.RAM, Owner: k.Core, Base: p.Base, Size: p.Size})
	}
	for _, d := range k.built {
		list = append(list,
			capability.Description{Type: capability.L2CNode, Owner: k.Core, Base: d.Memory.Base, Size: 16 << 10},
			capability.Description{Type: capability.Dispatcher, Owner: k.Core, Base: d.Memory.Base + 32<<10, Size: 32 << 10})
	}
	list = append(list, k.lent...)
	for _, b := range k.borrowed {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b capability.Description) int {
		return cmp.Or(cmp.Compare(a.Base, b.Base), cmp.Compare(b.Size, a.Size))
	})
	for i := range list {
		each(&list[i])
	}
	return nil
}

// Lend implements loan.Kernel.
func (k *Kernel) Lend(b memory.Block, core uint32) error {
	k.take(b)
	k.lent = append(k.lent, capability.Description{Type: capability.RAM, Owner: core, Base: b.Base, Size: b.Size})
	return nil
}

// Regain implements loan.Kernel.
func (k *Kernel) Regain(b memory.Block) error {
	n := len(k.lent)
	k.lent = slices.DeleteFunc(k.lent, func(l capability.Description) bool { return l.Base == b.Base && l.Size == b.Size })
	if len(k.lent) != n-1 {
		panic("agenttest: memory is regained that is not lent")
	}
	return nil
}

// Adopt implements loan.Kernel.
func (k *Kernel) Adopt(base, size uint64) (capability.Reference, error) {
	k.next++
	k.borrowed[k.next] = capability.Description{Type: capability.RAM, Owner: k.Core, Base: base, Size: size}
	return k.next, nil
}

// Release implements loan.Kernel.
func (k *Kernel) Release(ram capability.Reference) error {
	b, ok := k.borrowed[ram]
	if !ok {
		panic("agenttest: memory is released that is not borrowed")
	}
	for _, p := range k.pieces {
		if p.Base >= b.Base && p.Base < b.Base+b.Size {
			panic("agenttest: memory is released that is in use")
		}
	}
	delete(k.borrowed, ram)
	return nil
}
