package std

import (
	"os"
	"strings"
	"testing"
	"time"

	"skerry/test/boot"
)

// TestSelection runs the tests of a fixed selection of small packages on
// Skerry, each in a machine of its own. All must pass, with the same counts
// as on the host.
func TestSelection(t *testing.T) {
	boot.Need(t)
	text, err := os.ReadFile("selection.txt")
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
			host, err := library.Host(t.Context(), pkg, binary, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			got, err := skerry.Run(t.Context(), pkg, binary, 2*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Passed() || got.Pass != host.Pass || got.Skip != host.Skip || got.Fail != host.Fail {
				t.Errorf("pass, fail, skip: %v; on the host: %v; see %s", got, host, library.LogFile(pkg, "skerry"))
			}
			t.Logf("%v in %v", got, got.Took.Round(time.Millisecond))
		})
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
}
