package declare

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"skerry/lib/stub"
)

// maxMethods is how many methods have numbers.
const maxMethods = 255

// methods reads the methods of the interface.
func (r *reader) methods(i *Interface, spec *ast.TypeSpec) {
	t, ok := spec.Type.(*ast.InterfaceType)
	if !ok {
		r.errorf(spec.Pos(), "%s is no interface type; declare type %[1]s interface { … }", i.Name)
		return
	}
	if spec.TypeParams != nil {
		r.errorf(spec.TypeParams.Pos(), "%s has type parameters, but both ends must know all types; declare one interface for each", i.Name)
		return
	}
	for _, f := range t.Methods.List {
		if len(f.Names) == 0 {
			r.errorf(f.Pos(), "%s embeds another interface; write its methods out, so that their numbers are plain", i.Name)
			continue
		}
		if m := r.method(i, f); m != nil {
			i.Methods = append(i.Methods, m)
		}
	}
	switch n := len(t.Methods.List); {
	case n == 0:
		r.errorf(spec.Pos(), "%s has no methods; declare one", i.Name)
	case n > maxMethods:
		r.errorf(spec.Pos(), "%s has %d methods, an interface has at most %d; divide it", i.Name, n, maxMethods)
	}
}

// method reads a method, nil if it is none that can be called from elsewhere.
func (r *reader) method(i *Interface, f *ast.Field) *Method {
	m := &Method{Name: f.Names[0].Name}
	where := i.Name + "." + m.Name
	if !token.IsExported(m.Name) {
		r.errorf(f.Pos(), "%s is not exported, so that nobody else could implement it; call it %s", where, strings.ToUpper(m.Name[:1])+m.Name[1:])
		return nil
	}
	if m.Name == "Close" || m.Name == "Binding" {
		r.errorf(f.Pos(), "%s has the name of a method that each client has; give it another", where)
	}
	if text := strings.TrimSpace(f.Doc.Text()); text != "" {
		m.Doc = strings.Split(text, "\n")
	}
	signature := r.Info.Defs[f.Names[0]].Type().(*types.Signature)
	bounds := r.methodDirectives(m, where, f)
	params, results := signature.Params(), signature.Results()
	if params.Len() == 0 || !named(params.At(0).Type(), "context", "Context") {
		r.errorf(f.Pos(), "%s has no context; make ctx context.Context its first argument", where)
		return nil
	}
	if n := results.Len(); n == 0 || !types.Identical(results.At(n-1).Type(), types.Universe.Lookup("error").Type()) {
		r.errorf(f.Pos(), "%s returns no error, but whatever goes elsewhere can fail; make error its last result, also of a one-way message, which is marked by //skerry:oneway", where)
		return nil
	}
	if signature.Variadic() {
		r.errorf(f.Pos(), "%s is variadic; take a slice with a bound", where)
		return nil
	}
	for n := 1; n < params.Len(); n++ {
		m.Arguments = append(m.Arguments, r.value(m, where, params.At(n), fmt.Sprintf("arg%d", n), bounds))
	}
	for n := range results.Len() - 1 {
		name := "result"
		if results.Len() > 2 {
			name = fmt.Sprintf("result%d", n+1)
		}
		v := r.value(m, where, results.At(n), name, bounds)
		m.Results = append(m.Results, v)
	}
	for _, name := range slices.Sorted(maps.Keys(bounds)) {
		r.errorf(bounds[name].pos, "%s has no argument or result %s that //skerry:max could bound; it has %s", where, name, has(m))
	}
	r.judge(m, where, f.Pos())
	return m
}

