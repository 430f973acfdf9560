package simulate

import (
	"fmt"
	"math/rand/v2"
)

// Network is the cores of a run and what is on its way between them.
type Network[M any] struct {
	// Cores is how many there are; core 0 has what only one has.
	Cores uint32
	// Star tells that all messages go through core 0.
	Star bool
	// Random is what a System decides by.
	Random *rand.Rand

	source  rand.PCG
	alive   []bool
	queues  [][]packet[M] // by sender and receiver: see at
	trace   []string
	tracing bool
}

// packet is something on its way.
type packet[M any] struct {
	from, to uint32 // of the message; in a star both may be others than who sends and receives the packet
	message  M
	// notice says that it is none, but that core is lost, or cut.
	notice notice
	core   uint32
}

type notice uint8

const (
	none notice = iota
	lost
	cut
)

func newNetwork[M any](cores uint32, star bool) *Network[M] {
	n := &Network[M]{Cores: cores, Star: star, alive: make([]bool, cores), queues: make([][]packet[M], cores*cores)}
	n.Random = rand.New(&n.source)
	for i := range n.alive {
		n.alive[i] = true
	}
	return n
}

// Alive reports whether a core has not stopped.
func (n *Network[M]) Alive(core uint32) bool { return n.alive[core] }

// Hears reports whether two cores have not stopped and can reach each other.
func (n *Network[M]) Hears(a, b uint32) bool {
	return n.alive[a] && n.alive[b] && (!n.Star || n.alive[0] || a == b)
}

// Chance is true n times of a hundred.
func (n *Network[M]) Chance(percent int) bool { return n.Random.IntN(100) < percent }

// Logf adds a line to the trace, if there is one.
func (n *Network[M]) Logf(format string, arguments ...any) {
	if n.tracing {
		n.trace = append(n.trace, fmt.Sprintf(format, arguments...))
	}
}

// Send sends a message. It never arrives if either core has stopped, or core 0 of
// a star.
func (n *Network[M]) Send(from, to uint32, m M) {
	n.relay(from, from, to, m)
}

// relay sends a message on from where it is.
func (n *Network[M]) relay(at, from, to uint32, m M) {
	next := to
	if n.Star && at != 0 && at != to {
		next = 0
	}
	if n.alive[at] && n.alive[next] && n.alive[to] {
		n.put(at, next, packet[M]{from: from, to: to, message: m})
	}
}

func (n *Network[M]) at(from, to uint32) *[]packet[M] { return &n.queues[from*n.Cores+to] }

func (n *Network[M]) put(from, to uint32, p packet[M]) {
	q := n.at(from, to)
	*q = append(*q, p)
}

// InFlight calls f for each message on its way to a core that runs, until f
// returns false.
func (n *Network[M]) InFlight(f func(from, to uint32, m M) bool) {
	for _, q := range n.queues {
		for i := range q {
			if q[i].notice == none && n.alive[q[i].to] && !f(q[i].from, q[i].to, q[i].message) {
				return
			}
		}
	}
}

// stop stops a core. Of what it sent some goes through, and then the notice that it
// is lost, on each way by itself.
func (n *Network[M]) stop(core uint32) {
	n.alive[core] = false
	for other := range n.Cores {
		*n.at(other, core) = nil
		q := n.at(core, other)
		if !n.alive[other] || n.Star && core != 0 && other != 0 {
			*q = nil
			continue
		}
		if len(*q) > 0 {
			*q = (*q)[:n.Random.IntN(len(*q)+1)]
		}
		n.put(core, other, packet[M]{notice: lost, core: core})
		if n.Star && core == 0 {
			for third := range n.Cores {
				if third != other && third != 0 { // whether it runs nobody can tell any more
					n.put(core, other, packet[M]{notice: cut, core: third})
				}
			}
		}
	}
}

// next takes the next packet from one of the ways on which there are any, to whom
// it goes and whether there was one.
func (n *Network[M]) next() (to uint32, p packet[M], ok bool) {
	ways := 0
	for i := range n.queues {
		if len(n.queues[i]) > 0 {
			ways++
		}
	}
	if ways == 0 {
		return 0, p, false
	}
	choice := n.Random.IntN(ways)
	for i := range n.queues {
		if len(n.queues[i]) == 0 {
			continue
		}
		if choice == 0 {
			q := &n.queues[i]
			p = (*q)[0]
			*q = (*q)[1:]
			return uint32(i) % n.Cores, p, true
		}
		choice--
	}
	return 0, p, false
}

// deliver has one packet arrive, and returns false if there is none.
func (n *Network[M]) deliver(s System[M]) bool {
	at, p, ok := n.next()
	switch {
	case !ok:
		return false
	case p.notice == lost:
		n.Logf("core %d: core %d is lost", at, p.core)
		if n.Star && at == 0 {
			for other := uint32(1); other < n.Cores; other++ {
				if n.alive[other] {
					n.put(0, other, packet[M]{notice: lost, core: p.core})
				}
			}
		}
		s.Lost(at, p.core)
	case p.notice == cut:
		n.Logf("core %d: core %d is cut", at, p.core)
		s.Cut(at, p.core)
	case p.to != at:
		n.relay(at, p.from, p.to, p.message)
	default:
		n.Logf("core %d: from core %d: %+v", at, p.from, p.message)
		s.Handle(at, p.from, p.message)
	}
	return true
}
