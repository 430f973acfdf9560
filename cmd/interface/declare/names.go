package declare

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PackageName returns the name by which stubs import a package of some name.
func PackageName(path, name string) string {
	if path == abiCapabilities {
		return "abi" // beside lib/capability
	}
	return name
}

// Codec returns what the names of the functions that encode and decode a struct, or an item of a
// method's stream, have behind put and get.
func (t *Type) Codec() string {
	first, size := utf8.DecodeRuneInString(t.Go)
	return string(unicode.ToUpper(first)) + t.Go[size:]
}

// ItemCodec is Codec of the items of the method's stream.
func (m *Method) ItemCodec() string {
	if m.Stream.Type.Kind == Struct {
		return m.Stream.Type.Codec()
	}
	return m.Name + "Item"
}

// Handler returns the name of the function that hands calls of the method to the
// implementation.
func (m *Method) Handler() string {
	if m.Name == "Handle" {
		return "handleCall"
	}
	upper := 0
	for _, r := range m.Name {
		if !unicode.IsUpper(r) {
			break
		}
		upper++
	}
	_, size := utf8.DecodeRuneInString(m.Name)
	switch {
	case upper == utf8.RuneCountInString(m.Name):
		size = len(m.Name)
	case upper > 1:
		size = upper - 1 // an abbreviation, then a word
	}
	name := strings.ToLower(m.Name[:size]) + m.Name[size:]
	if name == "impl" || token.IsKeyword(name) { // the server's field, or one of Go's words
		return name + "_"
	}
	return name
}

// made are the names that stubs declare.
var made = []string{"Client", "NewClient", "Dial", "Export", "Serve", "Interface", "spec", "server"}

// Made reports whether a name is one that stubs declare, besides those of methods and types.
func Made(name string) bool { return slices.Contains(made, name) }

// names reports what has a name that a stub needs.
func (r *reader) names(i *Interface, spec *ast.TypeSpec) {
	scope := r.Types.Scope()
	for _, name := range made {
		if o := scope.Lookup(name); o != nil {
			r.errorf(o.Pos(), "%s is the name of something in the stubs; give it another", name)
		}
	}
	for _, name := range scope.Names() {
		for _, prefix := range []string{"method", "put", "get"} {
			if rest, ok := strings.CutPrefix(name, prefix); ok && token.IsExported(rest) {
				r.errorf(scope.Lookup(name).Pos(), "%s may be the name of something in the stubs, as all that begin with %s are; give it another", name, prefix)
			}
		}
	}
	if i.Package == "main" {
		r.errorf(spec.Pos(), "%s is declared in package main, which nobody can import; give it a package of its own", i.Name)
	}
	if !token.IsExported(i.Name) {
		r.errorf(spec.Pos(), "%s is not exported, so that nobody else could implement it; call it %s", i.Name, strings.ToUpper(i.Name[:1])+i.Name[1:])
	}
}

// clashes reports what would have the same name in the stubs.
func (r *reader) clashes(i *Interface) {
	scope := r.Types.Scope()
	for _, name := range slices.Sorted(maps.Keys(r.imports)) {
		if o := scope.Lookup(name); o != nil {
			r.errorf(o.Pos(), "%s is the name by which the stubs know package %s; give it another", name, r.imports[name])
		}
	}
	handlers := map[string]string{}
	codecs := map[string]string{}
	for _, t := range i.Structs {
		if other, ok := codecs[t.Codec()]; ok {
			r.errorf(scope.Lookup(t.Go).Pos(), "%s and %s differ in their first letter's case alone, which is not seen in the names of the stubs; rename one", t.Go, other)
		}
		codecs[t.Codec()] = t.Go
	}
	for _, m := range i.Methods {
		if other, ok := handlers[m.Handler()]; ok {
			r.errorf(r.methodAt(i, m), "%s.%s and %[1]s.%[3]s differ in case alone, which is not seen in the names of the stubs; rename one", i.Name, m.Name, other)
		}
		handlers[m.Handler()] = m.Name
		if m.Stream == nil || m.Stream.Type == nil || m.Stream.Type.Kind == Struct {
			continue
		}
		if t, ok := codecs[m.ItemCodec()]; ok {
			r.errorf(scope.Lookup(t).Pos(), "%s has the name that the stubs give the items of %s.%s; give it another", t, i.Name, m.Name)
		}
	}
}

// methodAt returns where a method is declared.
func (r *reader) methodAt(i *Interface, m *Method) token.Pos {
	o, _, _ := types.LookupFieldOrMethod(r.Types.Scope().Lookup(i.Name).Type(), false, r.Types, m.Name)
	return o.Pos()
}
