package files

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	writer "skerry/host/archive"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
)

// TestDevicesAgainstLinux makes the same calls on the devices of the machine
// the test runs on.
func TestDevicesAgainstLinux(t *testing.T) {
	m := newMachine(t, nil)
	for _, device := range []string{"null", "zero", "full", "random", "urandom"} {
		for _, flags := range []uint64{linux.O_RDONLY, linux.O_WRONLY, linux.O_RDWR | linux.O_NONBLOCK, linux.O_RDWR | linux.O_TRUNC | linux.O_CREAT} {
			m.reset()
			path := m.path("/dev/" + device)
			h, o := host(linux.SysOpenat, cwdFD, path, flags), m.sys(linux.SysOpenat, cwdFD, path, flags)
			if h < 0 || o < 0 {
				t.Fatalf("open %s: %d, want %d", device, o, h)
			}
			epoll := [2]uint64{uint64(host(linux.SysEpollCreate1, 0)), uint64(m.sys(linux.SysEpollCreate1, 0))}
			out, at := m.room(4096)
			_, event := m.room(12)
			type args []uint64
			for _, c := range []struct {
				name   string
				number int
				args   args
			}{
				{"getfl", linux.SysFcntl, args{linux.F_GETFL}},
				{"read", linux.SysRead, args{at, 100}},
				{"read 0", linux.SysRead, args{at, 0}},
				{"pread", linux.SysPread64, args{at, 100, 5}},
				{"write", linux.SysWrite, args{at, 100}},
				{"write 0", linux.SysWrite, args{at, 0}},
				{"pwrite", linux.SysPwrite64, args{at, 100, 5}},
				{"lseek 5", linux.SysLseek, args{5, 0}},
				{"lseek end", linux.SysLseek, args{5, 2}},
				{"lseek bad", linux.SysLseek, args{5, 9}},
				{"fsync", linux.SysFsync, args{}},
				{"ftruncate", linux.SysFtruncate, args{0}},
				{"getdents", linux.SysGetdents64, args{at, 100}},
				{"fstat", linux.SysFstat, args{at}},
				{"fchdir", linux.SysFchdir, args{}},
				{"ioctl", linux.SysIoctl, args{linux.TCGETS, at}},
				{"getpipe_sz", linux.SysFcntl, args{linux.F_GETPIPE_SZ}},
			} {
				clear(out)
				want := host(c.number, append(args{uint64(h)}, c.args...)...)
				first := bytes.Clone(out)
				clear(out)
				r := m.do(call(c.number, append(args{uint64(o)}, c.args...)...))
				if r.Value != want {
					t.Errorf("%s (%#x): %s = %d, want %d", device, flags, c.name, r.Value, want)
				}
				switch {
				case r.Wait == KeyRandom:
					if r.Length != uint64(r.Value) || r.Address != at {
						t.Errorf("%s: %s: %+v", device, c.name, r)
					}
				case c.number == linux.SysFstat:
					want, got := (*linux.Stat)(unsafe.Pointer(&first[0])), (*linux.Stat)(unsafe.Pointer(&out[0]))
					if want.Mode != got.Mode || want.Rdev != got.Rdev || want.Size != got.Size || want.Nlink != got.Nlink {
						t.Errorf("%s: stat %+v, want %+v", device, got, want)
					}
				case device != "random" && device != "urandom" && !bytes.Equal(first, out):
					t.Errorf("%s (%#x): %s gives other bytes", device, flags, c.name)
				}
			}
			want := host(linux.SysEpollCtl, epoll[0], linux.EPOLL_CTL_ADD, uint64(h), event)
			if got := m.sys(linux.SysEpollCtl, epoll[1], linux.EPOLL_CTL_ADD, uint64(o), event); got != want {
				t.Errorf("%s: epoll_ctl = %d, want %d", device, got, want)
			}
			poll, pollAt := m.room(8)
			poll[4], poll[5] = 0xff, 0x01
			poll[0] = byte(h)
			host(linux.SysPoll, pollAt, 1, 0)
			first := bytes.Clone(poll[6:])
			poll[0] = byte(o)
			if m.sys(linux.SysPoll, pollAt, 1, 0); !bytes.Equal(first, poll[6:]) {
				t.Errorf("%s: poll %x, want %x", device, poll[6:], first)
			}
			host(linux.SysClose, uint64(h))
			host(linux.SysClose, epoll[0])
			m.sys(linux.SysClose, uint64(o))
			m.sys(linux.SysClose, epoll[1])
		}
	}
}

