package control

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/lib/link"
	"skerry/lib/native"
	"skerry/lib/supply"
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

// dispatcher is one of a core.
type dispatcher struct {
	core int
	*wire.Domain
}

// label names the dispatcher's domain: by its number, and on another core than
// where it started by that too.
func (d *dispatcher) label() string {
	if d.Index == 0 {
		return fmt.Sprint(d.HomeDomain)
	}
	return fmt.Sprintf("%d@%d", d.HomeDomain, d.Home)
}

// dispatchersOf returns all dispatchers, those of a domain together, in the order
// of the cores where domains started.
func dispatchersOf(answers []answer) (list []dispatcher) {
	for core, a := range answers {
		if m, ok := a.message.(*wire.DomainsAnswer); ok {
			for i := range m.Domains {
				list = append(list, dispatcher{core, &m.Domains[i]})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b dispatcher) int {
		return cmp.Or(cmp.Compare(a.Home, b.Home), cmp.Compare(a.HomeDomain, b.HomeDomain), cmp.Compare(a.Index, b.Index))
	})
	return list
}

// printDomains prints a row for each dispatcher: how it is and what it has.
func (c *Control) printDomains(answers []answer) {
	rows := [][]string{{"core", "domain", "state", "memory", "quota", "cpu", "weight", "reserved", "dispatches", "upcalls", "name"}}
	for _, d := range dispatchersOf(answers) {
		state := "?"
		if int(d.State) < len(stateNames) {
			state = stateNames[d.State]
		}
		quota := "-"
		if d.Quota != 0 {
			quota = size(d.Quota)
		}
		n := &d.Counts
		rows = append(rows, []string{
			fmt.Sprint(d.core), d.label(), state, size(d.Memory), quota, milliseconds(d.CPU), fmt.Sprint(d.Weight), reserved(&d.DomainInfo),
			fmt.Sprint(n.Dispatches), fmt.Sprint(n.Runs + n.PageFaults + n.NestedFaults + n.Traps + n.LinuxCalls), native.Text(d.Name[:]),
		})
	}
	c.table(rows, true)
	c.printErrors(answers)
}

// reserved says what is reserved for a dispatcher: "2ms of 10ms", "2ms of 10ms by
// 5ms", or "-".
func reserved(d *abi.DomainInfo) string {
	if d.Period == 0 {
		return "-"
	}
	text := fmt.Sprintf("%v of %v", time.Duration(d.Budget), time.Duration(d.Period))
	if d.Deadline != d.Period {
		text += fmt.Sprintf(" by %v", time.Duration(d.Deadline))
	}
	return text
}

// printCounts prints a row for each dispatcher that counts what happened to it:
// how often it got the core and lost it while it could run, upcalls by kind,
// native calls, notifications, messages, missed deadlines and spent budgets.
func (c *Control) printCounts(answers []answer) {
	rows := [][]string{{"core", "domain", "dispatches", "preempted", "runs", "faults", "nested", "traps", "linux", "native",
		"notified", "sent", "received", "missed", "throttled", "name"}}
	for _, d := range dispatchersOf(answers) {
		row := []string{fmt.Sprint(d.core), d.label()}
		n := &d.Counts
		for _, count := range []uint64{
			n.Dispatches, n.Preemptions, n.Runs, n.PageFaults, n.NestedFaults, n.Traps, n.LinuxCalls, n.NativeCalls,
			n.Notified, n.Sent, n.Received, n.Missed, n.Throttled,
		} {
			row = append(row, fmt.Sprint(count))
		}
		rows = append(rows, append(row, native.Text(d.Name[:])))
	}
	c.table(rows, true)
	c.printErrors(answers)
}

// printThreads prints a row for each thread of a program.
func (c *Control) printThreads(p *program, answers []answer) {
	rows := [][]string{{"core", "thread", "state", "policy", "priority", "waits for"}}
	cores := p.cores()
	for i, a := range answers {
		m, ok := a.message.(*wire.ThreadsAnswer)
		if !ok {
			continue
		}
		for j := range m.Threads {
			t := &m.Threads[j]
			name := strconv.QuoteToGraphic(native.Text(t.Name[:]))
			row := []string{fmt.Sprint(cores[i]), fmt.Sprint(t.ID), t.State.String(), policy(t), priority(t), waitsFor(t)}
			if name != `""` {
				row[1] += " " + name
			}
			rows = append(rows, row)
		}
	}
	if len(rows) > 1 {
		c.table(rows, true)
	}
	c.printErrors(answers)
}

var policies = [...]string{
	linux.SCHED_OTHER: "other", linux.SCHED_FIFO: "fifo", linux.SCHED_RR: "rr", linux.SCHED_BATCH: "batch",
	linux.SCHED_IDLE: "idle", linux.SCHED_DEADLINE: "deadline",
}

// policy names a thread's Linux scheduling policy.
func policy(t *supply.Thread) string {
	if int(t.Policy) < len(policies) && policies[t.Policy] != "" {
		return policies[t.Policy]
	}
	return fmt.Sprint(t.Policy)
}

// priority is a thread's fixed priority, or its nice value: "5", "nice -3".
func priority(t *supply.Thread) string {
	if t.Priority != 0 {
		return fmt.Sprint(t.Priority)
	}
	return fmt.Sprintf("nice %d", t.Nice)
}

// waitsFor says what a blocked thread waits for.
func waitsFor(t *supply.Thread) string {
	text := "-"
	switch {
	case t.State != supply.Blocked:
	case t.Wait == supply.WaitFutex:
		text = fmt.Sprintf("futex %#x", t.Object)
	case t.Wait == supply.WaitFile:
		text = fmt.Sprintf("%s %d", linux.CallName(uint64(t.Call)), t.Object)
	case t.Wait != supply.WaitNothing:
		text = t.Wait.String()
	}
	if t.State == supply.Blocked && t.Deadline != 0 {
		text += fmt.Sprintf(" until %.3f s", float64(t.Deadline)/float64(time.Second))
	}
	return text
}
