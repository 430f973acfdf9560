package bind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"skerry/lib/bind/machine"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/channel/hop"
	"skerry/lib/session"
)

// Network is a way to find and reach other programs. What the program is and the
// machine it runs on are there by themselves.
type Network = network.Network

// networks are those that there are, in the order in which they are asked.
var networks struct {
	sync.Mutex
	list    []Network
	once    sync.Once
	machine *machine.Machine // nil if the program has no session
	why     error            // why not
}

// Add adds a network: from now on names are looked for there too, after those of
// the program, the machine and earlier networks, and what is exported later is
// exported there too. What it returns takes the network away again; what has been
// bound and exported over it stays.
func Add(n Network) (remove func()) {
	begin()
	networks.Lock()
	defer networks.Unlock()
	networks.list = append(networks.list, n)
	return func() {
		networks.Lock()
		defer networks.Unlock()
		networks.list = slices.DeleteFunc(networks.list, func(other Network) bool { return other == n })
	}
}

// begin puts those in the list that are there by themselves.
func begin() {
	networks.once.Do(func() {
		list := []Network{new(own)}
		if networks.machine, networks.why = machine.Open(); networks.why == nil {
			list = append(list, networks.machine)
		}
		networks.list = append(list, &hop.Network{Dial: toRelay(hop.Relay), Asked: true})
	})
}

// onSkerry reports whether the program runs on Skerry, so that there are capabilities.
func onSkerry() bool {
	begin()
	return !errors.Is(networks.why, machine.ErrElsewhere)
}

// lacking reports why the program, though it runs on Skerry, can reach no other.
func lacking() error {
	if !onSkerry() {
		return nil
	}
	return networks.why
}

// all returns the networks that there are.
func all() []Network {
	begin()
	networks.Lock()
	defer networks.Unlock()
	return slices.Clone(networks.list)
}

// carrying returns those that may be used.
func carrying(o *settings) ([]Network, error) {
	list := slices.DeleteFunc(all(), func(n Network) bool {
		return !n.Carries(o.wanted) || o.skip != nil && o.skip(n)
	})
	if len(list) == 0 {
		if err := lacking(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("no network that this program has carries %s: %w", o.wanted, session.ErrTransport)
	}
	return list, nil
}

// find looks a name up at all networks that may be used, and returns the first that
// has it, with what it knows.
func find(ctx context.Context, name string, o *settings) (Network, network.Info, error) {
	list, err := carrying(o)
	if err != nil {
		return nil, network.Info{}, err
	}
	n, info, err := findIn(ctx, list, name, o)
	if err != nil || !info.Facts.SameDomain || n.Carries(channel.TransportDirect) {
		return n, info, err
	}
	// It is the program's own name, and has come while one network after the other was
	// asked. It comes to the program first.
	for _, own := range list {
		if own.Carries(channel.TransportDirect) {
			info, err := own.Find(ctx, name, false)
			return own, info, err
		}
	}
	return n, info, nil
}

// findIn is find in a list of networks.
func findIn(ctx context.Context, list []Network, name string, o *settings) (Network, network.Info, error) {
	lacks := lacking()
	if len(list) == 1 && lacks == nil {
		info, err := list[0].Find(ctx, name, !o.noWait)
		return list[0], info, waited(ctx, err, o)
	}
	var failed error
	for _, n := range list {
		info, err := n.Find(ctx, name, false)
		if err == nil {
			return n, info, nil
		}
		if !isNotFound(err) {
			failed = errors.Join(failed, err)
		}
	}
	switch {
	case lacks != nil:
		return nil, network.Info{}, lacks // nobody may come for ever
	case !o.noWait:
		n, info, err := race(ctx, list, name)
		return n, info, waited(ctx, err, o)
	case failed == nil:
		failed = session.ErrNotFound
	}
	return nil, network.Info{}, failed
}

// waited says what was waited for, if the context ended before it came.
func waited(ctx context.Context, err error, o *settings) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	what := "nobody exports it yet"
	switch o.wanted {
	case channel.TransportAny:
	case channel.TransportHop:
		what = "no relay runs, or none that finds the name"
	default:
		what = fmt.Sprintf("nobody whom %s reaches exports it yet", o.wanted)
	}
	return fmt.Errorf("%s: %w", what, ctx.Err())
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
