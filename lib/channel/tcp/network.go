// Package tcp binds programs over TCP connections: a network.Network for package
// bind, which a program adds to reach others that have it too.
//
//	listener, err := net.Listen("tcp", "localhost:0")
//	bind.Add(tcp.New(listener, peers...))
//
// It carries no capabilities, and trusts those at the other end with nothing but the
// connections they have: what they send is judged. Who may connect is for the
// listener to decide; nothing is encrypted.
//
// Programs that have a network import it; it runs wherever package net does. It must
// never know what is said on a connection.
package tcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"skerry/lib/bind/introduce"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// patience is how long somebody who has connected may take to say what for.
const patience = 10 * time.Second

// Network is a program's part of such a network. Its names are known to those who
// have it as a peer.
type Network struct {
	names    network.Table
	listener net.Listener
	peers    []string
}

// New returns a network in which others connect to a listener, nil for none, and
// which looks names up at peers, addresses as net.Dial takes them, in that order.
// It ends when the listener is closed; what is bound then stays so.
func New(listener net.Listener, peers ...string) *Network {
	n := &Network{listener: listener, peers: peers}
	if listener != nil {
		go n.serve()
	}
	return n
}

// Carries implements network.Network.
func (n *Network) Carries(t channel.Transport) bool {
	return t == channel.TransportAny || t == channel.TransportTCP
}

// Export implements network.Network.
func (n *Network) Export(e *network.Export) (io.Closer, error) { return n.names.Export(e) }

// serve introduces those who connect.
func (n *Network) serve() {
	for {
		c, err := n.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // no descriptors left, perhaps: others close theirs
			continue
		}
		if t, ok := c.(*net.TCPConn); ok {
			go n.introduce(t)
		} else {
			c.Close()
		}
	}
}

// introduce answers what somebody who has connected asks.
func (n *Network) introduce(t *net.TCPConn) {
	t.SetDeadline(time.Now().Add(patience))
	var m channel.Message
	err := readMessage(t, &m)
	request, ok := introduce.ParseRequest(&m)
	if err != nil || !ok {
		t.Close()
		return
	}
	t.SetDeadline(time.Time{})
	name := request.Name.String()
	reply := func(r introduce.Reply) error {
		m := r.Message()
		return writeMessage(t, &m)
	}
	if request.Operation == introduce.Bind {
		n.take(t, &request, reply)
		return
	}
	defer t.Close()
	// They wait as long as they stay connected.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		var b [1]byte
		t.Read(b[:])
	}()
	switch request.Operation {
	case introduce.Find:
		e, err := n.names.Find(ctx, name, request.Wait == 1)
		if err != nil {
			reply(introduce.Reply{Error: session.ErrNotFound})
			return
		}
		reply(introduce.Reply{Version: e.Interface.Version, Fingerprint: e.Interface.Fingerprint})
	case introduce.Watch:
		if n.names.Watch(ctx, name) == nil {
			reply(introduce.Reply{})
		}
	}
}

// take binds who has connected to a name, if it is there and they speak the same.
func (n *Network) take(t *net.TCPConn, r *introduce.Request, reply func(introduce.Reply) error) {
	name := r.Name.String()
	e, err := n.names.Find(context.Background(), name, false)
	answer := introduce.Reply{}
	var c *conn
	switch {
	case err != nil:
		answer.Error = session.ErrNotFound
	case e.Interface.Version != r.Version || e.Interface.Fingerprint != r.Fingerprint:
		answer = introduce.Reply{Error: session.ErrVersion, Version: e.Interface.Version, Fingerprint: e.Interface.Fingerprint}
	default:
		c = newConn(t, 0, channel.Binding{
			Transport: channel.TransportTCP, Name: name, Why: fmt.Sprintf("%s has connected by it", t.RemoteAddr()),
		})
		if !e.Take(c) {
			c, answer.Error = nil, session.ErrRefused
		}
	}
	err = reply(answer)
	if c == nil || err != nil {
		t.Close()
	}
	if c != nil {
		c.start() // if the reply failed it finds the peer gone
	}
}

