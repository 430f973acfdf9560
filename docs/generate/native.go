package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
)

// call is what package abi says of a call.
type call struct {
	name      string
	arguments string // as written in the doc comment
	result    string // "" for one that does not return
	text      string
}

func nativeCalls(tree string) (string, error) {
	abi, err := parse(tree, "abi")
	if err != nil {
		return "", err
	}
	native, err := callsOf(abi, "CallNop", "NumCalls")
	if err != nil {
		return "", err
	}
	libos, err := callsOf(abi, "LibosSlot", "LibosCallEnd")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(`# Native calls

<!-- Written by "go generate ./docs/generate" from abi/calls.go and abi/libos.go. Do not edit. -->

What a domain can ask of the CPU driver under it, and what a native program can
ask of its libos besides. Programs written for Linux make neither. Go programs
make them by the packages lib/native and lib/capability.

## Calls of the CPU driver

`)
	b.WriteString(wrap(comment(abi, "NativeCall"), 78))
	b.WriteString(`
All that a domain can ask of anything but its own dispatcher it asks of a
capability, by CallInvoke. [docs/capabilities.md](capabilities.md) has the types,
their invocations with the right that each needs, and the errors.

`)
	table(&b, native, "%d", 0)
	b.WriteString("\n## An invocation\n\n")
	b.WriteString(`| register | on entry | on return |
| --- | --- | --- |
| RAX | NativeCall \| CallInvoke | the error, 0 for none |
| RDI | the reference in the low half, the invocation's number in the high half | preserved |
| RSI, RDX, R10, R8, R9 | its arguments in order; those it does not have are 0 | preserved, but RDX: the value |
| RCX, R11, vector registers |  | clobbered |

The CPU driver finds the capability in the caller's CSpace, checks that its type
has the invocation, that its rights allow it, and each argument against its kind,
in this order. What fails has no effect. What takes long it begins, returns
ErrPending, and goes on with between other events, in bounded steps: an object
whose memory is still being cleared answers ErrNotReady, and a deletion or a
revocation is asked for again until it returns OK.
`)
	b.WriteString("\n## Calls of the libos\n\n")
	b.WriteString(wrap(comment(abi, "LibosCall"), 78))
	b.WriteByte('\n')
	first, err := number(abi, "LibosCall")
	if err != nil {
		return "", err
	}
	table(&b, libos, "%#x", first)
	return b.String(), nil
}

// table writes a table of calls, numbered from first on, and what each does.
func table(b *strings.Builder, calls []call, format string, first int) {
	b.WriteString("| number | call | arguments | result |\n| ---: | --- | --- | --- |\n")
	for i, c := range calls {
		result := c.result
		if result == "" {
			result = "does not return"
		}
		fmt.Fprintf(b, "| "+format+" | [%s](#%s) | %s | %s |\n", first+i, c.name, strings.ToLower(c.name), c.arguments, result)
	}
	for _, c := range calls {
		fmt.Fprintf(b, "\n### %s\n\n%s", c.name, wrap(c.text, 78))
	}
}

// callsOf returns the calls of the constants from first on, before end, in the
// order of their numbers.
func callsOf(f *folder, first, end string) ([]call, error) {
	var calls []call
	for _, file := range f.files {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST || len(g.Specs) == 0 || g.Specs[0].(*ast.ValueSpec).Names[0].Name != first {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				name := v.Names[0].Name
				if name == end {
					return calls, nil
				}
				c, err := callOf(name, plain(v.Doc))
				if err != nil {
					return nil, err
				}
				calls = append(calls, c)
			}
		}
	}
	return nil, fmt.Errorf("package abi has no list of calls from %s to %s", first, end)
}

// signature is how a call's comment gives arguments and result: "(a, b) → r."
// or "(a)." for one that does not return.
var signature = regexp.MustCompile(`[:;]? \(((?:[^()]|\([^()]*\))*)\)(?: → ([^.:;]+?))? ?[.,;]`)

func callOf(name, text string) (call, error) {
	m := signature.FindStringSubmatch(text)
	if m == nil {
		return call{}, fmt.Errorf("the comment of abi.%s gives no arguments", name)
	}
	return call{name: name, arguments: m[1], result: m[2], text: text}, nil
}

// number returns the value of a constant that is written as a number.
func number(f *folder, name string) (n int, err error) {
	literal, ok := f.variables[name].(*ast.BasicLit)
	if !ok {
		return 0, fmt.Errorf("%s is no number", name)
	}
	_, err = fmt.Sscan(literal.Value, &n)
	return n, err
}

// comment returns the doc comment of a package-level name of one declaration.
func comment(f *folder, name string) string {
	for _, file := range f.files {
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && len(g.Specs) == 1 {
				if v, ok := g.Specs[0].(*ast.ValueSpec); ok && v.Names[0].Name == name {
					return plain(g.Doc)
				}
			}
		}
	}
	return ""
}

// plain returns the text of a comment in one line.
func plain(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