// has lists what a method has.
func has(m *Method) string {
	var names []string
	for _, v := range append(slices.Clip(m.Arguments), m.Results...) {
		names = append(names, v.Name)
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// judge reports what cannot be of a method as a whole.
func (r *reader) judge(m *Method, where string, pos token.Pos) {
	streams := 0
	for n, v := range append(slices.Clip(m.Arguments), m.Results...) {
		if v.Type == nil {
			return // there is an error about it
		}
		if v.Stream {
			streams++
			m.Stream, m.ToServer = v, n < len(m.Arguments)
		}
	}
	switch {
	case streams > 1:
		r.errorf(pos, "%s has %d streams; make a method of each", where, streams)
	case m.OneWay && streams > 0:
		r.errorf(pos, "%s is one-way, so that nobody would wait for its stream; remove //skerry:oneway", where)
	case m.OneWay && len(m.Results) > 0:
		r.errorf(pos, "%s is one-way, but has results; remove them or //skerry:oneway", where)
	}
	for _, p := range []struct {
		what string
		size Size
	}{{"the arguments", m.Request()}, {"the results", m.Answer()}, {"an item", m.Item()}} {
		if p.size.Bytes > stub.MaxBytes {
			r.errorf(pos, "%s of %s can take %d bytes together, at most %d may travel at once; use lower bounds or a stream", p.what, where, p.size.Bytes, stub.MaxBytes)
		}
		if p.size.Capabilities > stub.MaxCapabilities {
			r.errorf(pos, "%s of %s can have %d capabilities together, at most %d may travel at once; use a stream", p.what, where, p.size.Capabilities, stub.MaxCapabilities)
		}
	}
}

// A limit is what a method's directive says of a value.
type limit struct {
	pos token.Pos
	max int
}

// methodDirectives reads the directives of a method.
func (r *reader) methodDirectives(m *Method, where string, f *ast.Field) map[string]limit {
	bounds := map[string]limit{}
	for _, d := range r.directives(f.Doc, f.Comment) {
		switch d.name {
		case "oneway":
			if m.OneWay {
				r.errorf(d.pos, "%s has //skerry:oneway twice; leave one", where)
			}
			m.OneWay = true
			if len(d.args) > 0 {
				r.errorf(d.pos, "//skerry:oneway of %s takes no words", where)
			}
		case "max":
			if len(d.args) == 0 {
				r.errorf(d.pos, "//skerry:max of %s bounds nothing; name an argument or a result: //skerry:max key=64", where)
			}
			for _, a := range d.args {
				name, text, ok := strings.Cut(a, "=")
				if !ok {
					r.errorf(d.pos, "//skerry:max of %s has %q; of a method it names arguments and results: //skerry:max key=64", where, a)
					continue
				}
				if _, ok := bounds[name]; ok {
					r.errorf(d.pos, "%s has two bounds for %s; leave one", where, name)
				}
				bounds[name] = limit{d.pos, r.bound(d.pos, text)}
			}
		default:
			r.errorf(d.pos, "//skerry:%s does not belong to %s; a method takes //skerry:max and //skerry:oneway", d.name, where)
		}
	}
	return bounds
}

// value reads an argument or a result, and takes its bound out of bounds.
func (r *reader) value(m *Method, where string, v *types.Var, unnamed string, bounds map[string]limit) *Value {
	name := v.Name()
	if name == "" || name == "_" {
		name = unnamed
	}
	value := &Value{Name: name}
	t := v.Type()
	if item, ok := stream(t); ok {
		value.Stream = true
		t = item
	}
	max := 0
	if b, ok := bounds[name]; ok {
		if bounded(t.Underlying()) {
			max = b.max
			delete(bounds, name)
		} else {
			r.errorf(b.pos, "%s of %s has no length that //skerry:max could bound; remove it", name, where)
			delete(bounds, name)
		}
	}
	value.Type = r.typ(use{v.Pos(), name + " of " + where, "above the method: //skerry:max " + name + "="}, t, max)
	return value
}

// stream returns the type of an item if t is iter.Seq2[T, error].
func stream(t types.Type) (types.Type, bool) {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || !named(t, "iter", "Seq2") || n.TypeArgs().Len() != 2 ||
		!types.Identical(n.TypeArgs().At(1), types.Universe.Lookup("error").Type()) {
		return nil, false
	}
	return n.TypeArgs().At(0), true
}

// named reports whether t is the type with a name in a package.
func named(t types.Type, path, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == path && n.Obj().Name() == name
}
