package control_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/link"
	"skerry/lib/manifest"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
	"skerry/service/monitor/agent"
	"skerry/service/monitor/agenttest"
	"skerry/service/monitor/control"
	"skerry/service/monitor/wire"
)

// machine is some cores made of memory: the control and an agent on core 0, an
// agent on each other behind a URPC channel.
type machine struct {
	t       *testing.T
	control *control.Control
	agents  []*agent.Agent
	kernels []*agenttest.Kernel
	near    []*wire.Stream // the ends on core 0, by the other core; nil for 0
	far     []*wire.Stream // the ends there
	memory  [][]uint64     // of the channels

	console, link bytes.Buffer
	portSpace     int // what the ports take; negative: all
	typed         []byte
	now           time.Time
	silent        []bool // cores that do nothing any more
	late          func() // to be called when something is under way
	off, prompted bool
	// step, unless nil, is called in each round, and says whether there are to be more.
	step func() bool
}

func newMachine(t *testing.T, m *manifest.Manifest, programs map[string]func(*agenttest.Domain)) *machine {
	return newMachineOf(t, 2, m, programs)
}

func newMachineOf(t *testing.T, cores int, m *manifest.Manifest, programs map[string]func(*agenttest.Domain)) *machine {
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	x := &machine{t: t, portSpace: -1, now: time.Unix(1000, 0), silent: make([]bool, cores)}
	for core := range cores {
		x.kernels = append(x.kernels, agenttest.New(uint32(core), programs))
	}
	for core, k := range x.kernels {
		k.Machine = x.kernels
		if core == 0 {
			x.near, x.far = append(x.near, nil), append(x.far, nil)
			x.agents = append(x.agents, agent.New(0, k, k.Pool(), func(m wire.Message) { x.control.Handle(0, m) }))
			continue
		}
		const size = 4096
		memory := make([]uint64, (size+urpc.SlotSize)/8)
		x.memory = append(x.memory, memory)
		base := (uintptr(unsafe.Pointer(&memory[0])) + urpc.SlotSize - 1) &^ (urpc.SlotSize - 1)
		var ends [2]urpc.Channel
		ends[0].Attach(base, size, urpc.A)
		ends[1].Attach(base, size, urpc.B)
		x.near, x.far = append(x.near, wire.NewStream(&ends[0])), append(x.far, wire.NewStream(&ends[1]))
		x.agents = append(x.agents, agent.New(uint32(core), k, k.Pool(), func(m wire.Message) {
			if err := x.far[core].Send(m); err != nil {
				t.Fatal(err)
			}
		}))
	}
	port := func(to *bytes.Buffer) *control.Port {
		return control.NewPort(func(b []byte) (int, error) {
			if x.portSpace < 0 {
				return to.Write(b)
			}
			n := min(len(b), x.portSpace)
			x.portSpace -= n
			return to.Write(b[:n])
		})
	}
	x.control = control.New(control.Config{
		Manifest: m,
		Greeting: link.Greeting{Version: "0.1.0", Go: "go1.26.0", Cores: cores},
		Send: func(core int, m wire.Message) error {
			if core == 0 {
				x.agents[0].Handle(m)
				return nil
			}
			return x.near[core].Send(m)
		},
		Console:     port(&x.console),
		Link:        port(&x.link),
		Now:         func() time.Time { return x.now },
		PowerOff:    func() { x.off = true },
		Prompt:      func() { x.prompted = true },
		PromptInput: func(b []byte) { x.typed = append(x.typed, b...) },
		Find: func(name string) (string, error) {
			if programs[name] == nil {
				return "", fmt.Errorf("there is no program %s", name)
			}
			return name, nil
		},
	})
	for _, a := range x.agents {
		a.Ready(nil)
	}
	x.control.Start()
	return x
}

// run lets everything happen that can.
func (x *machine) run() {
	// Parts of messages between the cores are no progress that shows at once.
	for idle := 0; idle < 3; idle++ {
		queued := x.queued()
		progress := false
		for core := range x.kernels {
			for x.control.Room() && x.hear(core) {
				progress = true
			}
			for !x.silent[core] && x.tell(core) {
				progress = true
			}
			progress = x.work(core) || progress
		}
		if x.step != nil && x.step() {
			progress = true
		}
		x.control.Tick()
		if x.control.Flush() || progress || queued != x.queued() {
			idle = 0
		}
	}
}

