package control

// Parts returns how many parts of programs are not known to be gone.
func (c *Control) Parts() int { return len(c.parts) }

// NamesIdle reports whether nobody has a name or waits for one.
func (c *Control) NamesIdle() bool { return c.registry.Idle() }
