package main

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"unsafe"

	"skerry/abi"
)

// wild are pointers that no call may follow.
var wild = []uintptr{
	0xffff_8000_dead_b000, // the window onto physical memory
	0xffff_c000_dead_b000, // the kernel's heap
	0xffff_ffff_90ad_b000, // the kernel's image
	0xffff_ffff_ffff_f000, // the last page
	0x0000_8000_dead_b000, // not canonical
	0x4141_4141_dead_b000,
	0x0000_6666_dead_b000, // a user address with nothing there
	abi.UserTop - 8,       // a structure that would reach over the edge
	^uintptr(0),
}

// ending are Linux calls that end or suspend the program, or start others,
// whatever their arguments.
var ending = []uintptr{
	syscall.SYS_RT_SIGRETURN, syscall.SYS_PAUSE, syscall.SYS_CLONE, syscall.SYS_FORK, syscall.SYS_VFORK,
	syscall.SYS_EXIT, syscall.SYS_EXIT_GROUP, syscall.SYS_KILL, syscall.SYS_TKILL, syscall.SYS_TGKILL,
	syscall.SYS_RT_SIGSUSPEND, syscall.SYS_VHANGUP, 435, // clone3
}

// leaving are native calls that do not return, or change what the program
// needs to go on; they have cases of their own.
var leaving = []uintptr{
	abi.CallSetup, abi.CallPark, abi.CallExit, abi.CallYield,
}

