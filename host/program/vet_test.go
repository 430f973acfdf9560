package program

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"strings"
	"testing"

	"skerry/host/program/programtest"
)

func TestVet(t *testing.T) {
	if err := Vet(programtest.Good().Bytes()); err != nil {
		t.Fatalf("the good file: %v", err)
	}
	seen := map[string]bool{}
	for _, c := range programtest.Bad() {
		err := Vet(c.File)
		var b *BadFileError
		if !errors.As(err, &b) || !strings.Contains(b.Reason, c.Want) || !strings.Contains(b.Fix, c.Fix) {
			t.Errorf("%s: want %q (%q), got %v (%+v)", c.Name, c.Want, c.Fix, err, b)
		}
		if seen[c.Name] {
			t.Errorf("two cases of the name %s", c.Name)
		}
		seen[c.Name] = true
	}
}

// TestVetCutAnywhere cuts a good file at every length: only the whole runs.
func TestVetCutAnywhere(t *testing.T) {
	whole := programtest.Good().Bytes()
	for n := range whole {
		if Vet(whole[:n]) == nil {
			t.Fatalf("%d of %d bytes passed", n, len(whole))
		}
	}
}

// TestVetHost holds that the checks know what they speak of: this test binary
// runs if it is static, and is refused as dynamic if not.
func TestVetHost(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Skip(err)
	}
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Skip(err)
	}
	dynamic := false
	for _, p := range f.Progs {
		dynamic = dynamic || p.Type == elf.PT_INTERP
	}
	if err = Vet(file); dynamic != (err != nil) {
		t.Fatalf("dynamic: %v, but %v", dynamic, err)
	}
}

// FuzzVet holds that no file makes Vet fail in another way than it says, and
// that what passes is what the loader relies on.
func FuzzVet(f *testing.F) {
	f.Add(programtest.Good().Bytes())
	for _, c := range programtest.Bad() {
		f.Add(c.File)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		err := Vet(file)
		var b *BadFileError
		if err != nil && (!errors.As(err, &b) || b.Reason == "" || b.Fix == "") {
			t.Fatalf("error %v", err)
		}
		if err == nil && (len(file) < 64 || file[4] != 2) {
			t.Fatal("passed without a header")
		}
	})
}
