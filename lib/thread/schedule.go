package thread

import (
	"runtime"
	"syscall"
	"unsafe"

	"skerry/abi/linux"
)

// Policy is by which rule a thread is scheduled.
type Policy int

// The policies. Threads of Other take turns; they run while no thread of the two
// policies is ready that have priorities. Of these, threads of the highest priority
// run: under RoundRobin those of one priority take turns, under FIFO a thread runs
// until it blocks, yields, or one of a higher priority is ready.
const (
	Other      Policy = linux.SCHED_OTHER
	FIFO       Policy = linux.SCHED_FIFO
	RoundRobin Policy = linux.SCHED_RR
)

// Schedule is how a thread is scheduled, among those of its program; on Linux among
// all of the machine, which takes a privilege. Priority is one of those of the policy:
// see PriorityRange.
type Schedule struct {
	Policy   Policy
	Priority int
}

// PriorityRange returns the lowest and the highest priority of a policy: 1 and 99 of
// FIFO and RoundRobin, 0 and 0 of Other. It fails with EINVAL if there is no such
// policy.
func PriorityRange(p Policy) (lowest, highest int, err error) {
	low, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GET_PRIORITY_MIN, uintptr(p), 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	high, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GET_PRIORITY_MAX, uintptr(p), 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	return int(low), int(high), nil
}

// Schedule returns how the thread is scheduled. It fails with ESRCH if it has ended.
func (t *Thread) Schedule() (Schedule, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.ended {
		return Schedule{}, syscall.ESRCH
	}
	return scheduleOf(t.id)
}

// SetSchedule changes how the thread is scheduled. It fails with ESRCH if it has
// ended, EPERM if the system does not let the program do that, EINVAL if there is no
// such schedule.
func (t *Thread) SetSchedule(s Schedule) error {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.ended {
		return syscall.ESRCH
	}
	return setSchedule(t.id, s)
}

// scheduleOf returns how the system's thread of a number, 0 being the caller, is
// scheduled. What is none of our policies is Other to us.
func scheduleOf(id int32) (Schedule, error) {
	policy, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETSCHEDULER, uintptr(id), 0, 0)
	if errno != 0 {
		return Schedule{}, errno
	}
	var priority int32
	if _, _, errno = syscall.RawSyscall(syscall.SYS_SCHED_GETPARAM, uintptr(id), uintptr(unsafe.Pointer(&priority)), 0); errno != 0 {
		return Schedule{}, errno
	}
	if p := Policy(policy &^ linux.SCHED_RESET_ON_FORK); p == FIFO || p == RoundRobin {
		return Schedule{p, int(priority)}, nil
	}
	return Schedule{}, nil
}

// setSchedule is the inverse of scheduleOf.
func setSchedule(id int32, s Schedule) error {
	if s.Policy != Other && s.Policy != FIFO && s.Policy != RoundRobin {
		return syscall.EINVAL
	}
	if now, err := scheduleOf(id); err != nil || now == s {
		return err
	}
	priority := int32(s.Priority)
	if int(priority) != s.Priority {
		return syscall.EINVAL
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, uintptr(id), uintptr(s.Policy), uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return errno
	}
	return nil
}

// setName names the calling thread for those who look into the program.
func setName(name string) {
	var b [16]byte
	copy(b[:15], name)
	syscall.RawSyscall(syscall.SYS_PRCTL, linux.PR_SET_NAME, uintptr(unsafe.Pointer(&b)), 0)
}

// SetConcurrency says how many threads the program wants to run Go code at a time:
// it is runtime.GOMAXPROCS. It fails with EINVAL if that is below 1. Threads in
// excess of it wait for each other in Go's scheduler, which knows nothing of
// priorities.
func SetConcurrency(threads int) error {
	if threads < 1 {
		return syscall.EINVAL
	}
	runtime.GOMAXPROCS(threads)
	return nil
}

// Concurrency returns how many threads may run Go code at a time.
func Concurrency() int { return runtime.GOMAXPROCS(0) }
