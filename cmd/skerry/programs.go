package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"skerry/host/archive"
	"skerry/host/exitcode"
	"skerry/host/image"
	"skerry/host/program"
	"skerry/host/source"
	"skerry/lib/manifest"
)

// binDir is where programs lie in the machine.
const binDir = "bin"

// load compiles Skerry and the programs named, and says what they are.
func (a *app) load(ctx context.Context, names []string, debug bool) (*image.System, []*program.Program, error) {
	dir, err := source.Find(a.source)
	if err != nil {
		return nil, nil, err
	}
	sources := make([]*program.Source, len(names))
	for i, name := range names {
		if sources[i], err = program.Find(name); err != nil {
			return nil, nil, err
		}
	}
	type result struct {
		system *image.System
		err    error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	compiled := make(chan result, 1)
	a.progress.step("compiling")
	go func() {
		s, err := image.CompileSystem(ctx, dir, debug)
		compiled <- result{s, err}
	}()
	programs, err := loadAll(ctx, sources)
	if err != nil {
		cancel()
		<-compiled // so that no go command is left behind
		return nil, nil, err
	}
	r := <-compiled
	return r.system, programs, r.err
}

// loadAll loads programs, as many at a time as this host has processors. Of
// several errors it returns the first program's.
func loadAll(ctx context.Context, sources []*program.Source) ([]*program.Program, error) {
	programs := make([]*program.Program, len(sources))
	errs := make([]error, len(sources))
	turns := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() {
			turns <- struct{}{}
			programs[i], errs[i] = s.Load(ctx)
			<-turns
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return programs, nil
}

// place gives each program its path in the archive: programs of the same name
// but other contents get other paths.
func place(programs []*program.Program) (paths []string, files []archive.File) {
	taken := map[string]*program.Program{}
	for _, p := range programs {
		at := path.Join(binDir, p.Name)
		for n := 2; taken[at] != nil && string(taken[at].ELF) != string(p.ELF); n++ {
			at = path.Join(binDir, fmt.Sprintf("%s-%d", p.Name, n))
		}
		if taken[at] == nil {
			taken[at] = p
			f := archive.Bytes(at, 0o755, p.ELF)
			f.ModTime = p.ModTime
			files = append(files, f)
		}
		paths = append(paths, at)
	}
	return paths, files
}

// volumes adds the folders of -v DIR:/DIR to files.
func volumes(c *cobra.Command, files []archive.File, specs []string) ([]archive.File, error) {
	for _, spec := range specs {
		at := strings.LastIndex(spec, ":/")
		if at <= 0 {
			return nil, usagef(c, "-v %s is not of the form DIR:/DIR", spec)
		}
		from, to := spec[:at], path.Clean(spec[at+1:])
		for _, own := range []string{"/" + binDir, "/boot", "/dev", "/proc"} {
			if to == own || strings.HasPrefix(to, own+"/") {
				return nil, usagef(c, "-v %s: %s is Skerry's own", spec, own)
			}
		}
		if _, err := os.Stat(from); err != nil {
			return nil, &exitcode.Error{Code: exitcode.NotFound, What: "-v " + spec, Err: err, Fix: "name a folder of this host"}
		}
		var err error
		if files, err = archive.AddTree(files, from, to); err != nil {
			return nil, &exitcode.Error{Code: exitcode.Image, What: "-v " + spec, Err: err}
		}
	}
	return files, nil
}

// workDir makes sure that a folder exists among files.
func workDir(c *cobra.Command, files []archive.File, dir string) ([]archive.File, error) {
	if !path.IsAbs(dir) {
		return nil, usagef(c, "the working directory %s is not absolute", dir)
	}
	dir = path.Clean(dir)
	if dir == "/" || dir == "/"+binDir || dir == "/boot" {
		return files, nil
	}
	for _, f := range files {
		at := "/" + strings.TrimPrefix(f.Path, "/")
		if at == dir && !f.Mode.IsDir() && f.Mode&fs.ModeSymlink == 0 {
			return nil, usagef(c, "the working directory %s is a file", dir)
		}
		if at == dir || strings.HasPrefix(at, dir+"/") {
			return files, nil
		}
	}
	return append(files, archive.File{Path: dir, Mode: fs.ModeDir | 0o755}), nil
}

// environment turns the -e flags into a program's environment. A name without
// a value takes the host's.
func environment(c *cobra.Command, flags []string) ([]string, error) {
	env := []string{"PATH=/" + binDir, "HOME=/"}
	for _, e := range flags {
		key, _, ok := strings.Cut(e, "=")
		if key == "" {
			return nil, usagef(c, "-e %s is not of the form KEY=VALUE", e)
		}
		if !ok {
			value, set := os.LookupEnv(key)
			if !set {
				continue
			}
			e = key + "=" + value
		}
		for i := range env {
			if strings.HasPrefix(env[i], key+"=") {
				env = append(env[:i], env[i+1:]...)
				break
			}
		}
		env = append(env, e)
	}
	return env, nil
}

// entry returns the manifest's entry for a program.
func entry(p *program.Program, at string, args, env []string, cwd string, core int) manifest.Program {
	return manifest.Program{
		Name: p.Name, Path: at, Args: append([]string{"/" + at}, args...), Env: env, Cwd: cwd, Core: core,
	}
}
