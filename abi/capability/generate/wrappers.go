package main

import (
	"fmt"
	"go/format"
	"strings"

	"skerry/abi/capability/table"
)

// buffered are the kinds whose argument is the address of one value that the
// kernel writes, and its type in Go.
var buffered = map[table.Kind]string{
	"Description": "capability.Description", "Status": "abi.Status",
	"CoreInfo": "abi.CoreInfo", "DomainInfo": "abi.DomainInfo",
}

// words are the kinds whose argument is one word, and its type in Go.
var words = map[table.Kind]string{
	"Reference": "capability.Reference", "Index": "uint32", "Type": "capability.Type", "Rights": "capability.Rights",
	"Range": "uint64", "Address": "uint64", "Protection": "uint64", "Number": "uint64",
}

// wrappers returns lib/capability/types.go.
func wrappers() (string, error) {
	var b strings.Builder
	p := func(format string, a ...any) { fmt.Fprintf(&b, format, a...) }
	p("// Code generated from package table by \"go generate ./abi/capability\". DO NOT EDIT.\n\npackage capability\n\n")
	p("import (\n\"skerry/abi\"\n\"skerry/abi/capability\"\n)\n\n")
	for _, t := range table.Types {
		p("// %s refers to a capability of that type: %s.\ntype %s capability.Reference\n\n", t.Name, t.Doc, t.Name)
		for _, v := range append(append([]table.Invocation{}, table.Common...), t.Invocations...) {
			number := "capability." + t.Name + v.Name
			if isCommon(v) {
				number = "capability.Invoke" + v.Name
			}
			method(p, t, v, number)
		}
	}
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String(), err
	}
	return string(text), nil
}

func isCommon(v table.Invocation) bool {
	for _, c := range table.Common {
		if c.Name == v.Name {
			return true
		}
	}
	return false
}

// method writes the method for one invocation of a type.
func method(p func(string, ...any), t table.Type, v table.Invocation, number string) {
	var parameters, arguments []string
	call, result := "invoke", "" // result is what is returned beside the error
	if v.Returns != "" {
		result = "uint64"
	}
	before := ""
	for i := 0; i < len(v.Arguments); i++ {
		a := v.Arguments[i]
		switch {
		case buffered[a.Kind] != "":
			result = buffered[a.Kind]
			call, before = "read["+result+"]", fmt.Sprintf("%d, ", i)
			arguments = append(arguments, "0")
		case a.Kind == "Slots":
			parameters = append(parameters, "first, count uint32")
			arguments = append(arguments, "uint64(first)|uint64(count)<<32")
		case a.Kind == "Input" || a.Kind == "Output":
			parameters = append(parameters, "p []byte")
			call, before = map[table.Kind]string{"Input": "send", "Output": "receive"}[a.Kind], fmt.Sprintf("%d, p, ", i)
			arguments = append(arguments, "0", "0")
			i++ // the length
		case a.Kind == "Census":
			parameters = append(parameters, "after capability.Description", "list *[capability.CensusMax]capability.Description")
			call, before = "census", "after, list"
		default:
			parameters = append(parameters, name(a)+" "+words[a.Kind])
			arguments = append(arguments, "uint64("+name(a)+")")
		}
	}
	doc := v.Doc
	if v.Returns != "" {
		doc += "; it returns " + v.Returns
	}
	p("// %s %s.", v.Name, doc)
	if v.Right != "" {
		p(" It needs right %s.", v.Right)
	}
	results := "error"
	if result != "" {
		results = "(" + result + ", error)"
	}
	p("\nfunc (c %s) %s(%s) %s {\n", t.Name, v.Name, strings.Join(parameters, ", "), results)
	expression := fmt.Sprintf("%s(capability.%s, capability.Reference(c), %s, %s)", call, t.Name, number, before+strings.Join(arguments, ", "))
	if result == "" {
		p("_, err := %s\nreturn err\n}\n\n", expression)
	} else {
		p("return %s\n}\n\n", expression)
	}
}

// name returns the name of an argument as a parameter.
func name(a table.Argument) string {
	switch a.Name {
	case "type": // a keyword
		return "kind"
	case "capability": // the package
		return "slot"
	}
	return a.Name
}
