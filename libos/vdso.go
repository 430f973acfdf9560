package main

import (
	"unsafe"

	"skerry/abi/linux"
)

// The vDSO is a shared object in memory that a program is told of by
// AT_SYSINFO_EHDR: it names functions that tell the time without a call, and one of
// our own that lets another thread run. Ours
// is put together here; the functions are the libos's own, so that the values
// of its symbols are distances from the image to them.

// vdsoImage is the whole object: what the headers point to follows them.
type vdsoImage struct {
	header   elfHeader
	segments [2]elfSegment
	dynamic  [9]elfDynamic
	symbols  [5]elfSymbol
	hash     [2 + 1 + 5]uint32 // buckets, chains, one bucket, the chains
	versions [5]uint16
	_        [3]uint16
	defined  [2]elfVersion
	strings  [len(vdsoStrings)]byte
}

type elfDynamic struct{ tag, value uint64 }

type elfSymbol struct {
	name        uint32
	info, other uint8
	section     uint16
	value, size uint64
}

// elfVersion is a version definition with its one name.
type elfVersion struct {
	version, flags, index, count uint16
	hash, aux, next              uint32
	name, nextName               uint32
}

// The names in the image, one after the other, and where they begin.
const (
	vdsoClockName  = "__vdso_clock_gettime\x00"
	vdsoDayName    = "__vdso_gettimeofday\x00"
	vdsoTimeName   = "__vdso_time\x00"
	vdsoYieldName  = "__skerry_yield\x00"
	vdsoVersion    = "LINUX_2.6\x00"
	vdsoObjectName = "linux-vdso.so.1\x00"
	vdsoStrings    = "\x00" + vdsoClockName + vdsoDayName + vdsoTimeName + vdsoYieldName + vdsoVersion + vdsoObjectName

	clockNameAt   = 1
	dayNameAt     = clockNameAt + len(vdsoClockName)
	timeNameAt    = dayNameAt + len(vdsoDayName)
	yieldNameAt   = timeNameAt + len(vdsoTimeName)
	versionAt     = yieldNameAt + len(vdsoYieldName)
	objectNameAt  = versionAt + len(vdsoVersion)
	versionHash   = 0x3ae75f6 // the System V hash of LINUX_2.6
	objectHash    = 0xd3c1d1f // not looked at: the version is the object's own
	symbolSize    = uint64(unsafe.Sizeof(elfSymbol{}))
	globalFunc    = 1<<4 | 2
	absoluteShndx = 0xfff1

	sysClockGettime = linux.SysClockGettime
)

// vdso is the image; buildVDSO fills it.
var vdso vdsoImage

// vdsoFunctions returns the addresses of the functions.
func vdsoFunctions() (clockGettime, gettimeofday, time, yield uint64)

// buildVDSO makes the image and returns its address.
func buildVDSO() uint64 {
	v := &vdso
	base := addressOf(v)
	v.header = elfHeader{
		ident: elfIdent, kind: elfShared, machine: elfAMD64, version: 1,
		segmentsAt: uint64(unsafe.Offsetof(v.segments)), headerSize: uint16(unsafe.Sizeof(v.header)),
		segmentSize: uint16(unsafe.Sizeof(v.segments[0])), segments: uint16(len(v.segments)),
	}
	size := uint64(unsafe.Sizeof(*v))
	dynamic := uint64(unsafe.Offsetof(v.dynamic))
	v.segments[0] = elfSegment{kind: elfLoad, flags: elfRead | elfExec, fileSize: size, memorySize: size, align: 16}
	v.segments[1] = elfSegment{
		kind: elfDynamicSegment, flags: elfRead, offset: dynamic, address: dynamic, physical: dynamic,
		fileSize: uint64(unsafe.Sizeof(v.dynamic)), memorySize: uint64(unsafe.Sizeof(v.dynamic)), align: 8,
	}
	v.dynamic = [...]elfDynamic{
		{4, uint64(unsafe.Offsetof(v.hash))},
		{5, uint64(unsafe.Offsetof(v.strings))},
		{6, uint64(unsafe.Offsetof(v.symbols))},
		{10, uint64(len(vdsoStrings))},
		{11, symbolSize},
		{14, uint64(objectNameAt)},
		{0x6ffffff0, uint64(unsafe.Offsetof(v.versions))},
		{0x6ffffffc, uint64(unsafe.Offsetof(v.defined))},
		{0, 0},
	}
	clock, day, time, yield := vdsoFunctions()
	v.symbols[1] = elfSymbol{name: clockNameAt, info: globalFunc, section: absoluteShndx, value: clock - base}
	v.symbols[2] = elfSymbol{name: uint32(dayNameAt), info: globalFunc, section: absoluteShndx, value: day - base}
	v.symbols[3] = elfSymbol{name: uint32(timeNameAt), info: globalFunc, section: absoluteShndx, value: time - base}
	v.symbols[4] = elfSymbol{name: uint32(yieldNameAt), info: globalFunc, section: absoluteShndx, value: yield - base}
	// One bucket: symbol 1, then 2, then 3, then 4.
	v.hash = [...]uint32{1, 5, 1, 0, 2, 3, 4, 0}
	v.versions = [...]uint16{0, 2, 2, 2, 2}
	entry := uint32(unsafe.Sizeof(v.defined[0]))
	aux := uint32(unsafe.Offsetof(v.defined[0].name))
	v.defined[0] = elfVersion{version: 1, flags: 1, index: 1, count: 1, hash: objectHash, aux: aux, next: entry, name: uint32(objectNameAt)}
	v.defined[1] = elfVersion{version: 1, index: 2, count: 1, hash: versionHash, aux: aux, name: uint32(versionAt)}
	copy(v.strings[:], vdsoStrings)
	return base
}
