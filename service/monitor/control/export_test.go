package control

import (
	"slices"

	"skerry/lib/session"
)

// Parts returns how many parts of programs are not known to be gone.
func (c *Control) Parts() int { return len(c.parts) }

// NamesIdle reports whether nobody has a name or waits for one.
func (c *Control) NamesIdle() bool { return c.registry.Idle() }

// Named reports whether somebody has a name.
func (c *Control) Named(n session.Name) bool {
	list, _ := c.registry.Names()
	return slices.Contains(list, n)
}
