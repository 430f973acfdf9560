package stub

import (
	"context"
	"encoding/binary"
)

// The lead is what the goroutine has that reads the connection, for itself and for all
// others that wait. A server's leader is always the same goroutine. At a client whoever
// waits takes the lead if nobody has it, and leaves it to another one.
//
// Most often nobody else wants it, and who has received its answer makes another call
// soon. Therefore who leads need not take mu to leave: mu is held whenever
// the lead is taken, and whenever somebody comes to want it; then it is wanted, and is
// left with mu held.
const (
	vacant = iota
	led    // and can be left without mu
	wanted // by somebody in waiting, or by a sender that waits for room
)

// takeLead takes the lead if nobody has it. mu is held.
func (l *link) takeLead() bool {
	if l.leader.Load() != vacant {
		return false
	}
	l.direct = false
	if len(l.waiting) > 0 || l.sending {
		l.leader.Store(wanted)
	} else {
		l.leader.Store(led)
	}
	return true
}

// leaveLead leaves it. mu is held.
func (l *link) leaveLead() {
	l.leader.Store(vacant)
	l.succeed()
}

// slip leaves the lead without mu, if nobody wants it.
func (l *link) slip() bool { return l.leader.CompareAndSwap(led, vacant) }

// want has the leader leave the lead to somebody. It is false if there is no leader. mu is
// held.
func (l *link) want() bool {
	return l.leader.CompareAndSwap(led, wanted) || l.leader.Load() == wanted
}

// succeed sees to it that somebody leads, if somebody waits. mu is held.
func (l *link) succeed() {
	pump := l.sending && l.err == nil
	switch {
	case len(l.waiting) == 0 && !pump:
	case l.want():
	case len(l.waiting) > 0:
		l.waiting[0].wake()
	case l.takeLead():
		// The peer may take nothing more before what it has to say has been
		// received.
		ctx, stop := context.WithCancel(context.Background())
		l.stopPump = stop
		go l.pump(ctx)
	}
}

func (l *link) pump(ctx context.Context) {
	w := newWaiter()
	l.lead(ctx, &w, noHeader)
	l.mu.Lock()
	l.endPump()
	l.leaveLead()
	l.mu.Unlock()
}

// wait waits until w is done, the connection has ended or the context has. mu is held,
// but not while it waits.
func (l *link) wait(ctx context.Context, w *waiter) (err error) {
	for !w.done && err == nil {
		if err = l.err; err == nil {
			err = ctx.Err()
		}
		if err != nil {
			break
		}
		if l.takeLead() {
			if !w.done { // by the call that led last
				l.mu.Unlock()
				_, err = l.lead(ctx, w, noHeader)
				l.mu.Lock()
			}
			l.leader.Store(vacant)
			continue
		}
		if !l.want() {
			continue // it has just been left
		}
		l.waiting = append(l.waiting, w)
		l.mu.Unlock()
		select {
		case <-w.ready:
		case <-ctx.Done():
		}
		l.mu.Lock()
		l.waiting = remove(l.waiting, w)
	}
	l.succeed()
	if w.done {
		return nil
	}
	return err
}

// lead reads the connection until w is done, or the answer with the header own has
// come, which it leaves in l.in. Other messages it hands over. The caller is the
// leader, and still is when it returns.
func (l *link) lead(ctx context.Context, w *waiter, own uint64) (direct bool, err error) {
	return l.follow(ctx, w, own, l.conn.Receive(ctx, &l.in))
}

// follow is lead after something has been received, or has failed to be.
func (l *link) follow(ctx context.Context, w *waiter, own uint64, err error) (direct bool, _ error) {
	for ; ; err = l.conn.Receive(ctx, &l.in) {
		if err != nil {
			if ctx.Err() == nil || fatal(err) {
				l.mu.Lock()
				l.fail(err)
				l.mu.Unlock()
			}
			return false, err
		}
		if l.answers(own) {
			return true, nil
		}
		l.mu.Lock()
		err = l.receive()
		done := w.done
		l.mu.Unlock()
		if err != nil {
			l.breakOff(err)
			return false, err
		}
		if done {
			return false, nil
		}
	}
}

// answers says whether l.in is an answer with a header, and is all of it.
func (l *link) answers(header uint64) bool {
	return l.in.Kind == kindAnswer && whole(&l.in) && binary.LittleEndian.Uint64(l.in.Payload[:]) == header
}