// queued returns how many bytes wait for channels.
func (x *machine) queued() (bytes int) {
	for core := 1; core < len(x.near); core++ {
		if !x.kernels[core].Lost {
			bytes += x.near[core].Queued() + x.far[core].Queued()
		}
	}
	return bytes
}

// lose has a core's kernel end.
func (x *machine) lose(core int) {
	x.silent[core], x.kernels[core].Lost = true, true
	x.control.CoreDied(core, "gone")
}

// work lets a core do what it can, but for taking messages.
func (x *machine) work(core int) (progress bool) {
	if x.silent[core] {
		return false
	}
	if x.kernels[core].Notified() {
		x.agents[core].Notified()
	}
	room := x.control.Room()
	if core > 0 {
		room = x.far[core].Queued() < 1<<16
	}
	progress = x.agents[core].Poll(room)
	progress = x.kernels[core].Step() || progress
	if core > 0 {
		x.far[core].Flush()
	}
	return progress
}

// hear hands the control a message from a core, tell a core one from the control.
// They return whether there was one.
func (x *machine) hear(core int) bool {
	if core == 0 || x.kernels[core].Lost {
		return false
	}
	x.near[core].Flush()
	return x.receive(x.near[core], func(m wire.Message) { x.control.Handle(core, m) })
}

func (x *machine) tell(core int) bool {
	return core > 0 && x.receive(x.far[core], x.agents[core].Handle)
}

func (x *machine) receive(s *wire.Stream, take func(wire.Message)) bool {
	m, err := s.Receive()
	if err != nil {
		x.t.Fatal(err)
	}
	if m != nil {
		take(m)
	}
	return m != nil
}

// frames returns what went to the host, as lines; output of a program is put
// together.
func (x *machine) frames() (lines []string) {
	r := link.NewReader(&x.link)
	output := make(map[string]string)
	for {
		f, err := r.Next()
		if err != nil {
			break
		}
		at := fmt.Sprintf("%v %d@%d", f.Kind, f.Program, f.Core)
		switch f.Kind {
		case link.Hello, link.Bye, link.Info:
			lines = append(lines, f.Kind.String())
		case link.Stdout, link.Stderr:
			output[at] += string(f.Payload)
		case link.Started:
			lines = append(lines, at)
		case link.Exit:
			s, err := link.ParseEnd(f.Payload)
			if err != nil {
				x.t.Fatal(err)
			}
			for _, kind := range []link.Kind{link.Stdout, link.Stderr} {
				key := fmt.Sprintf("%v %d@%d", kind, f.Program, f.Core)
				if output[key] != "" {
					lines = append(lines, key+" "+output[key])
				}
			}
			lines = append(lines, fmt.Sprintf("%s kind %d code %d", at, s.Kind, s.Code))
		case link.Window:
			lines = append(lines, fmt.Sprintf("%s %d", at, link.ParseWindow(f.Payload)))
		default:
			lines = append(lines, at+" "+string(f.Payload))
		}
	}
	return lines
}

func (x *machine) expectConsole(want string) {
	x.t.Helper()
	if got := x.console.String(); got != want {
		x.t.Errorf("console shows\n%q\nwant\n%q", got, want)
	}
	x.console.Reset()
}

func (x *machine) command(line string) (done *bool) {
	done = new(bool)
	x.control.Command(line, func() { *done = true })
	return done
}

func on(core int, path string) manifest.Program {
	return manifest.Program{Name: path, Path: path, Args: []string{path}, Cwd: "/", Core: core}
}

var programs = map[string]func(*agenttest.Domain){
	"hello": func(d *agenttest.Domain) {
		d.Write(stdio.Stdout, "hel")
		d.Write(stdio.Stderr, "careful\n")
		d.Write(stdio.Stdout, "lo\nworld")
		d.Exit(abi.ExitCode, 3)
	},
	"quiet":  func(d *agenttest.Domain) { d.Exit(abi.ExitCode, 0) },
	"crash":  func(d *agenttest.Domain) { d.Exit(abi.ExitSignal, 11) },
	"wait":   func(d *agenttest.Domain) {},
	"notice": func(d *agenttest.Domain) { d.Write(stdio.Notice, "no ELF\n"); d.Exit(abi.ExitCode, 127) },
	"cat": func(d *agenttest.Domain) {
		d.Write(stdio.Stdout, string(d.Input))
		d.Input = nil
		d.Want()
		if d.EOF {
			d.Exit(abi.ExitCode, 0)
		}
	},
}

