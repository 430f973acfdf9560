package archive_test

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi/archive"
	writer "skerry/host/archive"
)

// sample is a small archive with everything in it.
func sample(t testing.TB) []byte {
	var b bytes.Buffer
	if _, err := writer.Write(&b, []writer.File{
		writer.Bytes("/a/b/c", 0o644, []byte("contents")),
		writer.Bytes("/a/d", 0o755, bytes.Repeat([]byte("x"), 5000)),
		writer.Bytes("/e", 0o755, nil),
		{Path: "/l", Mode: fs.ModeSymlink, Target: "a/b/../d"},
		{Path: "/m", Mode: fs.ModeSymlink, Target: "/l"},
		{Path: "/empty", Mode: fs.ModeDir | 0o700},
	}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// guarded is memory between two pages that fault when they are touched.
type guarded struct{ whole []byte }

func newGuarded(t testing.TB, size int) *guarded {
	size = (size + archive.PageSize - 1) &^ (archive.PageSize - 1)
	whole, err := syscall.Mmap(-1, 0, size+2*archive.PageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(whole) })
	for _, guard := range [][]byte{whole[:archive.PageSize], whole[len(whole)-archive.PageSize:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return &guarded{whole}
}

// open puts data against the upper guard and opens it.
func (g *guarded) open(data []byte) (archive.Archive, archive.Error) {
	usable := g.whole[archive.PageSize : len(g.whole)-archive.PageSize]
	start := (len(usable) - len(data)) &^ 7
	copy(usable[start:], data)
	return archive.Open(uintptr(unsafe.Pointer(unsafe.SliceData(usable)))+uintptr(start), uint64(len(data)))
}

// readAll does everything a reader can do. It must neither fault nor hang.
func readAll(a *archive.Archive, path string) {
	a.Verify()
	sum := byte(0)
	for n := archive.Root; int(n) < a.Nodes()+2; n++ {
		a.Mode(n)
		a.Links(n)
		a.ModTime(n)
		a.FileSize(n)
		address, size := a.Address(n)
		if size > 0 {
			sum += *(*byte)(unsafe.Add(unsafe.Pointer(nil), address))
			sum += *(*byte)(unsafe.Add(unsafe.Pointer(nil), address+uintptr(size)-1))
		}
		for _, s := range []string{a.Name(n), a.Target(n)} {
			if len(s) > 0 {
				sum += s[0] + s[len(s)-1]
			}
		}
		a.Lookup(n, path, true)
		a.Find(n, path)
		a.Parent(n)
		if k := a.Children(n); k > 0 {
			a.Name(a.Child(n, 0))
			a.Name(a.Child(n, k-1))
		}
	}
	for _, p := range []string{"/a/b/c", "/m", "/l/", "a/b/../../m", "/empty/.."} {
		a.Lookup(archive.Root, p, true)
	}
	_ = sum
}

func TestHeader(t *testing.T) {
	good := sample(t)
	g := newGuarded(t, len(good))
	if a, err := g.open(good); err != archive.OK || a.Verify() != archive.OK || a.Size() != uint64(len(good)) {
		t.Fatal(err)
	}
	for cut := range len(good) {
		if cut%97 != 0 && cut > 200 {
			continue
		}
		if _, err := g.open(good[:cut]); err != archive.ErrCorrupt {
			t.Fatalf("an archive cut to %d bytes opens", cut)
		}
	}
	// Every header field matters.
	for i := range archive.HeaderSize {
		bad := bytes.Clone(good)
		bad[i] ^= 0x80
		if a, err := g.open(bad); err == archive.OK && a.Verify() == archive.OK && i < 16 {
			t.Errorf("byte %d of the header may be anything", i)
		}
	}
	if _, err := archive.Open(0, 1<<20); err != archive.ErrCorrupt {
		t.Error("nil opens")
	}
	if _, err := archive.Open(^uintptr(0)&^7, 1<<20); err != archive.ErrCorrupt {
		t.Error("an archive that wraps opens")
	}
}

// TestVerify damages each field of each entry: Verify must see all that could
// mislead a reader.
func TestVerify(t *testing.T) {
	good := sample(t)
	g := newGuarded(t, len(good))
	a, _ := g.open(good)
	for n := range a.Nodes() {
		for _, field := range []uintptr{
			unsafe.Offsetof(archive.Entry{}.Mode) + 1, unsafe.Offsetof(archive.Entry{}.Parent) + 3,
			unsafe.Offsetof(archive.Entry{}.Name) + 3, unsafe.Offsetof(archive.Entry{}.NameSize) + 3,
			unsafe.Offsetof(archive.Entry{}.FirstChild) + 3, unsafe.Offsetof(archive.Entry{}.Children) + 3,
		} {
			bad := bytes.Clone(good)
			bad[archive.HeaderSize+n*archive.EntrySize+int(field)] ^= 0xf0
			a, err := g.open(bad)
			if err == archive.OK && a.Verify() == archive.OK {
				t.Errorf("entry %d: damage at +%d is not seen", n, field)
			}
			if err == archive.OK {
				readAll(&a, "a/b")
			}
		}
	}
}

func TestMutations(t *testing.T) {
	good := sample(t)
	g := newGuarded(t, len(good))
	random := rand.New(rand.NewPCG(1, 2))
	meta := archive.HeaderSize + 9*archive.EntrySize + 32
	for range 20000 {
		bad := bytes.Clone(good)
		for range 1 + random.IntN(6) {
			bad[random.IntN(meta)] = byte(random.Uint32() >> random.IntN(25))
		}
		if a, err := g.open(bad); err == archive.OK {
			readAll(&a, "l/x")
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(sample(f), "/a/b/c")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		if len(data) > 1<<16 {
			return
		}
		g := newGuarded(t, len(data))
		if a, err := g.open(data); err == archive.OK {
			readAll(&a, path)
		}
	})
}
