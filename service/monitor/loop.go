package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"skerry/abi"
	"skerry/lib/native"
	"skerry/lib/urpc"
	"skerry/service/memory"
	"skerry/service/monitor/agent"
	"skerry/service/monitor/control"
	"skerry/service/monitor/wire"
)

const (
	// uplinkLimit is how many bytes may wait for the channel to core 0 before
	// the programs here must wait with their output.
	uplinkLimit = 64 << 10
	// burst is how many messages of one channel are handled before the next
	// one's turn.
	burst = 64
	// lull is how long the kernel may say nothing of what it destroys until it
	// is asked.
	lull = 20 * time.Millisecond
)

// monitor is the state of the event loop. Nothing else touches it, but for events.
type monitor struct {
	events chan func()
	core   uint32
	bell   *native.Doorbell
	heard  uint64    // notifications that the loop has taken note of
	until  time.Time // when the bell's Wait fails; zero: never
	agent  *agent.Agent
	peers  []*peer // core 0: all the others; another core: core 0
	ports  []*input
	// control is nil but on core 0.
	control *control.Control
}

// peer is the monitor of another core.
type peer struct {
	core    int
	channel urpc.Channel
	stream  *wire.Stream
	dead    bool
}

// input is a serial port that is read.
type input struct {
	port  int
	take  func([]byte)
	room  func() bool // more can be taken
	quiet bool        // there is nothing until the doorbell has rung
	bytes []byte      // native.PortMax, for what comes
}

func newInput(port int, take func([]byte), room func() bool) *input {
	return &input{port: port, take: take, room: room, bytes: make([]byte, native.PortMax)}
}

// always is the room where what comes is bounded otherwise.
func always() bool { return true }

func newMonitor(core uint32, bell *native.Doorbell) *monitor {
	return &monitor{events: make(chan func(), 1), core: core, bell: bell}
}

// post has f called by the event loop. It blocks until the loop has taken what was posted
// before: the loop itself must not call it.
func (m *monitor) post(f func()) {
	m.events <- f
	if err := native.NotifyCore(int(m.core)); err != nil {
		native.Log("monitor: the event loop is not told of what it is to do: " + err.Error())
	}
}

// connect attaches the channel that is shared with another core's monitor.
func (m *monitor) connect(core int, side urpc.Side) *peer {
	p := &peer{core: core}
	p.channel.Attach(abi.MonitorChannels+uintptr(core)*abi.MonitorChannelSize, abi.MonitorChannelSize, side)
	p.stream = wire.NewStream(&p.channel)
	m.peers = append(m.peers, p)
	return p
}

// follow makes m the monitor of a core that does what another core's says.
func (m *monitor) follow(leader int, info *abi.CoreInfo, k *kernel, pool *memory.Pool) {
	p := m.connect(leader, urpc.B)
	emit := func(message wire.Message) {
		if err := p.stream.Send(message); err != nil {
			native.Log("monitor: " + err.Error())
		}
	}
	m.agent = agent.New(info.Core, k, pool, emit)
	m.agent.Counts = m.counts
	m.agent.Ready(distances(info))
}

// distances returns how far the memory of each core is.
func distances(info *abi.CoreInfo) []byte {
	list := make([]byte, info.Cores)
	for core := range list {
		far, err := native.Distance(core)
		if err != nil {
			far = 255
		}
		list[core] = byte(min(far, 255))
	}
	return list
}

// counts returns how many messages have gone to and come from other monitors.
func (m *monitor) counts() (sent, received uint64) {
	for _, p := range m.peers {
		out, in := p.stream.Counts()
		sent, received = sent+out, received+in
	}
	return sent, received
}

// loop works until there is nothing to do, then gives the core to a program that it has
// rung, or sleeps on the doorbell. It returns when the doorbell has failed.
func (m *monitor) loop() error {
	for {
		for m.poll() {
			m.agent.Sustain()
			m.runEvents()
		}
		var err error
		if m.announce() && !m.agent.HandOver() {
			err = m.sleep()
		}
		m.withdraw()
		if err == nil && m.heard != native.OwnPage().Notified() {
			err = m.hear() // at once
		}
		if err != nil {
			return err
		}
		m.runEvents()
	}
}

