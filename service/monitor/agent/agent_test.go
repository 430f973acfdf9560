package agent_test

import (
	"fmt"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
	"skerry/lib/stdio"
	"skerry/service/memory/loan"
	"skerry/service/monitor/agent"
	"skerry/service/monitor/agenttest"
	"skerry/service/monitor/wire"
)

// bench is an agent over a kernel made of memory, and a log of its messages.
type bench struct {
	*agent.Agent
	kernel *agenttest.Kernel
	log    []string
	window map[uint32]int
	wanted map[uint32]int   // how often a program wanted input
	text   map[uint8]string // output by stream
	loans  []loan.Message
	extend *wire.Extend // the last
	answer wire.Message
	status map[uint32]abi.Status
	peak   map[uint32]uint64
}

func newBench(programs map[string]func(*agenttest.Domain)) *bench {
	kernel := agenttest.New(3, programs)
	b := &bench{kernel: kernel, window: make(map[uint32]int), wanted: make(map[uint32]int), text: make(map[uint8]string),
		status: make(map[uint32]abi.Status), peak: make(map[uint32]uint64)}
	b.Agent = agent.New(kernel.Core, kernel, kernel.Pool(), func(m wire.Message) {
		switch m := m.(type) {
		case *wire.Output:
			b.text[m.Stream] += string(m.Data)
			b.log = append(b.log, fmt.Sprintf("output %d/%d", m.Program, m.Stream))
		case *wire.Window:
			b.window[m.Program] += int(m.Bytes)
		case *wire.Wanted:
			b.wanted[m.Program]++
		case *wire.CoreAnswer, *wire.DomainsAnswer, *wire.MemoryAnswer:
			b.answer = m
		case *wire.Exit:
			b.status[m.Program], b.peak[m.Program] = m.Status, m.Peak
			b.log = append(b.log, fmt.Sprintf("exit %d kind %d code %d", m.Program, m.Status.Kind, m.Status.Code))
		case *wire.Started:
			b.log = append(b.log, fmt.Sprintf("started %d as %d", m.Program, m.Domain))
		case *wire.Failed:
			b.log = append(b.log, fmt.Sprintf("failed %d: %s", m.Program, m.Reason))
		case *wire.Loan:
			b.loans = append(b.loans, m.Message)
		case *wire.Extend:
			b.extend = m
			b.log = append(b.log, fmt.Sprintf("extend %d core %d index %d", m.Program, m.Core, m.Index))
		case *wire.Extended:
			b.log = append(b.log, fmt.Sprintf("extended %d doorbell %d", m.Program, m.Doorbell))
		case *wire.Peers:
			b.log = append(b.log, fmt.Sprintf("peers %d core %d %v", m.Program, m.Core, m.Doorbells))
		case *wire.Grow:
			b.log = append(b.log, fmt.Sprintf("grow %d core %d piece %d of %d", m.Program, m.Core, m.Number, m.Size))
		case *wire.Grown:
			b.log = append(b.log, fmt.Sprintf("grown %d piece %d", m.Program, m.Number))
		case *wire.Shrink:
			b.log = append(b.log, fmt.Sprintf("shrink %d core %d", m.Program, m.Core))
		case *wire.Shrunk:
			b.log = append(b.log, fmt.Sprintf("shrunk %d kind %d %s", m.Program, m.Status.Kind, m.Reason))
		default:
			b.log = append(b.log, fmt.Sprintf("%T%+v", m, m))
		}
	})
	return b
}

func (b *bench) run(output bool) {
	for {
		if b.kernel.Notified() {
			b.Notified()
		}
		if !b.Poll(output) && !b.kernel.Step() {
			return
		}
	}
}

