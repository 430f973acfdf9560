package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
)

// nativeCall is what abi says of a call and what the CPU driver asks for.
type nativeCall struct {
	name, right string
	arguments   string // as written in the doc comment
	result      string // "" for one that does not return
	text        string
}

func nativeCalls(tree string) (string, error) {
	abi, err := parse(tree, "abi")
	if err != nil {
		return "", err
	}
	driver, err := parse(tree, "kernel/driver")
	if err != nil {
		return "", err
	}
	served, err := driver.table("calls", "abi")
	if err != nil {
		return "", err
	}
	calls, err := callConstants(abi)
	if err != nil {
		return "", err
	}
	for i := range calls {
		c := &calls[i]
		row, ok := served[c.name].(*ast.CompositeLit)
		if !ok {
			return "", fmt.Errorf("the CPU driver does not serve abi.%s", c.name)
		}
		for _, e := range row.Elts {
			if pair := e.(*ast.KeyValueExpr); pair.Key.(*ast.Ident).Name == "right" {
				c.right = selected(pair.Value, "abi")
			}
		}
		// The comment names the right as a sentence of its own.
		if without := strings.Replace(c.text, " "+c.right+".", "", 1); c.right != "" && without == c.text {
			return "", fmt.Errorf("the comment of abi.%s does not name %s, which the CPU driver asks for", c.name, c.right)
		} else if c.right != "" {
			c.text = without
		}
		if c.right == "" && strings.Contains(c.text, "Right") {
			return "", fmt.Errorf("the comment of abi.%s names a right that the CPU driver does not ask for", c.name)
		}
	}

	var b strings.Builder
	b.WriteString(`# Native calls

<!-- Written by "go generate ./docs/generate" from abi/calls.go and kernel/driver/native.go. Do not edit. -->

What a domain can ask of the CPU driver under it. Programs written for Linux
make none; the libos and the monitors do (Go programs by package lib/native).

`)
	b.WriteString(wrap(comment(abi, "NativeCall"), 78))
	b.WriteString("\n| number | call | arguments | result | right |\n| ---: | --- | --- | --- | --- |\n")
	for i, c := range calls {
		result := c.result
		if result == "" {
			result = "does not return"
		}
		fmt.Fprintf(&b, "| %d | [%s](#%s) | %s | %s | %s |\n", i, c.name, strings.ToLower(c.name), c.arguments, result, c.right)
	}
	for _, c := range calls {
		fmt.Fprintf(&b, "\n### %s\n\n%s", c.name, wrap(c.text, 78))
	}
	b.WriteString("\n## Errors\n\n| number | error | meaning |\n| ---: | --- | --- |\n")
	texts, ok := abi.variables["errorText"].(*ast.CompositeLit)
	if !ok {
		return "", fmt.Errorf("abi.errorText is no literal")
	}
	for i, e := range texts.Elts {
		pair := e.(*ast.KeyValueExpr)
		fmt.Fprintf(&b, "| %d | %s | %s |\n", i, pair.Key.(*ast.Ident).Name, strings.Trim(pair.Value.(*ast.BasicLit).Value, `"`))
	}
	return b.String(), nil
}

// callConstants returns the native calls in the order of their numbers.
func callConstants(f *folder) ([]nativeCall, error) {
	var calls []nativeCall
	for _, file := range f.files {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST || len(g.Specs) == 0 || g.Specs[0].(*ast.ValueSpec).Names[0].Name != "CallNop" {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				name := v.Names[0].Name
				if name == "NumCalls" {
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
	return nil, fmt.Errorf("package abi has no list of calls from CallNop to NumCalls")
}

// signature is how a call's comment gives arguments and result: "(a, b) → r."
// or "(a)." for one that does not return.
var signature = regexp.MustCompile(`[:;]? \(([^)]*)\)(?: → ([^.:;]+?))? ?[.,]`)

func callOf(name, text string) (nativeCall, error) {
	m := signature.FindStringSubmatch(text)
	if m == nil {
		return nativeCall{}, fmt.Errorf("the comment of abi.%s gives no arguments", name)
	}
	return nativeCall{name: name, arguments: m[1], result: m[2], text: text}, nil
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
