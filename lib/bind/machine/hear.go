package machine

import "skerry/lib/session"

// hear does what a message of the monitor's says; what is none is dropped.
func (m *Machine) hear(kind uint8, b []byte, n int) {
	switch kind {
	case session.KindExported:
		hear(b, n, func(x *session.Exported) { m.answered(x.ID, x) })
	case session.KindFound:
		hear(b, n, func(x *session.Found) { m.answered(x.Request, x) })
	case session.KindNameGone:
		hear(b, n, func(x *session.NameGone) { m.answered(x.Request, x) })
	case session.KindIncoming:
		hear(b, n, m.incoming)
	case session.KindBound:
		hear(b, n, m.bound)
	case session.KindGone:
		hear(b, n, func(x *session.Gone) {
			if b := m.bindingOf(x.Binding); b != nil {
				b.gone()
			}
		})
	case session.KindArrived:
		hear(b, n, m.arrived)
	case session.KindGiven:
		hear(b, n, func(x *session.Given) { m.answered(x.Ticket, x) })
	case session.KindWithdrawn:
		hear(b, n, func(x *session.Withdrawn) { m.answered(x.Request, x) })
	}
}

func hear[M any](b []byte, n int, do func(*M)) {
	m := new(M)
	if session.Get(b, n, m) {
		do(m)
	}
}
