package machine

import (
	"regexp"
	"strings"
	"testing"

	"skerry/test/boot"
)

// TestPrompt types a script at the prompt, all at once: every program gets the
// lines that it reads, on whatever core it runs, and the prompt all others.
func TestPrompt(t *testing.T) {
	o := boot.Run(t, &boot.Machine{
		Cores: 2,
		Bin:   []string{boot.Example(t, "cat"), boot.Example(t, "hello"), boot.Example(t, "spin")},
		Script: "run spin @1 &\nrun hello 3 @1\nrun cat @1\nto the first\nthe same\n\x04run cat @0\nto the second\n\x04" +
			"kill 9\nrun hello @0\nhelp\ncores\npoweroff\n",
	})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	console := strings.ReplaceAll(o.Console, "\r\n", "\n")
	// What is written beside the prompt may come anywhere between lines.
	beside := regexp.MustCompile(`(\r\x1b\[K)?\[core 1 spin\] spinning.*\n`)
	if !beside.MatchString(console) {
		t.Error("spin has written nothing beside the prompt")
	}
	console = beside.ReplaceAllString(console, "")
	at := 0
	for _, want := range []string{
		"> run hello 3 @1\n", "hello from an ordinary Go program\n", "hello on core 1 exited with code 3\n",
		// Each line as it is echoed, then as cat wrote it.
		"> run cat @1\nto the first\nto the first\nthe same\nthe same\n",
		"> run cat @0\nto the second\nto the second\n",
		"kill: domain 9 is no program that runs\n",
		"hello from an ordinary Go program\n",
		"list the domains of all cores\n",
		"memory free\n",
		"> poweroff\n",
	} {
		i := strings.Index(console[at:], want)
		if i < 0 {
			t.Fatalf("the console lacks %q after %q", want, console[:at])
		}
		at += i + len(want)
	}
}
