package main

import (
	"fmt"
	"go/format"
	"math/bits"
	"slices"
	"strings"

	"skerry/abi/capability/table"
)

// code returns types.go.
func code() (string, error) {
	var b strings.Builder
	p := func(format string, a ...any) { fmt.Fprintf(&b, format, a...) }
	p("// Code generated from package table by \"go generate ./abi/capability\". DO NOT EDIT.\n\npackage capability\n\n")

	p("// Type is a capability type. A type made of another has the higher number.\ntype Type uint8\n\n// The types.\nconst (\n")
	p("// Null is the type of an empty slot.\nNull Type = iota\n")
	for _, t := range table.Types {
		p("// %s: %s.\n%s\n", t.Name, t.Doc, t.Name)
	}
	p("// NumTypes is the number of types, Null among them.\nNumTypes\n)\n\n")

	p("// Space is a set of numbers of which capabilities name ranges.\ntype Space uint8\n\n// The spaces.\nconst (\n")
	for i, s := range table.Spaces {
		p("// %s: %s.\nSpace%s", s.Name, s.Doc, s.Name)
		if i == 0 {
			p(" Space = iota")
		}
		p("\n")
	}
	p(")\n\n// Rights is a set of rights.\ntype Rights uint8\n\n// The rights.\nconst (\n")
	letters := ""
	for i, r := range table.Rights {
		p("// Right%s allows to %s.\nRight%s", r.Name, r.Doc, r.Name)
		if i == 0 {
			p(" Rights = 1 << iota")
		}
		p("\n")
		letters += strings.ToLower(r.Name[:1])
	}
	p("// NumRights is the number of rights, AllRights the set of all.\nNumRights = %d\nAllRights Rights = 1<<NumRights - 1\n)\n\nconst rightLetters = %q\n\n", len(table.Rights), letters)

	p("var rules = [NumTypes]Rule{\nNull: {Name: \"Null\", Align: 1},\n")
	for _, t := range table.Types {
		mask := []string{}
		for _, name := range t.Parents {
			mask = append(mask, "1<<"+name)
		}
		parents := "0"
		if len(mask) > 0 {
			parents = strings.Join(mask, " | ")
		}
		least, most := t.Least, t.Most
		if t.Size != 0 {
			least, most = t.Size, t.Size
		}
		if bits.OnesCount64(t.Align) != 1 {
			return "", fmt.Errorf("%s: alignment %d is no power of two", t.Name, t.Align)
		}
		p("%s: {\nName: %q, Space: Space%s,\nRights: %s,\nParents: %s,\nAlign: %#x, Least: %#x, Most: %#x,\n", t.Name, t.Name, t.Space, rightsOf(t), parents, t.Align, least, most)
		if t.Zeroed || t.Holds || t.Dependent {
			p("Zeroed: %v, Holds: %v, Dependent: %v,\n", t.Zeroed, t.Holds, t.Dependent)
		}
		if t.Slots != 0 {
			p("SlotsAt: %#x, Slots: %d,\n", t.SlotsAt, t.Slots)
		}
		if t.Offers != 0 {
			p("Offers: %#x,\n", t.Offers)
		}
		p("},\n")
	}
	p("}\n\n// Numbers of the invocations that every type has.\nconst (\n")
	for i, v := range table.Common {
		p("// Invoke%s%s\nInvoke%s", v.Name, sentence(v), v.Name)
		if i == 0 {
			p(" Invocation = iota")
		}
		p("\n")
	}
	p("// NumCommon is how many these are; a type's own follow.\nNumCommon = %d\n)\n\n", len(table.Common))
	for _, t := range table.Types {
		if len(t.Invocations) == 0 {
			continue
		}
		p("// Numbers of the invocations of type %s.\nconst (\n", t.Name)
		for i, v := range t.Invocations {
			p("// %s%s%s\n%s%s", t.Name, v.Name, sentence(v), t.Name, v.Name)
			if i == 0 {
				p(" Invocation = iota + NumCommon")
			}
			p("\n")
		}
		p(")\n\n")
	}

	p("// The greatest word that an argument of each kind can be.\nconst (\n")
	for _, k := range table.Kinds {
		most := fmt.Sprintf("%#x", k.Most)
		if k.Kind == "Type" {
			most = "uint64(NumTypes) - 1"
		}
		p("most%s = %s // %s\n", k.Kind, most, k.Doc)
	}
	p(")\n\n// signatures are the invocations: the common ones, then each type's.\nvar signatures = [...]signature{\n")
	first, n := []int{0}, 0
	all := append([]table.Type{{Invocations: table.Common}}, table.Types...)
	for _, t := range all {
		first = append(first, n+len(t.Invocations))
		for _, v := range t.Invocations {
			n++
			p("{name: %q", v.Name)
			if v.Right != "" {
				p(", right: Right%s", v.Right)
			}
			if len(v.Arguments) > 0 {
				var kinds []string
				for _, a := range v.Arguments {
					kinds = append(kinds, "most"+string(a.Kind))
				}
				p(", most: Arguments{%s}", strings.Join(kinds, ", "))
			}
			p("},\n")
		}
	}
	p("}\n\n// invocationsOf is where in signatures those of each type begin.\nvar invocationsOf = [NumTypes + 1]uint8{%s}\n", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(first)), ", "), "[]"))
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String(), err
	}
	return string(text), nil
}

// rightsOf returns the expression for the rights that exist for a type.
func rightsOf(t table.Type) string {
	var names []string
	for _, r := range table.Rights {
		if _, ok := t.Rights[r.Name]; ok {
			names = append(names, "Right"+r.Name)
		}
	}
	return strings.Join(names, " | ")
}

// sentence tells the arguments and what an invocation does.
func sentence(v table.Invocation) string {
	var names []string
	for _, a := range v.Arguments {
		names = append(names, a.Name)
	}
	returns := ""
	if v.Returns != "" {
		returns = "; returns " + v.Returns
	}
	return fmt.Sprintf(" (%s) %s%s.", strings.Join(names, ", "), v.Doc, returns)
}

// ancestors returns the names of all types that objects of a type can have
// been made of, at any remove.
func ancestors(t table.Type) []string {
	var names []string
	var visit func(table.Type)
	visit = func(t table.Type) {
		for _, p := range t.Parents {
			if !slices.Contains(names, p) {
				names = append(names, p)
				visit(table.Types[slices.IndexFunc(table.Types, func(u table.Type) bool { return u.Name == p })])
			}
		}
	}
	visit(t)
	return names
}
