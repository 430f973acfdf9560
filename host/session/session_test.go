package session

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/exitcode"
	"skerry/host/machine"
	"skerry/host/session/fakemachine"
	"skerry/lib/link"
)

func TestMain(m *testing.M) {
	if os.Getenv(fakemachine.Script) != "" {
		fakemachine.Main()
		return
	}
	grace = 300 * time.Millisecond
	os.Setenv("SKERRY_QEMU", os.Args[0])
	os.Exit(m.Run())
}

// run holds a session with a machine that follows the script.
func run(t *testing.T, ctx context.Context, script string, edit func(*Config)) (*Result, string, string, error) {
	t.Helper()
	t.Setenv(fakemachine.Script, script)
	var out, errs bytes.Buffer
	c := &Config{
		Machine:  machine.Config{Image: "image", Cores: 1, Memory: 1 << 20, Accel: machine.TCG},
		Programs: []Program{{Name: "p"}}, Stdout: &out, Stderr: &errs,
	}
	if edit != nil {
		edit(c)
	}
	r, err := Run(ctx, c)
	return r, out.String(), errs.String(), err
}

func TestInOrder(t *testing.T) {
	r, out, errs, err := run(t, t.Context(), `console booting; hello 2; started 0; stdout 0 a\x00b; stderr 0 c\n; stdout 0 d; info; exit 0 7; bye`,
		func(c *Config) { c.Machine.Cores = 2 })
	if err != nil || out != "a\x00bd" || errs != "c\n" || r.ExitCode() != 7 || !r.Bye || r.Greeting.Cores != 2 || r.Summary == nil || r.ReadyAfter <= 0 || r.Took < r.ReadyAfter {
		t.Fatalf("%+v, %q, %q, %v", r, out, errs, err)
	}
}

func TestSeveralPrograms(t *testing.T) {
	var ended []int
	r, out, _, err := run(t, t.Context(), `hello 1; started 0; started 1; started 2; stdout 2 x; exit 2 9; exit 1 8; exit 0 0; bye`,
		func(c *Config) {
			c.Programs = []Program{{Name: "a"}, {Name: "b"}, {Name: "c"}}
			c.Ended = func(program int) { ended = append(ended, program) }
		})
	if err != nil || out != "x" || r.ExitCode() != 8 {
		t.Fatalf("%+v, %q, %v", r, out, err)
	}
	if !reflect.DeepEqual(ended, []int{2, 1, 0}) {
		t.Errorf("ends were told of programs %v", ended)
	}
}

// TestInput sends more input than fits at once through a small window.
func TestInput(t *testing.T) {
	want := strings.Repeat("0123456789", 5000)
	_, out, _, err := run(t, t.Context(), `hello 1; started 0; stdin 0 777; exit 0 0; bye`,
		func(c *Config) { c.Programs[0].Stdin = strings.NewReader(want) })
	if err != nil || out != want {
		t.Fatalf("%d bytes came back, %v", len(out), err)
	}
}

// TestInputNeverRead ends though the program's input never does.
func TestInputNeverRead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	_, _, _, err = run(t, t.Context(), `hello 1; started 0; exit 0 0; bye`, func(c *Config) { c.Programs[0].Stdin = r })
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		script string
		code   int
		want   string // of the message or its detail
	}{
		{`hello 1; started 0; signal 0 11; bye`, 139, "program p on core 0: ended by SIGSEGV"},
		{`hello 1; started 0; killed 0; bye`, 137, "killed"},
		{`hello 1; started 0; memory 0 23; bye`, exitcode.Memory, "quota"},
		{`hello 1; started 0; fault 0 0x7f0000001234; bye`, exitcode.Fault, "at 0x7f0000001234"},
		{`hello 1; failed 0 no such file; bye`, exitcode.BadFile, "could not be started: no such file"},
		{`hello 1; failed 0 the core has no memory left; bye`, exitcode.Memory, "memory"},
		{`hello 1; bye`, exitcode.Machine, "powered off before"},
		{`console skerry: panic: core 0: boom; console goroutine 1; console main.f(); hang`, exitcode.Panic, "main.f()"},
		{`hello 1; started 0; console skerry: panic: core 0: boom; console main.f(); hang`, exitcode.Panic, "kernel panic on core 0: boom"},
		{`hello 1; console skerry: panic: core 0: boom; exit 0 0; bye`, exitcode.Panic, "boom"},
		{`console last words`, exitcode.Machine, "last words"},
		{`console skerry: panic: core 0: too little memory: core 0 of 1 would get 18 MiB`, exitcode.Machine, "a machine of 1 cores and 1 MiB: too little memory: core 0"},
		{`hello 1; started 0`, exitcode.Machine, "without a word"},
		{`hello 1; raw 00`, exitcode.Machine, "without a word"},
		{`hello 1; raw 0000000000000000; hang`, exitcode.Machine, "nonsense"},
		{`started 0; hang`, exitcode.Machine, "begins with a started frame"},
		{`hello 1; hello 1; hang`, exitcode.Machine, "hello twice"},
		{`hello 1; started 1; hang`, exitcode.Machine, "program 1 of 1"},
		{`hello 1; exit 0 0; exit 0 0; hang`, exitcode.Machine, "ends twice"},
		{`fail no such device`, exitcode.Machine, "no such device"},
	} {
		_, _, _, err := run(t, t.Context(), c.script, nil)
		var e *exitcode.Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Error()+"\n"+e.Detail, c.want) {
			t.Errorf("%s: %v (%+v), want %d and %q", c.script, err, e, c.code, c.want)
		}
	}
}

