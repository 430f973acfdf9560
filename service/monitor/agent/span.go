package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/service/monitor/wire"
)

// other is a dispatcher that a program which started here has on another core.
type other struct {
	core     uint32
	state    otherState
	told     bool // to end
	doorbell uint32
	lacks    uint32 // the piece that it was given and does not have yet; 0: none
}

// otherState is how far such a dispatcher is.
type otherState uint8

const (
	absent otherState = iota // not asked for yet, or gone
	asked
	there
)

// leastShare is the least that a dispatcher elsewhere than at home may hold when
// its program has a quota, in bytes.
const leastShare = 1 << 20

// divide divides a quota of a program with a number of dispatchers: a quarter of
// it is for their own memory, in equal shares; home has the rest besides, for the
// program's. 0 stands for no quota.
func divide(quota, dispatchers uint64) (home, satellite uint64, err error) {
	if quota == 0 || dispatchers == 1 {
		return quota, quota, nil
	}
	satellite = max(quota/4/dispatchers, leastShare)
	if taken := satellite * (dispatchers - 1); taken < quota {
		return quota - taken, satellite, nil
	}
	return 0, 0, capability.ErrQuota
}

// Where an abi.Info says how many dispatchers there are, and which it is for.
const (
	infoHeader    = int(unsafe.Sizeof(abi.Info{}))
	dispatchersAt = unsafe.Offsetof(abi.Info{}.Dispatchers)
	dispatcherAt  = unsafe.Offsetof(abi.Info{}.Dispatcher)
	flagsAt       = unsafe.Offsetof(abi.Info{}.Flags)
)

// replicated reports whether the dispatchers of a program are to have page tables
// of their own.
func replicated(info []byte) bool {
	return len(info) >= infoHeader && binary.LittleEndian.Uint32(info[flagsAt:])&abi.InfoReplicated != 0
}

// infoFor returns a program's abi.Info for one of its dispatchers.
func infoFor(info []byte, dispatchers, index uint32) []byte {
	info = slices.Clone(info)
	if len(info) >= infoHeader {
		binary.LittleEndian.PutUint32(info[dispatchersAt:], dispatchers)
		binary.LittleEndian.PutUint32(info[dispatcherAt:], index)
	}
	return info
}

// join takes in a program that is at home on another core.
func (a *Agent) join(m *wire.Extend) {
	part := m.Part
	if a.byProgram[m.Program] != nil {
		a.emit(&wire.Shrunk{Part: part, Reason: taken(m.Program)})
		return
	}
	c := newChild(m.Program, m.Quota, Domain{
		Name: m.Name, Info: infoFor(m.Info, m.Dispatchers, m.Index), Grants: m.Grants, Share: m.Share,
		Span: &Span{
			Home: m.Home, Domain: m.Domain, Index: m.Index, Dispatchers: m.Dispatchers,
			Replicated: replicated(m.Info), Common: m.Common,
		},
	})
	c.part = &part
	a.enter(c)
}

// extend asks other cores for a program's dispatchers there.
func (a *Agent) extend(c *child) error {
	d := &c.domain
	for i := range c.others {
		o := &c.others[i]
		if err := a.share(c, o, 1); err != nil {
			return fmt.Errorf("share memory with core %d: %w", o.core, err)
		}
		o.state = asked
		a.emit(&wire.Extend{
			Part: a.partOf(c, o), Domain: d.Number, Index: uint32(i + 1), Dispatchers: d.Span.Dispatchers,
			Grants: d.Grants &^ (wire.GrantDevices | wire.GrantMessages), // which home alone has
			Share:  d.Share, Quota: c.share, Common: d.Span.Common, Name: d.Name, Info: d.Info,
		})
	}
	return nil
}

func (a *Agent) partOf(c *child, o *other) wire.Part {
	return wire.Part{Program: c.program, Home: a.self, Core: o.core}
}

