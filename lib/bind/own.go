package bind

import (
	"context"
	"fmt"
	"io"
	"sync"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/channel/direct"
	"skerry/lib/native/slots"
	"skerry/lib/session"
)

// own is the network of the program itself: the names that it exports.
var own ownNames

// ownNames are names within a program.
type ownNames struct {
	mu      sync.Mutex
	exports map[string]*ownExport
	changed chan struct{} // closed when a name is added; nil if nobody waits
}

type ownExport struct {
	*network.Export
	names *ownNames
	once  sync.Once
	gone  chan struct{} // closed when the offer is
}

// Carries implements Network.
func (o *ownNames) Carries(t channel.Transport) bool { return t == channel.TransportDirect }

// Export implements Network.
func (o *ownNames) Export(e *network.Export) (io.Closer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.exports[e.Name] != nil {
		return nil, session.ErrTaken
	}
	if o.exports == nil {
		o.exports = map[string]*ownExport{}
	}
	offer := &ownExport{Export: e, names: o, gone: make(chan struct{})}
	o.exports[e.Name] = offer
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	return offer, nil
}

// Close takes an offer back.
func (e *ownExport) Close() error {
	e.once.Do(func() {
		e.names.mu.Lock()
		delete(e.names.exports, e.Name)
		e.names.mu.Unlock()
		close(e.gone)
	})
	return nil
}

// get returns who exports a name, or what is closed when that may have changed.
func (o *ownNames) get(name string) (*ownExport, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e := o.exports[name]; e != nil {
		return e, nil
	}
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return nil, o.changed
}

// Find implements Network.
func (o *ownNames) Find(ctx context.Context, name string, wait bool) (network.Info, error) {
	for {
		e, changed := o.get(name)
		if e != nil {
			return network.Info{
				Version: e.Interface.Version, Fingerprint: e.Interface.Fingerprint,
				Facts: channel.Facts{SameDomain: true, SameCore: true, SharedCache: true},
			}, nil
		}
		if !wait {
			return network.Info{}, session.ErrNotFound
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return network.Info{}, ctx.Err()
		}
	}
}

// Bind implements Network.
func (o *ownNames) Bind(_ context.Context, r *network.Request) (channel.Conn, error) {
	e, _ := o.get(r.Name)
	if e == nil {
		return nil, session.ErrNotFound
	}
	here, there := direct.New(r.Depth, channel.Binding{Transport: channel.TransportDirect, Why: r.Why, Name: r.Name, Facts: r.Facts}, direct.Capabilities{Copy: slots.Copy, Drop: slots.Drop})
	if !e.Take(there) {
		here.Close()
		there.Close()
		return nil, session.ErrRefused
	}
	return here, nil
}

// Watch implements Network.
func (o *ownNames) Watch(ctx context.Context, name string) error {
	e, _ := o.get(name)
	if e == nil {
		return nil
	}
	select {
	case <-e.gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("watch %q: %w", name, ctx.Err())
	}
}