// TestPanicElsewhere lets programs go on where no kernel has failed.
func TestPanicElsewhere(t *testing.T) {
	_, out, _, err := run(t, t.Context(), `hello 2; started 0; console skerry: panic: core 1: boom; sleep 600ms; stdout 0 still here; exit 0 0; bye`,
		func(c *Config) { c.Machine.Cores = 2 })
	if exitcode.Of(err) != exitcode.Panic || out != "still here" {
		t.Fatalf("%q, %v", out, err)
	}
}

// TestPanicUnderProgram ends a session whose only program lost its kernel.
func TestPanicUnderProgram(t *testing.T) {
	_, _, _, err := run(t, t.Context(), `hello 2; started 0; console skerry: panic: core 1: boom; hang`,
		func(c *Config) { c.Machine.Cores, c.Programs[0].Core = 2, 1 })
	if exitcode.Of(err) != exitcode.Panic {
		t.Fatal(err)
	}
}

func TestFewerCores(t *testing.T) {
	_, _, _, err := run(t, t.Context(), `hello 2; exit 0 0; bye`, func(c *Config) { c.Machine.Cores = 3 })
	if exitcode.Of(err) != exitcode.Machine || !strings.Contains(err.Error(), "only 2 cores") {
		t.Fatal(err)
	}
}

// TestCutShort ends sessions from outside: a guest that obeys still says what
// it has to say, one that does not is ended all the same.
func TestCutShort(t *testing.T) {
	cause := exitcode.New(exitcode.Timeout, "timeout", "", "over")
	for _, script := range []string{
		`hello 1; started 0; kill; stdout 0 dying words; killed 0; bye; hang`,
		`hello 1; started 0; stdout 0 dying words; hang`,
	} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, cause)
		_, out, _, err := run(t, ctx, script, nil)
		cancel()
		if err != cause || out != "dying words" {
			t.Errorf("%s: %q, %v", script, out, err)
		}
	}
}

func TestCutShortBefore(t *testing.T) {
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if r, _, _, err := run(t, ctx, `hello 1; bye`, nil); err != cause || len(r.Outcomes) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestOutputFails(t *testing.T) {
	_, _, _, err := run(t, t.Context(), `hello 1; started 0; stdout 0 x; hang`, func(c *Config) { c.Stdout = fullDisk{} })
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatal(err)
	}
}

func TestConsole(t *testing.T) {
	var out bytes.Buffer
	var logged []string
	_, _, _, err := run(t, t.Context(), `hello 1; log 3 a line; console prompt; console-echo; exit 0 0; bye`, func(c *Config) {
		c.Console, c.ConsoleIn = &out, strings.NewReader("cores\npoweroff\n")
		c.Log = func(core int, line string) { logged = append(logged, line) }
	})
	if err != nil || !strings.HasPrefix(out.String(), "prompt\ncores\npoweroff") || !reflect.DeepEqual(logged, []string{"a line"}) {
		t.Fatalf("%q, %q, %v", out.String(), logged, err)
	}
}

func TestStatusOfEveryKind(t *testing.T) {
	for kind, code := range map[uint32]int{
		abi.ExitCode: 0, abi.ExitSignal: 128, abi.ExitFault: exitcode.Fault, abi.ExitStuck: exitcode.Fault, abi.ExitKilled: 137,
		abi.ExitMemory: exitcode.Memory, abi.ExitNone: exitcode.Machine, 99: exitcode.Machine,
	} {
		if got := exitcode.Of(EndError("p", &link.End{Status: abi.Status{Kind: kind}}, nil)); got != code {
			t.Errorf("kind %d gives %d, want %d", kind, got, code)
		}
	}
}
