package agent

import (
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/service/memory"
	"skerry/service/monitor/wire"
)

// answer answers a question by what ask returns, or refuses it.
func (a *Agent) answer(request uint32, ask func(request uint32) (wire.Message, error)) {
	m, err := ask(request)
	if err != nil {
		a.refuse(request, err)
		return
	}
	a.emit(m)
}

// refuse says why a question is not answered.
func (a *Agent) refuse(request uint32, err error) {
	a.emit(&wire.Refused{Request: request, Reason: err.Error()})
}

// schedule changes how a program's dispatcher here is scheduled.
func (a *Agent) schedule(request, program uint32, change func(*Domain) (left uint64, err error)) {
	c := a.byProgram[program]
	if c == nil || c.state != running {
		a.refuse(request, errNotRunning)
		return
	}
	left, err := change(&c.domain)
	if err = overload(left, err); err != nil {
		a.refuse(request, err)
		return
	}
	a.emit(&wire.Scheduled{Request: request, Left: left})
}

// overload adds to a refusal how much of the core is left, in millionths.
func overload(left uint64, err error) error {
	if errors.Is(err, capability.ErrOverload) {
		return fmt.Errorf("%w: %.1f %% can be reserved for it", capability.ErrOverload, float64(left)/1e4)
	}
	return err
}

// core describes the core.
func (a *Agent) core(request uint32) (wire.Message, error) {
	info, err := a.kernel.CoreInfo()
	if err != nil {
		return nil, err
	}
	m := &wire.CoreAnswer{Request: request, Free: a.pool.Free(), Given: a.given, Info: info}
	if a.Counts != nil {
		m.Sent, m.Received = a.Counts()
	}
	return m, nil
}

// domains lists the domains of the core.
func (a *Agent) domains(request uint32) (wire.Message, error) {
	m := &wire.DomainsAnswer{Request: request}
	held := make(map[uint32]*child)
	for _, c := range a.children {
		held[c.domain.Number] = c
	}
	for from := uint32(0); len(m.Domains) < maxDomains; {
		info, ok, err := a.kernel.Dispatcher(from)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		d := wire.Domain{DomainInfo: info, Home: a.self, HomeDomain: info.Domain, Dispatchers: 1}
		if c := held[info.Domain]; c != nil {
			d.Memory, d.Quota = c.held, c.quota
			if s := c.domain.Span; s != nil {
				d.Index, d.Dispatchers = s.Index, s.Dispatchers
			}
			if c.part != nil {
				d.Home, d.HomeDomain = c.part.Home, c.domain.Span.Domain
			}
		} else if own, err := a.kernel.Own(); err == nil && info.Domain < firstDomain {
			d.Memory = own.Held
		}
		m.Domains = append(m.Domains, d)
		from = info.Domain + 1
	}
	return m, nil
}

// memory says where the core's RAM is. It looks at every object on the core.
func (a *Agent) memory(request uint32) (wire.Message, error) {
	info, err := a.kernel.CoreInfo()
	if err != nil {
		return nil, err
	}
	tally := memory.Tally{Core: info.Core}
	if err := a.kernel.Census(tally.Add); err != nil {
		return nil, err
	}
	tally.End()
	s := a.pool.Statistics()
	// What the pool never had, the monitor was made of; and it has what is of no
	// use to others.
	monitor := tally.Sum() + tally.Lent - s.Usable + a.kept
	return &wire.MemoryAnswer{Request: request, Memory: wire.Memory{
		Total: info.TotalPages * abi.PageSize, Kernel: info.KernelPages * abi.PageSize,
		Lent: tally.Lent, Borrowed: s.Borrowed, Types: tally.Types,
		Free: s.Free, Largest: s.Largest, Given: a.given, Monitor: monitor,
		Machine: info.MachinePages * abi.PageSize, Shared: info.SharedPages * abi.PageSize,
	}}, nil
}
