package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/files"
	"skerry/libos/vspace"
)

// Calls that tell a program about itself and its system. It is user and group
// 0, alone in its session, the child of process 1.

const userTop = abi.UserTop

func callZero(*carrier.Thread) int64         { return 0 }
func callNoSys(*carrier.Thread) int64        { return -linux.ENOSYS }
func callNotPermitted(*carrier.Thread) int64 { return -linux.EPERM }

func callGetpid(*carrier.Thread) int64 { return int64(processID()) }

func callGetppid(*carrier.Thread) int64 {
	if processID() == 1 {
		return 0
	}
	return 1
}

// callGetresid fills three words with the user or group number 0.
func callGetresid(th *carrier.Thread) int64 {
	for _, address := range [3]uint64{th.Regs.RDI, th.Regs.RSI, th.Regs.RDX} {
		if !writable(address, 4) {
			return -linux.EFAULT
		}
		*at[uint32](address) = 0
	}
	return 0
}

// putString copies a string into a zeroed field, which it must fit with a NUL.
func putString(field []byte, s string) { copy(field, s) }

func callUname(th *carrier.Thread) int64 {
	address := th.Regs.RDI
	if !writable(address, uint64(unsafe.Sizeof(linux.Utsname{}))) {
		return -linux.EFAULT
	}
	u := at[linux.Utsname](address)
	*u = linux.Utsname{}
	putString(u.Sysname[:], "Linux")
	putString(u.Nodename[:], "skerry")
	putString(u.Release[:], "6.1.0-skerry")
	putString(u.Version[:], abi.Version)
	putString(u.Machine[:], "x86_64")
	putString(u.Domainname[:], "(none)")
	return 0
}

// stackSizeLimit is the size of the main thread's stack.
const stackSizeLimit = 8 << 20

// limitOf returns a resource limit.
func limitOf(resource uint64) linux.Rlimit {
	switch resource {
	case linux.RLIMIT_STACK:
		return linux.Rlimit{Cur: stackSizeLimit, Max: linux.RLIM_INFINITY}
	case linux.RLIMIT_NOFILE:
		return linux.Rlimit{Cur: uint64(fileLayer().Limit()), Max: files.MaxDescriptors}
	case linux.RLIMIT_NPROC:
		return linux.Rlimit{Cur: maxThreads, Max: maxThreads}
	case linux.RLIMIT_CORE:
		return linux.Rlimit{}
	}
	return linux.Rlimit{Cur: linux.RLIM_INFINITY, Max: linux.RLIM_INFINITY}
}

func callGetrlimit(th *carrier.Thread) int64 { return rlimit(th.Regs.RDI, 0, th.Regs.RSI) }
func callSetrlimit(th *carrier.Thread) int64 { return rlimit(th.Regs.RDI, th.Regs.RSI, 0) }

func callPrlimit64(th *carrier.Thread) int64 {
	r := &th.Regs
	if pid := int32(r.RDI); pid != 0 && pid != processID() {
		return -linux.ESRCH
	}
	return rlimit(r.RSI, r.RDX, r.R10)
}

// rlimit sets a limit from the address in set and tells the old one at the
// address in old, if these are not 0. Only the number of descriptors can be
// limited; other limits are taken note of by nobody.
func rlimit(resource, set, old uint64) int64 {
	const size = uint64(unsafe.Sizeof(linux.Rlimit{}))
	if resource >= linux.RLIM_NLIMITS {
		return -linux.EINVAL
	}
	if set != 0 && !readable(set, size) || old != 0 && !writable(old, size) {
		return -linux.EFAULT
	}
	before := limitOf(resource)
	if set != 0 {
		l := *at[linux.Rlimit](set)
		if l.Cur > l.Max {
			return -linux.EINVAL
		}
		if resource == linux.RLIMIT_NOFILE {
			if l.Max > files.MaxDescriptors {
				return -linux.EPERM
			}
			fileLayer().SetLimit(int(l.Cur))
		}
	}
	if old != 0 {
		*at[linux.Rlimit](old) = before
	}
	return 0
}

func callGetrusage(th *carrier.Thread) int64 {
	if !writable(th.Regs.RSI, uint64(unsafe.Sizeof(linux.Rusage{}))) {
		return -linux.EFAULT
	}
	u := at[linux.Rusage](th.Regs.RSI)
	*u = linux.Rusage{}
	switch int32(th.Regs.RDI) {
	case -1: // children: there are none
		return 0
	case 0, 1:
		u.Utime = toTimeval(cpuTime())
		_, peak := vspace.Resident()
		u.Maxrss = int64(peak * (abi.PageSize / 1024))
		u.Minflt = int64(pageFaults)
		return 0
	}
	return -linux.EINVAL
}

func callTimes(th *carrier.Thread) int64 {
	const tick = 10 * millisecond
	if address := th.Regs.RDI; address != 0 {
		if !writable(address, uint64(unsafe.Sizeof(linux.Tms{}))) {
			return -linux.EFAULT
		}
		*at[linux.Tms](address) = linux.Tms{Utime: cpuTime() / tick}
	}
	return now() / tick
}

func callGetrandom(th *carrier.Thread) int64 {
	address, length, flags := th.Regs.RDI, th.Regs.RSI, th.Regs.RDX
	if flags&^(linux.GRND_NONBLOCK|linux.GRND_RANDOM|linux.GRND_INSECURE) != 0 {
		return -linux.EINVAL
	}
	length = min(length, 1<<20)
	if !writable(address, length) {
		return -linux.EFAULT
	}
	fillRandom(address, length)
	return int64(length)
}
