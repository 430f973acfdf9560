package machine

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"skerry/host/exitcode"
	"skerry/host/image"
)

func needQEMU(t *testing.T) {
	t.Helper()
	if _, err := Command(); err != nil {
		t.Skip(err)
	}
}

// guest writes an image that ends the machine, or one that runs on for ever.
func guest(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "probe")
	if err := os.WriteFile(name, image.Probe(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestProbeUnderTCG shows that the probe's code works: a verdict against KVM
// is then KVM's doing.
func TestProbeUnderTCG(t *testing.T) {
	needQEMU(t)
	m, err := Start(t.Context(), &Config{Image: guest(t), Cores: 1, Memory: 64 << 20, Accel: TCG,
		Extra: []string{"-device", "isa-debug-exit,iobase=0xf4,iosize=4"}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Kill()
	if b, err := io.ReadAll(m.Console); err != nil || len(b) > 0 {
		t.Errorf("console: %q, %v", b, err)
	}
	if err := m.Wait(); exitcode.Of(err) != exitcode.Machine || !strings.Contains(err.Error(), "exit status 33") {
		t.Fatal(err)
	}
}

func TestContextEndsMachine(t *testing.T) {
	needQEMU(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	// Without the exit device, the guest halts for ever.
	m, err := Start(ctx, &Config{Image: guest(t), Cores: 2, Memory: 64 << 20, Accel: TCG})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Kill()
	cause := errors.New("enough")
	cancel(cause)
	if err := m.Wait(); err != cause {
		t.Fatalf("ended with %v", err)
	}
}

func TestKill(t *testing.T) {
	needQEMU(t)
	m, err := Start(t.Context(), &Config{Image: guest(t), Cores: 1, Memory: 64 << 20, Accel: TCG})
	if err != nil {
		t.Fatal(err)
	}
	m.Kill()
	m.Kill()
	if err := m.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Console.Read(make([]byte, 1)); err == nil {
		t.Fatal("the console still reads")
	}
}

// TestDiesWithParent starts a process that starts a machine, and kills it.
func TestDiesWithParent(t *testing.T) {
	needQEMU(t)
	if name := os.Getenv("MACHINE_TEST_PARENT"); name != "" {
		m, err := Start(t.Context(), &Config{Image: name, Cores: 1, Memory: 64 << 20, Accel: TCG})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("started\n")
		m.Wait()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiesWithParent$")
	cmd.Env = append(os.Environ(), "MACHINE_TEST_PARENT="+guest(t))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 8)
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "started\n" {
		t.Fatalf("%q, %v", line, err)
	}
	// Children are listed by the thread that made them.
	tasks, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "task", "*", "children"))
	if err != nil || len(tasks) == 0 {
		t.Skipf("this host does not list children: %v", err)
	}
	var children []string
	for _, name := range tasks {
		b, _ := os.ReadFile(name) // a thread may have ended
		children = append(children, strings.Fields(string(b))...)
	}
	if len(children) != 1 {
		t.Fatalf("children %v, want QEMU alone", children)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for _, pid := range children {
		for deadline := time.Now().Add(10 * time.Second); ; {
			b, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
			if err != nil || strings.Contains(string(b), ") Z ") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("process %s outlived its parent", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []*Config{
		{Cores: 0, Accel: TCG}, {Cores: MaxCores + 1, Accel: TCG}, {Cores: 1, Memory: MaxMemory + 1, Accel: TCG},
	} {
		if m, err := Start(t.Context(), c); exitcode.Of(err) != exitcode.Usage {
			t.Errorf("%+v started %v: %v", c, m, err)
		}
	}
}

func TestQEMUMissing(t *testing.T) {
	t.Setenv("SKERRY_QEMU", "no-such-qemu")
	_, err := Start(t.Context(), &Config{Cores: 1, Memory: 64 << 20, Accel: TCG})
	if exitcode.Of(err) != exitcode.Machine || !strings.Contains(err.Error(), "no-such-qemu is not installed") {
		t.Fatal(err)
	}
}

func TestQEMUFails(t *testing.T) {
	needQEMU(t)
	m, err := Start(t.Context(), &Config{Image: "/nonexistent", Cores: 1, Memory: 64 << 20, Accel: TCG})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Kill()
	if err := m.Wait(); exitcode.Of(err) != exitcode.Machine || !strings.Contains(err.Error(), "/nonexistent") {
		t.Fatal(err)
	}
}

// TestProveKVM shows that a verdict is reached, kept, and cannot be forgotten
// by accident. What the verdict is depends on the host.
func TestProveKVM(t *testing.T) {
	needQEMU(t)
	t.Setenv("SKERRY_CACHE", t.TempDir())
	first, err := ProveKVM(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("KVM: %+v", first)
	if first.OK == (first.Reason != "") {
		t.Errorf("verdict %+v contradicts itself", first)
	}
	second, err := ProveKVM(t.Context(), false)
	if err != nil || second.OK != first.OK || second.Reason != first.Reason {
		t.Errorf("then %+v, %v", second, err)
	}
	if first.Took > 0 && !second.Cached {
		t.Error("the verdict was not kept")
	}
}
