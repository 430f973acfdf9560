package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/vspace"
)

// On the host the libos's addresses are ordinary memory that the tests map
// there, the program's too: all a stand-in for the CPU driver has to do is agree.

// reserve maps memory at a fixed address.
func reserve(address, size uint64) error {
	const fixedNoReplace = 0x100000
	got, _, errno := syscall.Syscall6(syscall.SYS_MMAP, uintptr(address), uintptr(size), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE|fixedNoReplace, ^uintptr(0), 0)
	if errno != 0 {
		return fmt.Errorf("mapping %#x at %#x: %w", size, address, errno)
	}
	if uint64(got) != address {
		return fmt.Errorf("mapping at %#x instead of %#x", got, address)
	}
	return nil
}

// Where the test programs are, and their file in the stand-in for the archive.
const (
	testBase    = 0x10_0000_0000
	testSize    = 1 << 20
	archiveSize = 1 << 20
	testRAM     = 64 << 20
)

// agree stands in for the CPU driver.
func agree(word, a, b, c, d, e uint64) (uint64, capability.Error) {
	if _, what, _ := capability.Unpack(word); what == capability.InvokeIdentify {
		*at[capability.Description](a) = capability.Description{
			Type: capability.RAM, Ready: 1, Base: 1 << 30, Size: testRAM,
			Rights: capability.RightGrant | capability.RightRetype | capability.RightRevoke,
		}
	}
	return 0, capability.OK
}

