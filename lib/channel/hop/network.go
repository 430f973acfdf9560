// Package hop binds programs through a third one, the relay, which can reach both
// and passes their messages on, capabilities included: a network.Network for whoever
// binds, and Serve for the relay.
//
// Package bind and relays import it. It runs on Skerry and on a host alike. A relay
// must never look into a message, keep more of them than one for each direction, or
// let one that does not receive hold up others.
package hop

import (
	"context"
	"errors"
	"io"

	"skerry/lib/bind/introduce"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
)

// Relay is the name under which a relay is found if nothing else is said.
const Relay = "relay"

// Network reaches names that a relay can reach.
type Network struct {
	// Dial connects to the relay, of interface introduce.Interface, or fails with
	// session.ErrNotFound if there is none, unless it is to wait for it.
	Dial func(ctx context.Context, wait bool) (channel.Conn, error)
	// Asked has it used only if TransportHop is asked for.
	Asked bool
}

// Carries implements network.Network.
func (n *Network) Carries(t channel.Transport) bool {
	return t == channel.TransportHop || t == channel.TransportAny && !n.Asked
}

// Export implements network.Network: there is nothing to do, since the relay finds
// what is exported where it looks.
func (n *Network) Export(*network.Export) (io.Closer, error) { return nothing{}, nil }

type nothing struct{}

func (nothing) Close() error { return nil }

// ask connects to the relay and asks.
func (n *Network) ask(ctx context.Context, operation uint8, name string, wait bool, i channel.Interface) (channel.Conn, introduce.Reply, error) {
	c, err := n.Dial(ctx, wait)
	if err != nil {
		return nil, introduce.Reply{}, err
	}
	reply, err := introduce.Ask(ctx, c, operation, name, wait, i)
	if err != nil {
		return nil, reply, errors.Join(err, c.Close())
	}
	return c, reply, nil
}

// Find implements network.Network.
func (n *Network) Find(ctx context.Context, name string, wait bool) (network.Info, error) {
	c, reply, err := n.ask(ctx, introduce.Find, name, wait, channel.Interface{})
	if err != nil {
		return network.Info{}, err
	}
	return network.Info{Version: reply.Version, Fingerprint: reply.Fingerprint, Only: channel.TransportHop}, c.Close()
}

// Bind implements network.Network.
func (n *Network) Bind(ctx context.Context, r *network.Request) (channel.Conn, error) {
	c, _, err := n.ask(ctx, introduce.Bind, r.Name, false, r.Interface)
	if err != nil {
		return nil, err
	}
	return &conn{c, channel.Binding{Transport: channel.TransportHop, Why: r.Why, Name: r.Name, Facts: c.Binding().Facts}}, nil
}

// conn is a connection to a relay that has become one to a name.
type conn struct {
	channel.Conn
	binding channel.Binding
}

// Binding implements channel.Conn. Its facts are of the relay.
func (c *conn) Binding() channel.Binding { return c.binding }

// Watch implements network.Network.
func (n *Network) Watch(ctx context.Context, name string) error {
	c, _, err := n.ask(ctx, introduce.Watch, name, false, channel.Interface{})
	switch {
	case errors.Is(err, channel.ErrPeer):
		return nil // with the relay all that it reaches is gone
	case err != nil:
		return err
	}
	return c.Close()
}
