package machine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"skerry/host/machine"
	"skerry/host/session"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/archive"
	"skerry/test/boot"
)

// TestBehaviour runs the programs of testdata, which check what they see of
// the system themselves: they end with exit code 0, or say what was wrong.
func TestBehaviour(t *testing.T) {
	large := make([]byte, 300_001)
	for i := range large {
		large[i] = byte(i % 251)
	}
	m := &boot.Machine{Cores: 2, Memory: 512 * mib, Files: []archive.File{
		archive.Bytes("data/small", 0o644, []byte("a small file\n")),
		archive.Bytes("data/empty", 0o600, nil),
		archive.Bytes("data/deep/er/large", 0o444, large),
	}}
	names := []string{"timers", "scheduling", "collecting", "signals", "pipes", "files"}
	for i, name := range names {
		p := boot.Program{Package: "testdata/" + name + ".go", Core: i % m.Cores}
		if name == "files" {
			p.Args = []string{"one", "two words", "", "ünï"}
			p.Env = []string{"COLOUR=grey green", "EMPTY="}
		}
		m.Programs = append(m.Programs, p)
	}
	o := boot.Run(t, m)
	if o.Err != nil {
		t.Error(o.Err)
	}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			s := &o.Outcomes[i].Status
			if s.Kind == abi.ExitCode && s.Code == 0 {
				return
			}
			t.Errorf("ended with %d, code %d", s.Kind, s.Code)
			for _, line := range boot.Lines(o.Stderr) {
				if strings.HasPrefix(line, name+": ") {
					t.Log(line)
				}
			}
		})
	}
	if o.Stdout != "" {
		t.Errorf("standard output: %q", o.Stdout)
	}
}

// TestDeaths sends programs signals whose default action ends them.
func TestDeaths(t *testing.T) {
	m := &boot.Machine{Cores: 1, Memory: 512 * mib}
	tests := []struct {
		args   []string
		kind   uint32
		code   uint64
		stderr string
	}{
		{[]string{"kill", "15"}, abi.ExitSignal, 15, ""},
		{[]string{"kill", "9"}, abi.ExitSignal, 9, ""},
		{[]string{"kill", "2"}, abi.ExitSignal, 2, ""},
		{[]string{"kill", "6"}, abi.ExitCode, 2, "SIGABRT: abort"},
		{[]string{"kill", "3"}, abi.ExitCode, 2, "SIGQUIT: quit"},
		{[]string{"deadlock"}, abi.ExitCode, 2, "all goroutines are asleep - deadlock!"},
		{[]string{"index"}, abi.ExitCode, 2, "index out of range [2] with length 2"},
		{[]string{"unlock"}, abi.ExitCode, 2, "fatal error: sync: unlock of unlocked mutex"},
	}
	for _, test := range tests {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "crash"), Args: test.args})
	}
	o := boot.Run(t, m)
	for i, test := range tests {
		s := &o.Outcomes[i].Status
		if s.Kind != test.kind || s.Code != test.code {
			t.Errorf("crash %v: kind %d, code %d; want kind %d, code %d", test.args, s.Kind, s.Code, test.kind, test.code)
		}
		if !strings.Contains(o.Stderr, test.stderr) {
			t.Errorf("crash %v: standard error lacks %q", test.args, test.stderr)
		}
	}
}

// TestCoreIsShared runs a victim on a core beside programs that never give it
// up of their own: one that computes, and one that calls the libos all the
// time, with most of its time slices ending inside.
func TestCoreIsShared(t *testing.T) {
	boot.Need(t)
	busy := boot.Temp(t, "busy.go", `package main

import "syscall"

func main() {
	for {
		syscall.Getpid()
		syscall.Seek(0, 0, 0)
	}
}
`)
	file, running := boot.Image(t, &boot.Machine{Cores: 1, Programs: []boot.Program{
		{Package: boot.Example(t, "spin")}, {Package: busy},
		{Package: boot.Example(t, "victim"), Args: []string{"10"}}, {Package: boot.Example(t, "hello")},
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	enough := errors.New("both have ended")
	stop, end := context.WithCancelCause(ctx)
	stdout := &until{want: []string{"victim ok\n", "hello from an ordinary Go program\n"}, then: func() { end(enough) }}
	_, err := session.Run(stop, &session.Config{
		Machine:  machine.Config{Image: file, Cores: 1, Memory: 512 * mib, Accel: machine.TCG},
		Programs: running, Stdout: stdout, Stderr: io.Discard,
	})
	if !errors.Is(err, enough) {
		t.Errorf("the programs were not done: %v; standard output:\n%s", err, stdout)
	}
}

// until collects text until it holds all that is wanted.
type until struct {
	bytes.Buffer
	want []string
	then func()
}

func (u *until) Write(b []byte) (int, error) {
	n, err := u.Buffer.Write(b)
	for _, w := range u.want {
		if !strings.Contains(u.String(), w) {
			return n, err
		}
	}
	u.then()
	return n, err
}

// TestInputIsHeldBack gives a program that does not read its standard input
// far more of it than fits anywhere, while its neighbours go on.
func TestInputIsHeldBack(t *testing.T) {
	deaf := boot.Temp(t, "deaf.go", `package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	time.Sleep(100 * time.Millisecond)
	n, err := io.Copy(io.Discard, os.Stdin)
	fmt.Println("read", n, err)
}
`)
	o := boot.Run(t, &boot.Machine{Cores: 2, Programs: []boot.Program{
		{Package: deaf, Core: 1, Stdin: bytes.NewReader(make([]byte, 100_000))},
		{Package: boot.Example(t, "victim"), Args: []string{"5"}},
	}})
	if o.Err != nil {
		t.Error(o.Err)
	}
	if !strings.Contains(o.Stdout, "read 100000 <nil>\n") || !strings.Contains(o.Stdout, "victim ok\n") {
		t.Errorf("standard output: %q", o.Stdout)
	}
}

// TestBehaviourBesideHogs runs the programs that sleep, signal and wait on a
// core that others keep busy: their wake-ups come while they are off the
// processor, in the program and inside the libos.
func TestBehaviourBesideHogs(t *testing.T) {
	m := &boot.Machine{Cores: 1, Memory: 512 * mib}
	names := []string{"hog", "timers", "hog", "pipes", "signals", "timers"}
	for _, name := range names {
		m.Programs = append(m.Programs, boot.Program{Package: "testdata/" + name + ".go"})
	}
	o := boot.Run(t, m)
	if o.Err != nil {
		t.Error(o.Err)
	}
	for i, name := range names {
		if s := &o.Outcomes[i].Status; s.Kind != abi.ExitCode || s.Code != 0 {
			t.Errorf("%s ended with %d, code %d", name, s.Kind, s.Code)
		}
	}
}
