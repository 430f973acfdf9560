package baseline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skerry/lib/link"
)

// greetsAnd names the environment variable that makes the test's binary stand in for QEMU: it
// greets, makes the file "greeted" in the folder that standsIn names, and does what the
// variable says.
const (
	greetsAnd = "SKERRY_BASELINE_GREETS_AND"
	standsIn  = "SKERRY_BASELINE_FOLDER"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(greetsAnd); what != "" {
		fmt.Fprintln(os.Stderr, "this stand-in", what)
		if err := greet(); err != nil {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
			os.Exit(1)
		}
		if what == "hangs" {
			time.Sleep(time.Hour) // longer than any test
		}
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// greet is what the stand-in does first. Its first thread has the name of one that runs all
// virtual CPUs. What it sends before the greeting is more than a pipe holds, so the host
// reads when greet returns.
func greet() error {
	err := os.WriteFile(fmt.Sprintf("/proc/self/task/%d/comm", os.Getpid()), []byte("ALL CPUs/TCG"), 0)
	out := link.NewWriter(os.NewFile(3, "link"))
	for range 2 {
		err = errors.Join(err, out.Write(link.Frame{Kind: link.Log, Program: link.None, Payload: make([]byte, link.MaxPayload)}))
	}
	hello, err2 := link.AppendJSON(nil, link.Greeting{Version: "1", Cores: 1})
	err3 := out.Write(link.Frame{Kind: link.Hello, Program: link.None, Payload: hello})
	err4 := os.WriteFile(filepath.Join(os.Getenv(standsIn), "greeted"), nil, 0o600)
	return errors.Join(err, err2, err3, err4)
}

// TestError checks that an error says why a machine ended and how far it had come.
func TestError(t *testing.T) {
	test, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SKERRY_QEMU", test)
	over := errors.New("the caller's time is over")
	for what, want := range map[string][]string{
		"hangs": {over.Error() + " (EOF), after ", "of 3 frames the last, hello, came after", "this stand-in hangs"},
		"ends":  {"QEMU ended too early, with exit status 3 (EOF), after", "of 3 frames the last, hello, came after", "this stand-in ends"},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv(standsIn, dir)
			t.Setenv(greetsAnd, what)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() {
				if what == "hangs" && appears(ctx, filepath.Join(dir, "greeted")) {
					cancel(over)
				}
			}()
			_, err := Image(ctx, Config{}, "none", 0)
			if err == nil || !errors.Is(err, io.EOF) || errors.Is(err, over) != (what == "hangs") {
				t.Fatalf("error %v", err)
			}
			for _, part := range want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
		})
	}
}

// appears waits for a file, until ctx ends.
func appears(ctx context.Context, path string) bool {
	for ctx.Err() == nil {
		if _, err := os.Stat(path); err == nil {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// TestUsage checks that the time of a busy thread is counted.
func TestUsage(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip("the host's kernel does not account for waiting: ", err)
	}
	clock := func() time.Duration {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
			t.Fatal(err)
		}
		return time.Duration(now.Nano())
	}
	for began := clock(); clock()-began < 100*time.Millisecond; {
	}
	if u := usageOf(os.Getpid()); u.ran < 50*time.Millisecond {
		t.Errorf("at least 100 ms were spent, but %v counted", u.ran)
	}
}
