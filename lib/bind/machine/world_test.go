package machine

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/lmp"
	"skerry/lib/native/endpoint"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

// What slots of this test's machine hold.
type (
	frame    struct{ base, bytes uintptr }
	doorbell struct{ of *program }
	inbox    struct{ of *program } // an endpoint, by its address
	thing    struct{ n int }       // whatever a program may give
	nothing  struct{}              // a slot that is taken, and empty
)

// program is one on a machine made of memory, and the system it runs on.
type program struct {
	monitor *monitor
	bell    *os.File
	session urpc.Channel // the monitor's side
	unsent  []message    // while its ring is full
	board   [2]frame     // sleep word, hints
	machine *Machine

	mu       sync.Mutex
	mappings int
	slots    map[capability.Reference]any
	next     capability.Reference
	exchange [capability.L2Slots]any
	kept     [capability.L2Slots]bool // not for the monitor to fill
	poor     bool                     // there are no slots to take
	alone    bool                     // it has one dispatcher, and endpoints
}

// memory returns zeroed pages.
func memory(t testing.TB, bytes int) frame {
	m, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	return frame{uintptr(unsafe.Pointer(&m[0])), uintptr(bytes)}
}

// start starts a program.
func (m *monitor) start() *program {
	t := m.t
	r, bell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{monitor: m, bell: bell, slots: map[capability.Reference]any{}, next: 256}
	p.board = [2]frame{memory(t, abi.PageSize), memory(t, abi.PageSize)}
	ring := memory(t, abi.SessionRing)
	p.session.Attach(ring.base, abi.SessionRing, urpc.A)
	board := new(urpc.Board)
	board.Attach(p.board[1].base, p.board[0].base)
	set, err := wait.On(r, board)
	if err != nil {
		t.Fatal(err)
	}
	c := new(urpc.Channel)
	c.Attach(ring.base, abi.SessionRing, urpc.B)
	if p.machine, err = newMachine(p, c, set); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.programs = append(m.programs, p)
	m.ring() // it is to look whether the program has said something
	return p
}

// add puts something into a new slot of the program's.
func (p *program) add(o any) capability.Reference {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next++; p.next.Slot() == 0 {
		p.next++
	}
	p.slots[p.next] = o
	return p.next
}

// at returns what is in a slot of the program's.
func (p *program) at(c capability.Reference) any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slots[c]
}

// holds returns how much a program has: capabilities, also in the exchange, and mappings.
func (p *program) holds() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.slots) + p.mappings
	for _, o := range p.exchange {
		if o != nil {
			n++
		}
	}
	return n
}

func (p *program) put(slot uint8, c capability.Reference, _ capability.Rights) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.exchange[slot] != nil:
		return capability.ErrOccupied
	case p.slots[c] == nil:
		return capability.ErrEmpty
	}
	p.exchange[slot] = p.slots[c]
	return nil
}

func (p *program) take(slot uint8) (capability.Reference, error) {
	p.mu.Lock()
	o, poor := p.exchange[slot], p.poor
	if !poor {
		p.exchange[slot] = nil
	}
	p.mu.Unlock()
	switch {
	case o == nil:
		return 0, capability.ErrEmpty
	case poor:
		return 0, capability.ErrMemory
	}
	return p.add(o), nil
}

func (p *program) slot() (capability.Reference, error) { return p.add(nothing{}), nil }

func (p *program) typeOf(c capability.Reference) capability.Type {
	if _, ok := p.at(c).(thing); ok {
		return capability.Endpoint
	}
	return capability.Null
}

func (p *program) base(slot uint8) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.exchange[slot].(frame)
	if !ok {
		return 0, capability.ErrType
	}
	return uint64(f.base), nil
}

func (p *program) empty(slot uint8) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchange[slot] = nil
	return nil
}

func (p *program) drop(c capability.Reference) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slots[c] == nil {
		return capability.ErrEmpty
	}
	delete(p.slots, c)
	return nil
}

func (p *program) mapped(c capability.Reference, bytes uint64, _ bool) (uintptr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.slots[c].(frame)
	if !ok || uintptr(bytes) > f.bytes {
		return 0, capability.ErrRange
	}
	p.mappings++
	return f.base, nil
}

func (p *program) unmap(uintptr, uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mappings--
	return nil
}

func (p *program) doorbell(c capability.Reference) (peerDoorbell, error) {
	d, ok := p.at(c).(doorbell)
	if !ok {
		return peerDoorbell{}, capability.ErrType
	}
	return peerDoorbell{ring: d.of.ring}, nil
}

var one = []byte{1}

func (p *program) ring() error {
	_, err := p.bell.Write(one)
	return err
}

func (p *program) ringMonitor() error {
	p.monitor.ring()
	return nil
}

func (p *program) yieldToMonitor() {}

func (p *program) several() bool { return !p.alone }

func (p *program) endpoint(int) (endpoint.Endpoint, error) {
	if !p.alone {
		return 0, capability.ErrMemory
	}
	return endpoint.Endpoint(p.add(&inbox{p})), nil
}

// revoke takes an endpoint from those of the exchange, too.
func (p *program) revoke(e endpoint.Endpoint) error {
	own := p.at(capability.Reference(e))
	p.mu.Lock()
	for slot, o := range p.exchange {
		if o != nil && o == own {
			p.exchange[slot] = nil
		}
	}
	p.mu.Unlock()
	return p.drop(capability.Reference(e))
}

func (p *program) connect(c lmp.Config) (conn, error) {
	if !p.alone {
		return nil, capability.ErrType
	}
	return &local{config: c, p: p}, nil
}

// local is a connection over two endpoints, by which nothing can be sent.
type local struct {
	channel.Conn
	config lmp.Config
	p      *program
	gone   atomic.Bool
}

func (c *local) Gone() { c.gone.Store(true) }

func (c *local) Close() error { return errors.Join(c.p.revoke(c.config.Own), c.config.OnClose()) }
