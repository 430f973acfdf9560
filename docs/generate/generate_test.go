package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const tree = "../.."

// TestPages holds that the pages in docs are what the source says today.
func TestPages(t *testing.T) {
	for file, page := range pages {
		want, err := page(tree)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got, err := os.ReadFile(filepath.Join(tree, file))
		if err != nil {
			t.Error(err)
		} else if string(got) != want {
			t.Errorf("%s is stale: run go generate ./docs/generate", file)
		}
	}
}

// TestNotes holds that every note belongs to a call that is served or
// accepted, and shows in the page.
func TestNotes(t *testing.T) {
	text, err := linuxCalls(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range sortedKeys(notes) {
		found := false
		for line := range strings.Lines(text) {
			if strings.Contains(line, " | "+call+" | ") {
				found = strings.Contains(line, notes[call])
			}
		}
		if !found {
			t.Errorf("the note on %s is not in the page", call)
		}
	}
}

// TestKnown holds a few rows to what is known of them, so that a change of the
// source's shape that the parser misreads does not pass.
func TestKnown(t *testing.T) {
	for file, rows := range map[string][]string{
		"docs/linux-calls.md": {
			"| 0 | read | served |  |", "| 57 | fork | refused | ENOSYS |", "| 83 | mkdir | served | EROFS ",
			"| 275 | splice | refused | EINVAL |", "| 227 | clock_settime | refused | EPERM |", "| 28 | madvise | served | ",
		},
		"docs/native-calls.md": {
			"| 0 | [CallNop](#callnop) |  | 0 |",
			"| 1 | [CallInvoke](#callinvoke) | capability.Word(reference, invocation), up to five words | what the invocation returns |",
			"| 3 | [CallPark](#callpark) | deadline | does not return |",
			"| 0x1000 | [LibosSlot](#libosslot) |  | reference |",
			"| 0x1003 | [LibosMap](#libosmap) | address or 0, reference, offset, bytes, protection | address |",
		},
	} {
		text, err := pages[file](tree)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for _, row := range rows {
			if !strings.Contains(text, "\n"+row) {
				t.Errorf("%s lacks %q", file, row)
			}
		}
	}
}
