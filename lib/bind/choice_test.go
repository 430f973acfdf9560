package bind

import (
	"errors"
	"testing"

	"skerry/lib/channel"
)

// TestChoose is the table of what is chosen.
func TestChoose(t *testing.T) {
	const (
		any      = channel.TransportAny
		direct   = channel.TransportDirect
		lmp      = channel.TransportLMP
		polled   = channel.TransportPolled
		doorbell = channel.TransportDoorbell
		hop      = channel.TransportHop
		refused  = channel.Transport(255)
	)
	here := channel.Facts{SameDomain: true, SameCore: true, SharedCache: true, Load: 1}
	beside := channel.Facts{SameCore: true, SharedCache: true, Load: 2}
	near := channel.Facts{SharedCache: true, Core: 1, Distance: 10, Load: 1}
	busy := channel.Facts{SharedCache: true, Core: 1, Distance: 10, Load: 2}
	far := channel.Facts{Core: 4, Distance: 21, Load: 1}
	farBusy := channel.Facts{Core: 4, Distance: 21, Load: 9}
	for _, c := range []struct {
		what  string
		facts channel.Facts
		asked channel.Transport
		want  channel.Transport
	}{
		{"same program", here, any, direct},
		{"same core", beside, any, lmp},
		{"shared cache, idle", near, any, doorbell},
		{"shared cache, busy", busy, any, doorbell},
		{"no shared cache, idle", far, any, doorbell},
		{"no shared cache, busy", farBusy, any, doorbell},

		{"same program", here, direct, direct},
		{"same core", beside, direct, refused},
		{"other core", near, direct, refused},
		{"same program", here, lmp, lmp},
		{"same core", beside, lmp, lmp},
		{"other core", near, lmp, refused},
		{"same program", here, polled, polled},
		{"same core", beside, polled, polled},
		{"shared cache, busy", busy, polled, polled},
		{"no shared cache", far, polled, polled},
		{"same program", here, doorbell, doorbell},
		{"same core", beside, doorbell, doorbell},
		{"shared cache, idle", near, doorbell, doorbell},
		{"other core", near, hop, refused},
		{"other core", near, channel.TransportOther, refused},
	} {
		got, err := Choose(c.facts, c.asked)
		if c.want == refused {
			if !errors.Is(err, ErrTransport) {
				t.Errorf("%s, %s asked for: %v, %v, want it refused", c.what, c.asked, got, err)
			}
			continue
		}
		if err != nil || got.Transport != c.want || got.Why == "" {
			t.Errorf("%s, %s asked for: %v, %v, want %s", c.what, c.asked, got, err, c.want)
		}
	}
}
