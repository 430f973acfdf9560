package carry

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
)

const (
	maxThreads = 24
	maxRegions = 96
	// heapEnd bounds the kernel's heap to one top-level slot.
	heapEnd = abi.KernelHeap + 1<<39
)

var (
	core    *kcb.KCB
	threads carrier.Threads
	regions carrier.Regions
	signals carrier.Signals

	threadTable [maxThreads * 1024]byte
	regionTable [maxRegions * 64]byte
)

var (
	_ [1024 - carrier.ThreadSize]byte
	_ [64 - carrier.RegionSize]byte
)

// entries returns the ABI0 addresses of call and trap.
func entries() (call, trap uintptr)

// Setup makes the package serve the runtime that is about to start on the core
// of k. The core's memory must be mapped and its descriptors loaded.
func Setup(k *kcb.KCB) {
	setCore(uintptr(unsafe.Pointer(k)))
	th := threads.Init(uintptr(unsafe.Pointer(&threadTable)), maxThreads, 1)
	regions.Init(uintptr(unsafe.Pointer(&regionTable)), maxRegions, abi.KernelHeap, heapEnd)
	th.AltStack.Flags = linux.SS_DISABLE
	amd64.SetCarried(uintptr(unsafe.Pointer(th)))
	amd64.SetKernelEntries(entries())
}

// setCore stores the address of the KCB to core without the write barrier that
// Go code would have.
func setCore(k uintptr)

// HeapPages counts the pages the kernel's Go heap holds.
var HeapPages uint64

// logged says which descriptors are the log, to which the runtime writes when
// the kernel ends. It writes to no others: one outside of the table is a bug in
// the kernel, and ends it by a trap.
var logged = [3]bool{1: true, 2: true}

const noSuchCall = -linux.ENOSYS

// call serves one Linux call of the runtime: its registers are those of the
// current thread. On return amd64's entry code loads the registers of the
// thread named by SetCarried.
func call() {
	th := threads.Current()
	r := &th.Regs
	a0, a1, a2, a3 := r.RDI, r.RSI, r.RDX, r.R10
	ret := int64(noSuchCall)
	switch r.RAX {
	case linux.SysWrite:
		ret = int64(a2)
		if logged[a0] {
			console.LastWords()
			console.WriteBytes(unsafe.Slice((*byte)(unsafe.Pointer(uintptr(a1))), int(a2)))
		}
	case linux.SysMmap:
		ret = mmap(a0, a1, uint32(a2), a3)
	case linux.SysMunmap:
		release(a0, a0+a1)
		ret = -regions.Unmap(a0, a0+round(a1))
	case linux.SysMadvise:
		ret = 0
		if a2 == linux.MADV_DONTNEED {
			release(a0, a0+a1)
		} else if a2 == linux.MADV_COLLAPSE {
			ret = -linux.EINVAL
		}
	case linux.SysFutex:
		futex(th, a0, a1, uint32(a2), a3)
		return
	case linux.SysClone:
		ret = -linux.EAGAIN
		if child := threads.Clone(a1, r.R8, a0&linux.CLONE_SETTLS != 0); child != nil {
			ret = int64(child.ID)
		}
	case linux.SysExit:
		threads.Exit()
		next()
		return
	case linux.SysExitGroup:
		Stop("the Go runtime ended")
	case linux.SysNanosleep:
		r.RAX = 0
		th.Expired = 0
		threads.Block(0, 0, after(a0))
		next()
		return
	case linux.SysSchedYield:
		r.RAX = 0
		threads.Yield()
		next()
		return
	case linux.SysClockGettime:
		ns := Now()
		if a0 == linux.CLOCK_REALTIME {
			ns += core.Machine.Clock.Real
		}
		*(*linux.Timespec)(unsafe.Pointer(uintptr(a1))) = linux.Timespec{Sec: ns / 1e9, Nsec: ns % 1e9}
		ret = 0
	case linux.SysArchPrctl:
		ret = -linux.EINVAL
		if a0 == linux.ARCH_SET_FS {
			r.FSBase = a1
			ret = 0
		}
	case linux.SysRtSigaction:
		ret = sigaction(int(a0), a1, a2)
	case linux.SysRtSigprocmask:
		ret = sigprocmask(th, a0, a1, a2)
	case linux.SysSigaltstack:
		if a1 != 0 {
			*(*linux.SignalStack)(unsafe.Pointer(uintptr(a1))) = th.AltStack
		}
		if a0 != 0 {
			th.AltStack = *(*linux.SignalStack)(unsafe.Pointer(uintptr(a0)))
		}
		ret = 0
	case linux.SysRtSigreturn:
		sigreturn(th)
		return
	case linux.SysGettid:
		ret = int64(th.ID)
	case linux.SysGetpid:
		ret = 1
	case linux.SysTgkill, linux.SysTkill, linux.SysKill:
		// The runtime signals itself only to preempt, which is off, and to
		// die of a signal, which exit_group does better.
		if a2 == linux.SIGABRT || a1 == linux.SIGABRT {
			Stop("the Go runtime aborted")
		}
		ret = 0
	case linux.SysSchedGetaffinity:
		ret = -linux.EINVAL
		if a1 >= 8 {
			*(*uint64)(unsafe.Pointer(uintptr(a2))) = 1
			ret = 8
		}
	case linux.SysFcntl:
		ret = 0
	case linux.SysOpenat, linux.SysOpen, linux.SysReadlink, linux.SysReadlinkat:
		ret = -linux.ENOENT
	case linux.SysRead, linux.SysPread64, linux.SysClose:
		ret = -linux.EBADF
	case linux.SysPrctl, linux.SysPrlimit64:
		ret = -linux.EINVAL
	case linux.SysGetrandom:
		ret = random(a0, a1)
	}
	r.RAX = uint64(ret)
}

