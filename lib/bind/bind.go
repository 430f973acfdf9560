// Package bind has programs find each other and connects them. One exports an
// interface under a name, others dial that name:
//
//	listener, err := bind.Export("store", store.Interface)
//	conn, err := listener.Accept(ctx)
//
//	conn, err := bind.Dial(ctx, "store", store.Interface)
//
// What carries the messages is chosen when they bind, from what is known of the two:
// within a program, through the kernel of their core, through memory that two cores
// share, over a network. Neither of them needs to know; conn.Binding() tells which it
// is, and why. The option Via asks for one, and so does the variable
// SKERRY_TRANSPORT in the environment, which counts more.
//
// On Skerry a program must have been given messages (manifest.Messages); on another
// system it finds its own names, and those of networks that it adds.
//
// Programs and generated stubs import it. It must never look into a message.
package bind

import (
	"context"
	"errors"
	"fmt"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// Errors of finding and binding; errors.Is tells them.
const (
	// ErrNotFound: nobody exports that name, and it was not to be waited for.
	ErrNotFound = session.ErrNotFound
	// ErrTaken: somebody else exports that name.
	ErrTaken = session.ErrTaken
	// ErrVersion: the other speaks another version; the error is a *VersionError.
	ErrVersion = session.ErrVersion
	// ErrRefused: the exporter takes no more connections now, or lacks what one takes; which
	// it is the error says.
	ErrRefused = session.ErrRefused
	// ErrTransport: the two cannot be bound by the transport that was asked for.
	ErrTransport = session.ErrTransport
	// ErrTravel says that a capability cannot go to another core, ErrWithdrawn that it is
	// being withdrawn from other cores, or has been.
	ErrTravel    = session.ErrTravel
	ErrWithdrawn = session.ErrWithdrawn
)

// VersionError says that two programs do not speak the same version of an interface.
type VersionError = network.VersionError

// Dial connects to what is exported under a name. It waits for the name, as long as
// the context lasts, unless option NoWait is given, and for the exporter's program,
// though not for its Accept; should that die before it has answered, for the next one. The interface must be the exporter's: otherwise it
// fails with a *VersionError.
func Dial(ctx context.Context, name string, i channel.Interface, options ...Option) (channel.Conn, error) {
	o := settingsOf(options)
	if err := o.check(name); err != nil {
		return nil, fmt.Errorf("bind to %q: %w", name, err)
	}
	c, err := connect(ctx, name, i, &o)
	if err != nil {
		return nil, fmt.Errorf("bind to %q: %w", name, err)
	}
	return c, nil
}

// connect is dial that waits for a name again if that went before it was bound to.
func connect(ctx context.Context, name string, i channel.Interface, o *settings) (channel.Conn, error) {
	for {
		c, err := dial(ctx, name, i, o)
		if errors.Is(err, session.ErrDied) {
			err = session.ErrNotFound // its exporter has died before it answered
		}
		if !isNotFound(err) || o.noWait || ctx.Err() != nil {
			return c, err
		}
	}
}

// dial binds by one question, if the name is on this machine now; else it finds the name, then
// binds to it.
func dial(ctx context.Context, name string, i channel.Interface, o *settings) (channel.Conn, error) {
	if c, err := seek(ctx, name, i, o); !isNotFound(err) {
		return c, err
	}
	looked := *o
	if o.wanted == channel.TransportDirect {
		looked.wanted = channel.TransportAny // where another exports it, that is refused, and not waited for ever
	}
	n, info, err := find(ctx, name, &looked)
	if err != nil {
		return nil, err
	}
	if err := info.Check(name, i); err != nil {
		return nil, err
	}
	choice, err := choose(info, o)
	if err != nil {
		return nil, err
	}
	r := &network.Request{Name: name, Interface: i, Transport: choice.Transport, Why: choice.Why, Facts: info.Facts, Depth: o.depth}
	c, err := n.Bind(ctx, r)
	return orElse(ctx, n, r, choice, o, c, err)
}

// seek has the network that seeks do so, unless the name is the program's own. It fails with
// ErrNotFound where it has not bound, for which others may know the name.
func seek(ctx context.Context, name string, i channel.Interface, o *settings) (channel.Conn, error) {
	list, err := carrying(o)
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		s, is := n.(network.Seeker)
		if !is {
			if !n.Carries(channel.TransportDirect) {
				break // to ask it may cost a connection
			}
			if _, err := n.Find(ctx, name, false); err == nil {
				break
			}
			continue
		}
		r := &network.Request{Name: name, Interface: i, Transport: o.wanted, Depth: o.depth}
		c, err := s.Seek(ctx, r, func(f channel.Facts) (Choice, error) { return Choose(f, o.wanted) })
		// Of what is chosen only that can turn out not to be possible.
		return orElse(ctx, n, r, Choice{Transport: channel.TransportLMP}, o, c, err)
	}
	return nil, session.ErrNotFound
}

// orElse returns what came of binding as was chosen, or binds in another way if that could not be
// and was not asked for.
func orElse(ctx context.Context, n network.Network, r *network.Request, choice Choice, o *settings, c channel.Conn, err error) (channel.Conn, error) {
	for errors.Is(err, session.ErrTransport) && o.wanted == channel.TransportAny {
		next, ok := instead(choice)
		if !ok {
			break
		}
		choice = next
		r.Transport, r.Why = choice.Transport, choice.Why
		c, err = n.Bind(ctx, r)
	}
	return c, err
}
