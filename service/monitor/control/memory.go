package control

import (
	"fmt"

	"skerry/abi/capability"
	"skerry/lib/link"
	"skerry/service/monitor/wire"
)

// memoryOf turns what a core says of its memory into what a Summary says.
func memoryOf(m *wire.Memory) link.Memory {
	types := make(map[string]uint64)
	for t, bytes := range m.Types {
		if bytes != 0 {
			types[capability.Type(t).String()] = bytes
		}
	}
	return link.Memory{
		Total: m.Total, Kernel: m.Kernel, Lent: m.Lent, Borrowed: m.Borrowed, Types: types,
		Free: m.Free, Largest: m.Largest, Given: m.Given, Monitor: m.Monitor, Machine: m.Machine, Shared: m.Shared,
	}
}

// printMemory prints a row for each core that says where its RAM is, and whether
// that is all of the machine's. Of what is neither free nor the kernel's, a row
// says who has it (programs, the monitor) and what it was made into.
func (c *Control) printMemory(answers []answer) {
	rows := [][]string{{"core", "memory", "kernel", "free", "programs", "monitor", "frames", "tables", "CNodes", "dispatchers", "not used", "lent", "borrowed"}}
	var all link.Summary
	lost := false
	for i, a := range answers {
		answer, ok := a.message.(*wire.MemoryAnswer)
		if !ok {
			rows = append(rows, lostRow(i, len(rows[0])))
			lost = true
			continue
		}
		m := &answer.Memory
		all.Cores = append(all.Cores, link.Core{Core: i, Memory: memoryOf(m)})
		sum := func(types ...capability.Type) (bytes uint64) {
			for _, t := range types {
				bytes += m.Types[t]
			}
			return bytes
		}
		row := []string{fmt.Sprint(i)}
		for _, bytes := range []uint64{
			m.Total, m.Kernel, m.Free, m.Given, m.Monitor,
			sum(capability.Frame),
			sum(capability.PageTable1, capability.PageTable2, capability.PageTable3, capability.PageTable4, capability.PageTable5),
			sum(capability.L1CNode, capability.L2CNode),
			sum(capability.Dispatcher),
			sum(capability.RAM) - min(m.Free, sum(capability.RAM)),
			m.Lent, m.Borrowed,
		} {
			row = append(row, size(bytes))
		}
		rows = append(rows, row)
	}
	c.table(rows, false)
	for i := range all.Cores {
		if core := &all.Cores[i]; core.Memory.Missing() != 0 {
			c.Console.Print("Of core %d's memory %d bytes are unaccounted for.\n", core.Core, core.Memory.Missing())
		}
	}
	if !lost {
		m := &all.Cores[0].Memory
		if missing := all.Missing(); missing != 0 {
			c.Console.Print("Of the machine's %s, %d bytes are unaccounted for.\n", size(m.Machine), missing)
		} else {
			c.Console.Print("That and %s that no core has are all of the machine's %s.\n", size(m.Shared), size(m.Machine))
		}
	}
	c.printErrors(answers)
}
