package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReports: the lines of each row are taken from a plugin's reports, in their order.
func TestReports(t *testing.T) {
	const reports = "per cpu, total, /unit cpu0 cpu1 total per unit\ncold 1 2 3 0.03\ncoh 101 101 202 2.00\n" +
		"per cpu, total, /unit cpu0 cpu1 total per unit\ncoh 718 31744 32462 1.02\n"
	path := filepath.Join(t.TempDir(), "report")
	if err := os.WriteFile(path, []byte(reports), 0o666); err != nil {
		t.Fatal(err)
	}
	b := &bench{samples: map[string]*row{}}
	if err := b.addReports(path, "x", "y"); err != nil {
		t.Fatal(err)
	}
	if x, y := b.samples["x_lines"].skerry[0], b.samples["y_lines"].skerry[0]; x != 2 || y != 1.02 {
		t.Errorf("%g lines and %g, want 2 and 1.02", x, y)
	}
	if err := b.addReports(path, "x"); err == nil || !strings.Contains(err.Error(), "reports 2 times") {
		t.Errorf("two reports about one row: %v", err)
	}
	if err := b.addReports("", "x"); err != nil {
		t.Errorf("without a plugin: %v", err)
	}
}
