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
		"list the cores\n",
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

// TestLookingIn looks at a program on two cores, schedules it and ends it from the
// prompt.
func TestLookingIn(t *testing.T) {
	o := boot.Run(t, &boot.Machine{
		Cores: 2,
		Bin:   []string{boot.Example(t, "hello"), boot.Example(t, "spin")},
		// When hello has ended, spin has started: messages between two cores keep
		// their order.
		Script: "run spin @1,0 &\nrun hello @1,0\nthreads 2 @1\nrenice 2 200\nreserve 2 10ms 2ms\nreserve 2@1 10ms 10ms\nps\nps -v\n" +
			"reserve 2 none\nkill 2\nrun hello @1,0\nps\npoweroff\n",
	})
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	console := strings.ReplaceAll(o.Console, "\r\n", "\n")
	at := 0
	for _, want := range []string{
		`core +thread +state +policy +priority +waits for\n( +[01] +\d+.* (running|ready|blocked) +other +nice 0 .*\n)+`,
		`core 1: 20.0 % reserved, of at most \d+\.\d %\n`,
		`core 0: 20.0 % reserved, of at most \d+\.\d %\n`,
		`core 1: more processor time than is left of the core: \d+\.\d % can be reserved for it\n`,
		`core 0: more processor time than is left of the core: \d+\.\d % can be reserved for it\n`,
		` 0 +1 .* 100 +- .* monitor\n`,
		` 1 +1 .* 100 +- .* monitor\n`,
		` 1 +2 +ready +.* 200 +2ms of 10ms +\d+ +\d+ +spin\n`,
		` 0 +2@1 +(ready|waits) +.* 200 +2ms of 10ms +\d+ +\d+ +spin\n`,
		`core +domain +dispatches +preempted .* throttled +name\n`,
		` 1 +2 +[1-9]\d* .* spin\n`,
		` 0 +2@1 +[1-9]\d* .* spin\n`,
		`spin on core 1 was killed\n`,
		`> ps\n( .*(name|monitor)\n)+.*> poweroff\n`,
	} {
		found := regexp.MustCompile(want).FindStringIndex(console[at:])
		if found == nil {
			t.Fatalf("the console lacks %q after %q, but has %q", want, console[:at], console[at:])
		}
		at += found[1]
	}
}