// list reads a directory through buffers of a size.
func (m *machine) list(path string, size int) []string {
	m.t.Helper()
	fd := m.sys(linux.SysOpenat, cwdFD, m.path(path), linux.O_DIRECTORY)
	if fd < 0 {
		m.t.Fatalf("open %s: %d", path, fd)
	}
	names := listFD(func(args ...uint64) int64 { return m.sys(linux.SysGetdents64, args...) }, uint64(fd), m, size)
	m.sys(linux.SysClose, uint64(fd))
	slices.Sort(names)
	return names
}

func listFD(getdents func(...uint64) int64, fd uint64, m *machine, size int) []string {
	var names []string
	b, at := m.room(size)
	for {
		n := getdents(fd, at, uint64(size))
		if n <= 0 {
			if n < 0 {
				m.t.Fatalf("getdents64 = %d", n)
			}
			return names
		}
		for o := 0; o < int(n); {
			e := (*linux.DirentHeader)(unsafe.Pointer(&b[o]))
			name, _, _ := strings.Cut(string(b[o+linux.DirentName:o+int(e.Reclen)]), "\x00")
			if e.Reclen%8 != 0 || e.Ino == 0 || e.Off == 0 {
				m.t.Fatalf("entry %+v", e)
			}
			names = append(names, fmt.Sprintf("%s %d", name, e.Type))
			o += int(e.Reclen)
		}
	}
}

func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("file", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(dir, "sub"), 0o755)
	os.Symlink("x", filepath.Join(dir, "link"))
	os.WriteFile(filepath.Join(dir, strings.Repeat("n", 255)), nil, 0o644)
	list, err := writer.AddTree(nil, dir, "/tree")
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, writer.File{Path: "/dev", Mode: fs.ModeDir | 0o700}, writer.Bytes("/dev/hidden", 0o644, nil), writer.Bytes("/top", 0o644, nil))
	m := newMachine(t, list)

	fd := host(linux.SysOpenat, cwdFD, m.path(dir), linux.O_DIRECTORY)
	want := listFD(func(args ...uint64) int64 { return host(linux.SysGetdents64, args...) }, uint64(fd), m, 32768)
	host(linux.SysClose, uint64(fd))
	slices.Sort(want)
	for _, size := range []int{280, 300, 1000, 32768} {
		if got := m.list("/tree", size); !slices.Equal(got, want) {
			t.Errorf("with %d bytes: %v, want %v", size, got, want)
		}
	}
	for path, want := range map[string]string{
		"/":             ". 4,.. 4,dev 4,proc 4,top 8,tree 4",
		"/dev":          ". 4,.. 4,fd 10,full 2,null 2,random 2,skerry 4,stderr 10,stdin 10,stdout 10,urandom 2,zero 2",
		"/dev/skerry":   ". 4,.. 4,doorbell 2",
		"/proc":         ". 4,.. 4,self 4",
		"/proc/self":    ". 4,.. 4,auxv 8,cmdline 8,cwd 10,environ 8,exe 10,fd 4,maps 8,root 10",
		"/proc/self/fd": ". 4,.. 4,0 10,1 10,2 10,3 10",
		"/tree/sub":     ". 4,.. 4",
	} {
		if got := strings.Join(m.list(path, 64), ","); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	// A position can be kept and gone back to.
	d := uint64(m.sys(linux.SysOpenat, cwdFD, m.path("/tree"), 0))
	b, at := m.room(4096)
	m.sys(linux.SysGetdents64, d, at, 100)
	here := m.sys(linux.SysLseek, d, 0, linux.SEEK_CUR)
	n := m.sys(linux.SysGetdents64, d, at, 200)
	first := bytes.Clone(b[:n])
	m.sys(linux.SysGetdents64, d, at, 4096)
	m.sys(linux.SysLseek, d, uint64(here), linux.SEEK_SET)
	if n := m.sys(linux.SysGetdents64, d, at, 200); !bytes.Equal(first, b[:n]) {
		t.Error("seeking in a directory leads elsewhere")
	}
	if r := m.sys(linux.SysGetdents64, d, at, 20); r != -linux.EINVAL {
		t.Errorf("no room for an entry: %d", r)
	}
}

// readlink returns what a link says.
func (m *machine) readlink(path string) string {
	b, at := m.room(4096)
	n := m.sys(linux.SysReadlinkat, cwdFD, m.path(path), at, 4096)
	if n < 0 {
		return fmt.Sprint(n)
	}
	return string(b[:n])
}

