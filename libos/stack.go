package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/files"
	"skerry/libos/vspace"
)

// stackTop returns the end of the main thread's stack; the page above stays free.
func stackTop() uint64 { return vspace.Top() - abi.PageSize }

// auxiliaryMax bounds the auxiliary vector in entries.
const auxiliaryMax = 20

// auxiliary is the auxiliary vector, kept for /proc/self/auxv.
var auxiliary struct {
	list [auxiliaryMax][2]uint64
	n    int
}

func addAuxiliary(kind, value uint64) {
	auxiliary.list[auxiliary.n] = [2]uint64{kind, value}
	auxiliary.n++
}

// stringAt is the string of n bytes at an address.
func stringAt(address, n uint64) string {
	return unsafe.String((*byte)(pointer(uintptr(address))), int(n))
}

// infoString returns where the string at an offset in Info lies, with its NUL,
// and how long it is with it; length 0 if it does not lie in Info.
func infoString(info *abi.Info, offset uint32) (address, length uint64) {
	if offset >= info.Size {
		return 0, 0
	}
	for i := offset; i < info.Size; i++ {
		if *at[byte](abi.InfoBase + uint64(i)) == 0 {
			return abi.InfoBase + uint64(offset), uint64(i-offset) + 1
		}
	}
	return 0, 0
}

// copyStrings copies count strings of Info from an offset on to the stack below
// top. It returns where the first is now and how long they are together.
func copyStrings(info *abi.Info, offset, count uint32, top uint64) (address, length uint64, ok bool) {
	next := offset
	for range count {
		_, n := infoString(info, next)
		if n == 0 {
			return 0, 0, false
		}
		next += uint32(n)
	}
	length = uint64(next - offset)
	address = top - length
	if !writable(address, length) {
		return 0, 0, false
	}
	copy(bytesAt(address, length), bytesAt(abi.InfoBase+uint64(offset), length))
	return address, length, true
}

// buildStack makes the initial stack that the Linux interface promises and
// returns the stack pointer; false if Info is not well formed.
func buildStack(info *abi.Info) (sp uint64, ok bool) {
	top := stackTop()
	g := carrier.Region{Start: top - stackSizeLimit, End: top, Prot: linux.PROT_READ | linux.PROT_WRITE}
	if vspace.MapRegion(g) != 0 {
		return 0, false
	}
	name, nameLength, ok := copyStrings(info, info.Program, 1, top-8)
	if !ok {
		return 0, false
	}
	env, envLength, ok := copyStrings(info, info.Env, info.NumEnv, name)
	if !ok {
		return 0, false
	}
	args, argsLength, ok := copyStrings(info, info.Args, info.NumArgs, env)
	if !ok {
		return 0, false
	}
	_ = nameLength
	f := fileLayer()
	random := (args - 16) &^ 15
	platform := random - 16
	if !writable(platform, 32) {
		return 0, false
	}
	fillRandom(random, 16)
	copy(bytesAt(platform, 16), "x86_64\x00")

	addAuxiliary(linux.AT_SYSINFO_EHDR, buildVDSO())
	addAuxiliary(linux.AT_PAGESZ, abi.PageSize)
	addAuxiliary(linux.AT_CLKTCK, 100)
	if program.headers != 0 {
		addAuxiliary(linux.AT_PHDR, program.headers)
		addAuxiliary(linux.AT_PHENT, uint64(unsafe.Sizeof(elfSegment{})))
		addAuxiliary(linux.AT_PHNUM, program.segments)
	}
	addAuxiliary(linux.AT_ENTRY, program.entry)
	addAuxiliary(linux.AT_UID, 0)
	addAuxiliary(linux.AT_EUID, 0)
	addAuxiliary(linux.AT_GID, 0)
	addAuxiliary(linux.AT_EGID, 0)
	addAuxiliary(linux.AT_SECURE, 0)
	addAuxiliary(linux.AT_RANDOM, random)
	addAuxiliary(linux.AT_EXECFN, name)
	addAuxiliary(linux.AT_PLATFORM, platform)
	addAuxiliary(linux.AT_NULL, 0)

	words := 1 + uint64(info.NumArgs) + 1 + uint64(info.NumEnv) + 1 + uint64(auxiliary.n)*2
	sp = (platform - words*8) &^ 15
	if !writable(sp, words*8) {
		return 0, false
	}
	p := sp
	put := func(v uint64) {
		*at[uint64](p) = v
		p += 8
	}
	put(uint64(info.NumArgs))
	for a := args; a < args+argsLength; a += lengthOf(a) {
		put(a)
	}
	put(0)
	for a := env; a < env+envLength; a += lengthOf(a) {
		put(a)
	}
	put(0)
	for i := range auxiliary.n {
		put(auxiliary.list[i][0])
		put(auxiliary.list[i][1])
	}
	f.SetText(files.TextAuxv, addressOf(&auxiliary.list), uint64(auxiliary.n)*16)
	// Programs may change their copies: /proc tells the original.
	f.SetText(files.TextCmdline, abi.InfoBase+uint64(info.Args), argsLength)
	f.SetText(files.TextEnviron, abi.InfoBase+uint64(info.Env), envLength)
	return sp, true
}

// lengthOf returns the length of the string at an address with its NUL.
func lengthOf(address uint64) uint64 {
	n := uint64(1)
	for *at[byte](address + n - 1) != 0 {
		n++
	}
	return n
}