var callAttacks = []attack{
	{"linux-wild", "make every Linux call with wild arguments", func(string) (outcome, error) {
		refused, served := 0, 0
		for number := uintptr(0); number < 600; number++ {
			if slices.Contains(ending, number) {
				continue
			}
			for _, p := range wild {
				if _, _, errno := syscall.RawSyscall6(number, p, p, p, p, p, p); errno != 0 {
					refused++
				} else {
					served++
				}
			}
		}
		return outcome(fmt.Sprintf("%d calls refused, %d served", refused, served)), nil
	}},
	{"linux-numbers", "make Linux calls with numbers that do not exist", func(string) (outcome, error) {
		for _, number := range []uintptr{600, 4096, 1 << 31, 0x4000_0027, 1<<62 + 39, 1<<63 - 1} {
			if _, _, errno := syscall.RawSyscall6(number, 0, 0, 0, 0, 0, 0); errno != syscall.ENOSYS && number != 0x4000_0027 && number != 1<<62+39 {
				return outcome(fmt.Sprintf("call %#x answered %v", number, errno)), nil
			}
		}
		return "", syscall.ENOSYS
	}},
	{"linux-wild-write", "have Linux calls write over the kernel", func(string) (outcome, error) {
		var last error
		for _, p := range wild {
			for _, c := range [][4]uintptr{
				{syscall.SYS_CLOCK_GETTIME, 1, p},
				{syscall.SYS_GETTIMEOFDAY, p},
				{syscall.SYS_UNAME, p},
				{syscall.SYS_PIPE2, p},
				{syscall.SYS_SCHED_GETAFFINITY, 0, 128, p},
				{318, p, 64}, // getrandom
				{syscall.SYS_GETCWD, p, 4096},
				{syscall.SYS_SIGALTSTACK, 0, p},
				{syscall.SYS_RT_SIGPROCMASK, 0, 0, p},
			} {
				_, _, errno := syscall.RawSyscall6(c[0], c[1], c[2], c[3], 8, 0, 0)
				if errno == 0 {
					breach("Linux call %d wrote to %#x", c[0], p)
				}
				last = errno
			}
		}
		return "", last
	}},
	{"native-wild", "make every native call with wild arguments", func(string) (outcome, error) {
		refused, served := 0, 0
		for number := uintptr(0); number < abi.NumCalls+64; number++ {
			if slices.Contains(leaving, number) {
				continue
			}
			for _, p := range wild {
				if errno, _ := native(number, p, p, p, p); errno != 0 {
					refused++
				} else {
					served++
				}
			}
		}
		return outcome(fmt.Sprintf("%d calls refused, %d served", refused, served)), nil
	}},
	{"native-numbers", "make native calls with numbers that do not exist", func(string) (outcome, error) {
		var last error
		for _, number := range []uintptr{abi.NumCalls, 1000, 1 << 31, 1 << 32, 1<<62 + 1, 1<<63 - 1} {
			errno, _ := native(number, 0, 0, 0, 0)
			if errno == 0 {
				breach("native call %#x was served", number)
			}
			last = nativeError(errno)
		}
		return "", last
	}},
	{"native-map-kernel", "map memory over the kernel", func(string) (outcome, error) {
		for _, r := range hidden {
			if errno, pages := native(abi.CallMap, r.address&^(abi.PageSize-1), 1, abi.ProtRead|abi.ProtWrite, 0); errno == 0 && pages > 0 {
				breach("%s (%#x) was mapped", r.name, r.address)
			}
			native(abi.CallUnmap, r.address&^(abi.PageSize-1), 1, 0, 0)
			native(abi.CallProtect, r.address&^(abi.PageSize-1), 1, abi.ProtRead|abi.ProtWrite, 0)
			if faults(func() { load(r.address) }) == nil {
				breach("%s (%#x) can be read", r.name, r.address)
			}
		}
		return "", fmt.Errorf("%d of %d", len(hidden), len(hidden))
	}},
	{"native-map-huge", "map and unmap ranges that wrap around", func(string) (outcome, error) {
		var last error
		for _, pages := range []uintptr{abi.MapMax + 1, 1 << 35, 1 << 52, 1<<52 + 1, ^uintptr(0)} {
			for _, number := range []uintptr{abi.CallMap, abi.CallUnmap, abi.CallProtect, abi.CallMapArchive} {
				if number != abi.CallMap && pages <= abi.UnmapMax {
					continue
				}
				errno, _ := native(number, 0x6000_0000_0000, pages, abi.ProtRead, 0)
				if errno == 0 {
					breach("native call %d took %#x pages", number, pages)
				}
				last = nativeError(errno)
			}
		}
		return "", last
	}},
	{"native-write-execute", "make pages writable and executable", func(string) (outcome, error) {
		const at = 0x6100_0000_0000
		both := uintptr(abi.ProtRead | abi.ProtWrite | abi.ProtExec)
		if errno, _ := native(abi.CallMap, at, 1, both, 0); errno == 0 {
			breach("a page was mapped writable and executable")
		}
		if errno, _ := native(abi.CallMap, at, 1, abi.ProtRead|abi.ProtWrite, 0); errno == 0 {
			if errno, changed := native(abi.CallProtect, at, 1, both, 0); errno == 0 && changed > 0 {
				breach("a page was made writable and executable")
			}
		}
		errno, _ := native(abi.CallMapArchive, at+abi.PageSize, 1, both, 0)
		if errno == 0 {
			breach("the archive was mapped writable and executable")
		}
		return "", nativeError(errno)
	}},
	{"native-archive", "make shared pages writable", func(string) (outcome, error) {
		const at = 0x6200_0000_0000
		if errno, _ := native(abi.CallMapArchive, at, 1, abi.ProtRead|abi.ProtWrite, 0); errno == 0 {
			breach("the archive was mapped writable")
		}
		native(abi.CallMapArchive, at, 1, abi.ProtRead, 0)
		for _, r := range append([]region{{"a mapped page of the archive", at}}, shared...) {
			native(abi.CallProtect, r.address, 1, abi.ProtRead|abi.ProtWrite, 0)
			if faults(func() { store(r.address, load(r.address)) }) == nil {
				breach("%s became writable", r.name)
			}
		}
		return "", fmt.Errorf("%d of %d", len(shared)+1, len(shared)+1)
	}},
	{"native-unmap-libos", "unmap the libos, and die of it", func(string) (outcome, error) {
		for _, base := range []uintptr{abi.LibosBase, abi.DispatcherBase, abi.InfoBase, abi.StdioBase, abi.ArchiveBase} {
			native(abi.CallUnmap, base, 64, 0, 0)
		}
		return afterDamage()
	}},
	{"native-setup", "register upcalls in kernel memory, and die of it", func(string) (outcome, error) {
		for _, r := range hidden {
			entries := &abi.Entries{Run: uint64(r.address), PageFault: uint64(r.address), Trap: uint64(r.address), Linux: uint64(r.address), CriticalHigh: ^uint64(0)}
			native(abi.CallSetup, uintptr(unsafe.Pointer(entries)), 0, 0, 0)
		}
		return afterDamage()
	}},
	{"native-setup-loop", "register upcalls that fault again, and die of it", func(string) (outcome, error) {
		entries := &abi.Entries{Run: 8, PageFault: 8, Trap: 8, Linux: 8}
		native(abi.CallSetup, uintptr(unsafe.Pointer(entries)), 0, 0, 0)
		return afterDamage()
	}},
	{"native-park", "park for ever behind the libos's back", func(string) (outcome, error) {
		native(abi.CallPark, 0, 0, 0, 0)
		native(abi.CallYield, 0, 0, 0, 0)
		return "refused: the dispatcher was not disabled", nil
	}},
	{"native-disable", "disable upcalls and compute, and be preempted none the less", func(string) (outcome, error) {
		store(abi.DispatcherBase+unsafe.Offsetof(abi.Dispatcher{}.Disabled), ^uint64(0))
		return afterDamage()
	}},
	{"native-rights", "use calls that need a right", func(string) (outcome, error) {
		spawn := new(abi.Spawn)
		status := new(abi.Status)
		page := make([]byte, 2*abi.PageSize)
		text := uintptr(unsafe.Pointer(&page[0]))
		var last error
		for _, c := range [][5]uintptr{
			{abi.CallPower, abi.PowerOff, 0},
			{abi.CallPower, abi.PowerReset, 0},
			{abi.CallSpawn, uintptr(unsafe.Pointer(spawn))},
			{abi.CallKill, 1},
			{abi.CallKill, 2},
			{abi.CallReap, uintptr(unsafe.Pointer(status))},
			{abi.CallNotifyCore, 0},
			{abi.CallCoreInfo, text},
			{abi.CallDomainInfo, 0, text},
			{abi.CallPortWrite, abi.PortConsole, text, 1},
			{abi.CallPortWrite, abi.PortLink, text, 1},
			{abi.CallPortRead, abi.PortLink, text, 1},
		} {
			errno, _ := native(c[0], c[1], c[2], c[3], c[4])
			if errno == 0 {
				breach("native call %d was served without its right", c[0])
			}
			last = nativeError(errno)
		}
		return "", last
	}},
	{"native-log", "flood the kernel's log", func(string) (outcome, error) {
		line := []byte("a line of an attack\x1b[2J\x00\xff\nskerry: kernel panic (not really)")
		served := 0
		for range 1000 {
			if errno, _ := native(abi.CallLog, uintptr(unsafe.Pointer(&line[0])), uintptr(len(line)), 0, 0); errno == 0 {
				served++
			}
		}
		return outcome(fmt.Sprintf("%d of 1000 lines were taken", served)), nil
	}},
	{"native-memory", "map more memory than there is", func(string) (outcome, error) {
		for at := uintptr(0x6300_0000_0000); at < 0x6400_0000_0000; at += abi.MapMax * abi.PageSize {
			if errno, _ := native(abi.CallMap, at, abi.MapMax, abi.ProtRead|abi.ProtWrite, 0); errno != 0 {
				return "", nativeError(errno)
			}
		}
		breach("a tebibyte was mapped")
		return "", nil
	}},
	{"native-tables", "use up the kernel's page tables", func(string) (outcome, error) {
		// A page every 2 MiB takes a table each, every GiB two.
		for i := range uintptr(60_000) {
			if errno, _ := native(abi.CallMap, 0x100_0000_0000+i*(1<<30), 1, abi.ProtRead, 0); errno != 0 {
				return "", nativeError(errno)
			}
		}
		return "60000 scattered pages were mapped", nil
	}},
	{"sigreturn-kernel", "return from a signal into the kernel, and die of it", func(string) (outcome, error) {
		signalReturn(abi.KernelBase+abi.KernelOffset, abi.KernelBase, 0x3202, 0x002b_0000_0000_0033, 0)
		return "", nil
	}},
	{"sigreturn-ring0", "return from a signal with ring 0 segments, and die of it", func(string) (outcome, error) {
		signalReturn(uint64(codeAddress()), 0x7000, 0x3202, 0x0010_0000_0000_0008, 0)
		return "", nil
	}},
	{"sigreturn-edge", "return from a signal to an address that is not canonical, and die of it", func(string) (outcome, error) {
		signalReturn(abi.UserTop, 0x7fff_ffff_f000, 0x3202, 0x002b_0000_0000_0033, 0)
		return "", nil
	}},
	{"sigreturn-state", "return from a signal with vector state in the kernel, and die of it", func(string) (outcome, error) {
		signalReturn(uint64(codeAddress()), 0x7000, 0x202, 0x002b_0000_0000_0033, abi.KernelBase+abi.KernelOffset)
		return "", nil
	}},
	{"sigreturn-wild", "return from a signal through a frame in the kernel, and die of it", func(string) (outcome, error) {
		sigreturn(abi.KernelBase + abi.KernelOffset)
		return "", nil
	}},
}

