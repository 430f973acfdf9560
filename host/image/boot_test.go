package image

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"skerry/host/gobuild"
	"skerry/lib/manifest"
)

// TestBoot starts an image whose kernel checks the state the stub promises.
func TestBoot(t *testing.T) {
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("QEMU is not installed")
	}
	t.Setenv("SKERRY_CACHE", t.TempDir())
	_, here, _, _ := runtime.Caller(0)
	elf, err := gobuild.Build(context.Background(), gobuild.Target{
		Dir: filepath.Dir(here), Package: "./testdata/tiny",
		Ldflags: "-w -T -0x7fe00000 -E main.entry", System: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "image")
	system := &System{Kernel: elf, Libos: []byte("libos"), Monitor: []byte("monitor")}
	if _, err := WriteFile(name, system, &manifest.Manifest{}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, qemu, "-M", "q35", "-accel", "tcg", "-cpu", "max", "-nodefaults",
		"-no-user-config", "-display", "none", "-no-reboot", "-m", "128M", "-serial", "stdio",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", name).CombinedOutput()
	if want := []byte("MI04ELZA\n"); !bytes.Contains(out, want) {
		t.Fatalf("the kernel says %q (%v), want %q", out, err, want)
	}
}
