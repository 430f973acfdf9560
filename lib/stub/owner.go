package stub

import "skerry/lib/channel"

// Who sends has mu, or is the one who is sending; who receives is the leader. So a
// connection that could guard itself need not.

// own has the link use a connection from now on, of which it is the owner.
func (l *link) own(conn channel.Conn) {
	l.conn = conn
	if g, ok := conn.(channel.Guarded); ok {
		l.conn = g.Unguarded(l.exclusively)
	}
}

// exclusively has f run while nobody sends nor receives. At a server that is when the reader has
// left, which runs it then: who wants it may be a call that the reader runs.
func (l *link) exclusively(f func()) {
	l.mu.Lock()
	if l.serves {
		l.leaving = append(l.leaving, f)
		l.mu.Unlock()
		return
	}
	w := newWaiter()
	for l.sending || l.leader.Load() != vacant {
		if l.leader.Load() != vacant && !l.want() {
			continue // it has just been left
		}
		l.waiting, l.senders = append(l.waiting, &w), append(l.senders, &w)
		l.mu.Unlock()
		<-w.ready
		l.mu.Lock()
		l.waiting, l.senders = remove(l.waiting, &w), remove(l.senders, &w)
	}
	l.sending = true
	l.takeLead()
	l.mu.Unlock()
	f()
	l.mu.Lock()
	l.sending = false
	l.nextSender()
	l.leaveLead()
	l.mu.Unlock()
}

// leaveConn is when a server's reader receives no more. mu is held, but not meanwhile.
func (l *link) leaveConn() {
	l.serves = false
	l.leaveLead()
	leaving := l.leaving
	l.leaving = nil
	l.mu.Unlock()
	for _, f := range leaving {
		l.exclusively(f)
	}
	l.mu.Lock()
}
