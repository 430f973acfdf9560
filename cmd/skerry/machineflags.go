package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"skerry/host/archive"
	"skerry/host/exitcode"
	"skerry/host/gobuild"
	"skerry/host/image"
	"skerry/host/machine"
	"skerry/host/source"
	"skerry/lib/manifest"
)

// Memory of a machine in bytes, over what its image takes.
const (
	minPerCore     = 26 << 20 // a kernel refuses to start with less than 24 MiB
	defaultPerCore = 256 << 20
)

// machineFlags are the flags of commands that start a machine.
type machineFlags struct {
	cores   int
	memory  size
	timeout time.Duration
	gdb     string
	options string
	extra   []string
}

func (f *machineFlags) add(c *cobra.Command, cores string) {
	c.Flags().IntVarP(&f.cores, "cores", "c", 0, "number of cores (default: "+cores+")")
	c.Flags().VarP(&f.memory, "memory", "m", "memory of the machine, such as 512M or 4G (default: 256M a core and what the image takes)")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "end the machine after this time, such as 30s")
	c.Flags().StringVar(&f.gdb, "gdb", "", "wait for gdb on this `address` before the kernel starts")
	c.Flags().Lookup("gdb").NoOptDefVal = "localhost:1234"
	c.Flags().StringVar(&f.options, "kernel-option", "", "command `line` for the kernels")
	c.Flags().StringArrayVar(&f.extra, "qemu", nil, "one more `argument` for QEMU; may be repeated")
}

// check finds what is wrong with the flags by themselves.
func (f *machineFlags) check(c *cobra.Command) error {
	if c.Flags().Changed("cores") && (f.cores < 1 || f.cores > machine.MaxCores) {
		return usagef(c, "%d cores cannot be started: 1 to %d can", f.cores, machine.MaxCores)
	}
	if f.timeout < 0 {
		return usagef(c, "a timeout of %v has passed already", f.timeout)
	}
	return nil
}

// limit returns ctx with the timeout, if there is one.
func (f *machineFlags) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, f.timeout, exitcode.New(exitcode.Timeout, "timeout", "give it more with --timeout",
		"not finished after %v; the machine was stopped", f.timeout))
}

// resolve writes an image and returns a machine that boots it. The returned
// function removes the image.
func (a *app) resolve(ctx context.Context, f *machineFlags, s *image.System, m *manifest.Manifest, files []archive.File) (*machine.Config, func(), error) {
	accel, reason, err := machine.Choose(ctx, a.accel)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case reason == "":
	case a.verbose:
		a.progress.note("no KVM here (%s): emulating (slower)", reason)
	default:
		a.progress.note("no KVM here: emulating (slower)")
	}
	dir, err := imagesDir()
	if err != nil {
		return nil, nil, err
	}
	name := filepath.Join(dir, fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano()))
	layout, err := image.WriteFile(name, s, m, files)
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.Remove(name) }
	least := layout.End() + uint64(f.cores)*minPerCore
	memory := uint64(f.memory)
	if memory == 0 {
		memory = layout.End() + uint64(f.cores)*defaultPerCore
	}
	if memory < least {
		remove()
		return nil, nil, exitcode.New(exitcode.Machine, fmt.Sprintf("--memory %dM", memory>>20), fmt.Sprintf("give it at least %dM", (least+1<<20-1)>>20),
			"too little memory for %d %s and an image of %d MiB", f.cores, plural(f.cores, "core"), (layout.ArchiveSize+layout.KernelSize)>>20)
	}
	config := &machine.Config{Image: name, Cores: f.cores, Memory: memory, Accel: accel, Options: f.options, Debug: f.gdb, Extra: f.extra}
	if f.gdb != "" {
		kernel, err := saveDebug(s)
		if err != nil {
			remove()
			return nil, nil, err
		}
		tree, err := source.Find(a.source)
		if err != nil {
			remove()
			return nil, nil, err
		}
		a.progress.note(`the machine waits for gdb; in another terminal:
  gdb %s -ex 'add-symbol-file %s' \
      -ex 'set substitute-path skerry %s' -ex 'target remote %s'
  (gdb) hbreak skerry/kernel/driver.(*Driver).Run
  (gdb) continue`, kernel, filepath.Join(filepath.Dir(kernel), "libos"), tree, f.gdb)
	}
	return config, remove, nil
}

// imagesDir returns the folder for images that are booted once, without those
// that were left there long ago.
func imagesDir() (string, error) {
	cache, err := gobuild.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "images")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", exitcode.New(exitcode.Image, "cache folder "+dir, "make it writable or set SKERRY_CACHE", "%w", err)
	}
	entries, _ := os.ReadDir(dir) // what cannot be listed is not cleared
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	return dir, nil
}

// saveDebug keeps the ELF files of kernel and libos for a debugger, and returns
// the kernel's name.
func saveDebug(s *image.System) (string, error) {
	cache, err := gobuild.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "debug")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", exitcode.New(exitcode.Image, dir, "make room", "%w", err)
	}
	for name, b := range map[string][]byte{"kernel": s.Kernel, "libos": s.Libos} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return "", exitcode.New(exitcode.Image, dir, "make room", "%w", err)
		}
	}
	return filepath.Join(dir, "kernel"), nil
}
