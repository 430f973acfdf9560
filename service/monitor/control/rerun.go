package control

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// condemn chooses when a program that has started is to be killed, if it is.
func (c *Control) condemn(p *program) {
	p.kill = time.Time{}
	if p.index >= 0 && c.Manifest.Programs[p.index].Kill > 0 {
		most := int64(c.Manifest.Programs[p.index].Kill)
		p.kill = c.Now().Add(time.Duration(1+rand.Int64N(most)) * time.Microsecond)
	}
}

// repeat takes note that a run of p has ended, and reports whether there is to be
// another. That is started by Tick: whoever tells of the end may not be able to
// start anything yet.
func (c *Control) repeat(p *program) bool {
	if p.index < 0 || p.run+1 >= c.Manifest.Programs[p.index].Runs {
		return false
	}
	p.run++
	p.kill = time.Time{}
	delete(c.programs, p.number)
	c.again = append(c.again, p)
	return true
}

// rerun kills the programs whose time has come, and starts those that are to run
// again.
func (c *Control) rerun(now time.Time) {
	for _, p := range c.programs {
		if !p.kill.IsZero() && !now.Before(p.kill) {
			p.kill = time.Time{}
			c.kill(p)
		}
	}
	again := c.again
	c.again = nil
	for _, p := range again {
		m := c.Manifest.Programs[p.index]
		m.Env = append(slices.Clone(m.Env), fmt.Sprintf("RUN=%d", p.run))
		c.start(p, &m)
	}
}
