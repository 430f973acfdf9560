package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patient is how long a program may take.
const patient = time.Minute

// build compiles a program of this folder and returns its file.
func build(t *testing.T, folder string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "./"+folder).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// said is what a client says after how it is bound.
const said = `get greeting: hello
get farewell: there is none
put a value too long: Store.Put: Item.Value has length 5000, its declared bound is 4096
load a stream: 40 items
load too much: Store.Load: 100 values are kept: the store is full
the first keys: 0000, 0001, 0002, 0003, 0004
delete greeting, twice: Store.Delete: there is nothing under that key
`

func TestOneProgram(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), build(t, "")).Output()
	if want := "bound by direct: both ends are in one program\n" + said; err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTCP(t *testing.T) {
	client := build(t, "client")
	server := exec.CommandContext(t.Context(), build(t, "server"), "-listen", "localhost:0")
	server.Stderr = os.Stderr
	pipe, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	over := time.AfterFunc(patient, func() { server.Process.Kill() })
	defer over.Stop()
	line, err := bufio.NewReader(pipe).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening at ")
	if !ok {
		t.Fatalf("%q, %v", line, err)
	}
	out, err := exec.CommandContext(t.Context(), client, "-connect", address).Output()
	if !strings.HasPrefix(string(out), "bound by tcp: ") || !strings.HasSuffix(string(out), said) || err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server: %v", err)
	}
}