func TestTour(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{
		Programs: []manifest.Program{on(0, "hello"), on(1, "crash"), on(1, "hello"), on(7, "quiet"), on(1, "nothere"), on(0, "quiet")},
		Tour:     true, Summary: true, PowerOff: true,
	}, programs)
	x.run()
	got := x.console.String()
	for _, line := range []string{
		"quiet was not started on core 7: there is no core 7: this machine runs 2 cores\n",
		"nothere was not started on core 1: spawn nothere: it cannot be built\n",
		"[core 0 hello] hello\n", "[core 0 hello] careful\n", "[core 0 hello] world\n",
		"[core 1 hello] world\n", "hello on core 1 exited with code 3\n",
		"crash on core 1 was ended by SIGSEGV (segmentation fault)\n",
		"0.1.0", "13 ms", "128 of 132 MiB", "That and 400 KiB that no core has are all of the machine's 264 MiB.\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("console lacks %q", line)
		}
	}
	if strings.Contains(got, "quiet on core 0") {
		t.Error("a program that exited with 0 is mentioned")
	}
	if t.Failed() {
		t.Logf("console:\n%s", got)
	}
	if !x.off {
		t.Error("the machine is still on")
	}
}

func TestPlainOutput(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{on(1, "notice")}, PowerOff: true}, programs)
	x.run()
	x.expectConsole("notice on core 1: no ELF\nnotice on core 1 exited with code 127\n")
	if !x.off {
		t.Error("the machine is still on")
	}
}

func TestLink(t *testing.T) {
	cat := on(1, "cat")
	cat.Stdin = true
	x := newMachine(t, &manifest.Manifest{
		Programs: []manifest.Program{on(0, "hello"), cat, on(9, "quiet"), on(1, "wait"), on(0, "cat")},
		Link:     true, Summary: true, PowerOff: true,
	}, programs)
	x.run()
	if got, want := strings.Join(x.frames(), "\n"), strings.Join([]string{
		"hello",
		"started 0@0",
		"failed 2@9 there is no core 9: this machine runs 2 cores",
		"started 4@0",
		"exit 4@0 kind 1 code 0",
		"stdout 0@0 hello\nworld",
		"stderr 0@0 careful\n",
		"exit 0@0 kind 1 code 3",
		"started 1@1", "window 1@1 32768", "started 3@1",
	}, "\n"); sorted(got) != sorted(want) {
		t.Errorf("frames\n%s\nwant\n%s", got, want)
	}
	host := func(kind link.Kind, program uint16, payload string) {
		x.control.Host(link.Frame{Kind: kind, Program: program, Payload: []byte(payload)})
		x.run()
	}
	host(link.Stdin, 1, strings.Repeat("to be echoed", 2000))
	if got := x.frames(); len(got) != 1 || got[0] != "window 1@1 18648" {
		t.Errorf("after input: %q", got)
	}
	host(link.Stdin, 3, "nobody reads this")
	host(link.Stdin, 77, "nor this")
	host(link.StdinEOF, 1, "")
	host(link.Kill, link.None, "")
	got := x.frames()
	for i, line := range got {
		if strings.HasPrefix(line, "stdout 1@1 ") {
			if line != "stdout 1@1 "+strings.Repeat("to be echoed", 2000) {
				t.Errorf("%d bytes echoed", len(line)-len("stdout 1@1 "))
			}
			got = slices.Delete(got, i, i+1)
			break
		}
	}
	want := "exit 1@1 kind 1 code 0\nexit 3@1 kind 4 code 0\ninfo\nbye"
	if strings.Join(got, "\n") != want {
		t.Errorf("frames %q, want %q", got, want)
	}
	if !x.off {
		t.Error("the machine is still on")
	}
	if !strings.Contains(x.console.String(), "13 ms") || strings.Contains(x.console.String(), "world") {
		t.Errorf("console shows %q", x.console.String())
	}
}

