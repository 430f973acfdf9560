package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// folder is the parsed source of one package, tests left out.
type folder struct {
	functions map[string]*ast.FuncDecl // "name", and methods as "Type.name"
	variables map[string]ast.Expr      // package-level, by name: what they begin with
	files     []*ast.File
}

func parse(tree, path string) (*folder, error) {
	names, err := filepath.Glob(filepath.Join(tree, path, "*.go"))
	if err != nil {
		return nil, err
	}
	f := &folder{functions: map[string]*ast.FuncDecl{}, variables: map[string]ast.Expr{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		f.files = append(f.files, file)
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				f.functions[receiver(d)+d.Name.Name] = d
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && len(v.Values) == len(v.Names) {
						for i, name := range v.Names {
							f.variables[name.Name] = v.Values[i]
						}
					}
				}
			}
		}
	}
	if len(f.files) == 0 {
		return nil, fmt.Errorf("no Go source in %s", filepath.Join(tree, path))
	}
	return f, nil
}

// receiver returns "Type." for a method, "" for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	t := d.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name + "."
	}
	return "?."
}

// table returns the elements of a package-level array or slice literal whose
// keys are names of package pkg, by that name.
func (f *folder) table(variable, pkg string) (map[string]ast.Expr, error) {
	literal, ok := f.variables[variable].(*ast.CompositeLit)
	if !ok {
		return nil, fmt.Errorf("%s is no literal", variable)
	}
	rows := map[string]ast.Expr{}
	for _, e := range literal.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return nil, fmt.Errorf("%s has an element without a key", variable)
		}
		key := selected(pair.Key, pkg)
		if key == "" {
			return nil, fmt.Errorf("%s has a key that is no name of package %s", variable, pkg)
		}
		rows[key] = pair.Value
	}
	return rows, nil
}

// selected returns NAME of an expression pkg.NAME, else "".
func selected(e ast.Expr, pkg string) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok && x.Name == pkg {
			return s.Sel.Name
		}
	}
	return ""
}

// mentions says whether a node mentions pkg.name, or calls something of the
// package that does: a function, or a method of typ by the variable self.
func (f *folder) mentions(n ast.Node, self, typ, pkg, name string) bool {
	seen := map[*ast.FuncDecl]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) (found bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				found = found || selected(n, pkg) == name
			case *ast.CallExpr:
				var callee *ast.FuncDecl
				if id, ok := n.Fun.(*ast.Ident); ok {
					callee = f.functions[id.Name]
				} else if method := selected(n.Fun, self); method != "" {
					callee = f.functions[typ+"."+method]
				}
				if callee != nil && callee.Body != nil && !seen[callee] {
					seen[callee] = true
					found = found || visit(callee.Body)
				}
			}
			return !found
		})
		return found
	}
	return visit(n)
}

// constant returns what a function does that does nothing but return a
// constant: the error number's name, or "0"; "" for any other function.
func constant(d *ast.FuncDecl) string {
	if d == nil || d.Body == nil || len(d.Body.List) != 1 {
		return ""
	}
	r, ok := d.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(r.Results) != 1 {
		return ""
	}
	switch e := r.Results[0].(type) {
	case *ast.BasicLit:
		return e.Value
	case *ast.UnaryExpr:
		return selected(e.X, "linux")
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
