package bind

import (
	"context"

	"skerry/abi/capability"
	"skerry/lib/bind/introduce"
	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/channel/hop"
)

// ThroughRelay returns the network of what the relay of a name can reach. That of name
// hop.Relay is there by itself, for those who ask for TransportHop; a program that adds
// another has its names looked up there too if nothing else is asked for.
func ThroughRelay(name string) Network { return &hop.Network{Dial: toRelay(name)} }

// toRelay connects to a relay, over anything but another relay.
func toRelay(name string) func(context.Context, bool) (channel.Conn, error) {
	return func(ctx context.Context, wait bool) (channel.Conn, error) {
		return connect(ctx, name, introduce.Interface, &settings{noWait: !wait, skip: isRelay})
	}
}

// Reach is what a relay in this program can reach: all that it could bind to itself. drop
// deletes a capability and frees its slot; nil where there are none.
func Reach(drop func(capability.Reference) error) *hop.Reach {
	return &hop.Reach{
		Find: Find, Lookup: Lookup, Watch: Watch, Drop: drop,
		Dial: func(ctx context.Context, name string, i channel.Interface) (channel.Conn, error) {
			return Dial(ctx, name, i, NoWait())
		},
	}
}

func isRelay(n network.Network) bool {
	_, is := n.(*hop.Network)
	return is
}
