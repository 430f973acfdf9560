package std

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"skerry/test/boot"
)

// lacking are the tests of the selections that fail on Skerry, all that there are,
// and what they want that it has not.
var lacking = map[string]string{
	"sync TestMutexMisuse":                "starts a process",
	"sync TestIssue76126":                 "starts a process",
	"context ExampleAfterFunc_connection": "listens on a network",
}

// TestSelection runs the tests of a fixed selection of small packages on Skerry,
// each in a machine of its own with one core. What comes of each test must be what
// comes of it on one CPU of the host.
func TestSelection(t *testing.T) { compare(t, "selection.txt", 1) }

// TestSpanning runs those of packages about what goes on at once, each in a
// machine with four cores and on all of them. What comes of each test must be what
// comes of it on as many CPUs of the host as that has.
func TestSpanning(t *testing.T) { compare(t, "spanning.txt", 4) }

// compare runs the tests of the packages that a file names.
func compare(t *testing.T, selection string, cores int) {
	boot.Need(t)
	text, err := os.ReadFile(selection)
	if err != nil {
		t.Fatal(err)
	}
	library, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	skerry, err := NewSkerry(t.Context(), library)
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(text)) {
		t.Run(pkg, func(t *testing.T) {
			binary, err := library.Build(t.Context(), pkg)
			if err != nil {
				t.Fatal(err)
			}
			host, err := library.Host(t.Context(), pkg, binary, cores, 2*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			got, err := skerry.Run(t.Context(), pkg, binary, cores, 4*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			differ(t, pkg, &host, &got)
			if t.Failed() {
				t.Logf("it ended with %s; see %s", got.End, library.LogFile(pkg, "skerry"))
			}
			t.Logf("%v in %v; on the host in %v", got, got.Took.Round(time.Millisecond), host.Took.Round(time.Millisecond))
		})
	}
}

// differ fails a test for each test of a package that came out otherwise than it
// should.
func differ(t *testing.T, pkg string, host, got *Result) {
	fails := false
	for _, name := range slices.Sorted(maps.Keys(host.Tests)) {
		want := host.Tests[name]
		if why := lacking[pkg+" "+name]; why != "" {
			fails = true
			if want != "PASS" {
				t.Errorf("%s does not pass on the host either", name)
			}
			want = "FAIL"
		}
		if got.Tests[name] != want {
			t.Errorf("%s: %q, want %s", name, got.Tests[name], want)
		}
	}
	if len(host.Tests) == 0 || len(got.Tests) != len(host.Tests) {
		t.Errorf("%d tests, %d on the host", len(got.Tests), len(host.Tests))
	}
	if end := map[bool]string{false: "ok", true: "exit 1"}[fails]; got.End != end {
		t.Errorf("it ended with %q, want %q", got.End, end)
	}
}

// TestCount holds how a test binary's output is read.
func TestCount(t *testing.T) {
	var r Result
	r.count([]byte("=== RUN TestA\n--- PASS: printed by a test\n\x16--- PASS: TestA (0.00s)\n    \x16--- FAIL: TestB/sub (0.00s)\n\x16--- FAIL: TestB/other (0.00s)\n" +
		"\x16--- FAIL: TestB (0.1s)\n\x16--- SKIP: TestC (0.00s)\n\x16--- PASS: ExampleD (0.00s)\n"))
	if r.Pass != 2 || r.Fail != 1 || r.Skip != 1 {
		t.Errorf("counted %v, want 2 1 1", r)
	}
	if want := map[string]string{"TestA": "PASS", "TestB": "FAIL", "TestC": "SKIP", "ExampleD": "PASS"}; !maps.Equal(r.Tests, want) {
		t.Errorf("read %v, want %v", r.Tests, want)
	}
}
