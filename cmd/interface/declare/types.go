package declare

import (
	"go/token"
	"go/types"
	"slices"
)

// Paths of packages whose types travel in ways of their own.
const (
	capabilities    = "skerry/lib/capability"
	abiCapabilities = "skerry/abi/capability"
)

// A use is where a type is used: for errors.
type use struct {
	pos   token.Pos
	what  string // "key of Store.Get"
	bound string // how to bound it, up to the number
}

// spelled returns a type of which no more is known than how stubs write it.
func (r *reader) spelled(u use, t types.Type) *Type {
	out := &Type{}
	out.Go = types.TypeString(t, func(p *types.Package) string {
		if p == r.Types {
			return ""
		}
		if !slices.Contains(out.Imports, p.Path()) {
			out.Imports = append(out.Imports, p.Path())
		}
		name := PackageName(p.Path(), p.Name())
		if other, ok := r.imports[name]; ok && other != p.Path() {
			r.errorf(u.pos, "%s: the stubs know package %s as %s, and cannot import %s besides; declare a type here", u.what, other, name, p.Path())
		}
		r.imports[name] = p.Path()
		return name
	})
	return out
}

// typ returns how a type travels, nil with an error if it does not. max is the bound
// that its use has, 0: none.
func (r *reader) typ(u use, t types.Type, max int) *Type {
	out := r.spelled(u, t)
	refuse := func(format string, a ...any) *Type {
		r.errorf(u.pos, "%s: "+format, append([]any{u.what}, a...)...)
		return nil
	}
	n, isNamed := types.Unalias(t).(*types.Named)
	if isNamed && n.Obj().Pkg() != nil {
		o := n.Obj()
		switch path := o.Pkg().Path(); {
		case path == "time" && o.Name() == "Time":
			out.Kind = Time
			return out
		case path == capabilities && n.Underlying() == types.Typ[types.Uint32],
			path == abiCapabilities && o.Name() == "Reference":
			out.Kind = Capability
			return out
		case path == "iter":
			return refuse("%s is no stream that can travel; a stream is an argument or a result of type iter.Seq2[T, error]", out.Go)
		}
		if own := r.max[o]; max == 0 {
			max = own
		}
		if n.TypeArgs().Len() > 0 {
			return refuse("%s is generic, which stubs do not know; declare a type that is not", out.Go)
		}
	}
	if isNamed {
		if slices.Contains(r.within, n) {
			r.errorf(n.Obj().Pos(), "%s contains itself, so that it has no bound; use a slice of structs that name each other by index", out.Go)
			return nil
		}
		r.within = append(r.within, n)
		defer func() { r.within = r.within[:len(r.within)-1] }()
	}
	switch b := t.Underlying().(type) {
	case *types.Basic:
		return r.basic(u, out, b, max)
	case *types.Array:
		return r.array(u, out, b)
	case *types.Slice:
		return r.slice(u, out, b, max)
	case *types.Struct:
		return r.structure(u, out, n, b)
	case *types.Map:
		return refuse("a map does not travel; use a slice of structs with key and value")
	case *types.Pointer:
		return refuse("a pointer does not travel, as memory is not shared; use %s itself", types.TypeString(b.Elem(), types.RelativeTo(r.Types)))
	case *types.Chan:
		return refuse("a Go channel does not travel; use a stream: iter.Seq2[T, error]")
	case *types.Signature:
		return refuse("a function does not travel; declare an interface for the other direction, or use a stream")
	case *types.Interface:
		if isNamed && n.Obj().Pkg() == nil {
			return refuse("an error travels only as a method's last result; use a struct or an integer")
		}
		return refuse("%s is an interface, so that nobody knows what comes; use a struct", out.Go)
	}
	return refuse("%s does not travel; use integers, strings, slices, arrays or structs", out.Go)
}

