package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build compiles a program of this module and returns the path of its ELF.
func build(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", append([]string{"build", "-o", out}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

func TestRules(t *testing.T) {
	toy := build(t, "./testdata/toy")
	for entry, want := range map[string]string{
		"good":      "",
		"allocates": "runtime call: calls runtime.newobject",
		"grows":     "runtime call: calls runtime.growslice",
		"barrier":   "runtime call: calls runtime.gcWriteBarrier",
		"recurses":  "recursion: main.factorial reaches itself: main.recursesEntry → main.recurses.abi0 → main.recurses → main.factorial → main.factorial",
		"mutual":    "recursion: main.even reaches itself",
		"indirect":  "indirect call: main.indirect+",
		"deep":      "deep path: 6",
		"defers":    "runtime call: calls runtime.deferproc",
		"maps":      "runtime call: calls runtime.mapassign",
		"chans":     "runtime call: calls runtime.chansend1",
		"prints":    "runtime call: calls runtime.printlock",
		"concat":    "runtime call: calls runtime.concatstring2",
		"dispatch":  "indirect call: main.dispatch+",
		"pushes":    "unbalanced: main.pushesEntry",
		"odd":       "indirect call: main.oddEntry+",
		"missing":   "configuration: Entries: no function main.missingEntry",
	} {
		r, err := Check(toy, Config{Entries: []Entry{{Symbol: "main." + entry + "Entry", Stack: 4096}}})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range r.Findings {
			all = append(all, f.String())
		}
		got := strings.Join(all, "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: findings\n%s\nwant %s", entry, got, want)
		}
	}
}

// TestBeforeRuntime checks that the write barrier is let pass where it is off,
// and only there.
func TestBeforeRuntime(t *testing.T) {
	toy := build(t, "./testdata/toy")
	r, err := Check(toy, Config{Entries: []Entry{
		{Symbol: "main.barrierEntry", Stack: 4096, BeforeRuntime: true},
		{Symbol: "main.barrierEntry", Stack: 4096},
		{Symbol: "main.growsEntry", Stack: 4096, BeforeRuntime: true},
	}})
	if err != nil || len(r.Findings) != 2 || !strings.Contains(r.Findings[0].Text, "gcWriteBarrier") || !strings.Contains(r.Findings[1].Text, "growslice") {
		t.Errorf("findings %v, %v", r.Findings, err)
	}
}

// TestDepth checks depths that can be told by hand.
func TestDepth(t *testing.T) {
	toy := build(t, "./testdata/toy")
	r, err := Check(toy, Config{
		Entries: []Entry{
			{Symbol: "main.leaf", Stack: 1},
			{Symbol: "main.big", Stack: 8192},
			{Symbol: "main.deepEntry", Stack: 8192},
			{Symbol: "main.oddEntry", Stack: 8192, Pushed: 40},
		},
		Indirect: map[string][]string{"main.oddEntry": {"main.deepEntry"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) > 0 {
		t.Errorf("findings %v", r.Findings)
	}
	leaf, big, deep, odd := r.Paths[0], r.Paths[1], r.Paths[2], r.Paths[3]
	if leaf.Bytes != 0 {
		t.Errorf("a leaf without a frame: %v", leaf)
	}
	if big.Bytes < 5600 || big.Bytes > 5600+64+trapReserve {
		t.Errorf("a frame of 700 words: %v", big)
	}
	if deep.Bytes <= big.Bytes || deep.Bytes > big.Bytes+128 {
		t.Errorf("%v\n is to be a little over %v", deep, big)
	}
	if odd.Bytes != deep.Bytes {
		t.Errorf("what starts on a stack of its own adds up: %v", odd)
	}
	if got := strings.Join(deep.Chain, " "); !strings.HasPrefix(got, "main.deepEntry main.deep.abi0 main.deep main.big") {
		t.Errorf("chain %s", got)
	}
}

// TestDeclared checks that a declared table is followed.
func TestDeclared(t *testing.T) {
	toy := build(t, "./testdata/toy")
	r, err := Check(toy, Config{
		Entries:  []Entry{{Symbol: "main.dispatchEntry", Stack: 4096}},
		Indirect: map[string][]string{"main.dispatch": {"@main.handlers"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range r.Findings {
		rules = append(rules, string(f.Rule))
	}
	// big is too deep, factorial recurses.
	if got := strings.Join(rules, ", "); got != "deep path, recursion" {
		t.Errorf("findings %v", r.Findings)
	}
	for _, bad := range []map[string][]string{
		{"main.nothere": nil},
		{"main.dispatch": {"main.nothere"}},
		{"main.dispatch": {"@main.nothere"}},
		{"main.dispatch": {"@main.text"}},
	} {
		r, err := Check(toy, Config{Entries: []Entry{{Symbol: "main.dispatchEntry", Stack: 4096}}, Indirect: bad})
		if err != nil || len(r.Findings) == 0 || r.Findings[0].Rule != BadConfig && r.Findings[1].Rule != BadConfig {
			t.Errorf("%v: findings %v, %v", bad, r.Findings, err)
		}
	}
}

func TestNotAProgram(t *testing.T) {
	if _, err := Check("check_test.go", Config{}); err == nil {
		t.Error("a text was checked")
	}
}

// TestMeasure checks lengths of instructions that x86asm does not know.
func TestMeasure(t *testing.T) {
	for want, bytes := range map[string]string{
		"STAC":                      "\x0f\x01\xcb",
		"RDFSBASE RAX":              "\xf3\x48\x0f\xae\xc0",
		"VMOVDQU ymm1, [rax+rbx*4]": "\xc5\xfe\x6f\x0c\x98",
		"VPSHUFD ymm2, ymm1, 1":     "\xc5\xfd\x70\xd1\x01",
		"VZEROUPPER":                "\xc5\xf8\x77",
		"VMOVDQU64 zmm1, [rax+64]":  "\x62\xf1\xfe\x48\x6f\x48\x01",
		"VPALIGNR, disp32, imm8":    "\xc4\xe3\x75\x0f\x90\xe8\x03\x00\x00\x03",
		"RDRAND RAX":                "\x48\x0f\xc7\xf0",
	} {
		if got := measure([]byte(bytes + "\x90\x90\x90")); got != len(bytes) {
			t.Errorf("%s: %d bytes, want %d", want, got, len(bytes))
		}
		if got := measure([]byte(bytes[:len(bytes)-1])); got != 0 {
			t.Errorf("%s cut short: %d bytes", want, got)
		}
	}
}
