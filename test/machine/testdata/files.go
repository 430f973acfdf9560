// Files looks at the tree that it was started in, and tries to change it.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func check(ok bool, format string, args ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, "files: "+format+"\n", args...)
		os.Exit(1)
	}
}

func main() {
	// Arguments, environment, directory.
	check(slices.Equal(os.Args[1:], []string{"one", "two words", "", "ünï"}), "arguments %q", os.Args)
	check(os.Getenv("COLOUR") == "grey green" && os.Getenv("EMPTY") == "" && len(os.Environ()) >= 2, "environment %q", os.Environ())
	_, there := os.LookupEnv("EMPTY")
	check(there, "an empty variable is missing")
	cwd, err := os.Getwd()
	check(cwd == "/" && err == nil, "in %q: %v", cwd, err)
	exe, err := os.Executable()
	check(strings.HasPrefix(exe, "/bin/") && err == nil, "the executable is %q: %v", exe, err)
	program, err := os.ReadFile(exe)
	check(err == nil && bytes.HasPrefix(program, []byte("\x7fELF")), "%d bytes of it, %v", len(program), err)
	check(os.Getpid() > 0 && os.Getuid() >= 0, "who am I")

	// The tree.
	var seen []string
	err = filepath.WalkDir("/data", func(path string, e fs.DirEntry, err error) error {
		check(err == nil, "%s: %v", path, err)
		seen = append(seen, path)
		return nil
	})
	check(err == nil && slices.Equal(seen, []string{"/data", "/data/deep", "/data/deep/er", "/data/deep/er/large", "/data/empty", "/data/small"}),
		"walked %q: %v", seen, err)
	small, err := os.ReadFile("/data/small")
	check(string(small) == "a small file\n" && err == nil, "%q: %v", small, err)
	empty, err := os.ReadFile("data/../data/./empty")
	check(len(empty) == 0 && err == nil, "%q: %v", empty, err)
	check(os.Chdir("/data/deep") == nil, "no directory /data/deep")
	large, err := os.ReadFile("er/large")
	check(err == nil && len(large) == 300_001, "%d bytes: %v", len(large), err)
	for i, c := range large {
		check(c == byte(i%251), "byte %d is %d", i, c)
	}
	f, err := os.Open("er/large")
	check(err == nil, "%v", err)
	b := make([]byte, 10)
	n, err := f.ReadAt(b, 299_995)
	check(n == 6 && err == io.EOF && bytes.Equal(b[:6], large[299_995:]), "read %d at the end: %v", n, err)
	at, err := f.Seek(-1, io.SeekEnd)
	check(at == 300_000 && err == nil, "sought to %d: %v", at, err)
	n, err = f.Read(b)
	check(n == 1 && err == nil, "read the last %d: %v", n, err)
	n, err = f.Read(b)
	check(n == 0 && err == io.EOF, "read %d behind the end: %v", n, err)
	mapped, err := syscall.Mmap(int(f.Fd()), 4096, 8192, syscall.PROT_READ, syscall.MAP_PRIVATE)
	check(err == nil && bytes.Equal(mapped, large[4096:4096+8192]), "mapping a file: %v", err)
	check(syscall.Munmap(mapped) == nil, "unmapping failed")
	f.Close()
	info, err := os.Stat("/data/small")
	check(err == nil && info.Size() == 13 && info.Mode() == 0o644 && !info.IsDir(), "%+v: %v", info, err)
	root := os.DirFS("/data")
	sum := sha256.New()
	r, err := root.Open("deep/er/large")
	check(err == nil, "%v", err)
	io.Copy(sum, r)
	check([32]byte(sum.Sum(nil)) == sha256.Sum256(large), "the sum differs")

	// What cannot be.
	for what, test := range map[string]struct {
		err  error
		want error
	}{
		"create":        {second(os.Create("/data/new")), syscall.EROFS},
		"open to write": {second(os.OpenFile("/data/small", os.O_RDWR, 0)), syscall.EROFS},
		"truncate":      {os.Truncate("/data/small", 0), syscall.EROFS},
		"mkdir":         {os.Mkdir("/data/d", 0o755), syscall.EROFS},
		"remove":        {os.Remove("/data/small"), syscall.EROFS},
		"rename":        {os.Rename("/data/small", "/data/big"), syscall.EROFS},
		"chmod":         {os.Chmod("/data/small", 0), syscall.EROFS},
		"symlink":       {os.Symlink("a", "/data/b"), syscall.EROFS},
		"link":          {os.Link("/data/small", "/data/b"), syscall.EROFS},
		"missing":       {second(os.Open("/data/missing")), syscall.ENOENT},
		"no directory":  {second(os.Open("/data/small/x")), syscall.ENOTDIR},
		"chdir":         {os.Chdir("/data/small"), syscall.ENOTDIR},
		"read a folder": {second(os.ReadFile("/data")), syscall.EISDIR},
		"long name":     {second(os.Open("/" + strings.Repeat("n", 300))), syscall.ENAMETOOLONG},
		"start another": {second(os.StartProcess(exe, nil, &os.ProcAttr{})), syscall.ENOSYS},
	} {
		check(errors.Is(test.err, test.want), "%s: %v, want %v", what, test.err, test.want)
	}

	// Devices and /proc.
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	check(err == nil, "%v", err)
	n, err = null.Write(large)
	check(n == len(large) && err == nil, "/dev/null took %d: %v", n, err)
	n, err = null.Read(b)
	check(n == 0 && err == io.EOF, "/dev/null gave %d: %v", n, err)
	zero, err := os.Open("/dev/zero")
	check(err == nil, "%v", err)
	io.ReadFull(zero, large)
	check(bytes.Count(large, []byte{0}) == len(large), "/dev/zero gave something else")
	random, err := os.Open("/dev/urandom")
	check(err == nil, "%v", err)
	io.ReadFull(random, large[:4096])
	io.ReadFull(random, large[4096:8192])
	check(!bytes.Equal(large[:4096], large[4096:8192]) && bytes.Count(large[:4096], []byte{0}) < 100, "/dev/urandom repeats itself")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	check(err == nil, "%v", err)
	_, err = full.Write(b)
	check(errors.Is(err, syscall.ENOSPC), "/dev/full: %v", err)
	target, err := os.Readlink("/proc/self/exe")
	check(target == exe && err == nil, "/proc/self/exe is %q: %v", target, err)
	line, err := os.ReadFile("/proc/self/cmdline")
	check(string(line) == strings.Join(os.Args, "\x00")+"\x00" && err == nil, "/proc/self/cmdline is %q: %v", line, err)
	maps, err := os.ReadFile("/proc/self/maps")
	check(err == nil && bytes.Contains(maps, []byte("r-xp")) && !bytes.Contains(maps, []byte("rwxp")), "/proc/self/maps is\n%s%v", maps, err)
	fds, err := os.ReadDir("/proc/self/fd")
	check(err == nil && len(fds) >= 6, "%d descriptors: %v", len(fds), err)
	cwd, err = os.Readlink("/proc/self/cwd")
	check(cwd == "/data/deep" && err == nil, "/proc/self/cwd is %q: %v", cwd, err)
	entries, err := os.ReadDir("/")
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	for _, want := range []string{"bin", "boot", "data", "dev", "proc"} {
		check(slices.Contains(names, want), "the root lacks %s: %q, %v", want, names, err)
	}
}

func second[T any](_ T, err error) error { return err }