// native makes a native call and returns its error and value. Linux would take
// it for a Linux call of the same number, so there it returns ENOSYS.
func native(number, a, b, c, d uintptr) (errno, value uintptr) {
	if !onSkerry() {
		return uintptr(syscall.ENOSYS), 0
	}
	value, extra, failed := syscall.RawSyscall6(abi.NativeCall|number, a, b, c, d, 0, 0)
	if failed != 0 {
		return uintptr(failed), 0
	}
	return value, extra
}

// onSkerry says whether native calls exist here.
var onSkerry = sync.OnceValue(func() bool {
	_, err := os.Stat("/dev/skerry/doorbell")
	return err == nil
})

// nativeError names the error of a native call.
func nativeError(errno uintptr) error {
	if errno == uintptr(syscall.ENOSYS) {
		return syscall.ENOSYS
	}
	return abi.Error(errno)
}

// mapFixed maps writable memory at an address.
func mapFixed(address, size uintptr) (uintptr, error) {
	const fixed = syscall.MAP_ANON | syscall.MAP_PRIVATE | syscall.MAP_FIXED
	at, _, errno := syscall.RawSyscall6(syscall.SYS_MMAP, address, size, syscall.PROT_READ|syscall.PROT_WRITE, fixed, ^uintptr(0), 0)
	if errno != 0 {
		return 0, errno
	}
	return at, nil
}

// protectExecute makes pages executable and no longer writable.
func protectExecute(address, size uintptr) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_MPROTECT, address, size, syscall.PROT_READ|syscall.PROT_EXEC); errno != 0 {
		return errno
	}
	return nil
}
