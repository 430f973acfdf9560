package machine

import (
	"context"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// Seek implements network.Seeker.
func (m *Machine) Seek(ctx context.Context, r *network.Request, choose func(channel.Facts) (network.Choice, error)) (channel.Conn, error) {
	c, err := m.bind(ctx, r, choose)
	near, is := err.(*nearError)
	if !is {
		return c, err
	}
	choice, err := choose(near.facts)
	switch {
	case err != nil:
		return nil, err
	case choice.Transport == channel.TransportDirect:
		return nil, session.ErrNotFound // it has come meanwhile, and the program has it nearer
	}
	chosen := *r
	chosen.Transport, chosen.Why, chosen.Facts = choice.Transport, choice.Why, near.facts
	return m.Bind(ctx, &chosen)
}

// nearError says that the exporter is on the program's own core, so that a transport must be
// chosen first.
type nearError struct{ facts channel.Facts }

func (*nearError) Error() string { return session.ErrNear.Error() }