// sleep waits until the doorbell rings or something is overdue.
func (m *monitor) sleep() error {
	var until time.Time
	if m.control != nil {
		until = m.control.Deadline()
	}
	unfinished := m.agent.Unfinished()
	if t := time.Now().Add(lull); unfinished && (until.IsZero() || t.Before(until)) {
		until = t
	}
	if until != m.until {
		if err := m.bell.SetDeadline(until); err != nil {
			return err
		}
		m.until = until
	}
	err := m.hear()
	if unfinished {
		m.agent.Notified()
	}
	return err
}

// hear waits until the doorbell has rung since it last did, or something is overdue.
func (m *monitor) hear() error {
	heard, err := m.bell.Wait()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		return err
	}
	m.heard = heard
	m.agent.Notified()
	for _, in := range m.ports {
		in.quiet = false
	}
	m.lookAround()
	return nil
}

// runEvents calls what has been posted and not yet been called.
func (m *monitor) runEvents() {
	for {
		select {
		case f := <-m.events:
			f()
		default:
			return
		}
	}
}

// room says whether more output of programs can be taken.
func (m *monitor) room() bool {
	if m.control != nil {
		return m.control.Room()
	}
	return m.peers[0].stream.Queued() < uplinkLimit
}

// listening says whether messages of other monitors can be taken: core 0 takes
// none while the programs' output in them would have to wait.
func (m *monitor) listening() bool { return m.control == nil || m.control.Room() }

// poll does a bounded piece of all there is to do, and returns whether that
// was anything.
func (m *monitor) poll() bool {
	if m.control != nil {
		m.control.Tick() // before what it has to say is sent
	}
	progress := m.agent.Poll(m.room())
	for _, p := range m.peers {
		if !p.dead {
			progress = m.exchange(p) || progress
		}
	}
	for _, in := range m.ports {
		progress = in.read() || progress
	}
	if m.control != nil {
		progress = m.control.Flush() || progress
	}
	return progress
}

// exchange moves messages from and to another monitor.
func (m *monitor) exchange(p *peer) (progress bool) {
	for range burst {
		if !m.listening() {
			break
		}
		message, err := p.stream.Receive()
		if err != nil {
			m.lost(p, err)
			return true
		}
		if message == nil {
			break
		}
		progress = true
		if m.control != nil {
			m.control.Handle(p.core, message)
		} else {
			m.agent.Handle(message)
		}
	}
	p.stream.Flush()
	if p.channel.NeedsDoorbell() {
		if err := native.NotifyCore(p.core); err != nil && !m.look(p) {
			m.lost(p, err)
		}
	}
	return progress
}

// lookAround gives up the monitors whose kernels have ended. A kernel that ends
// rings every doorbell.
func (m *monitor) lookAround() {
	for _, p := range m.peers {
		m.look(p)
	}
}

// look gives up a monitor if its kernel has ended, and reports whether it has
// been given up.
func (m *monitor) look(p *peer) bool {
	if state, err := native.CoreState(p.core); !p.dead && err == nil && state == abi.CorePanicked {
		m.lost(p, errPanicked)
	}
	return p.dead
}

var errPanicked = errors.New("its kernel has panicked")

// lost gives up another monitor.
func (m *monitor) lost(p *peer, why error) {
	p.dead = true
	if m.control == nil {
		native.Log(fmt.Sprintf("monitor: core %d is lost: %v", p.core, why))
		m.agent.Alone()
		return
	}
	m.control.CoreDied(p.core, why.Error())
}

// announce tells everyone that the monitor goes to sleep, unless there is
// something to do.
func (m *monitor) announce() bool {
	room, listening := m.room(), m.listening()
	for _, p := range m.peers {
		if !p.dead && listening && !p.channel.Announce() {
			return false
		}
	}
	return m.agent.Announce(room)
}

func (m *monitor) withdraw() {
	for _, p := range m.peers {
		p.channel.Withdraw()
	}
	m.agent.Withdraw()
}

// read takes what has come in at the port.
func (in *input) read() (progress bool) {
	for !in.quiet && in.room() {
		n, err := native.PortRead(in.port, in.bytes)
		if err != nil || n == 0 {
			in.quiet = true
			return progress
		}
		in.take(in.bytes[:n])
		progress = true
	}
	return progress
}
