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

// standsIn names the environment variable that makes the test's binary stand in for QEMU, and
// says what it does; folder the one of a folder where it leaves marks.
const (
	standsIn = "SKERRY_BASELINE_STANDS_IN"
	folder   = "SKERRY_BASELINE_FOLDER"
)

// What the stand-in does.
const (
	hangs      = "greets and hangs"
	ends       = "greets and ends"
	silent     = "is silent"
	spins      = "spins"
	givesUp    = "gives up"
	silentOnce = "is silent the first time, then well"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(standsIn); what != "" {
		fmt.Fprintln(os.Stderr, "the stand-in", what)
		if err := standIn(what); err != nil {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
			os.Exit(1)
		}
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// standIn behaves as a machine does. Its first thread has the name of one that runs all
// virtual CPUs.
func standIn(what string) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/self/task/%d/comm", os.Getpid()), []byte("ALL CPUs/TCG"), 0); err != nil {
		return err
	}
	began := filepath.Join(os.Getenv(folder), "began")
	_, err := os.Stat(began)
	again := err == nil
	out := link.NewWriter(os.NewFile(3, "link"))
	switch {
	case what == spins:
		for {
		}
	case what == givesUp:
		os.Exit(0)
	case what == silentOnce && again:
		return errors.Join(greet(out), out.Write(link.Frame{Kind: link.Bye, Program: link.None}))
	case what == silentOnce || what == silent:
		if err := os.WriteFile(began, nil, 0o600); err != nil {
			return err
		}
		time.Sleep(time.Hour) // longer than any test
	}
	if err := greet(out); err != nil {
		return err
	}
	if what == hangs {
		time.Sleep(time.Hour) // as above
	}
	return nil
}

// greet greets and leaves the mark "greeted". What it sends before the greeting is more than a
// pipe holds, so the host reads when greet returns.
func greet(out *link.Writer) error {
	for range 2 {
		if err := out.Write(link.Frame{Kind: link.Log, Program: link.None, Payload: make([]byte, link.MaxPayload)}); err != nil {
			return err
		}
	}
	hello, err := link.AppendJSON(nil, link.Greeting{Version: "1", Cores: 1})
	if err != nil {
		return err
	}
	if err := out.Write(link.Frame{Kind: link.Hello, Program: link.None, Payload: hello}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Getenv(folder), "greeted"), nil, 0o600)
}

// useStandIn has machines be the stand-in, and returns its folder.
func useStandIn(t *testing.T, what string) (dir string) {
	test, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	t.Setenv("SKERRY_QEMU", test)
	t.Setenv(folder, dir)
	t.Setenv(standsIn, what)
	return dir
}

// TestError checks that an error says why a machine ended and how far it had come.
func TestError(t *testing.T) {
	over := errors.New("the caller's time is over")
	for what, why := range map[string]string{
		hangs: over.Error() + " (EOF), after ",
		ends:  "QEMU ended too early, with exit status 3 (EOF), after ",
	} {
		t.Run(what, func(t *testing.T) {
			dir := useStandIn(t, what)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() {
				if what == hangs && appears(ctx, filepath.Join(dir, "greeted")) {
					cancel(over)
				}
			}()
			_, err := Image(ctx, Config{}, "none", 0)
			if err == nil || !errors.Is(err, io.EOF) || errors.Is(err, over) != (what == hangs) {
				t.Fatalf("error %v", err)
			}
			for _, part := range []string{why, "; of 3 frames the last, hello, came after ", "the stand-in " + what} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
		})
	}
}

// TestHung checks that a Linux that hangs or gives up while it boots is started again, once, and that this
// is said.
func TestHung(t *testing.T) {
	defer func(p patience) { bootPatience = p }(bootPatience)
	bootPatience = patience{ran: time.Second, idle: 2 * time.Second}
	cache := t.TempDir()
	t.Setenv("SKERRY_CACHE", cache)
	kernel := filepath.Join(cache, "linux", "vmlinuz-0")
	if err := errors.Join(os.Mkdir(filepath.Dir(kernel), 0o700), os.WriteFile(kernel, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, said, err string }{
		{silent, "boot 1 of Linux, now once more: machine: it hung before it said anything and wanted only ", "boot 2 of Linux, the last: machine: it hung"},
		{spins, "boot 1 of Linux, now once more: machine: it hung before it said anything and used ", "boot 2 of Linux, the last: machine: it hung"},
		{givesUp, "boot 1 of Linux, now once more: machine: it gave up before it said anything: QEMU ended too early", "boot 2 of Linux, the last: machine: it gave up"},
		{silentOnce, "boot 1 of Linux, now once more: machine: it hung", ""},
		{ends, "", "QEMU ended too early"},
	} {
		t.Run(c.what, func(t *testing.T) {
			useStandIn(t, c.what)
			var said strings.Builder
			err := boot(t.Context(), &Config{Progress: &said}, second, nil, func(m *machine) error {
				_, err := m.converse(0)
				return err
			})
			if fmt.Sprint(err) == "<nil>" != (c.err == "") || !strings.Contains(fmt.Sprint(err), c.err) {
				t.Errorf("error %v; want %q in it", err, c.err)
			}
			if !strings.HasPrefix(said.String(), c.said) || (said.String() == "") != (c.said == "") {
				t.Errorf("it said %q; want %q", said.String(), c.said)
			}
		})
	}
}

// appears waits for a file of another process, until ctx ends.
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
