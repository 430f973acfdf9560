package archive

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"skerry/abi/archive"
)

// open writes files and opens the result.
func open(t *testing.T, files []File) *archive.Archive {
	t.Helper()
	var b bytes.Buffer
	n, err := Write(&b, files)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(b.Len()) {
		t.Fatalf("Write says %d bytes, wrote %d", n, b.Len())
	}
	words := make([]uint64, b.Len()/8+1)
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)
	copy(memory, b.Bytes())
	t.Cleanup(func() { runtime.KeepAlive(words) }) // the reader holds no pointer
	a, e := archive.Open(uintptr(unsafe.Pointer(&words[0])), uint64(b.Len()))
	if e != archive.OK {
		t.Fatal(e)
	}
	if e := a.Verify(); e != archive.OK {
		t.Fatal("Verify:", e)
	}
	return &a
}

// contents returns the data of n.
func contents(a *archive.Archive, n archive.Node) string {
	address, size := a.Address(n)
	return string(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), address)), size))
}

func TestRoundTrip(t *testing.T) {
	when := time.Unix(1700000000, 123456789)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	a := open(t, []File{
		Bytes("/usr/bin/tool", 0o755, big),
		Bytes("etc/passwd", 0o644, []byte("root\n")),
		Bytes("/etc/empty", 0o600, nil),
		{Path: "/tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777, ModTime: when},
		{Path: "/bin", Mode: fs.ModeSymlink, Target: "usr/bin"},
		{Path: "/usr/up", Mode: fs.ModeSymlink, Target: "../etc/./passwd"},
		{Path: "/abs", Mode: fs.ModeSymlink, Target: "/usr/up"},
		{Path: "/loop", Mode: fs.ModeSymlink, Target: "loop"},
		{Path: "/dangling", Mode: fs.ModeSymlink, Target: "nowhere"},
		{Path: "/usr/bin/hidden", Mode: 0o4111, ModTime: when},
	})
	for _, c := range []struct {
		path   string
		follow bool
		err    archive.Error
		mode   uint32
		data   string
	}{
		{"/", true, 0, 0o040755, ""},
		{"//", true, 0, 0o040755, ""},
		{".", true, 0, 0o040755, ""},
		{"..", true, 0, 0o040755, ""},
		{"", true, archive.ErrNotFound, 0, ""},
		{"usr/bin/tool", true, 0, 0o100755, string(big)},
		{"/bin/tool", true, 0, 0o100755, string(big)},
		{"/bin/tool/", true, archive.ErrNotDir, 0, ""},
		{"/bin/tool/x", true, archive.ErrNotDir, 0, ""},
		{"/bin/tool/..", true, archive.ErrNotDir, 0, ""},
		{"/bin", false, 0, 0o120777, "usr/bin"},
		{"/bin/", false, 0, 0o040755, ""},
		{"/bin/..", true, 0, 0o040755, ""},
		{"usr/up", true, 0, 0o100644, "root\n"},
		{"usr/up/", true, archive.ErrNotDir, 0, ""},
		{"/bin/../up", true, 0, 0o100644, "root\n"},
		{"abs", true, 0, 0o100644, "root\n"},
		{"loop", true, archive.ErrLoop, 0, ""},
		{"loop", false, 0, 0o120777, "loop"},
		{"loop/x", false, archive.ErrLoop, 0, ""},
		{"dangling", true, archive.ErrNotFound, 0, ""},
		{"etc/empty", true, 0, 0o100600, ""},
		{"tmp", true, 0, 0o041777, ""},
		{"etc/passw", true, archive.ErrNotFound, 0, ""},
		{"etc/passwdd", true, archive.ErrNotFound, 0, ""},
		{"etc/" + strings.Repeat("x", 256), true, archive.ErrNameTooBig, 0, ""},
	} {
		n, err := a.Lookup(archive.Root, c.path, c.follow)
		if err != c.err {
			t.Errorf("%q: error %v, want %v", c.path, err, c.err)
			continue
		}
		if err != archive.OK {
			continue
		}
		if a.Mode(n) != c.mode {
			t.Errorf("%q: mode %#o, want %#o", c.path, a.Mode(n), c.mode)
		}
		if !a.IsDir(n) && contents(a, n) != c.data {
			t.Errorf("%q: wrong contents", c.path)
		}
	}
	tmp, _ := a.Lookup(archive.Root, "tmp", true)
	if a.ModTime(tmp) != when.UnixNano() {
		t.Error("modification time lost")
	}
	if hidden, _ := a.Lookup(archive.Root, "usr/bin/hidden", true); a.Mode(hidden) != 0o100111 {
		t.Errorf("hidden: %#o (a FileMode's setuid bit is not 0o4000)", a.Mode(hidden))
	}
	if a.Links(archive.Root) != 2+3 {
		t.Errorf("root has %d links", a.Links(archive.Root))
	}
	tool, _ := a.Lookup(archive.Root, "usr/bin/tool", true)
	if offset, _ := a.Data(tool); offset%archive.PageSize != 0 {
		t.Error("data not on a page")
	}
	if n, err := a.Lookup(a.Parent(tool), "../up", false); err != archive.OK || a.Target(n) != "../etc/./passwd" {
		t.Error("relative lookup", err)
	}
	for n := archive.Root; int(n) < a.Nodes(); n++ {
		for i := range a.Children(n) {
			child := a.Child(n, i)
			if a.Parent(child) != n || a.Find(n, a.Name(child)) != child {
				t.Errorf("child %d of %d is lost", i, n)
			}
		}
		if a.Child(n, a.Children(n)) != archive.None || a.Child(n, -1) != archive.None {
			t.Error("child out of range")
		}
	}
}

// TestLinkDepth walks exactly as many links as are allowed, nested and in a row.
func TestLinkDepth(t *testing.T) {
	files := []File{Bytes("/d/f", 0o644, []byte("x"))}
	link := "d"
	for i := range archive.LinksMax + 1 {
		name := string([]byte{'a' + byte(i/26), 'a' + byte(i%26)})
		files = append(files, File{Path: name, Mode: fs.ModeSymlink, Target: link + "/."})
		link = name
	}
	a := open(t, files)
	if _, err := a.Lookup(archive.Root, files[archive.LinksMax].Path+"/f", true); err != archive.OK {
		t.Error("40 links:", err)
	}
	if _, err := a.Lookup(archive.Root, link+"/f", true); err != archive.ErrLoop {
		t.Error("41 links:", err)
	}
}

func TestDeterministic(t *testing.T) {
	files := []File{
		Bytes("b/c", 0o644, []byte("1")), Bytes("a", 0o644, []byte("2")), Bytes("b/a", 0o644, []byte("3")),
		{Path: "z", Mode: fs.ModeSymlink, Target: "a"},
	}
	var first, second bytes.Buffer
	if _, err := Write(&first, files); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(files)
	if _, err := Write(&second, files); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the order of files shows in the archive")
	}
}

