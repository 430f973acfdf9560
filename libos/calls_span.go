package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/span"
)

// spanCalls serves, in a domain with several dispatchers, the calls that are served
// wherever the thread is. Its functions may return absent too. Calls without one are
// made at home, by those of calls.
var spanCalls = [linux.NumCalls]func(*carrier.Thread) int64{
	linux.SysFutex:            spanFutex,
	linux.SysClone:            spanClone,
	linux.SysExit:             spanExit,
	linux.SysExitGroup:        callExitGroup,
	linux.SysSchedYield:       callSchedYield,
	linux.SysSchedGetaffinity: spanGetaffinity,
	linux.SysSchedSetaffinity: spanSetaffinity,
	linux.SysGetcpu:           spanGetcpu,
	linux.SysArchPrctl:        spanArchPrctl,
	linux.SysSetTidAddress:    callSetTidAddress,
	linux.SysGettid:           callGettid,
	linux.SysSetRobustList:    callZero,

	linux.SysRtSigaction:   spanSigaction,
	linux.SysRtSigprocmask: callSigprocmask,
	linux.SysRtSigreturn:   spanSigreturn,
	linux.SysSigaltstack:   callSigaltstack,
	linux.SysTkill:         spanTkill,
	linux.SysTgkill:        spanTgkill,

	linux.SysNanosleep:      callNanosleep,
	linux.SysClockNanosleep: callClockNanosleep,

	linux.SysGetpid:  callGetpid,
	linux.SysGetppid: callGetppid,
	linux.SysGetpgrp: callGetpid,
	linux.SysGetpgid: callGetpid,
	linux.SysGetsid:  callGetpid,
	linux.SysGetuid:  callZero,
	linux.SysGeteuid: callZero,
	linux.SysGetgid:  callZero,
	linux.SysGetegid: callZero,
}

func spanFutex(th *carrier.Thread) int64 {
	r := &th.Regs
	f := &spanned.frame
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
		deadline := int64(0)
		if r.R10 != 0 {
			var t linux.Timespec
			if errno := fetch(addressOf(&t), r.R10, uint64(unsafe.Sizeof(t))); errno != 0 {
				return errno
			}
			ns, ok := fromTimespec(&t)
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
		return spanWait(th, address, value, bits, deadline)
	case linux.FUTEX_WAKE_BITSET:
		bits = uint32(r.R9)
		if bits == 0 {
			return -linux.EINVAL
		}
		fallthrough
	case linux.FUTEX_WAKE:
		return int64(f.Wake(address, bits, int(int32(value))))
	case linux.FUTEX_CMP_REQUEUE, linux.FUTEX_REQUEUE:
		if errno := checkRequeue(r, abi.SpanTop); errno != 0 {
			return errno
		}
		ticket := f.Now() // who comes after the word was looked at stays
		if command == linux.FUTEX_CMP_REQUEUE {
			now, errno := loadWord(address)
			if errno != 0 {
				return errno
			}
			if now != uint32(r.R9) {
				return -linux.EAGAIN
			}
		}
		return int64(f.Requeue(address, r.R8, int(int32(value)), int(int32(r.R10)), ticket))
	}
	return -linux.ENOSYS
}

// spanWait blocks the current thread while the word at an address has a value. It
// announces that first: who changes the word after it was looked at finds the
// announcement, and has it looked at again.
func spanWait(th *carrier.Thread, address uint64, value, bits uint32, deadline int64) int64 {
	f := &spanned.frame
	slot := slotOf(th)
	for asleep := false; !asleep; asleep = f.Sleep(slot) {
		f.Wait(slot, address, bits)
		now, errno := loadWord(address)
		if errno == 0 && now != value {
			errno = -linux.EAGAIN
		}
		if errno != 0 {
			f.EndWait(slot)
			return errno
		}
	}
	passengerAt(slot).waits = true
	th.Expired = -linux.ETIMEDOUT
	th.Regs.RAX = 0
	threads.Block(0, 0, deadline)
	return switched
}

func spanClone(th *carrier.Thread) int64 {
	r := &th.Regs
	f := &spanned.frame
	flags, stack, parentID, childID, tls := r.RDI, r.RSI, r.RDX, r.R10, r.R8
	if flags&cloneThread != cloneThread {
		return -linux.ENOSYS
	}
	slot, id, ok := f.NewThread(f.Affinity(slotOf(th)))
	if !ok {
		return -linux.EAGAIN
	}
	errno := int64(0)
	if flags&linux.CLONE_PARENT_SETTID != 0 {
		errno = put(parentID, addressOf(&id), 4)
	}
	if flags&linux.CLONE_CHILD_SETTID != 0 && errno == 0 {
		errno = put(childID, addressOf(&id), 4)
	}
	if errno != 0 {
		f.EndThread(slot)
		return errno
	}
	child := threads.Fork(carrier.Index(slot), id, stack, tls, flags&linux.CLONE_SETTLS != 0)
	*passengerAt(slot) = passenger{}
	giveVector(child)
	inherit(child)
	if flags&linux.CLONE_CHILD_CLEARTID != 0 {
		child.ClearTID = childID
	}
	f.SetLoad(threads.Runnable())
	if to, _ := f.Lightest(f.Affinity(slot)); to != f.Self() {
		depart(child, slot, to, span.Move, 0)
	} else {
		threads.Ready(child)
	}
	return int64(id)
}

