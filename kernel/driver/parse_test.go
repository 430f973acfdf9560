package driver

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"skerry/abi"
	"skerry/kernel/amd64"
)

func TestParseOptions(t *testing.T) {
	none := options{panicCore: -1}
	for line, want := range map[string]options{
		"":                             none,
		"quiet":                        none,
		"panic=2:500":                  {panicCore: 2, panicAfter: 500},
		" a panic=0:1\tb=c ":           {panicCore: 0, panicAfter: 1},
		"panic=1:2 panic=3:4":          {panicCore: 3, panicAfter: 4},
		"trap=1:7":                     {panicCore: 1, panicAfter: 7, trap: true},
		"panic=":                       none,
		"panic=1":                      none,
		"panic=x:1":                    none,
		"panic=1:-1":                   none,
		"panic=1:99999999999999999999": none,
		"xpanic=1:1":                   none,
	} {
		if got := parseOptions(line); got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}

// libosSegment is a segment of a libos made for a test.
type libosSegment struct {
	flags                uint32 // 4: read, 2: write, 1: execute
	offset, va           uint64
	fileSize, memorySize uint64
}

const libosFileSize = 0x8000

func libosELF(entry uint64, segments ...libosSegment) []byte {
	f := make([]byte, libosFileSize)
	copy(f, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint64(f[24:], entry)
	le.PutUint64(f[32:], 64)
	le.PutUint16(f[54:], 56)
	le.PutUint16(f[56:], uint16(len(segments)))
	for i, s := range segments {
		h := f[64+56*i:]
		le.PutUint32(h, 1)
		le.PutUint32(h[4:], s.flags)
		le.PutUint64(h[8:], s.offset)
		le.PutUint64(h[16:], s.va)
		le.PutUint64(h[32:], s.fileSize)
		le.PutUint64(h[40:], s.memorySize)
	}
	return f
}

var (
	libosText = libosSegment{5, 0, abi.LibosBase, 0x3000, 0x3000}
	libosData = libosSegment{6, 0x5000, abi.LibosBase + 0x10000, 0x1234, 0x9000}
)

func TestParseLibos(t *testing.T) {
	var l libosImage
	if err := l.parse(libosELF(abi.LibosBase+0x40, libosText, libosSegment{4, 0x3000, abi.LibosBase + 0x3000, 0x1800, 0x1800}, libosData)); err != nil {
		t.Fatal(err)
	}
	const read = amd64.PagePresent | amd64.PageUser
	want := libosImage{entry: abi.LibosBase + 0x40, textSize: 0x3000, numParts: 3, parts: [4]libosPart{
		{abi.LibosBase, 3, 0, 0x3000, read},
		{abi.LibosBase + 0x3000, 2, 0x3000, 0x1800, read | amd64.PageNX},
		{abi.LibosBase + 0x10000, 9, 0x5000, 0x1234, read | amd64.PageNX | amd64.PageWrite},
	}}
	if l != want {
		t.Errorf("got  %+v\nwant %+v", l, want)
	}
}

func TestParseLibosRefuses(t *testing.T) {
	const entry = abi.LibosBase + 0x40
	change := func(s libosSegment, f func(s *libosSegment)) []byte {
		f(&s)
		if s.flags&1 == 0 {
			return libosELF(entry, libosText, s)
		}
		return libosELF(entry, s)
	}
	for name, file := range map[string][]byte{
		"empty":                 nil,
		"short":                 libosELF(entry, libosText)[:63],
		"no ELF":                append([]byte{0}, libosELF(entry, libosText)[1:]...),
		"no segments":           libosELF(entry),
		"too many":              libosELF(entry, libosText, libosData, libosData, libosData, libosData),
		"write and execute":     change(libosText, func(s *libosSegment) { s.flags = 7 }),
		"below its slot":        change(libosText, func(s *libosSegment) { s.va = abi.LibosBase - 0x1000 }),
		"in the kernel's half":  change(libosText, func(s *libosSegment) { s.va = abi.WindowBase }),
		"across the end":        change(libosText, func(s *libosSegment) { s.va = userEnd - 0x2000 }),
		"address wraps around":  change(libosData, func(s *libosSegment) { s.va = 1<<64 - 0x2000 }),
		"unaligned address":     change(libosText, func(s *libosSegment) { s.va += 8 }),
		"unaligned offset":      change(libosText, func(s *libosSegment) { s.offset = 8 }),
		"offset behind the end": change(libosText, func(s *libosSegment) { s.offset = libosFileSize + 0x1000 }),
		"file size":             change(libosData, func(s *libosSegment) { s.fileSize, s.memorySize = 0x3001, 0x4000 }),
		"less than the file":    change(libosData, func(s *libosSegment) { s.memorySize = 0x1000 }),
		"huge":                  change(libosData, func(s *libosSegment) { s.memorySize = 1 << 40 }),
		"size wraps around":     change(libosData, func(s *libosSegment) { s.fileSize, s.memorySize = 0, 1<<64-1 }),
		// What follows the libos in memory is nobody's to read.
		"text beyond the file": change(libosText, func(s *libosSegment) { s.memorySize = libosFileSize + 0x1000 }),
		"entry in data":        libosELF(libosData.va, libosText, libosData),
		"entry in no segment":  libosELF(0x40_0000, libosText),
		"entry no address":     libosELF(1<<63, libosText),
	} {
		var l libosImage
		if err := l.parse(file); err == nil {
			t.Errorf("%s: no error; parsed %+v", name, l)
		}
	}
}

// checkLibos checks that all that a parsed libos would make the kernel map or
// copy lies in the file and in the libos's part of the address space.
func checkLibos(t *testing.T, file []byte) (parsed bool) {
	var l libosImage
	if l.parse(file) != nil {
		return false
	}
	pages := (uint64(len(file)) + abi.PageSize - 1) / abi.PageSize
	for _, p := range l.parts[:l.numParts] {
		end := p.va + p.pages*abi.PageSize
		if p.va < abi.LibosBase || end < p.va || end > userEnd || p.va%abi.PageSize != 0 || p.offset%abi.PageSize != 0 ||
			p.fileSize > p.pages*abi.PageSize || p.offset > uint64(len(file)) || p.fileSize > uint64(len(file))-p.offset {
			t.Fatalf("accepted %+v", p)
		}
		if p.bits&amd64.PageWrite == 0 && p.offset/abi.PageSize+p.pages > pages {
			t.Fatalf("accepted %+v of a file of %d pages", p, pages)
		}
		if p.bits&amd64.PageWrite != 0 && p.bits&amd64.PageNX == 0 {
			t.Fatalf("accepted %+v", p)
		}
	}
	if l.entry < abi.LibosBase || l.entry >= userEnd {
		t.Fatalf("accepted entry %#x", l.entry)
	}
	return true
}

func TestParseLibosDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	good := libosELF(abi.LibosBase+0x40, libosText, libosData)
	parsed := 0
	for range 50_000 {
		file := slices.Clone(good)[:len(good)-r.IntN(2)*r.IntN(len(good))]
		for range r.IntN(4) {
			if at := r.IntN(64 + 2*56); at < len(file) {
				file[at] = byte(r.Uint32()) >> r.IntN(8)
			}
		}
		if checkLibos(t, file) {
			parsed++
		}
	}
	if parsed < 1000 {
		t.Errorf("only %d were parsed: the damage is too great to test anything", parsed)
	}
}

func FuzzParseLibos(f *testing.F) {
	f.Add(libosELF(abi.LibosBase+0x40, libosText, libosData))
	f.Fuzz(func(t *testing.T, file []byte) { checkLibos(t, file) })
}

// TestUserRange names ranges with all the edges there are and holds the answer
// against a look at each page, in arithmetic that cannot overflow.
func TestUserRange(t *testing.T) {
	edges := []uint64{0, 0x1000, abi.ProgramTop, abi.LibosHeap, abi.ArchiveBase, abi.DispatcherBase, abi.StdioBase,
		abi.LibosBase, userEnd, abi.UserTop, abi.WindowBase, abi.KernelBase, 1<<64 - 0x1000}
	own := func(va uint64) bool {
		return va >= 0x1000 && va < abi.ProgramTop || va >= abi.LibosHeap && va < abi.ArchiveBase
	}
	rapid.Check(t, func(t *rapid.T) {
		va := rapid.SampledFrom(edges).Draw(t, "edge") + uint64(rapid.Int64Range(-4, 4).Draw(t, "pages off"))*abi.PageSize
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			va += rapid.Uint64Range(1, abi.PageSize-1).Draw(t, "bytes off")
		}
		n := rapid.OneOf(rapid.Uint64Range(1, 8), rapid.Uint64Range(abi.UnmapMax-1, abi.UnmapMax+1), rapid.Uint64Min(1),
			rapid.SampledFrom([]uint64{1 << 52, 1<<52 - 1, 1 << 63, 1<<64 - 1})).Draw(t, "n")
		want := va%abi.PageSize == 0 && n <= abi.UnmapMax
		for i := uint64(0); want && i < n; i++ {
			at := va + i*abi.PageSize
			want = at >= va && own(at) && own(at) == own(va) && (at < abi.ProgramTop) == (va < abi.ProgramTop)
		}
		if got := userRange(va, n, abi.UnmapMax); (got == abi.OK) != want {
			t.Fatalf("%d pages at %#x: %v, want permission %v", n, va, got, want)
		}
	})
	for _, va := range edges {
		if err := userRange(va, 0, abi.MapMax); err == abi.OK && va > abi.ArchiveBase {
			t.Errorf("an empty range at %#x is allowed", va)
		}
	}
}

func TestUserBits(t *testing.T) {
	for prot := range uint64(64) {
		bits, err := userBits(prot)
		switch {
		case prot > 7:
			if err != abi.ErrArgument {
				t.Errorf("protection %d: %v", prot, err)
			}
		case prot&abi.ProtWrite != 0 && prot&abi.ProtExec != 0:
			if err != abi.ErrRights {
				t.Errorf("protection %d: %v", prot, err)
			}
		case err != abi.OK:
			t.Errorf("protection %d: %v", prot, err)
		default:
			if bits&amd64.PagePresent == 0 || (bits&amd64.PageUser != 0) != (prot != 0) ||
				(bits&amd64.PageWrite != 0) != (prot&abi.ProtWrite != 0) || (bits&amd64.PageNX == 0) != (prot&abi.ProtExec != 0) {
				t.Errorf("protection %d: bits %#x", prot, bits)
			}
		}
	}
	if _, err := userBits(1 << 63); err == abi.OK {
		t.Error("bit 63 is allowed")
	}
}
