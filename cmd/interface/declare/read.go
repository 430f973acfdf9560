package declare

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// Source is a package, parsed with comments and checked, without its stubs.
type Source struct {
	Fset  *token.FileSet
	Files []*ast.File
	Types *types.Package
	Info  *types.Info
}

// Error is something wrong with a declaration: what, and what to do.
type Error struct {
	Position token.Position
	Text     string
}

// Error returns it as compilers do: FILE:LINE:COLUMN: TEXT.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Position, e.Text) }

// Read returns the interface that a package declares, or all that is wrong with it, in
// the order of the source. A package without one is an error too.
func Read(s *Source) (*Interface, []*Error) {
	r := &reader{Source: s, max: map[types.Object]int{}, structs: map[string]*Type{}, read: map[token.Pos]bool{}, imports: map[string]string{
		"context": "context", "iter": "iter", "bind": "skerry/lib/bind", "channel": "skerry/lib/channel", "stub": "skerry/lib/stub",
	}}
	i := r.all()
	slices.SortStableFunc(r.errors, func(a, b *Error) int {
		if c := strings.Compare(a.Position.Filename, b.Position.Filename); c != 0 {
			return c
		}
		return a.Position.Offset - b.Position.Offset
	})
	r.errors = slices.CompactFunc(r.errors, func(a, b *Error) bool { return *a == *b })
	if len(r.errors) > 0 {
		return nil, r.errors
	}
	return i, nil
}

type reader struct {
	*Source
	errors  []*Error
	max     map[types.Object]int // bounds of named types and fields
	order   []*Type              // structs
	structs map[string]*Type     // by Go; nil if they cannot travel
	within  []*types.Named       // types that are being read, each in the one before
	read    map[token.Pos]bool   // directives that belong to something
	imports map[string]string    // paths of packages by the names that stubs know
}

func (r *reader) errorf(pos token.Pos, format string, a ...any) {
	r.errors = append(r.errors, &Error{r.Fset.Position(pos), fmt.Sprintf(format, a...)})
}

// all reads all of the package.
func (r *reader) all() *Interface {
	var spec *ast.TypeSpec
	var doc *directive
	for _, f := range r.Files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, s := range g.Specs {
				t := s.(*ast.TypeSpec)
				groups := []*ast.CommentGroup{t.Doc, t.Comment}
				if !g.Lparen.IsValid() {
					groups = append(groups, g.Doc)
				}
				list := r.directives(groups...)
				if at := slices.IndexFunc(list, func(d directive) bool { return d.name == "interface" }); at >= 0 {
					if spec != nil {
						r.errorf(t.Pos(), "%s is the second interface of the package, after %s; give it a package of its own", t.Name.Name, spec.Name.Name)
						continue
					}
					spec, doc = t, r.only("interface", t.Name.Name, list)
					continue
				}
				r.readType(t, groups)
			}
		}
	}
	if spec == nil {
		if r.strays(); len(r.errors) > 0 {
			return nil
		}
		pos := token.NoPos
		if len(r.Files) > 0 {
			pos = r.Files[0].Package
		}
		r.errorf(pos, "package %s declares no interface; write //skerry:interface version=1 above one", r.Types.Name())
		return nil
	}
	i := &Interface{
		Package: r.Types.Name(), Path: r.Types.Path(),
		File: file(r.Fset.Position(spec.Pos()).Filename), Name: spec.Name.Name,
	}
	i.Version = r.version(doc)
	r.names(i, spec)
	i.Types = r.types()
	i.Errors = r.travelling()
	r.methods(i, spec)
	i.Structs = r.order
	r.clashes(i)
	if len(r.errors) == 0 {
		r.strays()
	}
	return i
}

func file(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// readType keeps the bounds of a type and its fields.
func (r *reader) readType(t *ast.TypeSpec, groups []*ast.CommentGroup) {
	if n := r.own(t.Name.Name, groups...); n != 0 {
		o := r.Info.Defs[t.Name]
		if !bounded(o.Type().Underlying()) {
			r.errorf(t.Pos(), "%s has no length that //skerry:max could bound; remove it", t.Name.Name)
		}
		r.max[o] = n
	}
	s, ok := t.Type.(*ast.StructType)
	if !ok {
		return
	}
	fields, n := r.Info.TypeOf(s).(*types.Struct), 0
	for _, f := range s.Fields.List {
		for range max(len(f.Names), 1) { // an embedded field has its type's name
			o := fields.Field(n)
			n++
			bound := r.own(t.Name.Name+"."+o.Name(), f.Doc, f.Comment)
			if bound == 0 {
				continue
			}
			if !bounded(o.Type().Underlying()) {
				r.errorf(o.Pos(), "%s.%s has no length that //skerry:max could bound; remove it", t.Name.Name, o.Name())
			}
			r.max[o] = bound
		}
	}
}

// bounded reports whether a type has a length that only a bound limits.
func bounded(t types.Type) bool {
	switch t := t.(type) {
	case *types.Slice:
		return true
	case *types.Basic:
		return t.Info()&types.IsString != 0
	}
	return false
}

// version reads version=N.
func (r *reader) version(d *directive) uint32 {
	if len(d.args) == 1 {
		if text, ok := strings.CutPrefix(d.args[0], "version="); ok {
			if n, err := strconv.ParseUint(text, 10, 32); err == nil && n > 0 {
				return uint32(n)
			}
		}
	}
	r.errorf(d.pos, "an interface needs a version, and nothing else: //skerry:interface version=1")
	return 0
}

// types returns the names of the package's types.
func (r *reader) types() (names []string) {
	scope := r.Types.Scope()
	for _, name := range scope.Names() {
		if _, ok := scope.Lookup(name).(*types.TypeName); ok {
			names = append(names, name)
		}
	}
	return names
}

// travelling returns the names of the package's errors.
func (r *reader) travelling() (names []string) {
	scope := r.Types.Scope()
	for _, name := range scope.Names() {
		v, ok := scope.Lookup(name).(*types.Var)
		if ok && strings.HasPrefix(name, "Err") && types.Identical(v.Type(), types.Universe.Lookup("error").Type()) {
			names = append(names, name)
		}
	}
	return names
}
