package std

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"skerry/host/archive"
	"skerry/host/exitcode"
	"skerry/host/image"
	"skerry/host/machine"
	"skerry/host/session"
	"skerry/host/source"
	"skerry/lib/manifest"
)

// Skerry runs test binaries, each in a machine of its own.
type Skerry struct {
	library *Library
	system  *image.System
	// Accel is how machines run their processors.
	Accel machine.Accel
	// Memory of each machine in bytes.
	Memory uint64
}

// NewSkerry builds Skerry for runs of the library's tests.
func NewSkerry(ctx context.Context, l *Library) (*Skerry, error) {
	root, err := source.Find("")
	if err != nil {
		return nil, err
	}
	system, err := image.CompileSystem(ctx, root, false)
	if err != nil {
		return nil, err
	}
	return &Skerry{library: l, system: system, Accel: machine.TCG, Memory: 1 << 30}, nil
}

// Run boots a machine of so many cores that runs a package's test binary on all of
// them, in the package's folder. What goes wrong in the machine is part of the
// result, not an error.
func (s *Skerry) Run(ctx context.Context, pkg, binary string, cores int, limit time.Duration) (Result, error) {
	l := s.library
	files, err := l.tree(pkg)
	if err != nil {
		return Result{}, err
	}
	program, err := archive.HostFile(binary, "/bin/test")
	if err != nil {
		return Result{}, err
	}
	name := path.Base(pkg)
	var others []int
	for core := 1; core < cores; core++ {
		others = append(others, core)
	}
	plan := manifest.Manifest{Link: true, PowerOff: true, Programs: []manifest.Program{{
		Name: name[:min(len(name), 31)], Path: "bin/test", Args: append([]string{"/bin/test"}, arguments(limit)...), Cores: others,
		Env: l.environment(), Cwd: l.dir(pkg),
	}}}
	work, err := os.MkdirTemp("", "skerry-std")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(work)
	file := filepath.Join(work, "image")
	if _, err := image.WriteFile(file, s.system, &plan, append(files, program)); err != nil {
		return Result{}, err
	}

	var output lockedBuffer
	bounded, cancel := context.WithTimeout(ctx, limit+20*time.Second)
	defer cancel()
	began := time.Now()
	done, err := session.Run(bounded, &session.Config{
		Machine:  machine.Config{Image: file, Cores: cores, Memory: s.Memory, Accel: s.Accel},
		Programs: []session.Program{{Name: name}},
		Stdout:   &output, Stderr: &output, Libos: s.system.Libos,
		Log: func(_ int, line string) { fmt.Fprintf(&output, "\nskerry: log: %s\n", line) },
	})
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	if bounded.Err() != nil {
		err = bounded.Err()
	}
	r := Result{Took: time.Since(began), End: endOf(err, done.ExitCode())}
	r.count(output.bytes())
	if err != nil {
		fmt.Fprintf(&output, "\nskerry: %v\n", err)
		if e := (*exitcode.Error)(nil); errors.As(err, &e) {
			fmt.Fprintln(&output, e.Detail)
		}
	}
	return r, l.keep(pkg, "skerry", output.bytes())
}

// lockedBuffer is a buffer for two streams.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write never fails.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Bytes()
}

// common are what any test of the library may look for, by path below GOROOT.
var common = []string{"VERSION", "go.env", "src/go.mod", "src/testdata", "lib/time"}

// tree returns the files that a package's tests get, each at its path on the
// host: the folder right below src that the package lies in, with all below it,
// and what is common.
func (l *Library) tree(pkg string) ([]archive.File, error) {
	top, _, _ := strings.Cut(pkg, "/")
	// Tests make files in /tmp, as far as they can.
	files := []archive.File{{Path: "/tmp", Mode: fs.ModeDir | 0o1777}}
	for _, name := range append([]string{"src/" + top}, common...) {
		source := filepath.Join(l.Root, name)
		if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
			continue // another release of Go
		}
		var err error
		if files, err = archive.AddTree(files, source, source); err != nil {
			return nil, err
		}
	}
	return files, nil
}
