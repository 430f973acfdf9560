package direct

import (
	"testing"

	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/conntest"
)

// TestConn checks what any connection must do.
func TestConn(t *testing.T) {
	const depth, moved = 8, 1000
	binding := channel.Binding{Transport: channel.TransportDirect}
	next := capability.Reference(0)
	conntest.Run(t, conntest.Transport{
		Transport: channel.TransportDirect,
		Connect: func(testing.TB) (channel.Conn, channel.Conn) {
			return New(depth, binding, Capabilities{
				Copy: func(r capability.Reference) (capability.Reference, error) { return r + moved, nil },
			})
		},
		Capability: func(testing.TB, channel.Conn) capability.Reference {
			next++
			return next
		},
		Same: func(_ testing.TB, sent, received capability.Reference) bool { return received == sent+moved },
		Most: depth,
	})
}

// TestNoCapabilities checks an end of a program that has none.
func TestNoCapabilities(t *testing.T) {
	a, b := New(1, channel.Binding{}, Capabilities{})
	defer b.Close()
	defer a.Close()
	if err := a.TrySend(&channel.Message{Kind: 1, Capability: 1}); err != channel.ErrNoCapability {
		t.Error(err)
	}
}
