package control

import (
	"skerry/service/monitor/wire"
)

// between hands a message about a part of a program on to the other core. Parts
// on which a core was asked and that are not gone are kept in c.parts, with
// whether the core has answered: if it is lost, others hear so.
func (c *Control) between(core int, m wire.Between) {
	p := m.Of()
	from, to := p.Home, p.Core
	if !m.Outward() {
		from, to = to, from
	}
	if int(from) != core || int(to) >= len(c.cores) {
		return
	}
	switch m.(type) {
	case *wire.Extend:
		if why := c.cores[to].dead; why != "" {
			c.Send(core, &wire.Shrunk{Part: p, Reason: "it is lost: " + why})
			return
		}
		c.parts[p] = false
	case *wire.Extended:
		c.parts[p] = true
	case *wire.Shrunk:
		delete(c.parts, p)
	}
	if c.usable(int(to)) == nil {
		c.Send(int(to), m)
	}
}

// partsDied takes note that a core is lost, for the programs that it had a part
// in: home hears that its part there is gone, or the other parts are to end with
// their home.
func (c *Control) partsDied(core int) {
	for p := range c.parts {
		switch core {
		case int(p.Core):
			delete(c.parts, p)
			if c.usable(int(p.Home)) == nil {
				c.Send(int(p.Home), &wire.Shrunk{Part: p})
			}
		case int(p.Home):
			c.Send(int(p.Core), &wire.Shrink{Part: p})
		}
	}
}

// silent returns the core for which a program that has not started waits.
func (c *Control) silent(p *program) int {
	for _, core := range p.others {
		if answered, asked := c.parts[wire.Part{Program: p.number, Home: uint32(p.core), Core: uint32(core)}]; asked && !answered {
			return core
		}
	}
	return p.core
}

// has reports whether a program has a dispatcher on a core.
func (p *program) has(core int) bool {
	if core == p.core {
		return true
	}
	for _, other := range p.others {
		if other == core {
			return true
		}
	}
	return false
}

// cores returns the cores of a program, its home first.
func (p *program) cores() []int { return append([]int{p.core}, p.others...) }
