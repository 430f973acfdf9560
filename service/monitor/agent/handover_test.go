package agent_test

import (
	"slices"
	"testing"

	"skerry/lib/session"
	"skerry/service/monitor/agenttest"
)

// TestHandOver: the core goes to a program that has been told something and slept, once, and only
// if no other program wants it.
func TestHandOver(t *testing.T) {
	asks := 0
	b := newBench(map[string]func(*agenttest.Domain){
		"asker": func(d *agenttest.Domain) {
			defer d.Sleep()
			if d.Hear(); d.State == asks {
				return
			}
			d.State = asks
			name, err := session.MakeName("nobody")
			if err != nil {
				t.Error(err)
			}
			d.Say(session.KindWatch, &session.Watch{Name: name}) // without a number, which is refused at once
		},
		"wait": func(*agenttest.Domain) {},
	})
	b.speaking(t, 5, "asker", 0)
	b.run(true)
	asker := b.kernel.Running()[0].Number
	if !b.HandOver() || b.HandOver() || !slices.Equal(b.kernel.Yielded, []uint32{asker}) {
		t.Errorf("the core went to domains %v, want %d alone", b.kernel.Yielded, asker)
	}
	b.spawn(t, 6, "wait")
	b.run(true)
	b.HandOver()
	b.kernel.Yielded = nil
	asks++
	b.run(true)
	if b.HandOver() || b.kernel.Yielded != nil {
		t.Errorf("the core went to domains %v, and another wants it", b.kernel.Yielded)
	}
}
