package exitcode

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReadme holds that the README's table of exit codes is this one.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(readme), "\n## Exit codes\n")
	if !ok {
		t.Fatal("the README has no section on exit codes")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var want, got strings.Builder
	for _, e := range Table() {
		fmt.Fprintf(&want, "| %s | %s |\n", e.Code, e.Meaning)
	}
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| code ") && !strings.HasPrefix(line, "| --- ") {
			got.WriteString(line)
		}
	}
	if got.String() != want.String() {
		t.Errorf("the README's rows differ; they should be:\n%s", want.String())
	}
}
