package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"skerry/abi"
	"skerry/host/archive"
	"skerry/lib/manifest"
)

// linked returns an ELF file as the linker makes a kernel's.
func linked(t *testing.T, entry uint64, segments ...elf.Prog64) []byte {
	t.Helper()
	var b bytes.Buffer
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Entry: entry,
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(segments)), Shentsize: 64,
	}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	if err := binary.Write(&b, binary.LittleEndian, h); err != nil {
		t.Fatal(err)
	}
	if err := binary.Write(&b, binary.LittleEndian, segments); err != nil {
		t.Fatal(err)
	}
	b.Write(make([]byte, 0x3000-b.Len()))
	file := b.Bytes()
	copy(file[0x1000:], "text")
	copy(file[0x2000:], "data")
	return file
}

func goodKernel(t *testing.T) []byte {
	return linked(t, kernelLink+0x10,
		elf.Prog64{Type: 1, Flags: 5, Off: 0x1000, Vaddr: kernelLink, Filesz: 0x1000, Memsz: 0x1000},
		elf.Prog64{Type: 1, Flags: 6, Off: 0x2000, Vaddr: kernelLink + 0x3000, Filesz: 0x800, Memsz: 0x5001})
}

func TestFlatten(t *testing.T) {
	k, err := flatten(goodKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	want := abi.BootHeader{
		Magic: abi.BootMagic, KernelPhys: 0x1ff000, KernelSize: 0x9000, NumSegments: 2,
		Segments: [4]abi.BootSegment{
			{VA: kernelLink, Size: 0x1000, Prot: abi.ProtRead | abi.ProtExec},
			{VA: kernelLink + 0x3000, Size: 0x6000, Prot: abi.ProtRead | abi.ProtWrite},
		},
	}
	if k.header != want {
		t.Errorf("header %+v, want %+v", k.header, want)
	}
	if len(k.bytes) != 0x3800 || !bytes.HasPrefix(k.bytes, []byte("text")) || !bytes.HasPrefix(k.bytes[0x3000:], []byte("data")) {
		t.Errorf("%#x bytes lie wrong", len(k.bytes))
	}
}

func TestFlattenRefuses(t *testing.T) {
	seg := func(flags uint32, at, size uint64) elf.Prog64 {
		return elf.Prog64{Type: 1, Flags: flags, Off: 0x1000, Vaddr: at, Filesz: 0x100, Memsz: size}
	}
	first := seg(5, kernelLink, 0x1000)
	for _, c := range []struct {
		want string
		file []byte
	}{
		{"", []byte("no ELF")},
		{"first segment", linked(t, kernelLink)},
		{"first segment", linked(t, kernelLink, seg(5, kernelLink+0x1000, 0x1000))},
		{"gigabyte", linked(t, kernelLink, first, seg(4, kernelLink, 0x1000))},
		{"gigabyte", linked(t, kernelLink, first, seg(4, kernelLink+0x1001, 0x1000))},
		{"gigabyte", linked(t, kernelLink, first, seg(4, kernelLink+0x1000, 1<<30))},
		{"gigabyte", linked(t, kernelLink, first, seg(4, kernelLink+0x1000, 1<<63))},
		{"gigabyte", linked(t, 0x400000, seg(5, 0x400000, 0x1000))},
		{"writable and executable", linked(t, kernelLink, seg(7, kernelLink, 0x1000))},
		{"entry point", linked(t, 0x1000, first)},
		{"more than 4", linked(t, kernelLink, first, seg(4, kernelLink+0x1000, 1), seg(4, kernelLink+0x2000, 1),
			seg(4, kernelLink+0x3000, 1), seg(4, kernelLink+0x4000, 1))},
	} {
		if _, err := flatten(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want an error with %q, got %v", c.want, err)
		}
	}
}

// TestWrite reads an image back as a loader does.
func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "image")
	s := &System{Kernel: goodKernel(t), Libos: []byte("libos"), Monitor: []byte("monitor")}
	l, err := WriteFile(name, s, &manifest.Manifest{Prompt: true}, []archive.File{archive.Bytes("bin/x", 0o755, []byte("program"))})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "image")
	if _, err := WriteFile(again, s, &manifest.Manifest{Prompt: true}, []archive.File{archive.Bytes("bin/x", 0o755, []byte("program"))}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(again); err != nil || !bytes.Equal(b, file) {
		t.Errorf("the same parts give another image (%v)", err)
	}
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var loads []*elf.Prog
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_LOAD:
			loads = append(loads, p)
		case elf.PT_NOTE:
			b, err := io.ReadAll(p.Open())
			if err != nil || !bytes.Equal(b[:16], []byte("\x04\x00\x00\x00\x08\x00\x00\x00\x12\x00\x00\x00Xen\x00")) ||
				binary.LittleEndian.Uint32(b[16:]) != entryPhys {
				t.Errorf("note %x, %v", b, err)
			}
		}
	}
	if len(loads) != 3 {
		t.Fatalf("%d segments", len(loads))
	}
	for i, p := range loads[1:] {
		if q := loads[i]; q.Paddr+q.Memsz > p.Paddr {
			t.Errorf("segments at %#x and %#x overlap", q.Paddr, p.Paddr)
		}
	}
	if loads[0].Paddr != abi.BootPhys || loads[1].Paddr != l.KernelPhys || loads[1].Memsz != l.KernelSize ||
		loads[2].Paddr != l.ArchivePhys || loads[2].Filesz != l.ArchiveSize || l.ArchivePhys%largePage != 0 ||
		l.ArchivePhys < l.KernelPhys+l.KernelSize+archiveGap || l.End() != l.ArchivePhys+largePage {
		t.Errorf("layout %+v", l)
	}
	for _, want := range []string{"libos", "monitor", "program", `"Prompt": true`} {
		if b, _ := io.ReadAll(loads[2].Open()); !bytes.Contains(b, []byte(want)) {
			t.Errorf("the archive lacks %q", want)
		}
	}
}