// connect connects to a peer and asks. What it returns is the caller's to start.
func connect(ctx context.Context, peer string, operation uint8, name string, wait bool, r *network.Request) (*conn, introduce.Reply, error) {
	var d net.Dialer
	t, err := d.DialContext(ctx, "tcp", peer)
	if err != nil {
		return nil, introduce.Reply{}, err
	}
	c := newConn(t.(*net.TCPConn), r.Depth, channel.Binding{Transport: channel.TransportTCP, Why: r.Why, Name: name, Facts: r.Facts}).start()
	reply, err := introduce.Ask(ctx, c, operation, name, wait, r.Interface)
	if err != nil {
		c.Close()
		return nil, reply, err
	}
	return c, reply, nil
}

// each asks the peers one after the other, until one knows the name.
func (n *Network) each(ask func(peer string) error) error {
	var failed error
	for _, peer := range n.peers {
		err := ask(peer)
		if err == nil {
			return nil
		}
		if !errors.Is(err, session.ErrNotFound) {
			failed = errors.Join(failed, fmt.Errorf("at %s: %w", peer, err))
		}
	}
	if failed == nil {
		return session.ErrNotFound
	}
	return failed
}

// Find implements network.Network.
func (n *Network) Find(ctx context.Context, name string, wait bool) (info network.Info, err error) {
	ask := func(ctx context.Context, peer string, wait bool) (network.Info, error) {
		c, reply, err := connect(ctx, peer, introduce.Find, name, wait, &network.Request{})
		if err != nil {
			return network.Info{}, err
		}
		c.Close()
		return network.Info{Version: reply.Version, Fingerprint: reply.Fingerprint, Only: channel.TransportTCP}, nil
	}
	if !wait {
		err = n.each(func(peer string) (err error) {
			info, err = ask(ctx, peer, false)
			return err
		})
		return info, err
	}
	return n.wait(ctx, ask)
}

// wait asks all peers at once, until one has the name or all have failed.
func (n *Network) wait(ctx context.Context, ask func(context.Context, string, bool) (network.Info, error)) (network.Info, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	found := make(chan network.Info, len(n.peers))
	failures := make([]error, len(n.peers))
	for i, peer := range n.peers {
		all.Go(func() {
			info, err := ask(waiting, peer, true)
			if err != nil {
				failures[i] = fmt.Errorf("at %s: %w", peer, err)
				return
			}
			found <- info
			cancel()
		})
	}
	all.Wait()
	select {
	case info := <-found:
		return info, nil
	default:
	}
	if len(n.peers) == 0 {
		<-ctx.Done() // nobody can come
	}
	if ctx.Err() != nil {
		return network.Info{}, ctx.Err()
	}
	return network.Info{}, errors.Join(failures...)
}

// Bind implements network.Network.
func (n *Network) Bind(ctx context.Context, r *network.Request) (bound channel.Conn, err error) {
	err = n.each(func(peer string) error {
		c, _, err := connect(ctx, peer, introduce.Bind, r.Name, false, r)
		if err == nil {
			bound = c
		}
		return err
	})
	return bound, err
}

// Watch implements network.Network.
func (n *Network) Watch(ctx context.Context, name string) error {
	return n.each(func(peer string) error {
		if _, err := n.find(ctx, peer, name); err != nil {
			return err
		}
		c, _, err := connect(ctx, peer, introduce.Watch, name, false, &network.Request{})
		if err == nil {
			c.Close()
		}
		if errors.Is(err, channel.ErrPeer) {
			return nil // with the peer its names are gone
		}
		return err
	})
}

// find asks one peer for a name.
func (n *Network) find(ctx context.Context, peer, name string) (introduce.Reply, error) {
	c, reply, err := connect(ctx, peer, introduce.Find, name, false, &network.Request{})
	if err == nil {
		c.Close()
	}
	return reply, err
}
