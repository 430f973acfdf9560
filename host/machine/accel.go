package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"skerry/host/exitcode"
	"skerry/host/gobuild"
	"skerry/host/image"
)

// Accel is how a machine's processors are run.
type Accel string

// Accelerations.
const (
	Auto Accel = "auto" // KVM if it is proved to work, else TCG
	KVM  Accel = "kvm"
	TCG  Accel = "tcg" // emulation, which works everywhere
)

// Set implements pflag.Value.
func (a *Accel) Set(s string) error {
	switch Accel(s) {
	case Auto, KVM, TCG:
		*a = Accel(s)
		return nil
	}
	return errors.New("must be auto, kvm or tcg")
}

// String implements pflag.Value.
func (a *Accel) String() string { return string(*a) }

// Type implements pflag.Value.
func (a *Accel) Type() string { return "auto|kvm|tcg" }

// probeLimit is how long KVM may take for what it does in well under a second.
const probeLimit = 8 * time.Second

// Verdict says whether KVM works on this host.
type Verdict struct {
	OK     bool
	Reason string // why not; one line
	Took   time.Duration
	Cached bool `json:"-"` // found out before, since the host's last boot
	// What it holds for.
	BootID string
	QEMU   string
}

// Choose resolves an acceleration to KVM or TCG. The reason says why KVM is
// not used, or is empty. Asked for KVM where it does not work, it fails.
func Choose(ctx context.Context, a Accel) (chosen Accel, reason string, err error) {
	if a == TCG {
		return TCG, "", nil
	}
	v, err := ProveKVM(ctx, a == KVM)
	switch {
	case err != nil:
		return "", "", err
	case v.OK:
		return KVM, "", nil
	case a == KVM:
		return "", "", exitcode.New(exitcode.Machine, "--accel kvm", "use --accel tcg, or mend KVM and try again", "KVM does not work here: %s", v.Reason)
	}
	return TCG, v.Reason, nil
}

// ProveKVM finds out whether KVM runs a guest. That the device can be opened
// proves nothing: nested or restricted hosts offer it and then fail or crawl.
// The verdict is kept until the host boots again or QEMU changes; again asks
// for a new one if the old one is bad.
func ProveKVM(ctx context.Context, again bool) (*Verdict, error) {
	qemu, err := Command()
	if err != nil {
		return nil, err
	}
	v := &Verdict{BootID: bootID(), QEMU: qemu}
	if info, err := os.Stat(qemu); err == nil {
		v.QEMU += " " + info.ModTime().UTC().Format(time.RFC3339)
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		v.Reason = "it needs a Linux host with x86-64 processors"
		return v, nil
	}
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		v.Reason = "no /dev/kvm"
		if errors.Is(err, os.ErrPermission) {
			v.Reason = "no permission for /dev/kvm (add yourself to the group kvm)"
		}
		return v, nil
	}
	f.Close()

	cache, err := gobuild.CacheDir()
	if err != nil {
		return nil, err
	}
	name := filepath.Join(cache, "kvm.json")
	var old Verdict
	if b, err := os.ReadFile(name); err == nil && json.Unmarshal(b, &old) == nil &&
		old.BootID == v.BootID && v.BootID != "" && old.QEMU == v.QEMU && (old.OK || !again) {
		old.Cached = true
		return &old, nil
	}
	start := time.Now()
	v.Reason, err = probe(ctx, qemu, cache)
	if err != nil {
		return nil, err
	}
	v.OK, v.Took = v.Reason == "", time.Since(start)
	if b, err := json.Marshal(v); err == nil {
		// Unkept, the verdict is found again.
		if tmp := name + fmt.Sprintf(".%d", os.Getpid()); os.WriteFile(tmp, b, 0o644) == nil {
			_ = os.Rename(tmp, name)
		}
	}
	return v, nil
}

// probe runs a tiny guest and returns what went wrong with it, or "".
func probe(ctx context.Context, qemu, dir string) (string, error) {
	f, err := os.CreateTemp(dir, "probe.*")
	if err != nil {
		return "", exitcode.New(exitcode.Machine, "cache folder "+dir, "make room", "%w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(image.Probe())
	if err = errors.Join(err, f.Close()); err != nil {
		return "", exitcode.New(exitcode.Machine, "cache folder "+dir, "make room", "%w", err)
	}
	limited, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	cmd := exec.CommandContext(limited, qemu, "-M", "q35", "-accel", "kvm", "-cpu", "host", "-m", "64M",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-device", fmt.Sprintf("isa-debug-exit,iobase=%#x,iosize=4", image.ProbePort), "-kernel", f.Name())
	cmd.WaitDelay = time.Second
	var out tail
	cmd.Stderr = &out
	defer lockThread()()
	dieWithParent(cmd)
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case limited.Err() != nil:
		return fmt.Sprintf("a tiny guest did not finish within %v", probeLimit), nil
	case cmd.ProcessState == nil:
		return err.Error(), nil
	case cmd.ProcessState.ExitCode() == image.ProbeStatus:
		return "", nil
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if lines[0] != "" {
		return strings.TrimPrefix(lines[0], "qemu-system-x86_64: "), nil
	}
	return fmt.Sprintf("a tiny guest ended with %v", cmd.ProcessState), nil
}

// bootID names the host's current boot, or is empty where nothing does.
func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}
