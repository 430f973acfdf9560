package main

import (
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// argument stands for one that is an address.
type argument uint64

const (
	spot     argument = 1<<62 + iota // of memory, which holds the case's word before
	nowhere                          // that is not mapped
	stranger                         // no address: the number of no thread
)

// scheduleCase is a call with its arguments and what comes of it. got, if it is
// not nil, is what the word at spot becomes.
type scheduleCase struct {
	call   uint64
	args   [3]argument
	word   int32
	result int64
	got    *int32
}

func word(v int32) *int32 { return &v }

// scheduleCases hold on Linux as well. Where one needs a privilege, all after it
// may depend on it.
var scheduleCases = []scheduleCase{
	{linux.SysSchedGetscheduler, [3]argument{0}, 0, linux.SCHED_OTHER, nil},
	{linux.SysSchedGetscheduler, [3]argument{stranger}, 0, -linux.ESRCH, nil},
	{linux.SysSchedGetscheduler, [3]argument{^argument(0)}, 0, -linux.EINVAL, nil},
	{linux.SysSchedGetparam, [3]argument{0, spot}, 7, 0, word(0)},
	{linux.SysSchedGetparam, [3]argument{0, 0}, 0, -linux.EINVAL, nil},
	{linux.SysSchedGetparam, [3]argument{0, nowhere}, 0, -linux.EFAULT, nil},
	{linux.SysSchedGetparam, [3]argument{^argument(0), spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedGetparam, [3]argument{stranger, spot}, 0, -linux.ESRCH, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_OTHER, spot}, 1, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_OTHER, 0}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_OTHER, nowhere}, 0, -linux.EFAULT, nil},
	{linux.SysSchedSetscheduler, [3]argument{^argument(0), linux.SCHED_OTHER, spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{stranger, linux.SCHED_OTHER, spot}, 0, -linux.ESRCH, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, ^argument(0), spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, 4, spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, 99, spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_FIFO, spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_FIFO, spot}, 100, -linux.EINVAL, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_RR, spot}, -1, -linux.EINVAL, nil},
	{linux.SysSchedSetparam, [3]argument{0, spot}, 1, -linux.EINVAL, nil},
	{linux.SysSchedSetparam, [3]argument{0, 0}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetparam, [3]argument{0, spot}, 0, 0, nil},
	{linux.SysSchedGetPriorityMax, [3]argument{linux.SCHED_FIFO}, 0, 99, nil},
	{linux.SysSchedGetPriorityMin, [3]argument{linux.SCHED_FIFO}, 0, 1, nil},
	{linux.SysSchedGetPriorityMax, [3]argument{linux.SCHED_RR}, 0, 99, nil},
	{linux.SysSchedGetPriorityMin, [3]argument{linux.SCHED_RR}, 0, 1, nil},
	{linux.SysSchedGetPriorityMax, [3]argument{linux.SCHED_OTHER}, 0, 0, nil},
	{linux.SysSchedGetPriorityMin, [3]argument{linux.SCHED_OTHER}, 0, 0, nil},
	{linux.SysSchedGetPriorityMax, [3]argument{linux.SCHED_BATCH}, 0, 0, nil},
	{linux.SysSchedGetPriorityMax, [3]argument{linux.SCHED_IDLE}, 0, 0, nil},
	{linux.SysSchedGetPriorityMax, [3]argument{linux.SCHED_DEADLINE}, 0, 0, nil},
	{linux.SysSchedGetPriorityMax, [3]argument{4}, 0, -linux.EINVAL, nil},
	{linux.SysSchedGetPriorityMin, [3]argument{^argument(0)}, 0, -linux.EINVAL, nil},
	{linux.SysSchedRrGetInterval, [3]argument{^argument(0), spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedRrGetInterval, [3]argument{stranger, spot}, 0, -linux.ESRCH, nil},
	{linux.SysSchedRrGetInterval, [3]argument{0, nowhere}, 0, -linux.EFAULT, nil},
	{linux.SysSchedRrGetInterval, [3]argument{0, spot}, 9, 0, word(0)},
	{linux.SysGetpriority, [3]argument{linux.PRIO_PROCESS, 0}, 0, 20, nil},
	{linux.SysGetpriority, [3]argument{3, 0}, 0, -linux.EINVAL, nil},
	{linux.SysGetpriority, [3]argument{^argument(0), 0}, 0, -linux.EINVAL, nil},
	{linux.SysGetpriority, [3]argument{linux.PRIO_PROCESS, stranger}, 0, -linux.ESRCH, nil},
	{linux.SysGetpriority, [3]argument{linux.PRIO_PGRP, stranger}, 0, -linux.ESRCH, nil},
	{linux.SysSetpriority, [3]argument{3, 0, 5}, 0, -linux.EINVAL, nil},
	{linux.SysSetpriority, [3]argument{linux.PRIO_PROCESS, stranger, 5}, 0, -linux.ESRCH, nil},
	{linux.SysSetpriority, [3]argument{linux.PRIO_PROCESS, 0, 5}, 0, 0, nil},
	{linux.SysGetpriority, [3]argument{linux.PRIO_PROCESS, 0}, 0, 15, nil},
	{linux.SysSetpriority, [3]argument{linux.PRIO_PROCESS, 0, 77}, 0, 0, nil},
	{linux.SysGetpriority, [3]argument{linux.PRIO_PROCESS, 0}, 0, 1, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_BATCH, spot}, 0, 0, nil},
	{linux.SysSchedGetscheduler, [3]argument{0}, 0, linux.SCHED_BATCH, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_BATCH | linux.SCHED_RESET_ON_FORK, spot}, 0, 0, nil},
	{linux.SysSchedGetscheduler, [3]argument{0}, 0, linux.SCHED_BATCH | linux.SCHED_RESET_ON_FORK, nil},
	{linux.SysSchedSetparam, [3]argument{0, spot}, 0, 0, nil},
	{linux.SysSchedGetscheduler, [3]argument{0}, 0, linux.SCHED_BATCH | linux.SCHED_RESET_ON_FORK, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_IDLE | linux.SCHED_RESET_ON_FORK, spot}, 0, 0, nil},
	{linux.SysSchedGetscheduler, [3]argument{0}, 0, linux.SCHED_IDLE | linux.SCHED_RESET_ON_FORK, nil},
	// From here on only the privileged.
	{linux.SysSetpriority, [3]argument{linux.PRIO_PROCESS, 0, ^argument(98)}, 0, 0, nil},
	{linux.SysGetpriority, [3]argument{linux.PRIO_PROCESS, 0}, 0, 40, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_RR, spot}, 99, 0, nil},
	{linux.SysSchedGetscheduler, [3]argument{0}, 0, linux.SCHED_RR, nil},
	{linux.SysSchedGetparam, [3]argument{0, spot}, 0, 0, word(99)},
	{linux.SysSchedSetparam, [3]argument{0, spot}, 0, -linux.EINVAL, nil},
	{linux.SysSchedSetparam, [3]argument{0, spot}, 3, 0, nil},
	{linux.SysSchedGetparam, [3]argument{0, spot}, 0, 0, word(3)},
	{linux.SysSchedRrGetInterval, [3]argument{0, spot}, 9, 0, word(0)},
	{linux.SysGetpriority, [3]argument{linux.PRIO_PROCESS, 0}, 0, 40, nil},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_FIFO, spot}, 1, 0, nil},
	{linux.SysSchedGetscheduler, [3]argument{0}, 0, linux.SCHED_FIFO, nil},
	{linux.SysSchedRrGetInterval, [3]argument{0, spot}, 9, 0, word(0)},
	{linux.SysSchedSetscheduler, [3]argument{0, linux.SCHED_OTHER, spot}, 0, 0, nil},
	{linux.SysSchedGetparam, [3]argument{0, spot}, 1, 0, word(0)},
}

