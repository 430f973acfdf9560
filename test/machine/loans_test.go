package machine

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"skerry/abi"
	"skerry/test/boot"
)

// TestCoreWithLoansDies lets the kernel of a core end that has lent memory, or
// been lent some: what the other core's program has stays its own.
func TestCoreWithLoansDies(t *testing.T) {
	const much, little = "224", "8" // MiB: more than a core has, and less
	for name, size := range map[string][2]string{"lender": {much, little}, "borrower": {little, much}} {
		t.Run(name, func(t *testing.T) {
			stays, check := io.Pipe()
			dies, end := io.Pipe()
			m := &boot.Machine{Cores: 2, Memory: 448 * mib, Options: "panic=1:400000"}
			m.Programs = []boot.Program{
				{Package: "testdata/holder.go", Args: []string{size[0], "check"}, Core: 0, Quota: 320 * mib, Stdin: stays},
				{Package: "testdata/holder.go", Args: []string{size[1], "end"}, Core: 1, Quota: 320 * mib, Stdin: dies},
			}
			m.Stdout = &trigger{text: "holding\n", want: 2, do: func() { end.Close() }}
			m.Watch = &trigger{text: "panic: core 1", want: 1, do: func() { check.Close() }}
			o := boot.Run(t, m)
			if p := o.Outcomes[0]; !p.Ended || p.Status.Kind != abi.ExitCode || p.Status.Code != 0 || !strings.Contains(o.Stdout, "held\n") {
				t.Errorf("the program on core 0 ended with %+v", p)
			}
			if !strings.Contains(o.Console, "panic: core 1") || strings.Contains(o.Console, "panic: core 0") {
				t.Error("not just core 1's kernel has ended")
			}
		})
	}
}

// trigger calls do when a text has come so many times.
type trigger struct {
	text string
	want int
	do   func()
	seen bytes.Buffer
}

// Write never fails.
func (w *trigger) Write(b []byte) (int, error) {
	w.seen.Write(b)
	if w.do != nil && strings.Count(w.seen.String(), w.text) >= w.want {
		w.do()
		w.do = nil
	}
	return len(b), nil
}