// share counts how many programs here have part in page tables on another core.
func (a *Agent) share(c *child, o *other, change int) error {
	if c.domain.Span.Replicated {
		return nil
	}
	core := o.core
	n := uint32(int(a.shared[core]) + change)
	if err := a.kernel.Share(core, n); err != nil {
		return err
	}
	a.shared[core] = n
	return nil
}

// other finds a dispatcher of a program that started here.
func (a *Agent) other(p wire.Part) (*child, *other) {
	if c := a.byProgram[p.Program]; c != nil && p.Home == a.self {
		for i := range c.others {
			if o := &c.others[i]; o.core == p.Core && o.state != absent {
				return c, o
			}
		}
	}
	return nil, nil
}

// answered takes what other cores have said about programs that started here.
func (a *Agent) answered() (progress bool) {
	for len(a.inbox) > 0 {
		m := a.inbox[0]
		a.inbox = a.inbox[1:]
		switch m := m.(type) {
		case *wire.Extended:
			a.extended(m)
		case *wire.Shrunk:
			a.shrunk(m)
		case *wire.Grown:
			a.grown(m)
		default:
			a.take(m)
		}
		progress = true
	}
	return progress
}

// extended takes note that a dispatcher is there. When all are, they run.
func (a *Agent) extended(m *wire.Extended) {
	c, o := a.other(m.Part)
	if c == nil || o.state != asked {
		return
	}
	o.state, o.doorbell = there, m.Doorbell
	if c.state != built {
		return
	}
	doorbells := []uint32{c.domain.Span.Doorbell}
	for i := range c.others {
		if c.others[i].state != there {
			return
		}
		doorbells = append(doorbells, c.others[i].doorbell)
	}
	if err := a.kernel.Connect(&c.domain, doorbells); err != nil {
		a.fail(c, a.spawnError(c, err))
		return
	}
	for i := range c.others {
		a.emit(&wire.Peers{Part: a.partOf(c, &c.others[i]), Doorbells: doorbells})
	}
	a.run(c)
}

// connect lets a dispatcher of a program that is at home elsewhere run.
func (a *Agent) connect(c *child, doorbells []uint32) {
	if err := a.kernel.Connect(&c.domain, doorbells); err != nil {
		a.fail(c, err)
		return
	}
	a.run(c)
}

// shrunk takes note that nothing of a program is left on another core. If nobody
// wanted that, the program ends as its dispatcher there has, or is not started
// either.
func (a *Agent) shrunk(m *wire.Shrunk) {
	c, o := a.other(m.Part)
	if c == nil {
		return
	}
	o.state = absent
	a.share(c, o, -1) // it has been raised: it can be lowered
	c.elsewhere += m.Peak
	c.cpu += m.Status.CPU
	if c.state == running {
		a.look(c)
	}
	switch {
	case c.state == running && m.Reason == "":
		status := m.Status
		status.Domain, status.CPU = c.domain.Number, a.stop(c)
		c.endedOn = m.Core
		a.end(c, status)
	case c.state == built || c.state == running:
		reason := m.Reason
		if reason == "" {
			reason = "it is lost"
		}
		a.stop(c)
		a.fail(c, a.spawnError(c, fmt.Errorf("core %d: %s", m.Core, reason)))
	case c.state == ended:
		if c.alone() {
			a.reclaim(c)
		}
	}
}

// alone reports whether a program has no dispatcher on another core.
func (c *child) alone() bool {
	return !slices.ContainsFunc(c.others, func(o other) bool { return o.state != absent })
}

// shrink has the dispatchers of a program on other cores ended.
func (a *Agent) shrink(c *child) {
	for i := range c.others {
		if o := &c.others[i]; o.state != absent && !o.told {
			o.told = true
			a.emit(&wire.Shrink{Part: a.partOf(c, o)})
		}
	}
}

// partFor returns the child that a message to a satellite is about.
func (a *Agent) partFor(p wire.Part) *child {
	if c := a.byProgram[p.Program]; c != nil && c.part != nil && *c.part == p {
		return c
	}
	return nil
}

var errEarly = errors.New("killed before all its dispatchers were there")
