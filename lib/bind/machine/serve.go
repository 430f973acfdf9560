package machine

import (
	"context"
	"errors"
	"fmt"

	"skerry/lib/session"
	"skerry/lib/urpc"
)

// errBroken is why there is no session any more if the monitor has broken its rules.
var errBroken = errors.New("the session with the monitor is broken: something has written into its ring that belongs to neither; start the program again")

// begin takes a number for something that the monitor is to answer.
func (m *Machine) begin() (uint32, *request) {
	r := &request{answer: make(chan any, 1)}
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.last++; m.last == 0 || m.asked[m.last] != nil || m.exports[m.last] != nil; m.last++ {
	}
	m.asked[m.last] = r
	if m.over != nil {
		r.answer <- m.over
	}
	return m.last, r
}

// await waits for an answer. If the context ends before, it sends a Cancel, if that is
// what cancel says, and forsaken is called with the answer when it comes.
func (m *Machine) await(ctx context.Context, id uint32, r *request, cancel uint8, forsaken func(any)) (any, error) {
	select {
	case answer := <-r.answer:
		return unpack(answer)
	case <-ctx.Done():
	}
	m.mu.Lock()
	select {
	case answer := <-r.answer: // just now
		m.mu.Unlock()
		return unpack(answer)
	default:
	}
	r.forsaken = forsaken
	if forsaken == nil {
		delete(m.asked, id)
	}
	m.mu.Unlock()
	if cancel != 0 {
		m.send(cancel, &session.Cancel{Request: id})
	}
	return nil, ctx.Err()
}

// as is an answer of the kind that was asked for.
func as[T any](answer any, err error) (t T, _ error) {
	if err != nil {
		return t, err
	}
	t, ok := answer.(T)
	if !ok {
		return t, fmt.Errorf("the monitor answered by a %T", answer)
	}
	return t, nil
}

func unpack(answer any) (any, error) {
	if err, ok := answer.(error); ok {
		return nil, err
	}
	return answer, nil
}

// answered hands the answer to a request on. It is called by the serving goroutine.
func (m *Machine) answered(id uint32, answer any) {
	m.mu.Lock()
	r := m.asked[id]
	delete(m.asked, id)
	forsaken := (func(any))(nil)
	if r != nil {
		if forsaken = r.forsaken; forsaken == nil {
			r.answer <- answer
		}
	}
	m.mu.Unlock()
	if forsaken != nil {
		forsaken(answer)
	}
}

// send sends a message to the monitor, as soon as there is room.
func (m *Machine) send(kind uint8, body any) {
	m.mu.Lock()
	ring, full := m.queue(kind, body)
	m.mu.Unlock()
	m.follow(ring, full)
}

// queue is send for who has mu, and calls follow without it. It reports whether to ring,
// and whether there is no room.
func (m *Machine) queue(kind uint8, body any) (ring, full bool) {
	out := message{kind: kind}
	out.length = session.Put(&out.payload, body)
	m.unsent = append(m.unsent, out)
	ring = m.flush()
	return ring, len(m.unsent) > 0
}

// follow does what queue says. Where there was no room the serving goroutine is to wait
// for it, which may sleep, and then waits for messages only.
func (m *Machine) follow(ring, full bool) {
	if ring {
		m.ring()
	}
	if full {
		m.item.Wake()
	}
}

// flush sends what there is room for, and reports whether to ring. The caller has mu.
func (m *Machine) flush() (ring bool) {
	n := 0
	for n < len(m.unsent) && m.channel.Sender().Send(m.unsent[n].kind, m.unsent[n].payload[:m.unsent[n].length]) {
		n++
	}
	m.unsent = append(m.unsent[:0], m.unsent[n:]...)
	return m.channel.Sender().NeedsDoorbell()
}

// ring rings the monitor. There is nothing to be done if that fails: the monitor is gone, and
// the program with it soon.
func (m *Machine) ring() { _ = m.system.ringMonitor() }

// serve hears the monitor for as long as there is a session.
func (m *Machine) serve() {
	var slot [urpc.PayloadSize]byte
	for {
		receiver := m.channel.Receiver()
		for {
			kind, n, ok := receiver.Receive(&slot)
			if !ok {
				break
			}
			m.hear(kind, slot[:], n)
		}
		m.mu.Lock()
		ring := m.flush()
		m.mu.Unlock()
		if receiver.NeedsDoorbell() || ring {
			m.ring()
		}
		if receiver.Broken() {
			m.end(errBroken)
			return
		}
		err := m.item.Wait(context.Background(), m.asleep)
		m.awake()
		if err != nil {
			m.end(fmt.Errorf("the session with the monitor: %w", err))
			return
		}
	}
}

// asleep tells the monitor to ring, and reports whether there is nothing to do.
func (m *Machine) asleep() bool {
	if !m.channel.Receiver().Announce() {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.unsent) == 0 || m.channel.Sender().Announce()
}

// awake takes that back.
func (m *Machine) awake() {
	m.channel.Receiver().Withdraw()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.channel.Sender().Withdraw()
}

// end ends everything: whoever waits for the monitor is told why.
func (m *Machine) end(why error) {
	m.mu.Lock()
	m.over = why
	asked := m.asked
	m.asked = map[uint32]*request{}
	for _, r := range asked {
		if r.forsaken == nil {
			r.answer <- why
		}
	}
	var bindings []*binding
	for _, b := range m.bindings {
		bindings = append(bindings, b)
	}
	m.mu.Unlock()
	for _, b := range bindings {
		b.gone()
	}
}
