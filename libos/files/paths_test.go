package files

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi/linux"
	writer "skerry/host/archive"
)

// TestPathsAgainstLinux mounts a read-only tree in a namespace of its own and
// makes every path call with every path both there and on an archive of it.
func TestPathsAgainstLinux(t *testing.T) {
	const variable = "FILES_TEST_ROOT"
	if root := os.Getenv(variable); root != "" {
		comparePaths(t, root)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^TestPathsAgainstLinux$", "-test.v")
	command.Env = append(os.Environ(), variable+"="+t.TempDir())
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := command.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() == 3) {
		t.Skipf("no namespace to mount in: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("--- PASS: TestPathsAgainstLinux")) || !bytes.Contains(out, []byte("comparisons")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// comparePaths runs in the namespace.
func comparePaths(t *testing.T, dir string) {
	try := func(what string, err error) {
		if err != nil {
			fmt.Println(what, err)
			os.Exit(3)
		}
	}
	try("mount", syscall.Mount("none", dir, "tmpfs", 0, ""))
	long := strings.Repeat("n", 255)
	for _, d := range []string{"d/e/f", "empty", "d/sticky"} {
		try("mkdir", os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for name, mode := range map[string]fs.FileMode{"a": 0o644, "d/b": 0o755, "d/e/c": 0o400, "x": 0o111, "none": 0, "d/" + long: 0o644} {
		try("write", os.WriteFile(filepath.Join(dir, name), []byte("contents of "+name), mode))
	}
	links := map[string]string{
		"la": "a", "ld": "d", "lld": "ld", "d/up": "../a", "d/here": ".", "abs": "/d/b", "absd": "/d/e/",
		"dangling": "nowhere", "dangld": "d/nowhere/x", "loop": "loop", "loop1": "loop2", "loop2": "loop1",
		"slash": "a/", "dslash": "d/", "rootl": "/", "thru": "a/b", "dots": "d/..", "deep": "lld/e/../../d/up",
	}
	for name, target := range links {
		try("symlink", os.Symlink(target, filepath.Join(dir, name)))
	}
	files, err := writer.AddTree(nil, dir, "/")
	try("archive", err)
	m := newMachine(t, files) // reads the files, so before they are out of sight
	try("remount", syscall.Mount("none", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	try("chroot", syscall.Chroot(dir))
	try("chdir", syscall.Chdir("/"))

	paths := []string{
		"", "/", "//", ".", "..", "./", "../..", "/..", "/.", "a", "a/", "a//", "a/.", "a/..", "a/b", "./a", "/a", "//a", "d", "d/", "d/.", "d/..",
		"d/./b", "d//b", "d/../a", "d/b", "d/b/", "d/e", "d/e/c", "d/e/f/../c", "none", "x", "empty", "empty/", "empty/x", "new", "new/", "new/x", "d/new", "d/new/",
		"d/e/f/new", "a/new", "la/new", "dangling/", "dangling/x", "d/" + long, "d/" + long + "/x", long + "x", "d/" + long + "x", "a/" + long + "x", long + "x/..",
		strings.Repeat("d/../", 800) + "a", strings.Repeat("/", 4094) + "a", strings.Repeat("/", 4095) + "a", strings.Repeat("x/", 2048),
		"ld/..", "ld/../a", "lld/b", "ld/here/here/b", "loop/x", "absd/c", "d/here/here/here/up", "slash/", "dslash/b", "new/..", "new/.", "d/..//./la",
	}
	for name := range links {
		paths = append(paths, name, name+"/", name+"/.", name+"/..", name+"/b")
	}
	// Descriptors to start from: the current directory, a directory, a file,
	// a path-only one, a pipe, and none. The two sides have numbers of their own.
	var hostFDs, ours []uint64
	add := func(h, o int64) {
		if h < 0 || o < 0 {
			t.Fatalf("cannot open: %d, %d", h, o)
		}
		hostFDs, ours = append(hostFDs, uint64(h)), append(ours, uint64(o))
	}
	hostFDs, ours = append(hostFDs, cwdFD, at(-1), 900), append(ours, cwdFD, at(-1), 900)
	for _, c := range []struct {
		path  string
		flags uint64
	}{{"d", linux.O_DIRECTORY}, {"a", 0}, {"la", linux.O_PATH | linux.O_NOFOLLOW}, {"d/e", linux.O_PATH}} {
		p := m.path(c.path)
		add(host(linux.SysOpenat, cwdFD, p, c.flags), m.sys(linux.SysOpenat, cwdFD, p, c.flags))
	}
	pipe, pipeAt := m.room(8)
	host(linux.SysPipe2, pipeAt, 0)
	h := int64(pipe[0])
	m.sys(linux.SysPipe2, pipeAt, 0)
	add(h, int64(pipe[0]))

	compared := 0
	const fdArg, pathArg = 1 << 40, 1 << 41 // placeholders
	compare := func(what string, path string, number int, args ...uint64) {
		m.reset()
		for i := range hostFDs {
			m.reset()
			p := m.path(path)
			m.used += 1 << 13
			outH, outAtH := m.room(4096)
			outO, outAtO := m.room(4096)
			clear(outH)
			clear(outO)
			var a, b [6]uint64
			uses := false
			for j, v := range args {
				switch v {
				case fdArg:
					a[j], b[j] = hostFDs[i], ours[i]
					uses = true
				case pathArg:
					a[j], b[j] = p, p
				case outArg:
					a[j], b[j] = outAtH, outAtO
				default:
					a[j], b[j] = v, v
				}
			}
			want := host(number, a[:]...)
			got := m.sys(number, b[:]...)
			compared++
			short := path
			if len(short) > 60 {
				short = fmt.Sprintf("%s…(%d)", short[:20], len(short))
			}
			name := fmt.Sprintf("%s(dir %d, %q)", what, i, short)
			opens := number == linux.SysOpenat && want >= 0 && got >= 0
			switch {
			case opens:
				comparePair(t, m, name, uint64(want), uint64(got))
			case want != got:
				t.Errorf("%s = %d, want %d", name, got, want)
			case want >= 0 && number == linux.SysNewfstatat:
				compareStat(t, name, outH, outO)
			case !bytes.Equal(outH, outO):
				t.Errorf("%s: output %q, want %q", name, bytes.TrimRight(outO, "\x00"), bytes.TrimRight(outH, "\x00"))
			}
			if number == linux.SysOpenat {
				if want >= 0 {
					host(linux.SysClose, uint64(want))
				}
				if got >= 0 {
					m.sys(linux.SysClose, uint64(got))
				}
			}
			if !uses {
				break
			}
		}
	}
	for _, p := range paths {
		for _, flags := range []uint64{
			linux.O_RDONLY, linux.O_WRONLY, linux.O_RDWR, 3, linux.O_DIRECTORY, linux.O_NOFOLLOW, linux.O_DIRECTORY | linux.O_NOFOLLOW,
			linux.O_CREAT, linux.O_CREAT | linux.O_EXCL, linux.O_CREAT | linux.O_RDWR, linux.O_CREAT | linux.O_NOFOLLOW, linux.O_CREAT | linux.O_TRUNC | linux.O_WRONLY,
			linux.O_TRUNC, linux.O_CREAT | linux.O_DIRECTORY, linux.O_PATH, linux.O_PATH | linux.O_NOFOLLOW, linux.O_PATH | linux.O_DIRECTORY,
			linux.O_PATH | linux.O_NOFOLLOW | linux.O_DIRECTORY, linux.O_TMPFILE | linux.O_RDWR, linux.O_TMPFILE, linux.O_TMPFILE | linux.O_WRONLY | linux.O_EXCL,
			linux.O_WRONLY | linux.O_DIRECTORY, linux.O_CLOEXEC | linux.O_NONBLOCK | linux.O_APPEND, linux.O_CREAT | linux.O_EXCL | linux.O_DIRECTORY, linux.O_NOFOLLOW | linux.O_WRONLY,
		} {
			compare(fmt.Sprintf("open %#x", flags), p, linux.SysOpenat, fdArg, pathArg, flags, 0o644)
		}
		for _, flags := range []uint64{0, linux.AT_SYMLINK_NOFOLLOW, linux.AT_EMPTY_PATH, linux.AT_EMPTY_PATH | linux.AT_SYMLINK_NOFOLLOW, linux.AT_NO_AUTOMOUNT, 1} {
			compare(fmt.Sprintf("fstatat %#x", flags), p, linux.SysNewfstatat, fdArg, pathArg, outArg, flags)
		}
		for _, mode := range []uint64{0, 1, 2, 4, 7, 8} {
			compare(fmt.Sprintf("faccessat %d", mode), p, linux.SysFaccessat, fdArg, pathArg, mode)
			for _, flags := range []uint64{linux.AT_SYMLINK_NOFOLLOW, linux.AT_EACCESS, linux.AT_EMPTY_PATH, 1} {
				compare(fmt.Sprintf("faccessat2 %d %#x", mode, flags), p, linux.SysFaccessat2, fdArg, pathArg, mode, flags)
			}
		}
		for _, size := range []uint64{0, 1, 100, 4096, at(-1)} {
			compare(fmt.Sprintf("readlinkat %d", int32(size)), p, linux.SysReadlinkat, fdArg, pathArg, outArg, size)
		}
		compare("mkdirat", p, linux.SysMkdirat, fdArg, pathArg, 0o755)
		compare("mknodat", p, linux.SysMknodat, fdArg, pathArg, linux.S_IFREG|0o644, 0)
		compare("mknodat fifo", p, linux.SysMknodat, fdArg, pathArg, linux.S_IFIFO|0o644, 0)
		compare("mknodat dir", p, linux.SysMknodat, fdArg, pathArg, linux.S_IFDIR|0o644, 0)
		compare("mknodat link", p, linux.SysMknodat, fdArg, pathArg, linux.S_IFLNK|0o644, 0)
		compare("unlinkat", p, linux.SysUnlinkat, fdArg, pathArg, 0)
		compare("unlinkat dir", p, linux.SysUnlinkat, fdArg, pathArg, linux.AT_REMOVEDIR)
		compare("unlinkat bad", p, linux.SysUnlinkat, fdArg, pathArg, 1)
		for _, flags := range []uint64{0, linux.AT_SYMLINK_NOFOLLOW, linux.AT_EMPTY_PATH, 1} {
			compare(fmt.Sprintf("fchmodat2 %#x", flags), p, linux.SysFchmodat2, fdArg, pathArg, 0o600, flags)
			compare(fmt.Sprintf("fchownat %#x", flags), p, linux.SysFchownat, fdArg, pathArg, 0, 0, flags)
			compare(fmt.Sprintf("utimensat %#x", flags), p, linux.SysUtimensat, fdArg, pathArg, 0, flags)
		}
		compare("fchmodat", p, linux.SysFchmodat, fdArg, pathArg, 0o600)
		compare("truncate", p, linux.SysTruncate, pathArg, 1)
		compare("truncate -1", p, linux.SysTruncate, pathArg, at(-1))
		compare("rename to self", p, linux.SysRenameat, fdArg, pathArg, fdArg, pathArg)
		compare("rename noreplace", p, linux.SysRenameat2, fdArg, pathArg, fdArg, pathArg, 1)
		compare("rename bad", p, linux.SysRenameat2, fdArg, pathArg, fdArg, pathArg, 3)
		compare("link to self", p, linux.SysLinkat, fdArg, pathArg, fdArg, pathArg, 0)
		compare("link follow", p, linux.SysLinkat, fdArg, pathArg, fdArg, pathArg, linux.AT_SYMLINK_FOLLOW)
		compare("symlink", p, linux.SysSymlinkat, pathArg, fdArg, pathArg)
		compare("chdir", p, linux.SysChdir, pathArg)
		// Where are we now?
		for _, size := range []uint64{4096, 5, 1, 0} {
			compare("getcwd after chdir", p, linux.SysGetcwd, outArg, size)
		}
		host(linux.SysChdir, rootPath)
		m.sys(linux.SysChdir, rootPath)
	}
	t.Logf("%d comparisons", compared)
}

const outArg = 1 << 42

// rootPath is the address of "/".
var rootPath = uint64(uintptr(unsafe.Pointer(unsafe.StringData("/\x00"))))

// compareStat compares what does not depend on where the tree lies.
func compareStat(t *testing.T, name string, a, b []byte) {
	t.Helper()
	want, got := (*linux.Stat)(unsafe.Pointer(&a[0])), (*linux.Stat)(unsafe.Pointer(&b[0]))
	if want.Mode != got.Mode || want.Nlink != got.Nlink || want.Blksize != got.Blksize || want.UID != got.UID || want.GID != got.GID {
		t.Errorf("%s: mode %#o, %d links, %d; want mode %#o, %d links, %d", name, got.Mode, got.Nlink, got.Blksize, want.Mode, want.Nlink, want.Blksize)
	}
	if kind := want.Mode & linux.S_IFMT; kind == linux.S_IFREG || kind == linux.S_IFLNK || kind == linux.S_IFDIR {
		if want.Mtime != got.Mtime {
			t.Errorf("%s: changed at %v, want %v", name, got.Mtime, want.Mtime)
		}
		if kind != linux.S_IFDIR && (want.Size != got.Size || want.Blocks != got.Blocks) {
			t.Errorf("%s: size %d in %d blocks, want %d in %d", name, got.Size, got.Blocks, want.Size, want.Blocks)
		}
	}
}

// comparePair compares two open files of the two sides.
func comparePair(t *testing.T, m *machine, name string, a, b uint64) {
	t.Helper()
	out, outAt := m.room(256)
	both := func(what string, number int, args ...uint64) {
		t.Helper()
		clear(out)
		want := host(number, append([]uint64{a}, args...)...)
		first := bytes.Clone(out)
		clear(out)
		got := m.sys(number, append([]uint64{b}, args...)...)
		if want != got || number != linux.SysFstat && number != linux.SysGetdents64 && !bytes.Equal(first, out) {
			t.Errorf("%s: %s = %d %.40q, want %d %.40q", name, what, got, out, want, first)
		} else if number == linux.SysFstat && want == 0 {
			compareStat(t, name, first, out)
		}
	}
	both("fcntl getfl", linux.SysFcntl, linux.F_GETFL)
	both("fcntl getfd", linux.SysFcntl, linux.F_GETFD)
	both("fstat", linux.SysFstat, outAt)
	both("read", linux.SysRead, outAt, 5)
	both("pread", linux.SysPread64, outAt, 200, 2)
	both("pread -1", linux.SysPread64, outAt, 200, at(-1))
	both("read on", linux.SysRead, outAt, 200)
	both("read at end", linux.SysRead, outAt, 200)
	both("write", linux.SysWrite, outAt, 1)
	both("ftruncate", linux.SysFtruncate, 1)
	both("fchmod", linux.SysFchmod, 0)
	both("fsync", linux.SysFsync)
	both("flock", linux.SysFlock, linux.F_SETFD)
	both("fchdir", linux.SysFchdir)
	host(linux.SysChdir, rootPath)
	m.sys(linux.SysChdir, rootPath)
	for whence := range uint64(6) {
		for _, offset := range []uint64{0, 3, 100, at(-1), 1 << 62, 1<<63 - 1} {
			st, _ := m.room(144)
			if m.sys(linux.SysFstat, b, uint64(address(st))); (*linux.Stat)(unsafe.Pointer(&st[0])).Mode&linux.S_IFMT != linux.S_IFDIR {
				both(fmt.Sprintf("lseek %d %d", int64(offset), whence), linux.SysLseek, offset, whence)
			}
			m.used -= 144
		}
	}
	m.used -= 256
}