// with returns a case's arguments, memory being where its word is.
func (c *scheduleCase) with(memory, missing uint64) (args [3]uint64) {
	for i, a := range c.args {
		switch a {
		case spot:
			args[i] = memory
		case nowhere:
			args[i] = missing
		case stranger:
			args[i] = 0x3fff_ffff // above Linux's highest
		default:
			args[i] = uint64(a)
		}
	}
	return args
}

// freshThreads empties the table of threads but for the current one.
func freshThreads(t *testing.T) *carrier.Thread {
	t.Helper()
	clear(bytesAt(heapThreads, maxThreads*uint64(carrier.ThreadSize)))
	process = 1
	return initThreads()
}

// TestScheduleCalls makes the calls of Linux's scheduling.
func TestScheduleCalls(t *testing.T) {
	clearSpace(t)
	mapTest(t, 0, 1, linux.PROT_READ|linux.PROT_WRITE)
	th := freshThreads(t)
	for i, c := range scheduleCases {
		*at[[2]int64](testBase) = [2]int64{int64(c.word)}
		args := c.with(testBase, testBase+abi.PageSize)
		th.Regs.RDI, th.Regs.RSI, th.Regs.RDX = args[0], args[1], args[2]
		if result := calls[c.call](th); result != c.result {
			t.Errorf("case %d: %s(%x) = %d, want %d", i, linux.CallName(c.call), args, result, c.result)
		}
		if got := *at[int32](testBase); c.got != nil && got != *c.got {
			t.Errorf("case %d: %s gave %d, want %d", i, linux.CallName(c.call), got, *c.got)
		}
	}
}