// next lets the next thread of the runtime run; while none can, it waits for
// the first deadline.
func next() {
	for {
		threads.Expire(Now())
		if th := threads.Next(); th != nil {
			amd64.SetCarried(uintptr(unsafe.Pointer(th)))
			return
		}
		if threads.NextDeadline() == 0 {
			Stop("all threads of the kernel's Go runtime wait for each other")
		}
		amd64.Pause()
	}
}

func futex(th *carrier.Thread, addr, op uint64, value uint32, timeout uint64) {
	switch op & linux.FUTEX_CMD_MASK {
	case linux.FUTEX_WAIT:
		if *(*uint32)(unsafe.Pointer(uintptr(addr))) != value {
			th.Regs.RAX = negative(linux.EAGAIN)
			return
		}
		deadline := int64(0)
		if timeout != 0 {
			deadline = after(timeout)
		}
		th.Regs.RAX = 0
		th.Expired = -linux.ETIMEDOUT
		threads.Block(addr, carrier.AllBits, deadline)
		next()
	case linux.FUTEX_WAKE:
		th.Regs.RAX = uint64(threads.Wake(addr, carrier.AllBits, int(value)))
	default:
		th.Regs.RAX = negative(linux.ENOSYS)
	}
}

// after returns the time that lies the Timespec at address p from now.
func after(p uint64) int64 {
	ts := (*linux.Timespec)(unsafe.Pointer(uintptr(p)))
	return Now() + ts.Sec*1e9 + ts.Nsec
}

func negative(errno int64) uint64 { return uint64(-errno) }

func random(p, n uint64) int64 {
	for i := uint64(0); i < n; i++ {
		*(*byte)(unsafe.Pointer(uintptr(p + i))) = byte(amd64.Entropy())
	}
	return int64(n)
}

// Now returns system time: nanoseconds since the machine's boot.
func Now() int64 {
	return Time(&core.Machine.Clock, amd64.TSC())
}
