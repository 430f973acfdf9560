package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const rows = `# a note
update_spin_1_on_2 54.2 ns
update_spin_1_on_2.spread 3.1 %
update_spin_1_on_1 6 ns
update_message_8_on_2 105 ns
urpc_round_trip 100 ns
`

func TestDraw(t *testing.T) {
	out := filepath.Join(t.TempDir(), "figure.svg")
	if err := run(strings.NewReader(rows), out, "A title", ""); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "A title", "spin, 1 line", "message, 8 lines", "cores", ">ns<"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the figure does not hold %q", want)
		}
	}
}

func TestRead(t *testing.T) {
	f, err := read(strings.NewReader(rows), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.curves[curve{"spin", 1}]; len(got) != 2 || got[0].X != 2 || got[0].Y != 54.2 || len(f.curves) != 2 {
		t.Errorf("read %v", f.curves)
	}
	for text, want := range map[string]string{
		"":                                      "no line",
		"update_spin_1_on_x 5 ns":               "no line",
		"update_spin_1_on_2 many ns":            "line \"update_spin_1_on_2 many ns\"",
		rows + "update_spin_1_on_4 7 transfers": "its unit is not ns",
	} {
		if _, err := read(strings.NewReader(text), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
}

// TestSuffix: rows of several kinds may be mixed, if one of them is asked for.
func TestSuffix(t *testing.T) {
	const mixed = "update_spin_1_on_2.skerry 300 instructions\nupdate_spin_1_on_2_lines.skerry 3 lines\n"
	for suffix, unit := range map[string]string{".skerry": "instructions", "_lines.skerry": "lines"} {
		f, err := read(strings.NewReader(mixed), suffix)
		if err != nil || f.unit != unit || len(f.curves[curve{"spin", 1}]) != 1 {
			t.Errorf("suffix %s: %v, %v", suffix, f, err)
		}
	}
}

// TestFigures draws the figures of docs/urpc.md again, as it says.
func TestFigures(t *testing.T) {
	figures := filepath.Join("..", "..", "docs", "figures")
	for _, f := range []struct{ rows, name, title, suffix string }{
		{"update-machine.txt", "update-lines.svg", "Cache lines transferred for one update, on Skerry", "_lines.skerry"},
		{"update-machine.txt", "update-instructions.svg", "Instructions of all cores for one update, on Skerry", ".skerry"},
		{"update-time.txt", "update-time.svg", "One update, natively on two processors", ""},
	} {
		rows, err := os.Open(filepath.Join(figures, f.rows))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		out := filepath.Join(t.TempDir(), f.name)
		if err := run(rows, out, f.title, f.suffix); err != nil {
			t.Fatal(err)
		}
		drawn, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := os.ReadFile(filepath.Join(figures, f.name)); err != nil || !bytes.Equal(drawn, kept) {
			t.Errorf("docs/figures/%s is not drawn from %s: draw it again by the command in docs/urpc.md (%v)", f.name, f.rows, err)
		}
	}
}