func sorted(lines string) string {
	list := strings.Split(lines, "\n")
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return strings.Join(list, "\n")
}

// TestSlowConsole: output far beyond all buffers arrives whole over a console
// that takes a little at a time, and the programs wait meanwhile.
func TestSlowConsole(t *testing.T) {
	const lines = 20000
	text := strings.Repeat("0123456789abcdef0123456789abcde\n", 8)
	sent := 0
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{on(1, "flood")}, PowerOff: true},
		map[string]func(*agenttest.Domain){"flood": func(d *agenttest.Domain) {
			if len(d.Args) > 0 && sent < lines {
				d.Write(stdio.Stdout, text)
				sent += 8
				return
			}
			d.Exit(abi.ExitCode, 0)
		}})
	x.portSpace = 0
	x.run()
	for rounds := 0; !x.off; rounds++ {
		if rounds > 10*lines {
			t.Fatal("the machine is stuck")
		}
		x.portSpace = 3000
		x.run()
		x.now = x.now.Add(time.Minute) // no core is to blame for the console
	}
	if want := strings.Repeat(text, lines/8); x.console.String() != want {
		t.Errorf("%d bytes arrived of %d", x.console.Len(), len(want))
	}
}

func TestPrompt(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Prompt: true}, programs)
	x.run()
	if !x.prompted {
		t.Fatal("no prompt")
	}
	for _, c := range []struct{ line, want string }{
		{"", ""},
		{"help", "run [--give CAPABILITY,...] PROGRAM [ARGUMENT]... [@CORES]"},
		{"run --give wings hello", "there is no capability \"wings\" to give"},
		{"names", "Nobody exports a name."},
		{"channels", "Nobody is bound to a name."},
		{"nonsense", "nonsense: no such command; help lists the commands\r\n"},
		{"hello", "hello: no such command; run hello would run the program\r\n"},
		{"run", "run: no program named; try: run hello @1\r\n"},
		{"run nothere", "run: there is no program nothere\r\n"},
		{"run hello @9", "run: there is no core 9: this machine runs 2 cores\r\n"},
		{"run hello @x", "run: \"x\" is no list of cores, such as 0,2 or 0-3\r\n"},
		{"run hello @0,1,0", "run: core 0 is named twice\r\n"},
		{"run hello @0-2", "run: there is no core 2: this machine runs 2 cores\r\n"},
		{"run 'hello", "no closing '\r\n"},
		{"ps now", "ps: only -v can be added\r\n"},
		{"run hello @1 &", "[core 1 hello] hello\r\n[core 1 hello] world\r\nhello on core 1 exited with code 3\r\n"},
		{"run wait @1 &", ""},
		{"run wait @0 &", ""},
		{"run hello @0", "hello\r\nworld\r\nhello on core 0 exited with code 3\r\n"},
		{"kill", "kill: name a domain, as ps lists it; try: kill 2 @1\r\n"},
		{"kill x", "kill: x is no number of a domain\r\n"},
		{"kill 0", "kill: domain 0 is no program that runs\r\n"},
		{"kill 3 @0", "kill: domain 3 is no program that runs\r\n"},
		{"kill 3 @0,1", "kill: name the one core where it started\r\n"},
		{"kill 3 2", "kill: name one domain\r\n"},
		{"kill 3", "wait on core 1 was killed\r\n"},
		{"kill 2 @0", "wait on core 0 was killed\r\n"},
		{"run hello @1", "hello\r\nworld\r\nhello on core 1 exited with code 3\r\n"},
		{"run crash", "crash on core 1 was ended by SIGSEGV (segmentation fault)\r\n"},
		{"cores", "13 ms"},
		{"memory", "That and 400 KiB that no core has are all of the machine's 264 MiB.\r\n"},
		{"memory now", "memory takes no arguments\r\n"},
	} {
		done := x.command(c.line)
		x.run()
		if !*done {
			t.Errorf("%q is not done", c.line)
		}
		if got := strings.ReplaceAll(x.console.String(), "careful\r\n", ""); !strings.Contains(got, c.want) {
			t.Errorf("%q prints %q, want %q", c.line, got, c.want)
		}
		x.console.Reset()
	}
	x.control.Input([]byte("for the prompt\nfor the next"))
	if len(x.typed) > 0 {
		t.Errorf("the prompt got %q unasked", x.typed)
	}
	for _, want := range []string{"for the prompt\n", "for the next"} {
		x.typed = nil
		if x.control.PromptReads(); string(x.typed) != want {
			t.Errorf("the prompt got %q, want %q", x.typed, want)
		}
	}
	x.command("poweroff")
	x.run()
	if !x.off {
		t.Error("poweroff left the machine on")
	}
}

