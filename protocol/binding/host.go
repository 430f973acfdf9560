package binding

import "skerry/lib/session"

// Host is what a core does for bindings: its monitor. No method may call the Core.
type Host[D any] interface {
	// Offered takes what a client's core gives, and asks the exporter, if there is
	// such an export. Accept or Close must follow. Where it fails, nothing has
	// happened.
	Offered(id ID, to Export, d D) session.Error
	// Accepted takes what the exporter's core gives. Where it fails, nothing has
	// happened, and the binding comes to nothing.
	Accepted(id ID, d D) session.Error
	// Bound answers Bind. If there is no error the client has its end now, and
	// Close must follow, sometime.
	Bound(id ID, err session.Error)
	// Gone tells the program that has an end that the other's is gone: closed
	// (ErrNone), or why. Close must follow.
	Gone(e End, err session.Error)
	// Remove removes what Offered or Accepted took, with all mappings. It returns
	// whether it has; if not, Core.Removed must be called when it has.
	Remove(e End) (done bool)
	// Free says that nobody has anything any more of what this core gave to an
	// end: it may be freed. Nothing follows about the end.
	Free(e End)
}
