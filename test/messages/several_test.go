package messages

import (
	"testing"

	"skerry/test/boot"
)

// spread gives a program other cores besides its own.
func spread(p boot.Program, cores ...int) boot.Program {
	p.Cores = cores
	return p
}

// TestSeveral has programs on several cores each serve several others at once, be
// asked, and give capabilities, whatever core their goroutines are on.
func TestSeveral(t *testing.T) {
	const messages, frames = 3000, 10
	o := run(t, 4,
		spread(peer(t, 0, "", "serve", "wide", 4), 1, 2),
		peer(t, 3, "", "call", "wide", messages),
		peer(t, 0, "", "call", "wide", messages),
		peer(t, 1, "", "give", "wide", frames),
		spread(peer(t, 2, "", "call", "wide", messages), 1, 3),
	)
	said(t, o, "frames by", 1)
	// Not even on one core does the kernel carry the messages: an endpoint is of one
	// dispatcher.
	said(t, o, "by lmp", 0)
}
