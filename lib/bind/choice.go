package bind

import (
	"fmt"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// Choice is a transport, and in a sentence why it was chosen.
type Choice = network.Choice

// Choose chooses what is to carry messages between two programs of a machine, from
// what is known of them and from what was asked for, TransportAny for nothing. It
// fails with ErrTransport if they cannot be bound by what was asked for.
func Choose(f channel.Facts, asked channel.Transport) (Choice, error) {
	switch asked {
	case channel.TransportAny:
		return fitting(f), nil
	case channel.TransportDirect:
		if !f.SameDomain {
			return Choice{}, fmt.Errorf("%s is for two ends in one program: %w", asked, session.ErrTransport)
		}
	case channel.TransportLMP:
		if !f.SameCore {
			return Choice{}, fmt.Errorf("%s is for programs on one core, and the other is on core %d: %w", asked, f.Core, session.ErrTransport)
		}
	case channel.TransportPolled, channel.TransportDoorbell:
	default:
		return Choice{}, fmt.Errorf("programs of one machine are not bound by %s: %w", asked, session.ErrTransport)
	}
	return Choice{Transport: asked, Why: fmt.Sprintf("%s was asked for", asked)}, nil
}

// sameNode is the distance of two cores whose memory is one node's.
const sameNode = 10

// fitting is what serves two programs best. It never has anybody poll for good: who
// can sleep polls a while first as well, so as long as messages come both are as quick,
// and who only polls keeps the core from all others, among them the Go runtime's poller
// of the same program.
func fitting(f channel.Facts) Choice {
	switch {
	case f.SameDomain:
		return Choice{Transport: channel.TransportDirect, Why: "both ends are in one program"}
	case f.SameCore:
		return Choice{Transport: channel.TransportLMP, Why: "both programs are on one core, whose kernel switches from one to the other"}
	}
	where, wait := "on another node", "polls a while, then sleeps until it is rung"
	switch {
	case f.SharedCache:
		where = "with a cache in common"
	case f.Distance <= sameNode:
		where = "on the same node"
	}
	if f.Load > 1 {
		wait = "sleeps soon, since others run on one of the two, until it is rung"
	}
	return Choice{Transport: channel.TransportDoorbell, Why: fmt.Sprintf("the other is on core %d, %s: whoever waits %s", f.Core, where, wait)}
}

// instead returns what may serve where a choice turned out to be impossible, such
// as LMP for a program with several dispatchers, or with no room for another
// endpoint.
func instead(c Choice) (Choice, bool) {
	if c.Transport != channel.TransportLMP {
		return c, false
	}
	return Choice{Transport: channel.TransportDoorbell, Why: "both programs are on one core, but one of them has several dispatchers, or no room for another endpoint"}, true
}

// choose chooses a transport for what was found.
func choose(info network.Info, o *settings) (Choice, error) {
	switch {
	case info.Only == channel.TransportAny:
		return Choose(info.Facts, o.wanted)
	case o.wanted == channel.TransportAny:
		return Choice{Transport: info.Only, Why: fmt.Sprintf("it is reached by %s alone", info.Only)}, nil
	case o.wanted != info.Only:
		return Choice{}, fmt.Errorf("%s was asked for, and it is reached by %s alone: %w", o.wanted, info.Only, session.ErrTransport)
	}
	return Choice{Transport: info.Only, Why: fmt.Sprintf("%s was asked for", info.Only)}, nil
}
