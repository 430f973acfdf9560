package main

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"unsafe"

	"skerry/lib/pause"
	"skerry/lib/urpc"
)

// updaters are the ways to change a state of some lines on behalf of n cores.
var updaters = map[string]func(lines, n int) updates{
	"spin": func(lines, _ int) updates {
		s := newState(lines)
		return updates{update: func(int) { s.lock(); s.change(1); s.unlock() }, done: s.counts}
	},
	"mutex": func(lines, _ int) updates {
		s := newState(lines)
		return updates{update: func(int) { s.mutex.Lock(); s.change(1); s.mutex.Unlock() }, done: s.counts}
	},
	"queue": func(lines, n int) updates {
		s, q := newState(lines), newQueue(n)
		return updates{update: func(core int) { q.lock(core); s.change(1); q.unlock(core) }, done: s.counts}
	},
	"message": func(lines, n int) updates {
		s := newState(lines)
		server := newServer(s, n)
		return updates{update: server.ask, serve: server.serve, done: s.counts}
	},
}

// line is a cache line.
type line struct {
	count uint64
	_     [urpc.SlotSize - 8]byte
}

// state is what is updated, and its locks, each in a line of its own.
type state struct {
	next  atomic.Uint32 // turn of the spin lock to give out
	_     [urpc.SlotSize - 4]byte
	turn  atomic.Uint32 // whose it is
	_     [urpc.SlotSize - 4]byte
	mutex sync.Mutex
	_     [urpc.SlotSize - 8]byte
	lines []line
}

func newState(lines int) *state {
	all := aligned(lines * urpc.SlotSize)
	return &state{lines: unsafe.Slice((*line)(unsafe.Pointer(&all[0])), lines)}
}

// aligned returns memory that begins with a cache line.
func aligned(size int) []byte {
	b := make([]byte, size+urpc.SlotSize)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (urpc.SlotSize - 1)
	return b[skip : skip+size]
}

func (s *state) change(by uint64) {
	for i := range s.lines {
		s.lines[i].count += by
	}
	if dwell {
		pause.Times(1)
	}
}

// dwell has whoever changes the state PAUSE before it says that it has. In a machine whose
// cores take turns, and give theirs away where they PAUSE, all that wait look meanwhile, as
// they do in one whose cores run at once.
var dwell bool

func (s *state) counts() []uint64 {
	all := make([]uint64, len(s.lines))
	for i := range all {
		all[i] = s.lines[i].count
	}
	return all
}

// lock takes the spin lock when it is this core's turn. Without turns the core that has
// the lines would take it again and again, and the others hardly ever.
func (s *state) lock() {
	for turn := s.next.Add(1) - 1; s.turn.Load() != turn; {
		pause.Times(1)
	}
}

func (s *state) unlock() { s.turn.Add(1) }

// server has a state, and a channel to each core but its own, core 0.
type server struct {
	state   *state
	memory  [][]byte
	servers []urpc.Channel // by core
	clients []client
}

// client is a core's side of its channel. Nothing that another core writes is in its lines.
type client struct {
	urpc.Channel
	_ [2 * urpc.SlotSize]byte
}

// depth is how many messages a ring has room for.
const depth = 8

// What goes over the channels: an update by a number, and that it has been done.
const (
	kindUpdate = 1
	kindDone   = 2
)

func newServer(s *state, n int) *server {
	size := urpc.FrameSize(depth)
	v := &server{state: s, servers: make([]urpc.Channel, n), clients: make([]client, n)}
	for core := 1; core < n; core++ {
		frame := aligned(size)
		v.memory = append(v.memory, frame)
		at := uintptr(unsafe.Pointer(&frame[0]))
		v.servers[core].Attach(at, size, urpc.A)
		v.clients[core].Attach(at, size, urpc.B)
	}
	return v
}

// ask has the server update the state, and waits until it has.
func (v *server) ask(core int) {
	c := &v.clients[core].Channel
	var slot [urpc.PayloadSize]byte
	binary.LittleEndian.PutUint64(slot[:], 1)
	// One update is under way, in a ring of several slots: there is room.
	c.Send(kindUpdate, slot[:8])
	for {
		if kind, _, ok := c.Receive(&slot); ok && kind == kindDone {
			return
		}
		pause.Times(1)
	}
}

// serve does what the cores ask for.
func (v *server) serve(stop *atomic.Bool) {
	var slot [urpc.PayloadSize]byte
	for !stop.Load() {
		idle := true
		for core := 1; core < len(v.servers); core++ {
			c := &v.servers[core]
			if kind, _, ok := c.Receive(&slot); ok && kind == kindUpdate {
				v.state.change(binary.LittleEndian.Uint64(slot[:]))
				c.Send(kindDone, nil)
				idle = false
			}
		}
		if idle {
			pause.Times(1)
		}
	}
}
