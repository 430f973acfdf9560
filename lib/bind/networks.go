package bind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// Network is a way to find and reach other programs. What the program is and the
// machine it runs on are there by themselves.
type Network = network.Network

// networks are those that there are, in the order in which they are asked.
var networks struct {
	sync.Mutex
	list []Network
	once sync.Once
	err  error // why the machine is not among them
}

// Add adds a network: from now on names are looked for there too, after those of
// the program, the machine and earlier networks, and what is exported later is
// exported there too.
func Add(n Network) {
	begin()
	networks.Lock()
	defer networks.Unlock()
	networks.list = append(networks.list, n)
}

// begin puts those in the list that are there by themselves.
func begin() {
	networks.once.Do(func() {
		networks.list = append(networks.list, &own)
	})
}

// all returns the networks that there are.
func all() []Network {
	begin()
	networks.Lock()
	defer networks.Unlock()
	return slices.Clone(networks.list)
}

// carrying returns those that have a transport.
func carrying(t channel.Transport) ([]Network, error) {
	list := all()
	if t != channel.TransportAny {
		list = slices.DeleteFunc(list, func(n Network) bool { return !n.Carries(t) })
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no network that this program has carries %s: %w", t, session.ErrTransport)
	}
	return list, nil
}

// find looks a name up at all networks that have a transport, and returns the first
// that has it, with what it knows. If one alone would wait, all do.
func find(ctx context.Context, name string, wait bool, t channel.Transport) (Network, network.Info, error) {
	list, err := carrying(t)
	if err != nil {
		return nil, network.Info{}, err
	}
	if len(list) == 1 {
		info, err := list[0].Find(ctx, name, wait)
		return list[0], info, err
	}
	var failed error
	for _, n := range list {
		info, err := n.Find(ctx, name, false)
		if err == nil {
			return n, info, nil
		}
		if !errors.Is(err, session.ErrNotFound) {
			failed = errors.Join(failed, err)
		}
	}
	if !wait {
		if failed == nil {
			failed = session.ErrNotFound
		}
		return nil, network.Info{}, failed
	}
	return race(ctx, list, name)
}

// race waits for a name at several networks, until one has it or all have failed.
func race(ctx context.Context, list []Network, name string) (Network, network.Info, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		from Network
		info network.Info
		err  error
	}
	answers := make(chan answer, len(list))
	for _, n := range list {
		go func() {
			info, err := n.Find(ctx, name, true)
			answers <- answer{n, info, err}
		}()
	}
	var failed error
	for range list {
		a := <-answers
		if a.err == nil {
			return a.from, a.info, nil
		}
		failed = errors.Join(failed, a.err)
	}
	return nil, network.Info{}, failed
}