// TestForeground: the console belongs to the program that runs.
func TestForeground(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Prompt: true}, programs)
	x.run()
	done := x.command("run cat a 'b c' @1")
	x.run()
	if d := x.kernels[1].Running(); len(d) != 1 || strings.Join(d[0].Args, "|") != "cat|a|b c" {
		t.Fatalf("running: %+v", d)
	}
	x.control.Input([]byte("one\x7f\x7fx\x1b[Aé\x7fy\r"))
	x.run()
	x.expectConsole("one\b \b\b \bx\xc3\xa9\b \by\r\noxy\r\n")
	x.control.Input([]byte("\x04"))
	x.run()
	if !*done {
		t.Fatal("^D did not end cat")
	}
	done = x.command("run wait @0")
	x.run()
	if *done {
		t.Fatal("wait did not wait")
	}
	x.control.Input([]byte("x\x03"))
	x.run()
	x.expectConsole("^C\r\nwait on core 0 was killed\r\n")
	if x.control.PromptReads(); !*done || len(x.typed) > 0 {
		t.Errorf("^C: done %v, prompt got %q", *done, x.typed)
	}
}

// TestScript: of input that is there at once everyone gets his own: programs
// that read theirs, and the prompt the rest.
func TestScript(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Prompt: true}, programs)
	x.run()
	x.control.Input([]byte("run hello\nrun cat\r\nsome text\nmore\x04\x04run cat\n\x04run wait\nfor no one\n"))
	for _, want := range []string{
		"run hello\n|hello\r\nworld\r\nhello on core 1 exited with code 3\r\n",
		"run cat\r|some text\r\nsome text\r\nmoremore\r\n",
		"run cat\n|",
		"run wait\n|",
	} {
		x.typed = nil
		x.control.PromptReads()
		line, output, _ := strings.Cut(want, "|")
		if string(x.typed) != line {
			t.Fatalf("the prompt got %q, want %q", x.typed, line)
		}
		done := x.command(strings.TrimSpace(line))
		x.run()
		if got := strings.ReplaceAll(x.console.String(), "careful\r\n", ""); got != output {
			t.Errorf("%q prints %q, want %q", line, got, output)
		}
		if *done == (line == "run wait\n") {
			t.Errorf("%q: done %v", line, *done)
		}
		x.console.Reset()
	}
	for _, k := range x.kernels {
		for _, d := range k.Running() {
			d.End(abi.Status{Kind: abi.ExitKilled})
		}
	}
	x.run()
	x.typed = nil
	if x.control.PromptReads(); string(x.typed) != "for no one\n" {
		t.Errorf("then the prompt got %q", x.typed)
	}
}

// TestDeadCore: a core that does not answer costs its questions and programs,
// and nothing else.
func TestDeadCore(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{on(1, "wait"), on(0, "wait")}, Tour: true, Prompt: true}, programs)
	x.run()
	x.silent[1] = true
	done := x.command("cores")
	x.run()
	if *done {
		t.Fatal("answered without core 1")
	}
	if d := x.control.Deadline(); !d.Equal(x.now.Add(2 * time.Second)) {
		t.Errorf("deadline in %v", d.Sub(x.now))
	}
	x.now = x.now.Add(2 * time.Second)
	x.run()
	if got := x.console.String(); !*done || !strings.Contains(got, "core 1 does not answer") || !strings.Contains(got, "13 ms") {
		t.Errorf("cores prints %q", got)
	}
	x.console.Reset()

	done = x.command("run hello @1")
	x.run()
	x.now = x.now.Add(10 * time.Second)
	x.run()
	x.expectConsole("hello was not started on core 1: core 1 does not answer\r\n")

	done = x.command("ps")
	x.control.CoreDied(1, "its kernel panicked")
	x.control.CoreDied(1, "again")
	x.run()
	got := x.console.String()
	for _, want := range []string{
		"core 1 is lost: its kernel panicked\r\n",
		"wait on core 1 was lost with its core\r\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("console shows %q, want %q in it", got, want)
		}
	}
	if !*done {
		t.Error("ps waits for the dead")
	}
	x.console.Reset()
	done = x.command("run hello @1")
	x.expectConsole("")
	x.run()
	x.expectConsole("run: core 1 is lost: its kernel panicked\r\n")
	if x.control.Deadline() != (time.Time{}) || !*done {
		t.Error("something still waits for core 1")
	}
}

