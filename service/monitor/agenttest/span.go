package agenttest

import (
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/service/monitor/agent"
)

// mounted reports whether one of the domain's CNodes is in a slot of the monitor.
func (d *Domain) mounted(slot uint32) bool {
	return slot != 0 && (slot == d.Mount || d.Span != nil && slot == d.Span.Mount)
}

// span makes a domain that was built one of several dispatchers: at home it gets
// the memory that these have in common; elsewhere that must be there.
func (k *Kernel) span(d *Domain) {
	s := d.Span
	if s.Mount == 0 || s.Mount == d.Mount {
		panic("agenttest: a dispatcher has no slot for its peers")
	}
	s.Doorbell = k.Core*abi.CoreDispatchers + d.Number
	if s.Index == 0 {
		if s.Home != k.Core {
			panic("agenttest: a domain is at home on another core")
		}
		s.Common.Frame, s.Common.Size = d.Memory.Base+64<<10, abi.SpanSize(uint64(s.Dispatchers))
		for i := range s.Common.Tables {
			if s.Replicated {
				break
			}
			s.Common.Tables[i] = d.Memory.Base + uint64(i+8)*abi.PageSize
		}
		return
	}
	if len(k.Machine) == 0 || k.Machine[s.Home].Lost {
		return
	}
	home := k.Machine[s.Home]
	for _, other := range home.built {
		if other.Span != nil && other.Span.Common == s.Common && !home.pieces[other.Memory.Reference].dying {
			if users := k.users(s.Home); users > home.shared[k.Core] {
				panic(fmt.Sprintf("agenttest: %d dispatchers on core %d use memory of core %d, which knows of %d", users, k.Core, s.Home, home.shared[k.Core]))
			}
			return
		}
	}
	panic(fmt.Sprintf("agenttest: a dispatcher uses memory of core %d that is not there", s.Home))
}

// users returns how many dispatchers here use memory of another core.
func (k *Kernel) users(home uint32) (n uint32) {
	for _, d := range k.built {
		if d.Span != nil && d.Span.Index != 0 && d.Span.Home == home && !d.Span.Replicated {
			n++
		}
	}
	return n
}

// alone makes sure that no dispatcher of another core uses a piece.
func (k *Kernel) alone(p agent.Piece) {
	for _, other := range k.Machine {
		if other == k || other.Lost {
			continue
		}
		for _, d := range other.built {
			s := d.Span
			if s == nil || s.Home != k.Core {
				continue
			}
			uses := s.Common.Frame >= p.Base && s.Common.Frame < p.Base+p.Size
			for _, base := range d.frames {
				uses = uses || base == p.Base
			}
			if uses {
				panic(fmt.Sprintf("agenttest: core %d uses memory of core %d that is destroyed", other.Core, k.Core))
			}
		}
	}
}

// HandFrame implements agent.Kernel.
func (k *Kernel) HandFrame(a *agent.Domain, number uint32, p agent.Piece) error {
	if a.Span == nil || a.Span.Index != 0 || !a.Span.Replicated {
		panic("agenttest: a frame for a domain that shares none")
	}
	return k.Hand(a, number, p)
}

// Import implements agent.Kernel.
func (k *Kernel) Import(a *agent.Domain, number uint32, base, size uint64) error {
	d := k.domain(a)
	if _, ok := d.frames[number]; ok || a.Span.Index == 0 {
		panic(fmt.Sprintf("agenttest: dispatcher %+v gets frame %d", *a.Span, number))
	}
	if len(k.Machine) > 0 && !k.Machine[a.Span.Home].Lost {
		found := false
		for _, p := range k.Machine[a.Span.Home].pieces {
			found = found || p.Base == base && p.Size == size && !p.dying
		}
		if !found {
			panic(fmt.Sprintf("agenttest: a frame at %#x is imported that is not there", base))
		}
	}
	if d.Obstinate {
		return capability.ErrOccupied
	}
	if d.frames == nil {
		d.frames = make(map[uint32]uint64)
	}
	d.frames[number] = base
	return nil
}

// Connect implements agent.Kernel.
func (k *Kernel) Connect(a *agent.Domain, doorbells []uint32) error {
	d := k.domain(a)
	if len(doorbells) != int(a.Span.Dispatchers) || doorbells[a.Span.Index] != a.Span.Doorbell || d.peers != nil {
		panic(fmt.Sprintf("agenttest: dispatcher %+v has peers %v, is to have %v", *a.Span, d.peers, doorbells))
	}
	if k.Full {
		return errors.New("there is no slot left")
	}
	d.peers = doorbells
	return nil
}

// Share implements agent.Kernel.
func (k *Kernel) Share(core, domains uint32) error {
	if len(k.Machine) > 0 && !k.Machine[core].Lost && k.Machine[core].users(k.Core) > domains {
		panic("agenttest: memory in use is not shared any more")
	}
	k.shared[core] = domains
	return nil
}

// Shared returns for how many domains here other cores have dispatchers.
func (k *Kernel) Shared() (domains uint32) {
	for _, n := range k.shared {
		domains += n
	}
	return domains
}

// Weigh implements agent.Kernel.
func (k *Kernel) Weigh(a *agent.Domain, weight uint64) error {
	if weight == 0 || weight > 10000 {
		return capability.ErrArgument
	}
	k.domain(a).Weight = weight
	return nil
}

// Reserve implements agent.Kernel.
func (k *Kernel) Reserve(a *agent.Domain, period, budget, deadline uint64) (left uint64, err error) {
	d := k.domain(a)
	available := k.Unreserved + d.reserved
	part := uint64(0)
	if deadline > 0 {
		part = budget * 1e6 / deadline
	}
	if part > available {
		return available, capability.ErrOverload
	}
	d.reserved, k.Unreserved = part, available-part
	d.Reservation = [3]uint64{period, budget, deadline}
	return available, nil
}
