// Package native tests native programs: what examples/capabilities and
// examples/messages say on Skerry is what they promise.
package native

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skerry/lib/manifest"
	"skerry/test/boot"
)

var update = flag.Bool("update", false, "write what the programs say to testdata")

// TestCapabilities runs the parts of examples/capabilities that any program can
// run.
func TestCapabilities(t *testing.T) {
	golden(t, "capabilities.txt", 0, boot.Program{})
}

// TestMessages runs all of examples/messages.
func TestMessages(t *testing.T) {
	golden(t, "messages.txt", 0, boot.Program{Package: boot.Example(t, "messages"), Capabilities: []string{manifest.Dispatch}})
}

// TestMessagesOnEveryCore runs it on each of two and of four cores at once: a core's
// messages are its own affair.
func TestMessagesOnEveryCore(t *testing.T) {
	boot.Need(t)
	text, err := os.ReadFile(filepath.Join("testdata", "messages.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cores := range []int{2, 4} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			m := &boot.Machine{Cores: cores}
			for core := range cores {
				m.Programs = append(m.Programs, boot.Program{
					Package: boot.Example(t, "messages"), Core: core, Capabilities: []string{manifest.Dispatch},
				})
			}
			o := boot.Run(t, m)
			if o.Err != nil || o.Stderr != "" || o.ExitCode() != 0 {
				t.Fatalf("%v, %s", o.Err, o.Stderr)
			}
			// Lines of several cores come mixed.
			want := slices.Sorted(strings.Lines(strings.Repeat(string(text), cores)))
			if got := slices.Sorted(strings.Lines(o.Stdout)); !slices.Equal(got, want) {
				t.Errorf("they say, by lines,\n%q\nwant\n%q", got, want)
			}
		})
	}
}

// TestDevices runs the parts for which a program must be given devices.
func TestDevices(t *testing.T) {
	golden(t, "devices.txt", 0, boot.Program{
		Args: []string{"device", "ports", "interrupt"}, Capabilities: []string{manifest.Devices},
	})
}

// TestGiant runs the part with a page of 1 GiB. For RAM of that size the libos
// asks for a piece of 2 GiB, and the machine has one that is aligned, beside what
// the kernel and the monitor take.
func TestGiant(t *testing.T) {
	golden(t, "giant.txt", 6<<30, boot.Program{Args: []string{"giant"}})
}

// TestNoDevices runs them in programs that were given none.
func TestNoDevices(t *testing.T) {
	boot.Need(t)
	parts := []string{"device", "ports", "interrupt"}
	m := &boot.Machine{Cores: 1}
	for _, part := range parts {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "capabilities"), Args: []string{part}})
	}
	if o := boot.Run(t, m); o.Err != nil || strings.Count(o.Stderr, "not given such a device") != len(parts) {
		t.Errorf("%v, %s", o.Err, o.Stderr)
	}
}

// golden runs a program, examples/capabilities if none is named, in a machine with so many bytes of memory, 0
// for the usual, and compares, line by line, what it says with a file.
func golden(t *testing.T, file string, memory uint64, p boot.Program) {
	boot.Need(t)
	if p.Package == "" {
		p.Package = boot.Example(t, "capabilities")
	}
	o := boot.Run(t, &boot.Machine{Cores: 1, Memory: memory, Programs: []boot.Program{p}})
	if o.Err != nil || o.Stderr != "" || o.ExitCode() != 0 {
		t.Fatalf("the program failed: %v", o.Err)
	}
	kept := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(kept, []byte(o.Stdout), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	got, want := strings.Split(o.Stdout, "\n"), strings.Split(string(text), "\n")
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("line %d: %q, want %q", i+1, g, w)
		}
	}
}
