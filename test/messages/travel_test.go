package messages

import (
	"io"
	"regexp"
	"testing"

	"skerry/test/boot"
)

// TestThirdCore has frames go from core to core, and back to the core that they are of:
// all write into the same memory, and when it is revoked nobody has any of it.
func TestThirdCore(t *testing.T) {
	const frames = 20
	o := run(t, 4,
		peer(t, 0, "", "forward", "d", 1),
		peer(t, 2, "", "forward", "c", 1, "d"),
		peer(t, 1, "", "forward", "b", 1, "c"),
		peer(t, 0, "", "revoke", "b", frames, 3),
		// And by way of two programs on one core, to the end of the world.
		peer(t, 3, "", "forward", "z", 1),
		peer(t, 1, "", "forward", "y", 1, "z"),
		peer(t, 1, "", "forward", "x", 1, "y"),
		peer(t, 2, "", "revoke", "x", frames, 3),
	)
	said(t, o, "60 copies before, 0 after", 2)
}

// TestBack has frames come back to the program that gave them, by way of three cores, with
// the rights that it gave.
func TestBack(t *testing.T) {
	const frames = 20
	o := run(t, 4,
		peer(t, 0, "", "back", "home", frames, "b"),
		peer(t, 1, "", "forward", "b", 1, "c"), peer(t, 2, "", "forward", "c", 1, "d"), peer(t, 3, "", "forward", "d", 1, "home"),
	)
	said(t, o, "20 frames came back", 1)
}

// TestRevokedOnItsWay revokes frames at any time while they go from core to core.
func TestRevokedOnItsWay(t *testing.T) {
	frames := boot.Times(200, 5000)
	o := run(t, 4,
		peer(t, 3, "", "forward", "d", 1), peer(t, 2, "", "forward", "c", 1, "d"), peer(t, 1, "", "forward", "b", 1, "c"),
		peer(t, 0, "", "race", "b", frames),
	)
	said(t, o, "0 copies left of", 1)
	t.Log(o.Stderr)
}

// TestKilledReceiving kills who receives frames, and who gives them on, over and over, on
// the core of the giver and on others. When all of them are dead heirs have their names: a
// giver that hangs by then, at one that died or in waiting for a name, never hears of it.
func TestKilledReceiving(t *testing.T) {
	runs := boot.Times(50, 200)
	again := func(p boot.Program) boot.Program {
		p.Runs, p.Kill = runs, 300_000
		return p
	}
	over := make(until)
	heir := func(core int, name string) boot.Program {
		p := peer(t, core, "", "heir", name)
		p.Stdin = over
		return p
	}
	m := &boot.Machine{Cores: 3, Programs: []boot.Program{
		again(peer(t, 2, "", "stay", "last")), again(peer(t, 0, "", "stay", "near")),
		again(peer(t, 1, "", "forward", "middle", 1<<30, "last")),
		// What this gives to its neighbour through the kernel outlives it.
		again(peer(t, 2, "", "forward", "beside", 1<<30, "last")),
		peer(t, 0, "", "sprays", "middle"), peer(t, 0, "", "sprays", "beside"), peer(t, 0, "", "sprays", "last"), peer(t, 1, "", "sprays", "near"),
		heir(1, "middle"), heir(2, "beside"), heir(2, "last"), heir(0, "near"),
	}}
	alive := 4
	m.Ended = func(program int) {
		if m.Programs[program].Kill == 0 {
			return
		}
		if alive--; alive == 0 {
			close(over)
		}
	}
	o := runOn(t, m)
	said(t, o, "have died", 4)
	if !regexp.MustCompile(`(?m)^[1-9]\d* receivers`).MatchString(o.Stdout) {
		t.Error("all receivers were killed before anybody could bind to them")
	}
	if lines := boot.Lines(o.Stdout); len(lines) != 4 {
		t.Errorf("something failed:\n%s", o.Stdout)
	}
	t.Log(o.Stdout)
}

// until is an input that ends, and has nothing in it, when it is closed.
type until chan struct{}

func (u until) Read([]byte) (int, error) {
	<-u
	return 0, io.EOF
}

// TestFull has the receiver's exchange full: who gives is told, or waits, and nothing is lost.
func TestFull(t *testing.T) {
	const frames = 300
	o := run(t, 2,
		peer(t, 0, "", "stuffed", "here", 0), peer(t, 0, "doorbell", "patient", "here", frames),
		peer(t, 0, "", "stuffed", "there", 0), peer(t, 1, "", "patient", "there", frames),
	)
	said(t, o, "300 of 300 frames came", 2)
}

// TestOverlap gives a frame and a part of it to a program of another core, which can have one of
// them.
func TestOverlap(t *testing.T) {
	const frames = 20
	o := run(t, 2, peer(t, 1, "", "forward", "there", 1), peer(t, 0, "", "overlap", "there", frames))
	said(t, o, "20 of 20 were refused", 1)
}

// TestDoorbell has a doorbell go from core to core and back; all who have it ring it.
func TestDoorbell(t *testing.T) {
	// Nobody is rung but by that doorbell.
	const by = "polled"
	o := run(t, 3,
		peer(t, 0, by, "ringer", "d", 0), peer(t, 2, by, "ringer", "c", 0, "d"), peer(t, 1, by, "ringer", "b", 0, "c"),
		peer(t, 0, by, "rung", "b", 20, 3),
	)
	said(t, o, "rung 60 times", 1)
	said(t, o, "b has a RemoteDoorbell", 1)
	said(t, o, "c has a RemoteDoorbell", 1)
	said(t, o, "d has a Doorbell", 1)
	said(t, o, "capability of type Endpoint: only doorbells, and frames", 1)
}