// TestWriteWholeOrNot leaves what was there when an image cannot be written.
func TestWriteWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "image")
	if err := os.WriteFile(name, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := &System{Kernel: []byte("nonsense")}
	if _, err := WriteFile(name, s, &manifest.Manifest{}, nil); err == nil {
		t.Fatal("nonsense was written")
	}
	b, err := os.ReadFile(name)
	entries, _ := os.ReadDir(dir)
	if err != nil || string(b) != "before" || len(entries) != 1 {
		t.Fatalf("%q, %v, %v", b, err, entries)
	}
}

// TestStubReads disassembles the stub: each instruction is one, and it ends in
// the jump to the entry.
func TestStubReads(t *testing.T) {
	code := stub(0xffffffff80212345)
	if len(code) > gdtOffset-stubOffset {
		t.Fatalf("%d bytes do not fit", len(code))
	}
	mode := 32
	var last string
	for at := 0; at < len(code); {
		in, err := x86asm.Decode(code[at:], mode)
		if err != nil {
			t.Fatalf("at %#x: %v", at, err)
		}
		if in.Op == x86asm.LJMP {
			if want := uint32(entryPhys + at + in.Len); binary.LittleEndian.Uint32(code[at+1:]) != want {
				t.Errorf("the far jump goes to %x, not %#x", code[at+1:at+5], want)
			}
			mode = 64
		}
		last = in.String()
		at += in.Len
	}
	if mode != 64 || last != "JMP RAX" {
		t.Errorf("ends in %q, %d-bit", last, mode)
	}
	if !bytes.Contains(code, []byte{0x48, 0xb8, 0x45, 0x23, 0x21, 0x80, 0xff, 0xff, 0xff, 0xff}) {
		t.Error("the entry is not in the code")
	}
}
