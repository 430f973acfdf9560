package control

// Parts returns how many parts of programs are not known to be gone.
func (c *Control) Parts() int { return len(c.parts) }
