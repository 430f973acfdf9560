package main

import (
	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// upcalls holds what start registers: the CPU driver reads it.
var upcalls abi.Entries

// start sets up the libos and makes the program's main thread ready to run at
// its entry point.
func start() {
	info := at[abi.Info](abi.InfoBase)
	entryPoints(&upcalls)
	if info.Dispatchers > 1 {
		upcalls.Linux = spanEntry()
	}
	if err := native(abi.CallSetup, addressOf(&upcalls), 0); err != abi.OK {
		fail("the CPU driver refuses the upcalls")
	}
	if info.Magic != abi.InfoMagic || info.Size > abi.InfoMax {
		fail("the spawner gave no valid Info")
	}
	clocks.started = now()
	process = max(int32(dispatcher().Domain), 1)
	home := joinSpan(info)
	initMemory()
	if !home {
		startSatellite()
		return
	}
	initTimers()
	th := initThreads()
	if !initFiles() {
		fail("the boot archive is damaged")
	}
	path := infoText(info, info.Program)
	f := fileLayer()
	node, failure := f.SetProgram(path)
	if failure != 0 {
		refuse(path, "is not in the boot archive")
	}
	offset, size := f.Archive().Data(node)
	if problem := load(offset, size); problem != "" {
		refuse(path, problem)
	}
	if cwd := infoText(info, info.Cwd); cwd != "" && f.SetCwd(cwd) != 0 {
		refuse(cwd, "is no directory to start in")
	}
	sp, ok := buildStack(info)
	if !ok {
		fail("the arguments and environment are malformed or too long")
	}
	th.Regs.RIP = program.entry
	th.Regs.RSP = sp
	th.Regs.RFLAGS = carrier.UserFlags(0)
	th.Resume = carrier.ResumeFull
	prepare(th)
}

// startSatellite makes a dispatcher ready to take threads in, and returns when it
// has one, or does not.
func startSatellite() {
	threads.InitEmpty(heapThreads, maxThreads)
	buildVDSO()
	spanLeave()
}

// infoText is a string of Info, "" if there is none.
func infoText(info *abi.Info, offset uint32) string {
	address, n := infoString(info, offset)
	if n == 0 {
		return ""
	}
	return stringAt(address, n-1)
}

// traced says whether unknown Linux calls are to be named at exit.
func traced() bool { return at[abi.Info](abi.InfoBase).Flags&abi.InfoTrace != 0 }

// unknown counts the Linux calls that were not served, by number; those beyond
// the table in its last element.
var unknown [linux.NumCalls + 1]uint32

func countUnknown(number uint64) { unknown[min(number, linux.NumCalls)]++ }
