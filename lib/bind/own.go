package bind

import (
	"context"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/channel/direct"
	"skerry/lib/native/slots"
	"skerry/lib/session"
)

// own is the program itself as a network: the names that it exports.
type own struct{ network.Table }

// Carries implements Network.
func (o *own) Carries(t channel.Transport) bool {
	return t == channel.TransportAny || t == channel.TransportDirect
}

// Find implements Network.
func (o *own) Find(ctx context.Context, name string, wait bool) (network.Info, error) {
	e, err := o.Table.Find(ctx, name, wait)
	if err != nil {
		return network.Info{}, err
	}
	return network.Info{
		Version: e.Interface.Version, Fingerprint: e.Interface.Fingerprint,
		Facts: channel.Facts{SameDomain: true, SameCore: true, SharedCache: true},
	}, nil
}

// Bind implements Network.
func (o *own) Bind(ctx context.Context, r *network.Request) (channel.Conn, error) {
	e, err := o.Table.Find(ctx, r.Name, false)
	if err != nil {
		return nil, err
	}
	b := channel.Binding{Transport: r.Transport, Why: r.Why, Name: r.Name, Facts: r.Facts}
	var capabilities direct.Capabilities
	if onSkerry() {
		capabilities = direct.Capabilities{Copy: slots.Copy, Drop: slots.Drop}
	}
	here, there := direct.New(r.Depth, b, capabilities)
	if !e.Take(there) {
		here.Close()
		there.Close()
		return nil, session.ErrRefused
	}
	return here, nil
}
