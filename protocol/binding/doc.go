// Package binding is the protocol by which a program on one core, the client, is
// bound to one on another or the same, the exporter, and by which the two ends of a
// binding end.
//
// The client's core offers, the exporter accepts or refuses, and each side says
// once that it is closed:
//
//	client's core               exporter's core
//	Bind      ── Offer ───────→ Offered: the exporter is asked
//	Bound     ←─ Accepted ───── Accept
//	Gone      ←─ Closed ──────→ Gone
//
// Offer brings what the client's core gives to the binding: the frame in which the
// channel is, and what of the client's the exporter needs to wake it. Accepted
// brings what the exporter's core gives. The frame is the client's core's, since
// the client wants the binding and its quota pays: an exporter whose clients cost
// it memory could be made to run out of it.
//
// # Why it is right
//
// Closed means two things: the program at the sender's end is told nothing more and
// has nothing of the binding, and so has the sender's core of what the other core
// gave: it was removed before, or refused, or is never going to be imported. Each
// side sends exactly one, for good, whether the other's has come or not. So what a
// side gave is free exactly once, when it has sent its own and got the other's:
// Host.Free. And whoever gets a Closed while its program still has its end tells
// the program, once: Host.Gone; the program is to close its end then.
//
// Cancelling is closing before Accepted has come; refusing is closing before it was
// sent; the death of a program closes its ends. A lost core has closed everything.
//
// Monitors import it. It must never look at what is given (the details), which is the
// business of package bind and the monitors.
package binding
