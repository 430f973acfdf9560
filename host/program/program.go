// Package program turns what a user names on the command line — a Go package,
// a .go file, an ELF file — into an ELF file that Skerry can run, or into one
// clear error.
//
// The host command and tests import it. It must never run a program.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"skerry/host/exitcode"
	"skerry/host/gobuild"
)

// Kind is what a program was named as.
type Kind string

// Kinds of programs.
const (
	Package Kind = "Go package"
	GoFile  Kind = "Go file"
	ELF     Kind = "ELF program"
)

// Program is a program that can run.
type Program struct {
	Named   string // as the user named it
	Kind    Kind
	Name    string // for people and for its path in the machine
	ELF     []byte
	ModTime time.Time // of the ELF, if it is a file of the user's
}

// Source is a program that was found but not compiled yet.
type Source struct {
	Named  string
	Kind   Kind
	target gobuild.Target
	file   string
}

// Find infers from its name what a program is. It reads nothing but the names
// of files.
func Find(named string) (*Source, error) {
	s := &Source{Named: named}
	info, err := os.Stat(named)
	switch {
	case err == nil && info.IsDir():
		dir, err := filepath.Abs(named)
		if err != nil {
			return nil, notFound(named, err)
		}
		// Building from within takes the module that the folder is in.
		s.Kind, s.target = Package, gobuild.Target{Dir: dir, Package: "."}
		if files, _ := filepath.Glob(filepath.Join(dir, "*.go")); len(files) == 0 {
			return nil, exitcode.New(exitcode.NotFound, "program "+named, "name a folder with a Go program, a .go file or an ELF file",
				"the folder holds no Go files")
		}
	case err == nil && !info.Mode().IsRegular():
		return nil, exitcode.New(exitcode.BadFile, "program "+named, "name a Go package, a .go file or an ELF file", "not a regular file")
	case err == nil && strings.HasSuffix(named, ".go"):
		dir, err := filepath.Abs(filepath.Dir(named))
		if err != nil {
			return nil, notFound(named, err)
		}
		s.Kind, s.target = GoFile, gobuild.Target{Dir: dir, Package: "./" + filepath.Base(named)}
	case err == nil:
		s.Kind, s.file = ELF, named
	case !errors.Is(err, fs.ErrNotExist), isPath(named):
		return nil, notFound(named, err)
	default:
		dir, err := os.Getwd()
		if err != nil {
			return nil, notFound(named, err)
		}
		s.Kind, s.target = Package, gobuild.Target{Dir: dir, Package: named}
	}
	return s, nil
}

// isPath says that a name that does not exist was meant as a file's.
func isPath(named string) bool {
	return named == "" || filepath.IsAbs(named) || strings.HasPrefix(named, ".") || strings.HasSuffix(named, ".go") ||
		strings.ContainsAny(named, " \\:*?")
}

func notFound(named string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &exitcode.Error{Code: exitcode.NotFound, What: "program " + named, Err: err,
		Fix: "name a Go package, a .go file or an ELF file"}
}

// absent matches what the go command says of packages that do not exist.
var absent = regexp.MustCompile(`is not in std|no required module provides package|cannot find (main )?module|directory not found|no Go files in|malformed import path|cannot find package|does not contain package|outside main module|matched no packages|go\.mod file not found`)

// Load compiles or reads a program and vets it. Errors carry their exit codes.
func (s *Source) Load(ctx context.Context) (*Program, error) {
	p := &Program{Named: s.Named, Kind: s.Kind, Name: name(s)}
	if s.Kind == ELF {
		info, err := os.Stat(s.file)
		if err == nil {
			p.ModTime = info.ModTime()
			p.ELF, err = os.ReadFile(s.file)
		}
		if err != nil {
			return nil, notFound(s.Named, err)
		}
	} else {
		var err error
		p.ELF, err = gobuild.Build(ctx, s.target)
		var ce *gobuild.CompileError
		if errors.As(err, &ce) {
			if absent.MatchString(ce.Output) {
				return nil, exitcode.New(exitcode.NotFound, "program "+s.Named,
					"name an existing Go package, .go file or ELF file", "no such package: %s", firstLine(ce.Output))
			}
			return nil, &exitcode.Error{Code: exitcode.Compile, What: "program " + s.Named, Err: errors.New("does not compile"),
				Fix: "see the compiler's output below", Detail: ce.Output}
		}
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(p.ELF, []byte("!<arch>")) {
			return nil, exitcode.New(exitcode.BadFile, "program "+s.Named, "name a package main",
				"a Go package, but not a program: it is not package main")
		}
	}
	if err := Vet(p.ELF); err != nil {
		e := &exitcode.Error{Code: exitcode.BadFile, What: "program " + s.Named, Err: err}
		var b *BadFileError
		if errors.As(err, &b) {
			e.Fix = b.Fix
		}
		return nil, e
	}
	return p, nil
}

// name returns a short name for a program, as go install would choose it.
func name(s *Source) string {
	var base string
	switch s.Kind {
	case GoFile:
		base = strings.TrimSuffix(filepath.Base(s.Named), ".go")
	case ELF:
		base = filepath.Base(s.Named)
	default:
		base = filepath.Base(s.target.Dir)
		if s.target.Package != "." {
			base = s.target.Package[strings.LastIndexByte(s.target.Package, '/')+1:]
		}
	}
	// As long as a domain's name may be.
	if len(base) > 31 {
		base = base[:31]
	}
	return base
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// Describe says in one line what a program was taken for.
func (p *Program) Describe() string {
	return fmt.Sprintf("%s: %s, %.1f MB", p.Named, p.Kind, float64(len(p.ELF))/1e6)
}
