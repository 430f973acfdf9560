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
	abi.CallSetup, abi.CallPark, abi.CallWait, abi.CallExit, abi.CallYield,
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
		for _, number := range []uintptr{600, 9999, 1 << 31, 0x4000_0027, 1<<62 + 39, 1<<63 - 1} {
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
	{"native-disable", "disable upcalls and compute, and be preempted none the less, or ended", func(string) (outcome, error) {
		store(abi.DispatcherBase+unsafe.Offsetof(abi.Dispatcher{}.Disabled), ^uint64(0))
		return afterDamage()
	}},
	{"memory-tables", "use up the domain's memory for page tables", func(string) (outcome, error) {
		// A page every GiB takes tables of two levels.
		for i := range uintptr(60_000) {
			if _, err := mapFixed(0x100_0000_0000+i<<30, abi.PageSize); err != nil {
				return "", err
			}
			store(0x100_0000_0000+i<<30, 1)
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
func native(number uintptr, a ...uintptr) (errno, value uintptr) {
	if !onSkerry() {
		return uintptr(syscall.ENOSYS), 0
	}
	var all [6]uintptr
	copy(all[:], a)
	value, extra, failed := syscall.RawSyscall6(abi.NativeCall|number, all[0], all[1], all[2], all[3], all[4], all[5])
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
