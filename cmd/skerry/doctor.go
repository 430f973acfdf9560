package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"skerry/host/exitcode"
	"skerry/host/gobuild"
	"skerry/host/machine"
	"skerry/host/source"
)

// check is one line of the doctor's.
type check struct {
	Name  string
	OK    bool
	Warn  bool `json:",omitempty"` // not OK, but one can do without
	Found string
	Fix   string `json:",omitempty"`
}

func (a *app) doctorCommand() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check that this host has what is needed",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			checks := a.examine(c.Context())
			if json {
				if err := writeJSON(os.Stdout, checks); err != nil {
					return err
				}
			} else {
				writeChecks(checks)
			}
			for _, k := range checks {
				if !k.OK && !k.Warn {
					return exitcode.New(exitcode.Machine, k.Name, k.Fix, "%s", k.Found)
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&json, "json", false, "as JSON")
	return c
}

func writeChecks(checks []check) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, k := range checks {
		state := "ok"
		switch {
		case k.Warn:
			state = "note"
		case !k.OK:
			state = "FAIL"
		}
		fmt.Fprintf(w, "%s\t%s\t%s", state, k.Name, k.Found)
		if k.Fix != "" {
			fmt.Fprintf(w, " → %s", k.Fix)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

// examine makes all checks.
func (a *app) examine(ctx context.Context) []check {
	return []check{
		a.checkGo(ctx), a.checkSource(), checkQEMU(ctx), checkKVM(ctx), checkCores(), checkMemory(), checkCache(),
	}
}

// minGo is the oldest release that builds Skerry: 1.minGo.
const minGo = 26

func (a *app) checkGo(ctx context.Context) check {
	k := check{Name: "Go", Fix: fmt.Sprintf("install Go 1.%d or newer, https://go.dev/dl", minGo)}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	if err != nil {
		k.Found = oneLine(err)
		return k
	}
	k.Found = strings.TrimSpace(string(out))
	minor := strings.TrimPrefix(k.Found, "go1.")
	minor = minor[:len(minor)-len(strings.TrimLeft(minor, "0123456789"))]
	if n, err := strconv.Atoi(minor); err == nil && n < minGo {
		return k
	}
	k.OK, k.Fix = true, ""
	return k
}

func (a *app) checkSource() check {
	k := check{Name: "source tree"}
	dir, err := source.Find(a.source)
	if err != nil {
		k.Found = oneLine(err)
		var e *exitcode.Error
		if errors.As(err, &e) {
			k.Found, k.Fix = fmt.Sprint(e.Err), e.Fix
		}
		return k
	}
	k.OK, k.Found = true, dir
	return k
}

func checkQEMU(ctx context.Context) check {
	k := check{Name: "QEMU", Fix: "apt install qemu-system-x86"}
	path, err := machine.Command()
	if err != nil {
		k.Found = "not installed"
		return k
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		k.Found = path + ": " + oneLine(err)
		return k
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return check{Name: k.Name, OK: true, Found: strings.TrimPrefix(string(line), "QEMU emulator version ") + ", " + path}
}

func checkKVM(ctx context.Context) check {
	k := check{Name: "KVM"}
	v, err := machine.ProveKVM(ctx, true)
	switch {
	case err != nil:
		k.Warn, k.Found = true, "unknown without QEMU"
	case v.OK:
		k.OK, k.Found = true, fmt.Sprintf("runs guests (proved in %v)", v.Took.Round(time.Millisecond))
	default:
		k.Warn, k.Found, k.Fix = true, "does not work: "+v.Reason, "nothing need be done: skerry emulates, which is slower"
	}
	return k
}

func checkCores() check {
	n := runtime.NumCPU()
	k := check{Name: "cores", OK: true, Found: fmt.Sprint(n)}
	if n < 2 {
		k.OK, k.Warn, k.Fix = false, true, "machines with several cores will take turns; give this host more"
	}
	return k
}

// Memory and disk that compiling and booting four cores takes, in bytes.
const (
	wantMemory = 2 << 30
	wantDisk   = 1 << 30
)

func checkMemory() check {
	k := check{Name: "memory"}
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		k.Warn, k.Found = true, "unknown: this host does not say"
		return k
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == "MemAvailable:" {
			kb, _ := strconv.ParseUint(f[1], 10, 64)
			k.Found = fmt.Sprintf("%.1f GiB available", float64(kb)/(1<<20))
			if k.OK = kb<<10 >= wantMemory; !k.OK {
				k.Warn, k.Fix = true, "close something, or boot fewer cores (-c) with less memory (-m)"
			}
			return k
		}
	}
	k.Warn, k.Found = true, "unknown: this host does not say"
	return k
}

func checkCache() check {
	k := check{Name: "cache"}
	dir, err := gobuild.CacheDir()
	if err != nil {
		k.Found, k.Fix = oneLine(err), "make it writable or set SKERRY_CACHE"
		return k
	}
	f, err := os.CreateTemp(dir, "doctor.*")
	if err != nil {
		k.Found, k.Fix = oneLine(err), "make it writable or set SKERRY_CACHE"
		return k
	}
	f.Close()
	os.Remove(f.Name())
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		k.Found, k.Fix = oneLine(err), "set SKERRY_CACHE to another folder"
		return k
	}
	free := st.Bavail * uint64(st.Bsize)
	k.Found = fmt.Sprintf("%s, %.1f GiB free", filepath.Clean(dir), float64(free)/(1<<30))
	if k.OK = free >= wantDisk; !k.OK {
		k.Warn, k.Fix = true, "make room"
	}
	return k
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }
