package control

import (
	"fmt"
	"strings"

	"skerry/lib/channel"
	"skerry/protocol/names"
	"skerry/service/monitor/wire"
)

// route hands a message on from one core to another. What is about names and comes to
// core 0 is for the registry.
func (c *Control) route(core int, m wire.Routed) {
	w := m.Way()
	if int(w.From) != core || c.usable(int(w.To)) != nil {
		return // whoever waits for an answer hears that the core is lost
	}
	if n, ok := m.(*wire.Names); ok && w.To == 0 && n.Message.Kind != names.Answer {
		c.registry.Handle(w.From, n.Message)
		return
	}
	c.Send(int(w.To), m)
}

// answerNames sends the registry's answer to a core.
func (c *Control) answerNames(to uint32, m names.Message) {
	if c.usable(int(to)) == nil {
		c.Send(int(to), &wire.Names{Route: wire.Route{To: to}, Message: m})
	}
}

// tellLost tells all cores that one is lost, whose names are gone.
func (c *Control) tellLost(core int) {
	c.registry.Lost(uint32(core))
	for other := range c.cores {
		if c.usable(other) == nil {
			c.Send(other, &wire.Lost{Core: uint32(core)})
		}
	}
}

// names lists the names that programs export, and who they are, and those that programs wait
// for in vain.
func (c *Control) names(_ []string, done func()) error {
	rows := [][]string{{"name", "version", "core", "domain", "program"}}
	list, entries := c.registry.Names()
	for i, n := range list {
		e := &entries[i]
		domain, program := "?", "?"
		if p := c.program(int(e.Core), e.Program); p != nil {
			domain, program = fmt.Sprint(p.domain), p.name
		}
		rows = append(rows, []string{n.String(), fmt.Sprint(e.Version), fmt.Sprint(e.Core), domain, program})
	}
	c.list(rows, "Nobody exports a name.")
	waited, cores := c.registry.Waited()
	for i, n := range waited {
		c.Console.Print("Programs on core %s wait for %s.\n", strings.Trim(strings.ReplaceAll(fmt.Sprint(cores[i]), " ", ", "), "[]"), n)
	}
	done()
	return nil
}

// list prints rows below the first, their heading, or that there are none.
func (c *Control) list(rows [][]string, none string) {
	if len(rows) == 1 {
		c.Console.Print("%s\n", none)
		return
	}
	c.table(rows, true)
}

func queryChannels(request uint32) wire.Message { return &wire.QueryChannels{Request: request} }

// channels lists who is bound to whom, and by what.
func (c *Control) channels(_ []string, done func()) error {
	c.gather(queryChannels, func(answers []answer) {
		rows := [][]string{{"client", "server", "transport", "memory", "name"}}
		for core, a := range answers {
			m, ok := a.message.(*wire.ChannelsAnswer)
			if !ok {
				continue
			}
			for _, b := range m.Channels {
				memory := "-"
				if b.Size != 0 {
					memory = size(b.Size)
				}
				rows = append(rows, []string{
					fmt.Sprintf("%d@%d", b.Client, core), fmt.Sprintf("%d@%d", b.Server, b.ServerCore),
					channel.Transport(b.Transport).String(), memory, b.Name.String(),
				})
			}
		}
		c.list(rows, "Nobody is bound to a name.")
		c.printErrors(answers)
		done()
	})
	return nil
}
