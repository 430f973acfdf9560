package native

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"

	"skerry/abi"
)

// stringsAt reads n NUL-terminated strings as the libos does.
func stringsAt(t *testing.T, b []byte, offset, n uint32) []string {
	t.Helper()
	var list []string
	for rest := b[offset:]; n > 0; n-- {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			t.Fatalf("string at the end without NUL: %q", rest)
		}
		list = append(list, string(rest[:i]))
		rest = rest[i+1:]
	}
	return list
}

func TestEncodeProgram(t *testing.T) {
	p := Program{
		Path: "bin/hello", Cwd: "/tmp", Trace: true, Replicated: true,
		Args: []string{"hello", "", "é x"},
		Env:  []string{"A=1", "B="},
	}
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	info := (*abi.Info)(unsafe.Pointer(&b[0]))
	if info.Magic != abi.InfoMagic || int(info.Size) != len(b) || info.Flags != abi.InfoTrace|abi.InfoReplicated {
		t.Errorf("header %+v for %d bytes", *info, len(b))
	}
	got := strings.Join([]string{
		strings.Join(stringsAt(t, b, info.Program, 1), "|"),
		strings.Join(stringsAt(t, b, info.Cwd, 1), "|"),
		strings.Join(stringsAt(t, b, info.Args, info.NumArgs), "|"),
		strings.Join(stringsAt(t, b, info.Env, info.NumEnv), "|"),
	}, "\n")
	if want := "bin/hello\n/tmp\nhello||é x\nA=1|B="; got != want {
		t.Errorf("strings %q, want %q", got, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for want, p := range map[string]Program{
		"NUL byte":   {Path: "p", Cwd: "/", Args: []string{"a\x00b"}},
		"take over ": {Path: "p", Cwd: "/", Env: []string{"A=" + strings.Repeat("x", abi.InfoMax)}},
	} {
		if _, err := p.Encode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
