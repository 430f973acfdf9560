package control

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"skerry/lib/manifest"
)

// condemn chooses when a program that has started is to be killed, if it is.
func (c *Control) condemn(p *program) {
	p.kill = time.Time{}
	if p.index >= 0 && c.Manifest.Programs[p.index].Kill > 0 {
		most := int64(c.Manifest.Programs[p.index].Kill)
		p.kill = c.Now().Add(time.Duration(1+rand.Int64N(most)) * time.Microsecond)
		c.expect(p.kill)
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
		c.start(p, c.due(p))
	}
}

// due returns what the manifest has to say of the next run of p.
func (c *Control) due(p *program) *manifest.Program {
	m := c.Manifest.Programs[p.index]
	if m.Runs > 0 {
		m.Env = append(slices.Clone(m.Env), fmt.Sprintf("RUN=%d", p.run))
	}
	return &m
}

// endRuns makes the run under way, or the next if there is none, p's last.
func (c *Control) endRuns(p *program) { p.run = max(p.run, c.Manifest.Programs[p.index].Runs) }