// TestScheduleCallsOnLinux makes them there, as far as it lets us.
func TestScheduleCallsOnLinux(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with what it was made
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, 0); err != nil {
			t.Logf("the cases begin at nice value 0, which is not for us: %v", err)
			return
		}
		memory := new([2]int64)
		for i, c := range scheduleCases {
			*memory = [2]int64{int64(c.word)}
			args := c.with(uint64(uintptr(unsafe.Pointer(memory))), 8)
			value, _, errno := syscall.RawSyscall(uintptr(c.call), uintptr(args[0]), uintptr(args[1]), uintptr(args[2]))
			result := int64(value)
			if errno != 0 {
				result = -int64(errno)
			}
			if errno == syscall.EPERM || errno == syscall.EACCES {
				t.Logf("case %d of %d and all after it are not for us: %v", i, len(scheduleCases), errno)
				break
			}
			if result != c.result {
				t.Errorf("case %d: %s(%x) = %d, want %d", i, linux.CallName(c.call), args, result, c.result)
			}
			if got := int32(memory[0]); c.got != nil && got != *c.got {
				t.Errorf("case %d: %s gave %d, want %d", i, linux.CallName(c.call), got, *c.got)
			}
		}
		runtime.KeepAlive(memory)
	}()
	<-done
}

// priority gives a thread a fixed priority, or none if it is 0.
func priority(th *carrier.Thread, policy, level uint8) { adopt(th, manner{policy, level, 0}) }

// TestTurns: what a thread may run for depends on its policy and nice value, and
// every nice value is worth no less than the next.
func TestTurns(t *testing.T) {
	th := freshThreads(t)
	before := int64(longestTurn)
	for nice := int8(linux.MinNice); nice <= linux.MaxNice; nice++ {
		adopt(th, manner{linux.SCHED_OTHER, 0, nice})
		if th.Turn > before || th.Turn < shortestTurn || nice == 0 && th.Turn != quantum {
			t.Errorf("nice value %d: a turn of %d after %d", nice, th.Turn, before)
		}
		if clocks.turn != th.Turn || clocks.turnEnds != 0 {
			t.Errorf("nice value %d: the running turn is %d, of %d", nice, clocks.turn, th.Turn)
		}
		before = th.Turn
	}
	for policy, want := range map[uint8]int64{linux.SCHED_FIFO: farFuture, linux.SCHED_RR: roundRobin, linux.SCHED_IDLE: shortestTurn} {
		if priority(th, policy, 1); th.Turn != want {
			t.Errorf("policy %d: a turn of %d, want %d", policy, th.Turn, want)
		}
	}
}

// TestPreempt: who is woken with a higher priority runs at once; who was preempted
// goes on before others of its level, with the rest of its turn.
func TestPreempt(t *testing.T) {
	main := freshThreads(t)
	urgent := threads.Clone(0, 0, false)
	other := threads.Clone(0, 0, false)
	inherit(urgent)
	inherit(other)
	priority(urgent, linux.SCHED_FIFO, 10)
	if !threads.Preempts() {
		t.Fatal("a higher priority does not preempt")
	}
	clocks.turnEnds = now() + 3*millisecond
	preempt()
	if threads.Current() != urgent || clocks.turn != farFuture || main.Turn > 3*millisecond || main.Turn < 1 {
		t.Errorf("thread %d runs with a turn of %d, the rest of the other's is %d", threads.Current().ID, clocks.turn, main.Turn)
	}
	rest := main.Turn
	threads.Block(0x1000, carrier.AllBits, 0)
	schedule()
	if threads.Current() != main || clocks.turn != rest || main.Turn != quantum {
		t.Errorf("thread %d goes on with a turn of %d of %d", threads.Current().ID, clocks.turn, rest)
	}
	// A call that wakes it: what linuxUpcall does at its end.
	threads.Wake(0x1000, carrier.AllBits, 1)
	if !threads.Preempts() {
		t.Error("who was woken with a higher priority does not preempt")
	}
	// Equals do not.
	priority(main, linux.SCHED_RR, 10)
	if threads.Preempts() {
		t.Error("an equal preempts")
	}
	// One that gives its priority up lets others run.
	priority(main, linux.SCHED_OTHER, 0)
	if !threads.Preempts() {
		t.Error("who gave up its priority runs on")
	}
}

