package boot

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"skerry/abi"
)

const linkBase = abi.KernelBase + abi.KernelOffset - abi.PageSize

type segment struct {
	kind             uint32
	offset, va       uint64
	fileSize, memory uint64
}

// kernelELF makes a 64-bit ELF file with segments and a body of known bytes.
func kernelELF(segments ...segment) []byte {
	f := make([]byte, 0x1000)
	for i := range f {
		f[i] = byte(i*7 + 1)
	}
	clear(f[:64+56*len(segments)])
	copy(f, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint64(f[32:], 64)
	le.PutUint16(f[54:], 56)
	le.PutUint16(f[56:], uint16(len(segments)))
	for i, s := range segments {
		h := f[64+56*i:]
		le.PutUint32(h, s.kind)
		le.PutUint64(h[8:], s.offset)
		le.PutUint64(h[16:], s.va)
		le.PutUint64(h[32:], s.fileSize)
		le.PutUint64(h[40:], s.memory)
	}
	return f
}

func TestLoadKernel(t *testing.T) {
	file := kernelELF(
		segment{1, 0x200, linkBase + 0x1000, 0x300, 0x300},
		segment{4, 1 << 60, 1 << 60, 1 << 60, 1}, // a note is not looked at
		segment{1, 0x800, linkBase + 0x2010, 0x100, 0x400},
	)
	image := bytes.Repeat([]byte{0xaa}, 0x3000)
	want := slices.Clone(image)
	copy(want[0x1000:], file[0x200:0x500])
	copy(want[0x2010:], file[0x800:0x900])
	clear(want[0x2110:0x2410])
	if err := loadKernel(file, image); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(image, want) {
		t.Error("the image is not what the file says")
	}
}

func TestLoadKernelRefuses(t *testing.T) {
	good := segment{1, 0x200, linkBase, 0x100, 0x100}
	change := func(f func(s *segment)) []byte {
		s := good
		f(&s)
		return kernelELF(s)
	}
	tests := map[string][]byte{
		"empty":              nil,
		"short":              kernelELF(good)[:63],
		"no ELF":             append([]byte("\x7fELE"), kernelELF(good)[4:]...),
		"32 bits":            append([]byte("\x7fELF\x01"), kernelELF(good)[5:]...),
		"below the image":    change(func(s *segment) { s.va = linkBase - 1 }),
		"behind the image":   change(func(s *segment) { s.va = linkBase + 0x1001 }),
		"across its end":     change(func(s *segment) { s.va = linkBase + 0xf01 }),
		"memory wraps":       change(func(s *segment) { s.memory = 1<<64 - 1 }),
		"less than the file": change(func(s *segment) { s.memory = 0xff }),
		"offset":             change(func(s *segment) { s.offset = 0x1001 }),
		"file size":          change(func(s *segment) { s.offset = 0xf01 }),
		"offset wraps":       change(func(s *segment) { s.offset = 1<<64 - 0x10 }),
	}
	for name, at := range map[string]int{"header offset": 32, "header size": 54, "headers": 56} {
		f := kernelELF(good)
		binary.LittleEndian.PutUint16(f[at:], 0xffff)
		if at == 54 {
			binary.LittleEndian.PutUint16(f[at:], 55)
		}
		tests[name] = f
	}
	for name, file := range tests {
		if err := loadKernel(file, make([]byte, 0x1000)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestLoadKernelDamaged loads files with random damage: an error or not, never
// a byte outside of the image.
func TestLoadKernelDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	good := kernelELF(segment{1, 0x200, linkBase, 0x100, 0x100}, segment{1, 0x300, linkBase + 0x400, 0x100, 0x200})
	loaded := 0
	for range 50_000 {
		file := slices.Clone(good)[:len(good)-r.IntN(2)*r.IntN(len(good))]
		for range r.IntN(4) {
			at := r.IntN(64 + 2*56)
			if at < len(file) {
				file[at] = byte(r.Uint32()) >> r.IntN(8)
			}
		}
		if loadKernel(file, make([]byte, 0x1000)) == nil {
			loaded++
		}
	}
	if loaded < 1000 {
		t.Errorf("only %d were loaded: the damage is too great to test anything", loaded)
	}
}

func FuzzLoadKernel(f *testing.F) {
	f.Add(kernelELF(segment{1, 0x200, linkBase, 0x100, 0x200}))
	f.Fuzz(func(t *testing.T, file []byte) { loadKernel(file, make([]byte, 0x1000)) })
}
