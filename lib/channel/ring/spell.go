package ring

import (
	"context"

	"skerry/lib/channel"
	"skerry/lib/pause"
	"skerry/lib/wait"
)

// spell is how long one half of a connection polls before it sleeps. At first that is as
// long as it may, or as short where the cores have other things to do; then longer after each time that it has helped, and much less after each
// that it has not. So whoever polls is right four times out of five. It knows no clock.
//
// Who polls has the core, and others of that core cannot run: not what will send what is
// waited for, if it is one of them. So a spell ends as soon as the kernel says that another
// program can run; after the least of looks, since a peer on another core that is at it
// answers before two programs could have changed places, and with a neighbour at once.
// Such an end says nothing of whether polling helps.
type spell struct {
	looks  int // that are worth it
	sleeps int

	courtesy wait.Courtesy
}

const (
	// least and most bound the looks of a spell. On a processor most take some tens of
	// microseconds, which is what it takes to wake somebody.
	least, most = 16, 2048
	// At every glance, after so many looks, it is asked whether anybody else needs the core.
	glance = 8
	// A round is so many looks, after which others are seen to.
	round = 256
	// Of so many spells one lasts as long as any may: how else to learn that it pays.
	trial = 16
)

// newSpell returns the first spell of a half whose peer is what was known when the two
// were bound. If more than one program could run on one of the two cores, whoever is waited for
// may have to wait for its own turn first.
func newSpell(f channel.Facts) spell {
	if f.Load > 1 {
		return spell{looks: least}
	}
	return spell{looks: most}
}

// poll looks whether something is ready, as often as is worth it, or for ever in the
// polled form. It returns true when something is, or the connection has ended, and an error
// if the context has.
func (s *spell) poll(ctx context.Context, c *Conn, ready func() bool) (bool, error) {
	if c.config.Neighbour != nil && !c.config.Polled && c.wanted() {
		return false, nil
	}
	done, limit := ctx.Done(), s.looks
	if s.sleeps%trial == trial-1 {
		limit = most
	}
	for looks := 0; c.config.Polled || looks < limit; {
		if ready() {
			s.looks = min(max(s.looks+s.looks/4, 2*looks), most)
			return true, nil
		}
		pause.Times(1)
		if looks++; looks%glance != 0 {
			continue
		}
		if looks >= least && c.wanted() {
			if !c.config.Polled {
				return false, nil
			}
			c.set.Yield()
		}
		if looks%round != 0 && !c.called() {
			continue
		}
		if c.over() || c.channel.PeerClosed() {
			return true, nil
		}
		select {
		case <-done:
			return false, ctx.Err()
		default:
		}
		s.courtesy.Polled(c.set)
	}
	s.looks = max(s.looks/2, least)
	s.sleeps++
	return false, nil
}

// over says whether nothing can be sent or received any more, or nothing more come.
func (c *Conn) over() bool {
	return c.finished.Load() != 0 || c.gone.Load() || c.channel.Broken()
}

// waited is what Send and Receive say of the end of a wait.
func waited(err error) error {
	if err == wait.ErrClosed {
		return channel.ErrClosed
	}
	return err
}

// A connection of which both ends only poll may have no set to ask.

// wanted reports whether other programs can run on this core.
func (c *Conn) wanted() bool { return c.set != nil && c.set.Wanted() }

// called reports whether something has come for the program that another goroutine waits
// for.
func (c *Conn) called() bool { return c.set != nil && c.set.Called() }

// handedOver reports whether a peer on this core has had a turn, so that there may be what
// is waited for.
func (c *Conn) handedOver() bool { return c.set != nil && c.set.HandOver() }