func TestErrors(t *testing.T) {
	file := func(path string) File { return Bytes(path, 0o644, []byte("x")) }
	for _, c := range []struct {
		files []File
		want  string
	}{
		{[]File{file("/a"), file("a")}, "/a is given twice"},
		{[]File{file("/a/b"), file("/a")}, "/a is given twice"},
		{[]File{file("/a"), {Path: "/a", Mode: fs.ModeDir}}, "/a is given twice"},
		{[]File{file("/a"), file("/a/b")}, "/a is no directory"},
		{[]File{file("/a/../b")}, "clean path"},
		{[]File{file("/a//b")}, "clean path"},
		{[]File{file("/a/")}, "clean path"},
		{[]File{file("")}, "clean path"},
		{[]File{file("/")}, "must be a directory"},
		{[]File{file("/a\x00b")}, "clean path"},
		{[]File{file(strings.Repeat("x", 256))}, "longer than 255"},
		{[]File{file(strings.Repeat("x/", 2100) + "x")}, "longer than 4096"},
		{[]File{{Path: "s", Mode: fs.ModeSocket}}, "socket"},
		{[]File{{Path: "s", Mode: fs.ModeSymlink}}, "cannot point"},
		{[]File{{Path: "s", Size: 1}}, "nothing to read"},
		{[]File{{Path: "s", Size: 2, Open: file("s").Open}}, "changed while"},
		{[]File{{Path: "s", Size: 0, Open: file("s").Open}}, ""},
		{[]File{{Path: "s", Size: 1, Open: func() (io.ReadCloser, error) { return nil, errors.New("gone") }}}, "/s: gone"},
	} {
		_, err := Write(io.Discard, c.files)
		if c.want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.files[0].Path, err, c.want)
		}
	}
	if _, err := Write(io.Discard, []File{{Path: "a", Mode: fs.ModeDir}, {Path: "/a", Mode: fs.ModeDir}}); err != nil {
		t.Error("a directory named twice:", err)
	}
}

func TestAddTree(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "sub/deep"), 0o755),
		os.WriteFile(filepath.Join(dir, "sub/f"), []byte("hello"), 0o640),
		os.Symlink("f", filepath.Join(dir, "sub/l")),
		os.Symlink(dir, dir+"-link"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	defer os.Remove(dir + "-link")
	files, err := AddTree(nil, dir+"-link", "/data/x")
	if err != nil {
		t.Fatal(err)
	}
	if files, err = AddTree(files, filepath.Join(dir, "sub/f"), "one"); err != nil {
		t.Fatal(err)
	}
	a := open(t, files)
	n, e := a.Lookup(archive.Root, "/data/x/sub/l", true)
	if e != archive.OK || contents(a, n) != "hello" || a.Mode(n) != 0o100640 {
		t.Error(e)
	}
	info, _ := os.Stat(filepath.Join(dir, "sub/f"))
	if a.ModTime(n) != info.ModTime().UnixNano() {
		t.Error("modification time lost")
	}
	if n, e := a.Lookup(archive.Root, "one", true); e != archive.OK || contents(a, n) != "hello" {
		t.Error("a file by itself:", e)
	}
	if n, e := a.Lookup(archive.Root, "/data/x/sub/deep", true); e != archive.OK || !a.IsDir(n) {
		t.Error("an empty folder:", e)
	}
	if _, err := AddTree(nil, filepath.Join(dir, "none"), "/x"); err == nil {
		t.Error("a folder that does not exist is no error")
	}
	if _, err := AddTree(nil, "/dev/null", "/x"); err == nil || !strings.Contains(err.Error(), "device") {
		t.Error("a device:", err)
	}
}
