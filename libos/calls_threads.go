package main

import (
	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// cloneThread is what a clone must share to make a thread: there are no other
// processes.
const cloneThread = linux.CLONE_VM | linux.CLONE_FS | linux.CLONE_FILES | linux.CLONE_SIGHAND | linux.CLONE_THREAD

func callClone(th *carrier.Thread) int64 {
	r := &th.Regs
	flags, stack, parentID, childID, tls := r.RDI, r.RSI, r.RDX, r.R10, r.R8
	if flags&cloneThread != cloneThread {
		return -linux.ENOSYS
	}
	if flags&linux.CLONE_PARENT_SETTID != 0 && !writable(parentID, 4) ||
		flags&linux.CLONE_CHILD_SETTID != 0 && !writable(childID, 4) {
		return -linux.EFAULT
	}
	child := threads.Clone(stack, tls, flags&linux.CLONE_SETTLS != 0)
	if child == nil {
		return -linux.EAGAIN
	}
	giveVector(child)
	inherit(child)
	if flags&linux.CLONE_PARENT_SETTID != 0 {
		*at[int32](parentID) = child.ID
	}
	if flags&linux.CLONE_CHILD_SETTID != 0 {
		*at[int32](childID) = child.ID
	}
	if flags&linux.CLONE_CHILD_CLEARTID != 0 {
		child.ClearTID = childID
	}
	return int64(child.ID)
}

func callExit(th *carrier.Thread) int64 {
	if threads.Live() == 1 {
		exitWithCode(th.Regs.RDI)
	}
	if a := th.ClearTID; a != 0 && writable(a, 4) {
		*at[uint32](a) = 0
		threads.Wake(a, carrier.AllBits, 1)
	}
	threads.Exit()
	return switched
}

func callExitGroup(th *carrier.Thread) int64 {
	exitWithCode(th.Regs.RDI)
	return 0
}

func callFutex(th *carrier.Thread) int64 {
	r := &th.Regs
	address, operation, value := r.RDI, r.RSI, uint32(r.RDX)
	if address&3 != 0 {
		return -linux.EINVAL
	}
	bits := uint32(carrier.AllBits)
	switch command := operation & linux.FUTEX_CMD_MASK; command {
	case linux.FUTEX_WAIT_BITSET:
		bits = uint32(r.R9)
		fallthrough
	case linux.FUTEX_WAIT:
		if bits == 0 {
			return -linux.EINVAL
		}
		if !readable(address, 4) {
			return -linux.EFAULT
		}
		deadline := int64(0)
		if r.R10 != 0 {
			if !readable(r.R10, 16) {
				return -linux.EFAULT
			}
			ns, ok := fromTimespec(at[linux.Timespec](r.R10))
			if !ok {
				return -linux.EINVAL
			}
			if command == linux.FUTEX_WAIT {
				deadline = after(ns)
			} else if operation&linux.FUTEX_CLOCK_REALTIME != 0 {
				deadline = deadlineOn(linux.CLOCK_REALTIME, ns)
			} else {
				deadline = deadlineOn(linux.CLOCK_MONOTONIC, ns)
			}
		}
		if *at[uint32](address) != value {
			return -linux.EAGAIN
		}
		th.Expired = -linux.ETIMEDOUT
		r.RAX = 0
		threads.Block(address, bits, deadline)
		return switched
	case linux.FUTEX_WAKE_BITSET:
		bits = uint32(r.R9)
		if bits == 0 {
			return -linux.EINVAL
		}
		fallthrough
	case linux.FUTEX_WAKE:
		return int64(threads.Wake(address, bits, int(int32(value))))
	case linux.FUTEX_CMP_REQUEUE, linux.FUTEX_REQUEUE:
		if errno := checkRequeue(r, abi.ProgramTop); errno != 0 {
			return errno
		}
		if command == linux.FUTEX_CMP_REQUEUE && !readable(address, 4) {
			return -linux.EFAULT
		}
		if command == linux.FUTEX_CMP_REQUEUE && *at[uint32](address) != uint32(r.R9) {
			return -linux.EAGAIN
		}
		woken := threads.Wake(address, bits, int(int32(value)))
		return int64(woken + threads.Requeue(address, r.R8, int(int32(r.R10))))
	}
	return -linux.ENOSYS
}

// checkRequeue says whether the arguments of a requeue are good: the numbers of
// threads, and the address at which some are to wait, which must be below top and
// not nil, as nobody can be told from one who waits for nothing there. It returns 0
// or a negated error number.
func checkRequeue(r *abi.Registers, top uint64) int64 {
	switch {
	case int32(r.RDX) < 0, int32(r.R10) < 0, r.R8&3 != 0:
		return -linux.EINVAL
	case r.R8 == 0, r.R8 >= top:
		return -linux.EFAULT
	}
	return 0
}

func callSchedYield(th *carrier.Thread) int64 {
	if !threads.HasReady() {
		return 0
	}
	th.Regs.RAX = 0
	threads.Yield()
	return switched
}

func callSchedGetaffinity(th *carrier.Thread) int64 {
	size, mask := th.Regs.RSI, th.Regs.RDX
	if size < 8 || size&7 != 0 {
		return -linux.EINVAL
	}
	if !writable(mask, 8) {
		return -linux.EFAULT
	}
	*at[uint64](mask) = 1 // the one dispatcher
	return 8
}

func callSchedSetaffinity(th *carrier.Thread) int64 {
	if !readable(th.Regs.RDX, min(th.Regs.RSI, 8)) {
		return -linux.EFAULT
	}
	if th.Regs.RSI == 0 || *at[byte](th.Regs.RDX)&1 == 0 {
		return -linux.EINVAL
	}
	return 0
}

func callGetcpu(th *carrier.Thread) int64 {
	for _, address := range [2]uint64{th.Regs.RDI, th.Regs.RSI} {
		if address == 0 {
			continue
		}
		if !writable(address, 4) {
			return -linux.EFAULT
		}
		*at[uint32](address) = 0
	}
	return 0
}

func callArchPrctl(th *carrier.Thread) int64 {
	switch th.Regs.RDI {
	case linux.ARCH_SET_FS:
		if th.Regs.RSI >= userTop {
			return -linux.EPERM
		}
		th.Regs.FSBase = th.Regs.RSI
		return 0
	case linux.ARCH_GET_FS:
		if !writable(th.Regs.RSI, 8) {
			return -linux.EFAULT
		}
		*at[uint64](th.Regs.RSI) = th.Regs.FSBase
		return 0
	}
	// GS is the libos's.
	return -linux.EINVAL
}

func callSetTidAddress(th *carrier.Thread) int64 {
	th.ClearTID = th.Regs.RDI
	return int64(th.ID)
}

func callGettid(th *carrier.Thread) int64 { return int64(th.ID) }
