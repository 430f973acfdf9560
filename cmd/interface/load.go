package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"

	"skerry/cmd/interface/declare"
	"skerry/cmd/interface/emit"
)

// target is a package for which stubs are to be made.
type target struct {
	folder string
	source *declare.Source
}

// A notFound is a package that there is none of.
type notFound struct{ error }

// A fault is what is wrong with a package that does not compile: lines as compilers write them.
type fault struct{ error }

// load returns the packages that patterns name, as the go command takes them, without
// their stubs: what is wrong with those is no matter. overlay is files that are taken to
// be there; may be nil.
func load(overlay map[string][]byte, patterns ...string) ([]target, error) {
	names, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedFiles, Overlay: overlay}, patterns...)
	if err != nil {
		return nil, err
	}
	hidden := map[string][]byte{}
	for name, text := range overlay {
		hidden[name] = text
	}
	for _, p := range names {
		if p.Name == "" || len(p.GoFiles) == 0 {
			return nil, notFound{fmt.Errorf("%s: %w", p.PkgPath, missing(p))}
		}
		stubs := filepath.Join(filepath.Dir(p.GoFiles[0]), emit.File)
		text, ok := overlay[stubs]
		if !ok {
			text, err = os.ReadFile(stubs)
		}
		if (ok || err == nil) && bytes.HasPrefix(text, []byte(emit.Header)) {
			hidden[stubs] = []byte("package " + p.Name + "\n")
		} else if ok || !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: it is not generated, and would be written over; rename it", stubs)
		}
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes |
			packages.NeedTypesInfo | packages.NeedImports,
		Overlay: hidden,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	var targets []target
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, faults(p.Errors)
		}
		t := target{filepath.Dir(p.GoFiles[0]), &declare.Source{Fset: p.Fset, Types: p.Types, Info: p.TypesInfo}}
		for _, f := range p.Syntax {
			if filepath.Base(p.Fset.Position(f.Package).Filename) != emit.File {
				t.source.Files = append(t.source.Files, f)
			}
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// missing says why there is no such package.
func missing(p *packages.Package) error {
	for _, e := range p.Errors {
		return errors.New(e.Msg)
	}
	return errors.New("there are no Go files")
}

// faults returns what is wrong with a package that does not compile, each thing once.
func faults(list []packages.Error) error {
	var all []error
	told := map[string]bool{}
	hidden := false
	for _, e := range list {
		if e.Kind == packages.ListError && len(list) > 1 {
			continue // it says what others say
		}
		name, _ := strings.CutPrefix(e.Msg, "undefined: ")
		hidden = hidden || declare.Made(name)
		if file, rest, ok := strings.Cut(e.Pos, ":"); ok {
			e.Pos = relative(file) + ":" + rest
		}
		if text := e.Error(); !told[text] {
			told[text] = true
			all = append(all, e)
		}
	}
	if hidden {
		all = append(all, errors.New("stubs are made without those that there are: move what uses them to another package"))
	}
	return fault{errors.Join(all...)}
}
