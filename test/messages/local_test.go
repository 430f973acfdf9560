package messages

import (
	"strings"
	"testing"
)

// TestEndpointsUsedUp binds programs on one core more often than they have endpoints: the
// others are bound by doorbell. First it is the client that has no more, then the exporter.
func TestEndpointsUsedUp(t *testing.T) {
	o := run(t, 1, peer(t, 0, "", "serve", "many", 80), peer(t, 0, "", "lines", "many", 40))
	const why = "both programs are on one core, but one of them has several dispatchers, or no room for another endpoint"
	said(t, o, why, 2)
	said(t, o, "40 lines", 2)
	o = run(t, 1,
		peer(t, 0, "", "gather", "many", 48),
		peer(t, 0, "", "lines", "many", 16, "of 3"), peer(t, 0, "", "lines", "many", 16, "of 3"), peer(t, 0, "", "lines", "many", 16, "of 3"),
	)
	if !strings.Contains(o.Stdout, why) {
		t.Error("the exporter never had too few endpoints")
	}
	said(t, o, "16 lines", 3)
}

// TestSelf has programs give capabilities to themselves, on one core and on several.
func TestSelf(t *testing.T) {
	const frames = 50
	o := run(t, 2, peer(t, 0, "", "self", "alone", frames), spread(peer(t, 1, "", "self", "wide", frames), 0))
	said(t, o, "50 frames by direct", 2)
}
