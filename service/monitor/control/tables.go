package control

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"skerry/abi"
	"skerry/lib/link"
	"skerry/lib/native"
	"skerry/service/monitor/wire"
)

// table prints rows of cells aligned to the right, but for the last ones if they
// are names.
func (c *Control) table(rows [][]string, names bool) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		if last := len(row) - 1; names {
			fmt.Fprintf(w, "%s\t  %s\n", strings.Join(row[:last], "\t"), row[last])
			continue
		}
		fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
	}
	w.Flush()
	c.Console.Write([]byte(text.String()))
}

// lostRow is what a table says of a core that does not answer.
func lostRow(core, cells int) []string {
	row := make([]string, cells)
	row[0], row[1] = fmt.Sprint(core), "lost"
	return row
}

func milliseconds(ns int64) string {
	return fmt.Sprintf("%.1f ms", float64(ns)/float64(time.Millisecond))
}

// summary prints the tables of cores and of their memory that end a tour, and
// sends them to the host.
func (c *Control) summary(answers, memory []answer) {
	var all link.Summary
	for i, a := range answers {
		if m, ok := a.message.(*wire.CoreAnswer); ok {
			core := link.CoreOf(&m.Info)
			core.MessagesIn, core.MessagesOut = m.Received, m.Sent
			core.FreePages, core.DomainPages = m.Free/abi.PageSize, m.Given/abi.PageSize
			if m, ok := memory[i].message.(*wire.MemoryAnswer); ok {
				core.Memory = memoryOf(&m.Memory)
			}
			all.Cores = append(all.Cores, core)
		}
	}
	c.Console.Print("\n")
	c.printCores(answers)
	c.Console.Print("\n")
	c.printMemory(memory)
	c.Console.Print("\n")
	if c.host != nil {
		c.sendJSON(link.Info, all)
	}
}

// printCores prints a row for each core, and what that says. Allocations and
// collections are those of its kernel since it was ready: there should be none.
func (c *Control) printCores(answers []answer) {
	rows := [][]string{{"core", "kernel", "Go", "booted in", "heap", "allocations", "collections", "events", "messages in", "out", "idle", "memory free"}}
	quiet := true
	for i, a := range answers {
		m, ok := a.message.(*wire.CoreAnswer)
		if !ok {
			rows = append(rows, lostRow(i, len(rows[0])))
			quiet = false
			continue
		}
		k := &m.Info
		idle := "-"
		if k.NowNs > 0 {
			idle = fmt.Sprintf("%d%%", k.IdleNs*100/k.NowNs)
		}
		quiet = quiet && k.Mallocs == k.BootMallocs && k.Collections == k.BootCollections
		rows = append(rows, []string{
			fmt.Sprint(k.Core), native.Text(k.Version[:]), strings.TrimPrefix(native.Text(k.Go[:]), "go"),
			fmt.Sprintf("%d ms", (k.BootNs+500_000)/1_000_000), size(k.HeapBytes),
			fmt.Sprint(k.Mallocs - k.BootMallocs), fmt.Sprint(k.Collections - k.BootCollections),
			fmt.Sprint(k.Events), fmt.Sprint(m.Received), fmt.Sprint(m.Sent),
			idle, fmt.Sprintf("%d of %d MiB", m.Free>>20, k.TotalPages*abi.PageSize>>20),
		})
	}
	c.table(rows, false)
	if quiet {
		c.Console.Print("No kernel has allocated from its heap or collected garbage since it was ready.\n")
	}
	c.printErrors(answers)
}

// printErrors prints why cores did not answer.
func (c *Control) printErrors(answers []answer) {
	for _, a := range answers {
		if a.err != nil {
			c.Console.Print("%v\n", a.err)
		}
	}
}

var stateNames = [...]string{abi.DomainNew: "stopped", abi.DomainReady: "ready", abi.DomainParked: "waits", abi.DomainEnded: "ended"}

func (c *Control) printDomains(answers []answer) {
	rows := [][]string{{"core", "domain", "state", "memory", "quota", "cpu", "upcalls", "faults", "name"}}
	for i, a := range answers {
		m, ok := a.message.(*wire.DomainsAnswer)
		if !ok {
			continue
		}
		for j := range m.Domains {
			d := &m.Domains[j]
			state := "?"
			if int(d.State) < len(stateNames) {
				state = stateNames[d.State]
			}
			quota := "-"
			if d.Quota != 0 {
				quota = size(d.Quota)
			}
			rows = append(rows, []string{
				fmt.Sprint(i), fmt.Sprint(d.Domain), state, size(d.Memory), quota, milliseconds(d.CPU),
				fmt.Sprint(d.Counts.Runs), fmt.Sprint(d.Counts.PageFaults), native.Text(d.Name[:]),
			})
		}
	}
	c.table(rows, true)
	c.printErrors(answers)
}