// contents reads a file to its end, 16 bytes at a time.
func (m *machine) contents(path string) string {
	fd := m.sys(linux.SysOpenat, cwdFD, m.path(path), 0)
	if fd < 0 {
		return fmt.Sprint(fd)
	}
	defer m.sys(linux.SysClose, uint64(fd))
	var all []byte
	b, at := m.room(16)
	for {
		r := m.do(call(linux.SysRead, uint64(fd), at, 16))
		if r.Wait == KeyMaps {
			m.SetMaps(copy(m.MapsBuffer(), "00400000-00500000 r-xp 00000000 00:00 0\n"))
			continue
		}
		if r.Value <= 0 {
			return string(all)
		}
		all = append(all, b[:r.Value]...)
	}
}

func TestProcSelf(t *testing.T) {
	m := newMachine(t, []writer.File{writer.Bytes("/bin/prog", 0o755, []byte("ELF")), {Path: "/p", Mode: fs.ModeSymlink, Target: "bin/prog"}})
	if n, err := m.SetProgram("/p"); err != 0 || m.archive.Name(n) != "prog" {
		t.Fatal(err)
	}
	if err := m.SetCwd("/bin"); err != 0 {
		t.Fatal(err)
	}
	if _, err := m.SetProgram("/q"); err != -linux.ENOENT {
		t.Error("a program that is not there:", err)
	}
	if err := m.SetCwd("/bin/prog"); err != -linux.ENOTDIR {
		t.Error("a current directory that is none:", err)
	}
	command, at := m.room(8)
	copy(command, "prog\x00-v\x00")
	m.SetText(TextCmdline, at, 8)
	_, _ = m.pipeOf()
	event := m.sys(linux.SysEventfd2, 0, 0)
	epoll := m.sys(linux.SysEpollCreate1, 0)
	file := m.sys(linux.SysOpenat, cwdFD, m.path("prog"), linux.O_PATH)
	for path, want := range map[string]string{
		"/proc/self/exe":                        "/bin/prog",
		"/proc/self/cwd":                        "/bin",
		"/proc/self/root":                       "/",
		"/proc/self/fd/0":                       "pipe:[1]",
		"/proc/self/fd/4":                       "pipe:[1]",
		fmt.Sprint("/proc/self/fd/", event):     "anon_inode:[eventfd]",
		fmt.Sprint("/proc/self/fd/", epoll):     "anon_inode:[eventpoll]",
		fmt.Sprint("/dev/fd/", file):            "/bin/prog",
		"/proc/self/fd/77":                      "-2",
		"/proc/self/fd/00":                      "-2",
		"/proc/self/fd/x":                       "-2",
		"/proc/self/fd/99999999999999999999999": "-2",
		"/dev/stdin":                            "/proc/self/fd/0",
	} {
		if got := m.readlink(path); got != want {
			t.Errorf("readlink %s = %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]string{
		"/proc/self/cmdline":            "prog\x00-v\x00",
		"/proc/self/environ":            "",
		"/proc/self/maps":               "00400000-00500000 r-xp 00000000 00:00 0\n",
		"/proc/self/exe":                "ELF",
		"/proc/self/cwd/prog":           "ELF",
		"/proc/self/root/bin/prog":      "ELF",
		"/proc/self/exe/x":              "-20",
		"/proc/self/cgroup":             "-2",
		"/proc/self/mountinfo":          "-2",
		"/sys/kernel/mm":                "-2",
		fmt.Sprint("/dev/fd/", file):    "ELF",
		fmt.Sprint("/dev/fd/", event):   "-6",
		"/dev/../proc/./self/fd/../exe": "ELF",
	} {
		if got := m.contents(path); got != want {
			t.Errorf("%s holds %q, want %q", path, got, want)
		}
	}
	b, at := m.room(64)
	if n := m.sys(linux.SysGetcwd, at, 64); string(b[:max(n, 0)]) != "/bin\x00" {
		t.Errorf("getcwd: %d %q", n, b)
	}
	// The writing end of a pipe, opened anew, keeps the pipe open.
	reader, w := m.pipeOf()
	again := m.sys(linux.SysOpenat, cwdFD, m.path(fmt.Sprint("/proc/self/fd/", w)), linux.O_WRONLY|linux.O_NONBLOCK)
	m.sys(linux.SysClose, w)
	if n := m.sys(linux.SysWrite, uint64(again), at, 3); n != 3 {
		t.Errorf("write to a pipe opened anew: %d", n)
	}
	m.sys(linux.SysClose, uint64(again))
	if n := m.sys(linux.SysRead, reader, at, 64); n != 3 {
		t.Errorf("read: %d", n)
	}
	if n := m.sys(linux.SysRead, reader, at, 64); n != 0 {
		t.Errorf("read at the end: %d", n)
	}
}

// stdioPair attaches m to a stdio channel and returns the spawner's side.
func stdioPair(t *testing.T, m *machine) *urpc.Channel {
	frame := mapped(t, abi.StdioSize)
	urpc.Format(address(frame), abi.StdioSize)
	spawner := new(urpc.Channel)
	spawner.Attach(address(frame), abi.StdioSize, urpc.A)
	m.channel.Attach(address(frame), abi.StdioSize, urpc.B)
	return spawner
}

func TestStdio(t *testing.T) {
	m := newMachine(t, nil)
	_, at := m.room(1 << 20)
	if r := m.do(call(linux.SysWrite, 1, at, 10)); r.Wait != KeyLog || r.Address != at || r.Length != 10 || r.Value != 10 {
		t.Errorf("a write without a channel: %+v", r)
	}
	if n := m.sys(linux.SysRead, 0, at, 10); n != 0 {
		t.Errorf("a read without a channel: %d", n)
	}
	spawner := stdioPair(t, m)
	b := m.arena
	copy(b, "out\nerr\n")
	if n := m.sys(linux.SysWrite, 1, at, 4); n != 4 {
		t.Error(n)
	}
	if n := m.sys(linux.SysWrite, 2, at+4, 4); n != 4 {
		t.Error(n)
	}
	var payload [urpc.PayloadSize]byte
	for _, want := range []struct {
		kind uint8
		text string
	}{{stdio.Stdout, "out\n"}, {stdio.Stderr, "err\n"}} {
		if kind, n, ok := spawner.Receive(&payload); !ok || kind != want.kind || string(payload[:n]) != want.text {
			t.Errorf("got %d %q, want %v", kind, payload[:n], want)
		}
	}
	// Much output waits for the spawner, and loses nothing.
	for i := range b[:100_000] {
		b[i] = byte(i >> 3 * 7)
	}
	c := call(linux.SysWrite, 1, at, 100_000)
	var got []byte
	r := m.do(c)
	for rounds := 0; r.Wait != NoKey; rounds++ {
		if rounds > 100_000 {
			t.Fatal("the write never ends")
		}
		for {
			_, n, ok := spawner.Receive(&payload)
			if !ok {
				break
			}
			got = append(got, payload[:n]...)
		}
		m.Poll()
		if m.collect(); !m.woken(r.Wait) {
			t.Fatal("room does not wake the writer")
		}
		r = m.do(c)
	}
	for _, n, ok := spawner.Receive(&payload); ok; _, n, ok = spawner.Receive(&payload) {
		got = append(got, payload[:n]...)
	}
	if r.Value != 100_000 || !bytes.Equal(got, b[:100_000]) {
		t.Errorf("wrote %d, %d arrived, equal: %v", r.Value, len(got), bytes.Equal(got, b[:100_000]))
	}
	// Lines are whole: with little room a short write waits.
	m.Poll()
	m.sys(linux.SysWrite, 1, at, 4096)
	c = call(linux.SysWrite, 2, at, 4096)
	if r := m.do(c); r.Wait == NoKey || c.Progress != 0 {
		t.Errorf("a line was cut: %+v after %d", r, c.Progress)
	}
	// Input, then its end.
	input := call(linux.SysRead, 0, at, 100)
	wait := m.do(input)
	if wait.Wait == NoKey {
		t.Fatalf("a read of nothing: %+v", wait)
	}
	spawner.Send(stdio.Stdin, []byte("hello"))
	m.Poll()
	if m.collect(); !m.woken(wait.Wait) {
		t.Error("input does not wake the reader")
	}
	if r := m.do(input); r.Value != 5 || string(b[:5]) != "hello" {
		t.Errorf("read %+v %q", r, b[:5])
	}
	wait = m.do(input)
	spawner.Send(stdio.StdinEOF, nil)
	m.Poll()
	if m.collect(); !m.woken(wait.Wait) {
		t.Error("the end of input does not wake the reader")
	}
	if r := m.do(input); r.Wait != NoKey || r.Value != 0 {
		t.Errorf("read at the end: %+v", r)
	}
	// /dev/stdout is a file of its own on the same stream.
	fd := m.sys(linux.SysOpenat, cwdFD, m.path("/dev/stdout"), linux.O_WRONLY)
	if fd < 0 {
		t.Fatal(fd)
	}
	m.sys(linux.SysClose, 1)
	for _, _, ok := spawner.Receive(&payload); ok; _, _, ok = spawner.Receive(&payload) {
	}
	m.Poll()
	if n := m.sys(linux.SysWrite, uint64(fd), at, 5); n != 5 {
		t.Error(n)
	}
	if fd := m.sys(linux.SysOpenat, cwdFD, m.path("/dev/stdin"), linux.O_WRONLY); fd != -linux.EACCES {
		t.Error("writing to the standard input:", fd)
	}
}