// basic is typ of bool, numbers and strings.
func (r *reader) basic(u use, out *Type, b *types.Basic, max int) *Type {
	type form struct {
		kind  Kind
		bytes int
		wire  string
	}
	f, ok := map[types.BasicKind]form{
		types.Bool: {Bool, 1, "bool"},
		types.Int8: {Int, 1, "uint8"}, types.Int16: {Int, 2, "uint16"}, types.Int32: {Int, 4, "uint32"},
		types.Int64: {Int, 8, "uint64"}, types.Int: {Int, 8, "uint64"},
		types.Uint8: {Uint, 1, "uint8"}, types.Uint16: {Uint, 2, "uint16"}, types.Uint32: {Uint, 4, "uint32"},
		types.Uint64: {Uint, 8, "uint64"}, types.Uint: {Uint, 8, "uint64"},
		types.Float32: {Float, 4, "float32"}, types.Float64: {Float, 8, "float64"},
		types.String: {String, 0, "string"},
	}[b.Kind()]
	if !ok {
		r.errorf(u.pos, "%s: %s does not travel; use integers, floats, strings, slices, arrays or structs", u.what, out.Go)
		return nil
	}
	out.Kind, out.Bytes = f.kind, f.bytes
	if f.wire != out.Go && (f.wire != "uint8" || out.Go != "byte") {
		out.Wire = f.wire
	}
	if f.kind == String {
		if !r.needs(u, out, max) {
			return nil
		}
		out.Max = max
	}
	return out
}

// needs reports that a type has no bound.
func (r *reader) needs(u use, out *Type, max int) bool {
	if max != 0 {
		return true
	}
	if u.bound == "" {
		r.errorf(u.pos, "%s is a %s without a bound; declare a type for it with one: type Name %[2]s //skerry:max 64", u.what, out.Go)
	} else {
		r.errorf(u.pos, "%s has no bound; say how long it can be, %s64", u.what, u.bound)
	}
	return false
}

// array is typ of arrays.
func (r *reader) array(u use, out *Type, b *types.Array) *Type {
	out.Kind, out.Length = Array, int(b.Len())
	out.Element = r.typ(use{u.pos, "an element of " + u.what, ""}, b.Elem(), 0)
	if out.Element == nil {
		return nil
	}
	if b.Len() > MaxBound {
		r.errorf(u.pos, "%s: an array of %d elements is longer than %d; use a stream", u.what, b.Len(), MaxBound)
		return nil
	}
	return out
}

// slice is typ of slices.
func (r *reader) slice(u use, out *Type, b *types.Slice, max int) *Type {
	out.Kind = Slice
	if e, ok := b.Elem().(*types.Basic); ok && e.Kind() == types.Byte {
		out.Kind = Bytes
		if out.Go != "[]byte" && out.Go != "[]uint8" {
			out.Wire = "[]byte"
		}
	} else if out.Element = r.typ(use{u.pos, "an element of " + u.what, ""}, b.Elem(), 0); out.Element == nil {
		return nil
	} else if out.Element.Size().Least == 0 {
		r.errorf(u.pos, "%s: its elements take no bytes; use their number", u.what)
		return nil
	}
	if !r.needs(u, out, max) {
		return nil
	}
	out.Max = max
	return out
}

// structure is typ of structs.
func (r *reader) structure(u use, out *Type, n *types.Named, b *types.Struct) *Type {
	out.Kind = Struct
	if n == nil {
		r.errorf(u.pos, "%s: a struct without a name does not travel; declare a type", u.what)
		return nil
	}
	if n.Obj().Pkg() != r.Types {
		r.errorf(u.pos, "%s: %s is a struct of another package, which may change without this one; declare one here", u.what, out.Go)
		return nil
	}
	if known, ok := r.structs[out.Go]; ok {
		return known
	}
	failed := false
	for f := range b.Fields() {
		what := out.Go + "." + f.Name()
		v := &Value{Name: f.Name()}
		if f.Name() == "_" {
			r.errorf(f.Pos(), "%s: a field without a name does not travel; remove it or name it", what)
			failed = true
			continue
		}
		v.Type = r.typ(use{f.Pos(), what, "behind the field: //skerry:max "}, f.Type(), r.max[f])
		failed = failed || v.Type == nil
		out.Fields = append(out.Fields, v)
	}
	if failed {
		r.structs[out.Go] = nil // there is an error about it
		return nil
	}
	r.structs[out.Go] = out
	r.order = append(r.order, out)
	return out
}