func TestMain(m *testing.M) {
	for _, r := range [][2]uint64{
		{heapThreads, heapTables - heapThreads + vspace.TablesSize}, {abi.DispatcherBase, abi.DispatcherSize},
		{abi.ArchiveBase, archiveSize}, {testBase, testSize}, {abi.SupplyBase, abi.SupplySize}, {abi.InfoBase, abi.PageSize},
	} {
		if err := reserve(r[0], r[1]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	if err := vspace.Init(vspace.Config{
		Kernel: agree, Supply: noSupply, Return: func(uint32) {}, Tables: heapTables, CNodes: lastCNode,
	}); err != capability.OK {
		fmt.Println("vspace:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// noSupply is a spawner without memory.
func noSupply(uint32, uint64, bool) (uint64, capability.Error) { return 0, capability.ErrMemory }

// clearSpace unmaps all that is mapped.
func clearSpace(t *testing.T) {
	t.Helper()
	if errno := vspace.Munmap(programLow, abi.ProgramTop-programLow); errno != 0 {
		t.Fatal("munmap:", errno)
	}
}

// mapTest maps pages at testBase, counted from first.
func mapTest(t *testing.T, first, pages uint64, prot uint32) {
	t.Helper()
	g := carrier.Region{Start: testBase + first*abi.PageSize, End: testBase + (first+pages)*abi.PageSize, Prot: prot}
	if errno := vspace.MapRegion(g); errno != 0 {
		t.Fatal("map:", errno)
	}
}

// TestUsable: what the libos may touch is what is mapped with enough rights.
func TestUsable(t *testing.T) {
	clearSpace(t)
	mapTest(t, 0, 2, linux.PROT_READ|linux.PROT_WRITE)
	mapTest(t, 2, 1, linux.PROT_READ)
	for _, c := range []struct {
		address, n         uint64
		readable, writable bool
	}{
		{testBase, 0, true, true}, {testBase, 1, true, true}, {testBase, 2 * abi.PageSize, true, true},
		{testBase + 10, 2 * abi.PageSize, true, false}, {testBase, 3*abi.PageSize + 1, false, false},
		{testBase - 1, 2, false, false}, {0, 1, false, false}, {abi.ProgramTop - 1, 2, false, false},
		{^uint64(0) - 5, 100, false, false}, {testBase, ^uint64(0), false, false}, {abi.DispatcherBase, 8, false, false},
	} {
		if readable(c.address, c.n) != c.readable || writable(c.address, c.n) != c.writable {
			t.Errorf("%#x+%#x: readable %v, writable %v", c.address, c.n, readable(c.address, c.n), writable(c.address, c.n))
		}
	}
	copy(bytesAt(testBase+abi.PageSize-3, 8), "a/path\x00x")
	if s, errno := readString(testBase+abi.PageSize-3, 100); s != "a/path" || errno != 0 {
		t.Errorf("string over a page's end: %q, %d", s, errno)
	}
	if _, errno := readString(testBase+abi.PageSize-3, 4); errno != linux.ENAMETOOLONG {
		t.Errorf("too long a string: %d", errno)
	}
	for i := range uint64(abi.PageSize) {
		*at[byte](testBase + 2*abi.PageSize + i) = 'x'
	}
	if _, errno := readString(testBase+2*abi.PageSize+5, 1<<20); errno != linux.EFAULT {
		t.Errorf("string without an end: %d", errno)
	}
}

// segment describes a segment of a test program.
type segment struct {
	kind, flags                     uint32
	offset, address, file, inMemory uint64
}

// writeProgram puts an ELF file into the archive and returns its size.
func writeProgram(change func(h *elfHeader), segments ...segment) uint64 {
	h := elfHeader{
		ident: elfIdent, kind: elfExecutable, machine: elfAMD64, version: 1, entry: testBase + 0x100,
		segmentsAt: 64, segmentSize: 56, segments: uint16(len(segments)), headerSize: 64,
	}
	if change != nil {
		change(&h)
	}
	clear(bytesAt(abi.ArchiveBase, archiveSize))
	for i := range uint64(0x8000) {
		*at[byte](abi.ArchiveBase + i) = byte(i>>8) | 1
	}
	*at[elfHeader](abi.ArchiveBase) = h
	for i, s := range segments {
		*at[elfSegment](abi.ArchiveBase + 64 + uint64(i)*56) = elfSegment{
			kind: s.kind, flags: s.flags, offset: s.offset, address: s.address, fileSize: s.file, memorySize: s.inMemory, align: abi.PageSize,
		}
	}
	return 0x8000
}

func TestLoad(t *testing.T) {
	clearSpace(t)
	size := writeProgram(nil,
		segment{elfLoad, elfRead | elfExec, 0, testBase, 0x2345, 0x2345},
		segment{elfLoad, elfRead, 0x3000, testBase + 0x3000, 0x1000, 0x1000},
		segment{elfLoad, elfRead | elfWrite, 0x4080, testBase + 0x4080, 0x1100, 0x9000},
	)
	if problem := load(0, size); problem != "" {
		t.Fatal(problem)
	}
	type want struct {
		address uint64
		prot    uint32
		kind    uint32
		offset  uint64
	}
	for _, w := range []want{
		{testBase, 5, vspace.BackArchive, 0}, {testBase + 0x2000, 5, vspace.BackArchive, 0x2000}, {testBase + 0x3000, 1, vspace.BackArchive, 0x3000},
		{testBase + 0x4000, 3, vspace.BackCopy, 0x4000}, {testBase + 0x5000, 3, vspace.BackZero, 0}, {testBase + 0xd000, 3, vspace.BackZero, 0},
	} {
		g, ok := vspace.Regions().Find(w.address)
		if !ok || g.Prot != w.prot || g.Kind != w.kind || w.kind != vspace.BackZero && g.Offset+(w.address-g.Start) != w.offset {
			t.Errorf("at %#x: %+v %v, want %+v", w.address, g, ok, w)
		}
	}
	// The page that the file fills in part: its bytes, then zeroes.
	for i := range uint64(0x1000) {
		expect := byte(0)
		if i < 0x180 {
			expect = byte((0x5000+i)>>8) | 1
		}
		if got := *at[byte](testBase + 0x5000 + i); got != expect {
			t.Fatalf("byte %#x of the last page: %d, want %d", i, got, expect)
		}
	}
	if vspace.Brk(0) != testBase+0xe000 || program.entry != testBase+0x100 || program.headers != testBase+64 {
		t.Errorf("break %#x, entry %#x, headers %#x", vspace.Brk(0), program.entry, program.headers)
	}
}

func TestLoadRefuses(t *testing.T) {
	text := segment{elfLoad, elfRead | elfExec, 0, testBase, 0x1000, 0x1000}
	for _, c := range []struct {
		name     string
		why      string
		change   func(*elfHeader)
		segments []segment
	}{
		{"magic", "not a 64-bit ELF", func(h *elfHeader) { h.ident[0] = 0 }, []segment{text}},
		{"class", "not a 64-bit ELF", func(h *elfHeader) { h.ident[4] = 1 }, []segment{text}},
		{"machine", "not for amd64", func(h *elfHeader) { h.machine = 183 }, []segment{text}},
		{"shared", "not a static", func(h *elfHeader) { h.kind = elfShared }, []segment{text}},
		{"none", "segment table", nil, nil},
		{"table", "segment table", func(h *elfHeader) { h.segmentsAt = 0x8000 - 8 }, []segment{text}},
		{"table wraps", "segment table", func(h *elfHeader) { h.segmentsAt = ^uint64(0) - 7 }, []segment{text}},
		{"entry size", "segment table", func(h *elfHeader) { h.segmentSize = 55 }, []segment{text}},
		{"dynamic", "dynamically linked", nil, []segment{{elfInterpreter, elfRead, 0, 0, 0, 0}, text}},
		{"truncated", "truncated", nil, []segment{{elfLoad, 5, 0, testBase, 0x9000, 0x9000}}},
		{"offset wraps", "truncated", nil, []segment{{elfLoad, 5, ^uint64(0xfff), testBase, 0x1000, 0x1000}}},
		{"file over memory", "truncated", nil, []segment{{elfLoad, 5, 0, testBase, 0x1000, 0x800}}},
		{"kernel", "outside", nil, []segment{{elfLoad, 5, 0, 0xffff_8000_0000_0000, 0x1000, 0x1000}}},
		{"libos", "outside", nil, []segment{{elfLoad, 5, 0, abi.LibosBase, 0x1000, 0x1000}}},
		{"zero", "outside", nil, []segment{{elfLoad, 5, 0, 0, 0x1000, 0x1000}}},
		{"memory wraps", "outside", nil, []segment{{elfLoad, 5, 0, testBase, 0x1000, ^uint64(0)}}},
		{"alignment", "not aligned", nil, []segment{{elfLoad, 5, 0x10, testBase, 0x1000, 0x1000}}},
		{"both", "writable and executable", nil, []segment{{elfLoad, 7, 0, testBase, 0x1000, 0x1000}}},
		{"overlap", "overlap", nil, []segment{text, {elfLoad, 4, 0x800, testBase + 0x800, 0x1000, 0x1000}}},
		{"entry", "entry point", func(h *elfHeader) { h.entry = testBase + 0x1000 }, []segment{text}},
		{"entry in data", "entry point", nil, []segment{{elfLoad, 4, 0, testBase, 0x1000, 0x1000}}},
	} {
		clearSpace(t)
		size := writeProgram(c.change, c.segments...)
		if problem := load(0, size); !strings.Contains(problem, c.why) {
			t.Errorf("%s: %q, want %q", c.name, problem, c.why)
		}
	}
	for n := range uint64(64) {
		if load(0, n) == "" {
			t.Errorf("a file of %d bytes is loaded", n)
		}
	}
}

// TestLoadNoise loads headers with random damage: whatever comes of it, no
// region may lie outside the program's part, and reading must not fault.
func TestLoadNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for range 5000 {
		clearSpace(t)
		size := writeProgram(nil,
			segment{elfLoad, elfRead | elfExec, 0, testBase, 0x2000, 0x2000},
			segment{elfLoad, elfRead | elfWrite, 0x4000, testBase + 0x4000, 0x1000, 0x9000})
		for range 1 + random.IntN(4) {
			*at[byte](abi.ArchiveBase + uint64(random.IntN(64+2*56))) = byte(random.Uint32())
		}
		// Segments elsewhere than in the test's memory cannot be written to.
		harmless := true
		for i := range uint64(2) {
			s := at[elfSegment](abi.ArchiveBase + 64 + i*56)
			if s.address < testBase || s.address >= testBase+testSize/2 || s.memorySize > testSize/2 {
				harmless = false
			}
		}
		h := at[elfHeader](abi.ArchiveBase)
		if !harmless || h.segmentsAt != 64 || h.segments > 2 || h.segmentSize != 56 {
			continue
		}
		load(0, size)
		for i := range vspace.Regions().Len() {
			if g := vspace.Regions().At(i); g.End > abi.ProgramTop || g.Start >= g.End {
				t.Fatalf("region %+v", g)
			}
		}
	}
}

// TestVDSO looks the functions up as the Go runtime does.
func TestVDSO(t *testing.T) {
	base := buildVDSO()
	image := bytesAt(base, uint64(unsafe.Sizeof(vdso)))
	le := binary.LittleEndian
	header := at[elfHeader](base)
	loadOffset, dynamic := uint64(0), uint64(0)
	for i := range uint64(header.segments) {
		s := at[elfSegment](base + header.segmentsAt + i*uint64(header.segmentSize))
		switch s.kind {
		case elfLoad:
			loadOffset = base + s.offset - s.address
		case elfDynamicSegment:
			dynamic = s.offset
		}
	}
	tags := map[uint64]uint64{}
	for at := dynamic; le.Uint64(image[at:]) != 0; at += 16 {
		tags[le.Uint64(image[at:])] = loadOffset + le.Uint64(image[at+8:]) - base
	}
	name := func(at uint64) string {
		s := string(image[tags[5]+at:])
		return s[:strings.IndexByte(s, 0)]
	}
	// The version: the one that is not the object's own.
	version := uint16(0)
	for at := tags[0x6ffffffc]; ; {
		flags, index, hash := le.Uint16(image[at+2:]), le.Uint16(image[at+4:]), le.Uint32(image[at+8:])
		aux, next := uint64(le.Uint32(image[at+12:])), uint64(le.Uint32(image[at+16:]))
		if flags&1 == 0 && hash == 0x3ae75f6 && name(uint64(le.Uint32(image[at+aux:]))) == "LINUX_2.6" {
			version = index
		}
		if next == 0 {
			break
		}
		at += next
	}
	if version == 0 {
		t.Fatal("version LINUX_2.6 is not defined")
	}
	clock, day, time, yield := vdsoFunctions()
	for want, function := range map[string]uint64{"__vdso_clock_gettime": clock, "__vdso_gettimeofday": day, "__vdso_time": time, "__skerry_yield": yield} {
		hash := tags[4]
		buckets := le.Uint32(image[hash:])
		found := uint64(0)
		for i := le.Uint32(image[hash+8+uint64(elfHash(want)%buckets)*4:]); i != 0; i = le.Uint32(image[hash+8+uint64(buckets+i)*4:]) {
			symbol := tags[6] + uint64(i)*24
			info, section := image[symbol+4], le.Uint16(image[symbol+6:])
			if info != 0x12 || section == 0 || name(uint64(le.Uint32(image[symbol:]))) != want ||
				le.Uint16(image[tags[0x6ffffff0]+uint64(i)*2:])&0x7fff != version {
				continue
			}
			found = loadOffset + le.Uint64(image[symbol+8:])
		}
		if found != function {
			t.Errorf("%s: %#x, want %#x", want, found, function)
		}
	}
}

// elfHash is the hash of the System V ABI.
func elfHash(s string) (h uint32) {
	for i := range len(s) {
		h = h<<4 + uint32(s[i])
		g := h & 0xf000_0000
		h = (h ^ g>>24) &^ g
	}
	return h
}

// TestCalls: every call that a Go program makes at its start is served, and
// nothing is by accident.
func TestCalls(t *testing.T) {
	for _, number := range []int{
		linux.SysArchPrctl, linux.SysSchedGetaffinity, linux.SysOpenat, linux.SysMmap, linux.SysPrctl, linux.SysMadvise,
		linux.SysRtSigprocmask, linux.SysFcntl, linux.SysRtSigaction, linux.SysSigaltstack, linux.SysGettid, linux.SysClone,
		linux.SysPrlimit64, linux.SysEpollCreate1, linux.SysEventfd2, linux.SysEpollCtl, linux.SysEpollPwait, linux.SysFutex,
		linux.SysNanosleep, linux.SysSchedYield, linux.SysGetpid, linux.SysTgkill, linux.SysRtSigreturn, linux.SysExitGroup,
		linux.SysExit, linux.SysMunmap, linux.SysTimerCreate, linux.SysSetitimer, linux.SysGetrandom, linux.SysMincore,
	} {
		if calls[number] == nil {
			t.Errorf("%s is not served", linux.CallName(uint64(number)))
		}
	}
	for number, call := range calls {
		if call != nil && linux.CallName(uint64(number)) == "" {
			t.Errorf("call %d has no name", number)
		}
	}
}

// TestLeaveRange: what assembly does with the order of its own code holds.
func TestLeaveRange(t *testing.T) {
	low, high := leaveRange()
	if high <= low || high-low > 128 {
		t.Errorf("leave is at [%#x,%#x)", low, high)
	}
}

func TestTimespec(t *testing.T) {
	for _, ns := range []int64{0, 1, 999_999_999, 1_000_000_000, 1_700_000_000_123_456_789} {
		spec := toTimespec(ns)
		if back, ok := fromTimespec(&spec); !ok || back != ns {
			t.Errorf("%d: %+v, %d", ns, spec, back)
		}
	}
	for _, bad := range []linux.Timespec{{Sec: -1}, {Nsec: -1}, {Nsec: second}} {
		if _, ok := fromTimespec(&bad); ok {
			t.Errorf("%+v is a duration", bad)
		}
	}
	if ns, ok := fromTimespec(&linux.Timespec{Sec: 1<<63 - 1, Nsec: 5}); !ok || ns != farFuture {
		t.Errorf("for ever: %d", ns)
	}
}
