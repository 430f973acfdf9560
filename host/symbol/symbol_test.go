package symbol

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the test's own binary is not an ELF")
	}
	file, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip(err)
	}
	pc := uint64(reflect.ValueOf(TestLookup).Pointer())
	table := New(file)
	fn, source, line, ok := table.Lookup(pc)
	if !ok || fn != "skerry/host/symbol.TestLookup" || !strings.HasSuffix(source, "symbol_test.go") || line == 0 {
		t.Fatalf("%#x is %q in %s:%d, %v", pc, fn, source, line, ok)
	}
	if name := table.Name(pc); !strings.Contains(name, "symbol.TestLookup (") {
		t.Errorf("name %q", name)
	}
	if name := table.Name(1); name != "0x1" {
		t.Errorf("address 1 is %q", name)
	}
}

func TestDamaged(t *testing.T) {
	for _, file := range [][]byte{nil, []byte("\x7fELF"), []byte("text")} {
		if name := New(file).Name(0x1234); name != "0x1234" {
			t.Errorf("%q names %q", file, name)
		}
	}
}
