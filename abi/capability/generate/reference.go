package main

import (
	"fmt"
	"strings"

	"skerry/abi/capability"
	"skerry/abi/capability/table"
)

// reference returns docs/capabilities.md.
func reference() (string, error) {
	var b strings.Builder
	p := func(format string, a ...any) { fmt.Fprintf(&b, format, a...) }
	p(`# Capabilities

<!-- Written by "go generate ./abi/capability" from abi/capability/table. Do not edit. -->

A capability is a protected name for an object, together with rights to it. It
lies in a slot of a CNode, which only the CPU driver can read or write; a domain
refers to the slot. An object is a range of a space: of memory, of interrupt
vectors, of I/O ports. Objects are made of others by retyping part of their
range; capabilities to the same object are copies of each other, whatever their
rights. Rights are checked at every invocation and only ever become fewer.

Deleting the last capability to an object ends the object. What it held, such as
the capabilities in a CNode, is deleted with it, and memory that no capability
names any longer goes to the core's reclaim queue as RAM. Deletion and
revocation of much is done in bounded steps between other events.

## Spaces

| space | what its numbers are |
| --- | --- |
`)
	for _, s := range table.Spaces {
		p("| %s | %s |\n", s.Name, s.Doc)
	}
	p("\n## Rights\n\n| bit | right | allows to |\n| ---: | --- | --- |\n")
	for i, r := range table.Rights {
		p("| %d | %s | %s |\n", i, r.Name, r.Doc)
	}
	p(`
A capability can be moved within its holder's CSpace, identified and deleted
without any right.

## References

A reference is 32 bits. With the top bit clear, the low 8 bits number a slot of
an L2 CNode and the 23 bits above them the slot of the L1 CNode that holds that
L2 CNode. With the top bit set, the 23 bits name the slot of the L1 CNode
itself and the low 8 are 0. Slot 0 of every CNode is the kernel's: 0 is no
reference.

## Types

| number | type | made of | size | slots are found in |
| ---: | --- | --- | --- | --- |
`)
	for i, t := range table.Types {
		from := strings.Join(t.Parents, ", ")
		if from == "" {
			from = "-"
		}
		holds := ""
		if t.Holds {
			holds = "all of it"
			if t.Slots != 0 {
				holds = fmt.Sprintf("%d at offset %d", t.Slots, t.SlotsAt)
			}
		}
		p("| %d | [%s](#%s) | %s | %s | %s |\n", i+1, t.Name, strings.ToLower(t.Name), from, size(t), holds)
	}
	p("\n## Invocations of every type\n\n")
	invocations(p, table.Common, 0)
	for _, t := range table.Types {
		p("\n## %s\n\n%s.\n\n", t.Name, upper(t.Doc))
		p("- Space: %s. Start and size are multiples of %d; size %s.\n", t.Space, t.Align, size(t))
		switch {
		case len(t.Parents) > 0 && t.Made != "":
			p("- Made of: %s; or %s.\n", strings.Join(t.Parents, ", "), t.Made)
		case len(t.Parents) > 0:
			p("- Made of: %s. Ancestors: %s.\n", strings.Join(t.Parents, ", "), strings.Join(ancestors(t), ", "))
		default:
			p("- Made %s.\n", t.Made)
		}
		if t.Zeroed {
			p("- Its memory is cleared when it is made of RAM; until that is done it is not ready.\n")
		}
		if t.Offers != 0 {
			p("- Other objects can be made of it from offset %d on.\n", t.Offers)
		}
		if t.Dependent {
			p("- It ends with the object it was made of.\n")
		}
		for _, f := range t.Fields {
			p("- Field %s: %s.\n", f.Name, f.Doc)
		}
		p("\n| right | allows to |\n| --- | --- |\n")
		for _, r := range table.Rights {
			if doc, ok := t.Rights[r.Name]; ok {
				if doc == "" {
					doc = r.Doc
				}
				p("| %s | %s |\n", r.Name, doc)
			}
		}
		if len(t.Invocations) > 0 {
			p("\n")
			invocations(p, t.Invocations, len(table.Common))
		}
	}
	p("\n## Kinds of arguments\n\n| kind | what it is | greatest |\n| --- | --- | --- |\n")
	for _, k := range table.Kinds {
		most := fmt.Sprintf("%#x", k.Most)
		if k.Kind == "Type" {
			most = fmt.Sprint(len(table.Types))
		}
		p("| %s | %s | %s |\n", k.Kind, k.Doc, most)
	}
	p("\n## Errors\n\n| number | error | meaning |\n| ---: | --- | --- |\n")
	for i := range capability.Errors {
		e := capability.Error(i)
		p("| %d | %s | %s |\n", i, e.Name(), e.Error())
	}
	return b.String(), nil
}

func invocations(p func(string, ...any), list []table.Invocation, first int) {
	p("| number | invocation | arguments | right | what it does | what it returns |\n| ---: | --- | --- | --- | --- | --- |\n")
	for i, v := range list {
		var arguments []string
		for _, a := range v.Arguments {
			arguments = append(arguments, fmt.Sprintf("%s %s", a.Name, a.Kind))
		}
		p("| %d | %s | %s | %s | %s | %s |\n", first+i, v.Name, strings.Join(arguments, ", "), v.Right, v.Doc, v.Returns)
	}
}

// size says which sizes a type has.
func size(t table.Type) string {
	if t.Size != 0 {
		return fmt.Sprint(t.Size)
	}
	return fmt.Sprintf("%d to %d", t.Least, t.Most)
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