func (b *bench) spawn(t *testing.T, number uint32, path string) {
	t.Helper()
	info, err := (&native.Program{Path: path, Cwd: "/", Args: []string{path, "x"}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	b.Handle(&wire.Spawn{Program: number, Name: path, Info: info})
}

func expectLog(t *testing.T, b *bench, want ...string) {
	t.Helper()
	got, wanted := strings.Join(b.log, "\n"), strings.Join(want, "\n")
	if got != wanted {
		t.Errorf("messages\n%s\nwant\n%s", got, wanted)
	}
	b.log = nil
}

// TestOutputThenExit: all that a program wrote comes before its end, in order,
// byte for byte, however much it is.
func TestOutputThenExit(t *testing.T) {
	long := strings.Repeat("0123456789\n", 3000)
	b := newBench(map[string]func(*agenttest.Domain){"talk": func(d *agenttest.Domain) {
		d.Write(stdio.Stdout, "a")
		d.Write(stdio.Stderr, "b")
		d.Write(stdio.Stdout, long)
		d.Exit(abi.ExitCode, 7)
	}})
	b.spawn(t, 5, "talk")
	b.run(true)
	if b.text[stdio.Stdout] != "a"+long || b.text[stdio.Stderr] != "b" {
		t.Errorf("%d bytes of stdout, %q on stderr", len(b.text[stdio.Stdout]), b.text[stdio.Stderr])
	}
	if n := len(b.log); b.log[0] != "started 5 as 2" || b.log[1] != "output 5/1" || b.log[2] != "output 5/2" ||
		b.log[n-1] != "exit 5 kind 1 code 7" || b.Running() != 0 {
		t.Errorf("messages %q", b.log)
	}
}

// TestHeldOutput: without room for output a program waits, and its end with
// it; nothing is lost, and the agent may sleep meanwhile.
func TestHeldOutput(t *testing.T) {
	b := newBench(map[string]func(*agenttest.Domain){"talk": func(d *agenttest.Domain) {
		d.Write(stdio.Stdout, "last words")
		d.Exit(abi.ExitCode, 0)
	}})
	b.spawn(t, 1, "talk")
	b.run(false)
	expectLog(t, b, "started 1 as 2")
	if !b.Announce(false) {
		t.Error("held output keeps the agent awake")
	}
	b.Withdraw()
	if b.Announce(true) {
		t.Error("sleeps over output that it could take")
	}
	b.Withdraw()
	b.run(true)
	expectLog(t, b, "output 1/1", "exit 1 kind 1 code 0")
}

// TestInput: input arrives whole and in order, no more is granted than there
// is room for, and what nobody granted is dropped.
func TestInput(t *testing.T) {
	b := newBench(map[string]func(*agenttest.Domain){"read": func(d *agenttest.Domain) {
		d.Want()
		if d.EOF {
			d.Write(stdio.Stdout, string(d.Input))
			d.Exit(abi.ExitCode, 0)
		}
	}})
	b.spawn(t, 1, "read")
	want := ""
	for i := 0; len(want) < 3*stdio.Window; i++ {
		chunk := fmt.Sprintf("%d ", i)
		for b.window[1] < len(chunk) {
			before := b.window[1]
			b.run(true)
			if b.window[1] == before {
				t.Fatalf("no more input granted after %d bytes", len(want))
			}
		}
		b.window[1] -= len(chunk)
		b.Handle(&wire.Stdin{Program: 1, Data: []byte(chunk)})
		want += chunk
	}
	b.Handle(&wire.Stdin{Program: 1, Data: make([]byte, b.window[1]+1)})
	b.Handle(&wire.StdinEOF{Program: 1})
	b.Handle(&wire.Stdin{Program: 1, Data: []byte("too late")})
	b.run(true)
	if got := b.text[stdio.Stdout]; got != want {
		t.Errorf("%d bytes came back of %d", len(got), len(want))
	}
}

// TestUnreadInput: input that a program leaves alone fills its window and no
// more, so that what it writes is acknowledged all the while.
func TestUnreadInput(t *testing.T) {
	output := strings.Repeat("x", 100_000)
	b := newBench(map[string]func(*agenttest.Domain){"write": func(d *agenttest.Domain) {
		if len(d.Input) > stdio.Window {
			t.Errorf("%d bytes of unread input", len(d.Input))
			d.Exit(abi.ExitCode, 1)
		}
		if d.State == nil && len(d.Input) == stdio.Window {
			d.State = true
			d.Write(stdio.Stdout, output)
		}
	}})
	b.spawn(t, 1, "write")
	given := 0
	for b.run(true); b.window[1] > 0; b.run(true) {
		given += b.window[1]
		b.Handle(&wire.Stdin{Program: 1, Data: make([]byte, b.window[1])})
		b.window[1] = 0
	}
	if b.text[stdio.Stdout] != output {
		t.Errorf("%d bytes of output after %d of input, want %d", len(b.text[stdio.Stdout]), given, len(output))
	}
}

// TestWanted: a program is said to want input when it has read all there is,
// once for each time.
func TestWanted(t *testing.T) {
	wants := true
	b := newBench(map[string]func(*agenttest.Domain){"read": func(d *agenttest.Domain) {
		if wants {
			d.Want()
		}
	}})
	b.spawn(t, 1, "read")
	expect := func(when string, n int) {
		t.Helper()
		b.run(true)
		if b.wanted[1] != n {
			t.Errorf("%s: wanted %d times, want %d", when, b.wanted[1], n)
		}
	}
	expect("at the start", 1)
	expect("unchanged", 1)
	b.Handle(&wire.Stdin{Program: 1, Data: []byte(strings.Repeat("long line ", 50))})
	expect("after a line", 2)
	wants = false
	b.Handle(&wire.Stdin{Program: 1, Data: []byte("line")})
	expect("while it reads", 2)
	// It wants more, but more is on its way to it.
	wants = true
	b.Handle(&wire.Stdin{Program: 1, Data: []byte("next")})
	expect("when it has read both", 3)
	b.Handle(&wire.StdinEOF{Program: 1})
	expect("at the end", 3)
}

func TestFailures(t *testing.T) {
	b := newBench(map[string]func(*agenttest.Domain){"wait": func(*agenttest.Domain) {}})
	b.spawn(t, 1, "missing")
	b.run(true)
	b.spawn(t, 2, "wait")
	b.spawn(t, 2, "wait")
	b.Handle(&wire.Kill{Program: 99})
	b.Handle(&wire.Stdin{Program: 99, Data: []byte("x")})
	b.Handle(&wire.StdinEOF{Program: 99})
	b.run(true)
	b.Handle(&wire.Kill{Program: 2})
	b.Handle(&wire.Kill{Program: 2})
	b.run(true)
	expectLog(t, b,
		"failed 1: spawn missing: it cannot be built",
		"started 2 as 3",
		"failed 2: program number 2 is taken",
		"exit 2 kind 4 code 0")
	b.expectNothing(t)
}

// expectNothing checks that nothing is left of the programs.
func (b *bench) expectNothing(t *testing.T) {
	t.Helper()
	pieces, domains, _ := b.kernel.Left()
	if m := b.memory(t); pieces != 0 || domains != 0 || b.Running() != 0 || m.Given != 0 || m.Free != agenttest.RAM || m.Largest != agenttest.RAM {
		t.Errorf("%d pieces, %d domains, %d programs, %+v left", pieces, domains, b.Running(), m)
	}
}

// memory asks where the core's RAM is.
func (b *bench) memory(t *testing.T) wire.Memory {
	t.Helper()
	b.answer = nil
	b.Handle(&wire.QueryMemory{Request: 1})
	m, ok := b.answer.(*wire.MemoryAnswer)
	if !ok {
		t.Fatalf("asked for memory, got %+v", b.answer)
	}
	if m := m.Memory; m.Total != m.Kernel+m.Free+m.Given+m.Monitor {
		t.Errorf("memory is lost: %+v", m)
	}
	return m.Memory
}

// TestEnds: a killed program and one that destroyed its dispatcher are reported
// as killed, one that ended by itself as it says, and none before its memory is
// the core's again, however long that takes.
func TestEnds(t *testing.T) {
	b := newBench(map[string]func(*agenttest.Domain){
		"wait": func(*agenttest.Domain) {},
		"exit": func(d *agenttest.Domain) { d.Exit(abi.ExitCode, 3) },
	})
	b.kernel.Slow = 5
	b.spawn(t, 1, "wait")
	b.spawn(t, 2, "wait")
	b.spawn(t, 3, "exit")
	b.kernel.Running()[1].Broken = true
	b.kernel.Step()
	b.Handle(&wire.Kill{Program: 1})
	b.Notified()
	b.Poll(true)
	if b.Running() != 3 || len(b.log) != 3 || !b.Unfinished() {
		t.Errorf("%d programs, messages %q", b.Running(), b.log)
	}
	b.run(true)
	expectLog(t, b, "started 1 as 2", "started 2 as 3", "started 3 as 4", "exit 1 kind 4 code 0", "exit 2 kind 4 code 0", "exit 3 kind 1 code 3")
	if b.Unfinished() {
		t.Error("something is unfinished")
	}
	if b.status[1].CPU != 1000 {
		t.Errorf("a killed program ran for %d ns", b.status[1].CPU)
	}
	b.expectNothing(t)
}

func TestQuestions(t *testing.T) {
	b := newBench(map[string]func(*agenttest.Domain){"wait": func(*agenttest.Domain) {}})
	b.spawn(t, 1, "wait")
	b.spawn(t, 2, "wait")
	b.Handle(&wire.QueryCore{Request: 8})
	core, _ := b.answer.(*wire.CoreAnswer)
	if core == nil || core.Request != 8 || core.Info.Core != 3 || core.Given != 1<<20 || core.Free != agenttest.RAM-1<<20 {
		t.Errorf("core: %+v", core)
	}
	b.Handle(&wire.QueryDomains{Request: 9})
	domains, _ := b.answer.(*wire.DomainsAnswer)
	if domains == nil || domains.Request != 9 || len(domains.Domains) != 2 || domains.Domains[1].Domain != 3 {
		t.Fatalf("domains: %+v", domains)
	}
	if d := domains.Domains[0]; d.Quota != agenttest.RAM-8<<20 || d.Memory != 512<<10 {
		t.Errorf("a program without a quota has %d of %d bytes", d.Memory, d.Quota)
	}
	m := b.memory(t)
	sum := m.Kernel
	for _, n := range m.Types {
		sum += n
	}
	if m.Total != agenttest.RAM+4<<20 || sum != m.Total || m.Given != 1<<20 || m.Types[capability.Dispatcher] != 64<<10 || m.Monitor != 0 {
		t.Errorf("memory: %+v", m)
	}
}
