// Package network says what a way to find and reach other programs must be able to
// do: a Network. The machine is one, by way of its monitors; TCP connections to
// other machines, or a program that passes messages on, are others. Package bind
// has a list of them, and those who bind need not know which there are.
//
// Package bind and networks import it. It must never know any one of them.
package network

import (
	"context"
	"fmt"
	"io"

	"skerry/lib/channel"
	"skerry/lib/session"
)

// Network is a way to find and reach other programs. All methods may be called by
// many goroutines. Where nobody exports a name they fail with session.ErrNotFound,
// where two speak different versions with a *VersionError.
type Network interface {
	// Carries reports whether it has a transport.
	Carries(t channel.Transport) bool
	// Export offers an interface under a name until what it returns is closed;
	// that ends nothing that has been bound. It fails with session.ErrTaken
	// where somebody else has the name.
	Export(e *Export) (io.Closer, error)
	// Find tells what is exported under a name. With wait it waits until
	// something is, as long as the context lasts.
	Find(ctx context.Context, name string, wait bool) (Info, error)
	// Bind connects to what is exported under a name. It does not wait for
	// the name to be there, but for its exporter to answer.
	Bind(ctx context.Context, r *Request) (channel.Conn, error)
	// Watch returns nil when nobody exports the name any more, at once if
	// nobody does.
	Watch(ctx context.Context, name string) error
}

// Choice is a transport, and in a sentence why it was chosen.
type Choice struct {
	Transport channel.Transport
	Why       string
}

// Seeker is a Network that finds, has chosen, and binds, all by one question where that can be.
type Seeker interface {
	Network
	// Seek connects to what is exported under a name, and waits for the name as little as
	// Bind does. The request says which transport was asked for, TransportAny if none was,
	// and nothing that is to be known of the exporter first. choose says by what the two are
	// to be bound, and why, or that what was asked for cannot be; it must not block.
	Seek(ctx context.Context, r *Request, choose func(channel.Facts) (Choice, error)) (channel.Conn, error)
}

// Export is an interface that is offered under a name.
type Export struct {
	Name      string
	Interface channel.Interface
	// Take is given each connection to it, and reports whether it is wanted:
	// if not it is closed, and whoever bound it is refused. It does not block.
	Take func(channel.Conn) bool
}

// Info is what is known of an exported interface.
type Info struct {
	Version     uint32
	Fingerprint uint64
	Facts       channel.Facts
	// Only is the one transport by which it can be reached; TransportAny
	// where the facts are to decide.
	Only channel.Transport
}

// Request asks to be bound.
type Request struct {
	Name      string
	Interface channel.Interface
	Transport channel.Transport // as chosen, never TransportAny
	Why       string            // for the Binding
	Facts     channel.Facts     // from Find
	// Depth is how many messages may be under way in each direction at least;
	// 0: what is usual.
	Depth int
}

// Check reports by a *VersionError if what is exported is not what is asked for.
func (i *Info) Check(name string, want channel.Interface) error {
	if i.Version == want.Version && i.Fingerprint == want.Fingerprint {
		return nil
	}
	return &VersionError{Name: name, Interface: want.Name, Want: want.Version, Have: i.Version}
}

// VersionError says that what is exported under a name and what was to be bound to
// it are not the same. It unwraps to session.ErrVersion.
type VersionError struct {
	Name       string // that was bound to
	Interface  string // of whoever binds
	Want, Have uint32 // versions of whoever binds, and of the exporter
}

// Error says which two versions met, and what to do.
func (e *VersionError) Error() string {
	if e.Want == e.Have {
		return fmt.Sprintf("%q does not export interface %s as it is here, though both have version %d: build both from the same declaration, and give it a new version where it has changed",
			e.Name, e.Interface, e.Want)
	}
	return fmt.Sprintf("%q exports version %d, this program speaks version %d of interface %s: build both from the same declaration", e.Name, e.Have, e.Want, e.Interface)
}

// Unwrap returns session.ErrVersion.
func (e *VersionError) Unwrap() error { return session.ErrVersion }
