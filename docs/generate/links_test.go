package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks follows the links between the documents: the file must be there,
// and the heading that a fragment names.
func TestLinks(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join(tree, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(tree, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	for _, document := range append(documents, more...) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			file, fragment := filepath.Join(filepath.Dir(document), m[1]), m[2]
			if m[1] == "" {
				file = document
			}
			target, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%s: link to %s: %v", document, m[1], err)
			} else if fragment != "" && !heading(string(target), fragment[1:]) {
				t.Errorf("%s: %s has no heading %s", document, file, fragment)
			}
		}
	}
}

// heading says whether a document has a heading with the anchor that Markdown
// gives it.
func heading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		if title := strings.TrimLeft(line, "#"); title != line {
			if strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-") == anchor {
				return true
			}
		}
	}
	return false
}