func spanExit(th *carrier.Thread) int64 {
	f := &spanned.frame
	slot := slotOf(th)
	if a := th.ClearTID; a != 0 {
		zero := uint32(0)
		if put(a, addressOf(&zero), 4) == absent {
			return absent
		}
		f.Wake(a, carrier.AllBits, 1)
	}
	code := th.Regs.RDI
	threads.SetAside()
	threads.Leave(th)
	*passengerAt(slot) = passenger{}
	if f.EndThread(slot) {
		exitWithCode(code)
	}
	return switched
}

func spanGetaffinity(th *carrier.Thread) int64 {
	size, mask := th.Regs.RSI, th.Regs.RDX
	if size < 8 || size&7 != 0 {
		return -linux.EINVAL
	}
	slot, errno := slotFor(th, int32(th.Regs.RDI))
	if errno != 0 {
		return -errno
	}
	set := spanned.frame.Affinity(slot)
	if errno := put(mask, addressOf(&set), 8); errno != 0 {
		return errno
	}
	return 8
}

func spanSetaffinity(th *carrier.Thread) int64 {
	f := &spanned.frame
	set := uint64(0)
	if errno := fetch(addressOf(&set), th.Regs.RDX, min(th.Regs.RSI, 8)); errno != 0 {
		return errno
	}
	if set &= f.All(); set == 0 {
		return -linux.EINVAL
	}
	slot, errno := slotFor(th, int32(th.Regs.RDI))
	if errno != 0 {
		return -errno
	}
	f.SetAffinity(slot, set)
	if slot != slotOf(th) || set>>f.Self()&1 != 0 {
		return 0
	}
	th.Regs.RAX = 0
	to, _ := f.Lightest(set)
	threads.SetAside()
	depart(th, slot, to, span.Move, 0)
	return switched
}

// slotFor returns the slot of the thread with a number, 0 being the caller, or an
// error number.
func slotFor(th *carrier.Thread, id int32) (int, int64) {
	if id == 0 {
		return slotOf(th), 0
	}
	slot := spanned.frame.Find(id)
	if slot < 0 {
		return 0, linux.ESRCH
	}
	return slot, 0
}

func spanGetcpu(th *carrier.Thread) int64 {
	for i, address := range [2]uint64{th.Regs.RDI, th.Regs.RSI} {
		value := uint32(0) // the node
		if i == 0 {
			value = uint32(spanned.frame.Self())
		}
		if address != 0 {
			if errno := put(address, addressOf(&value), 4); errno != 0 {
				return errno
			}
		}
	}
	return 0
}

func spanArchPrctl(th *carrier.Thread) int64 {
	if th.Regs.RDI == linux.ARCH_GET_FS {
		return put(th.Regs.RSI, addressOf(&th.Regs.FSBase), 8)
	}
	return callArchPrctl(th)
}

// spanSigaction changes what a signal does at home, and everywhere from when it
// returns on.
func spanSigaction(th *carrier.Thread) int64 {
	if spanned.satellite {
		return travel(th)
	}
	result := callSigaction(th)
	spanned.frame.Publish(signals.Actions())
	return result
}

func spanSigreturn(th *carrier.Thread) int64 {
	if spanned.satellite {
		return returnRemotely(th)
	}
	return callSigreturn(th)
}

func spanTgkill(th *carrier.Thread) int64 {
	if tgid := int32(th.Regs.RDI); tgid != processID() {
		return -linux.ESRCH
	}
	return signalTo(int32(th.Regs.RSI), int64(int32(th.Regs.RDX)))
}

func spanTkill(th *carrier.Thread) int64 {
	return signalTo(int32(th.Regs.RDI), int64(int32(th.Regs.RSI)))
}

// signalTo sends a signal to the thread with a number, wherever that is.
func signalTo(id int32, signal int64) int64 {
	if signal < 0 || signal >= linux.NSIG || id <= 0 {
		return -linux.EINVAL
	}
	slot := spanned.frame.Find(id)
	if slot < 0 {
		return -linux.ESRCH
	}
	if signal != 0 {
		spanned.frame.Signal(slot, carrier.SignalBit(int(signal)), false)
	}
	return 0
}

// exists says whether there is a thread with a number.
func exists(id int32) bool {
	if spanned.on {
		return spanned.frame.Find(id) >= 0
	}
	return threads.Find(id) != nil
}

// signalFrameSize is the size of a signal's frame without the vector state.
const signalFrameSize = uint64(unsafe.Sizeof(linux.SignalFrame{}))

// A frame and its vector state fit into the copies.
const _ = uint(abi.PageSize - signalFrameSize)