// TestInherit: a child has its parent's policy, unless that was not to be.
func TestInherit(t *testing.T) {
	main := freshThreads(t)
	adopt(main, manner{linux.SCHED_RR, 7, -5})
	child := threads.Clone(0, 0, false)
	inherit(child)
	if child.Policy != linux.SCHED_RR || child.Level() != 7 || child.Nice != -5 || child.Turn != roundRobin {
		t.Errorf("child: policy %d, priority %d, nice %d, turn %d", child.Policy, child.Level(), child.Nice, child.Turn)
	}
	adopt(main, manner{linux.SCHED_RR | policyReset, 7, -5})
	child = threads.Clone(0, 0, false)
	inherit(child)
	if child.Policy != linux.SCHED_OTHER || child.Level() != 0 || child.Nice != 0 || child.Turn != quantum {
		t.Errorf("reset child: policy %d, priority %d, nice %d, turn %d", child.Policy, child.Level(), child.Nice, child.Turn)
	}
}

// TestPriorityOfAll: setpriority means one thread or all, getpriority the one that
// is preferred most.
func TestPriorityOfAll(t *testing.T) {
	main := freshThreads(t)
	child := threads.Clone(0, 0, false)
	inherit(child)
	ask := func(call, which, who, value uint64) int64 {
		main.Regs.RDI, main.Regs.RSI, main.Regs.RDX = which, who, value
		return calls[call](main)
	}
	if r := ask(linux.SysSetpriority, linux.PRIO_PROCESS, uint64(child.ID), 4); r != 0 || child.Nice != 4 || main.Nice != 0 {
		t.Errorf("of one: %d, nice values %d and %d", r, child.Nice, main.Nice)
	}
	if r := ask(linux.SysGetpriority, linux.PRIO_USER, 0, 0); r != 20 {
		t.Errorf("of the user: %d", r)
	}
	if r := ask(linux.SysSetpriority, linux.PRIO_PGRP, uint64(processID()), 6); r != 0 || child.Nice != 6 || main.Nice != 6 {
		t.Errorf("of all: %d, nice values %d and %d", r, child.Nice, main.Nice)
	}
}

// TestName: a name is cut where it does not fit.
func TestName(t *testing.T) {
	clearSpace(t)
	mapTest(t, 0, 1, linux.PROT_READ|linux.PROT_WRITE)
	th := freshThreads(t)
	for name, want := range map[string]string{"": "", "short": "short", "fifteen letters": "fifteen letters", "sixteen letters!": "sixteen letters", "a name that is far too long": "a name that is "} {
		copy(bytesAt(testBase, 64), name+"\x00")
		th.Regs.RDI, th.Regs.RSI = linux.PR_SET_NAME, testBase
		if r := calls[linux.SysPrctl](th); r != 0 {
			t.Errorf("%q: %d", name, r)
		}
		th.Regs.RDI, th.Regs.RSI = linux.PR_GET_NAME, testBase+64
		if r := calls[linux.SysPrctl](th); r != 0 || string(bytesAt(testBase+64, uint64(len(want))+1)) != want+"\x00" {
			t.Errorf("%q became %q, %d", name, bytesAt(testBase+64, 16), r)
		}
	}
	th.Regs.RSI = 8
	for _, operation := range []uint64{linux.PR_SET_NAME, linux.PR_GET_NAME} {
		if th.Regs.RDI = operation; calls[linux.SysPrctl](th) != -linux.EFAULT {
			t.Error("a bad address is taken")
		}
	}
	if th.Regs.RDI = 0x53564d41; calls[linux.SysPrctl](th) != -linux.EINVAL {
		t.Error("an unknown operation is served")
	}
}