// TestLateStart: a program that was given up and starts after all is ended.
func TestLateStart(t *testing.T) {
	x := newMachine(t, &manifest.Manifest{Programs: []manifest.Program{on(1, "wait")}, Link: true, PowerOff: true}, programs)
	x.silent[1] = true
	x.run()
	x.now = x.now.Add(time.Hour)
	x.control.Tick()
	x.silent[1] = false
	x.run()
	if n := len(x.kernels[1].Running()); n != 0 {
		t.Errorf("%d programs run that nobody knows", n)
	}
	if got := strings.Join(x.frames(), "\n"); got != "hello\nfailed 0@1 core 1 does not answer\nbye" {
		t.Errorf("frames %q", got)
	}
}

func TestEndText(t *testing.T) {
	for want, s := range map[string]abi.Status{
		"":                               {Kind: abi.ExitCode},
		"exited with code 2":             {Kind: abi.ExitCode, Code: 2},
		"was ended by SIGABRT (aborted)": {Kind: abi.ExitSignal, Code: 6},
		"was ended by signal 99":         {Kind: abi.ExitSignal, Code: 99},
		"was killed":                     {Kind: abi.ExitKilled},
		"was ended by a fault in its libos: vector 14 (page fault), error code 0x6, address 0x10, at 0x7f0000001000": {
			Kind: abi.ExitFault, FaultVector: 14, FaultCode: 6, FaultAddress: 0x10, FaultRIP: 0x7f0000001000},
		"was ended since its libos did not get on for 1s, at 0x7f0000001000": {Kind: abi.ExitStuck, FaultRIP: 0x7f0000001000},
		"ran out of memory at 64 MiB: the domain's memory quota is used up":  {Kind: abi.ExitMemory, Code: uint64(capability.ErrQuota)},
		"was lost with its core": {},
	} {
		if got := control.EndText(&s, 64<<20); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestPort: chunks are whole lines, and a broken port holds nothing up.
func TestPort(t *testing.T) {
	var calls []int
	p := control.NewPort(func(b []byte) (int, error) {
		if b[len(b)-1] != '\n' {
			t.Errorf("a call ends inside a line: %q", b[len(b)-10:])
		}
		calls = append(calls, len(b))
		return len(b), nil
	})
	for i := range 500 {
		p.Print("line %d\n", i)
	}
	p.Write(bytes.Repeat([]byte("twelve bytes\n"), 1000))
	p.Flush()
	total := 0
	for _, n := range calls {
		if total += n; n > 2048 {
			t.Errorf("a call with %d bytes", n)
		}
	}
	if want := 10*7 + 90*8 + 400*9 + 13000; total != want || p.Queued() != 0 {
		t.Errorf("%d bytes of %d, %d queued", total, want, p.Queued())
	}
	broken := control.NewPort(func([]byte) (int, error) { return 0, errors.New("no right") })
	broken.Print("lost")
	if broken.Flush(); broken.Queued() != 0 {
		t.Error("a port that fails keeps its bytes")
	}
}

// TestPromptStaysLast: what is printed while someone types goes above the
// prompt, and what a program has begun to write is not overwritten.
func TestPromptStaysLast(t *testing.T) {
	var out bytes.Buffer
	p := control.NewPort(out.Write)
	p.Write([]byte("begun"))
	p.Print("said\n")
	p.Raw([]byte("\r\n> "))
	p.Raw([]byte("ty"))
	p.Print("news\n")
	p.Raw([]byte("ped\r\n"))
	p.Print("end\n")
	p.Flush()
	if got, want := out.String(), "begun\nsaid\n\r\n> ty\r\x1b[Knews\n> typed\r\nend\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
