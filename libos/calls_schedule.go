package main

import (
	"skerry/abi/linux"
	"skerry/carrier"
)

// Scheduling as Linux has it, among the threads of the program: domains compete by
// what their spawner gave them, whatever they do in here.
//
// SCHED_FIFO and SCHED_RR have fixed priorities, which are levels of the table of
// threads: the highest that is ready runs. All others have level 0 and take turns;
// nice values make the turns longer or shorter, so nobody starves by them.
const (
	// quantum is the turn of a thread of nice value 0, shortestTurn and longestTurn
	// bound those of others.
	quantum      = 10 * millisecond
	shortestTurn = 1 * millisecond
	longestTurn  = 100 * millisecond
	// roundRobin is the turn under SCHED_RR.
	roundRobin = 100 * millisecond
	// policyReset in a thread's Policy says that children do not inherit it.
	policyReset = 0x80
)

// The table has a level for each fixed priority.
const _ = uint(carrier.Levels - 1 - linux.MaxPriority)

// manner is how a thread is scheduled.
type manner struct {
	policy   uint8 // with policyReset
	priority uint8
	nice     int8
}

func mannerOf(th *carrier.Thread) manner { return manner{th.Policy, th.Level(), th.Nice} }

// pack and unpack turn a manner into a word and back, 0 being that of a program's
// first thread.
func (m manner) pack() uint32 {
	return uint32(m.policy) | uint32(m.priority)<<8 | uint32(uint8(m.nice))<<16
}

func unpack(word uint32) manner { return manner{uint8(word), uint8(word >> 8), int8(word >> 16)} }

// turn returns how long a thread may run while others of its level are ready.
func (m manner) turn() int64 {
	switch m.policy &^ policyReset {
	case linux.SCHED_FIFO:
		return farFuture
	case linux.SCHED_RR:
		return roundRobin
	case linux.SCHED_IDLE:
		return shortestTurn
	}
	// A step is a fifth less or a quarter more, as the weights of Linux have it.
	turn := int64(quantum)
	for n := m.nice; n > 0; n-- {
		turn -= turn / 5
	}
	for n := m.nice; n < 0; n++ {
		turn += turn / 4
	}
	return min(max(turn, shortestTurn), longestTurn)
}

// schedulePolicy is the policy as calls take and tell it.
func (m manner) schedulePolicy() int32 {
	if m.policy&policyReset != 0 {
		return int32(m.policy&^policyReset) | linux.SCHED_RESET_ON_FORK
	}
	return int32(m.policy)
}

// adopt changes how a thread of the table is scheduled.
func adopt(th *carrier.Thread, m manner) {
	th.Policy, th.Nice, th.Turn = m.policy, m.nice, m.turn()
	if th == threads.Current() && !(spanned.on && passengerAt(slotOf(th)).back != 0) {
		startTurn(th)
	}
	threads.SetLevel(th, m.priority)
}

// startTurn begins the turn of the thread that runs next.
func startTurn(th *carrier.Thread) {
	clocks.turn, clocks.turnEnds = th.Turn, 0
	th.Turn = mannerOf(th).turn()
}

// inherit gives a new thread what its parent wants children to have.
func inherit(child *carrier.Thread) {
	m := mannerOf(child)
	if m.policy&policyReset != 0 {
		m = manner{nice: max(m.nice, 0)}
	}
	adopt(child, m)
	if spanned.on && m != (manner{}) {
		spanned.frame.SetManner(slotOf(child), m.pack())
	}
}

// preempt lets threads of a higher level run before the current one, whose state is
// in its carrier.Thread. That one has the rest of its turn when it goes on.
func preempt() {
	if clocks.turnEnds != 0 {
		threads.Current().Turn = max(clocks.turnEnds-now(), 1)
	}
	threads.Preempt()
	schedule()
}

// Calls name threads by their indices, which are the same in the tables of all
// dispatchers. Where there are several, the frame between them says how every thread
// is to be scheduled, and the dispatcher that has it does so: takeManner.

// isThread says whether there is a thread with an index.
func isThread(i carrier.Index) bool {
	if spanned.on {
		return spanned.frame.Has(int(i))
	}
	return threads.At(i).State() != carrier.Free
}

// mannerAt returns how the thread with an index is scheduled, or will be soon.
func mannerAt(i carrier.Index) manner {
	if spanned.on {
		return unpack(spanned.frame.Manner(int(i)))
	}
	return mannerOf(threads.At(i))
}

// setManner changes how the thread with an index is scheduled.
func setManner(i carrier.Index, m manner) {
	if spanned.on {
		spanned.frame.SetManner(int(i), m.pack())
	}
	if th := threads.At(i); th.State() != carrier.Free {
		adopt(th, m)
	}
}

// takeManner has a thread that is here scheduled as the frame says.
func takeManner(th *carrier.Thread, slot int) {
	if m := unpack(spanned.frame.Manner(slot)); m != mannerOf(th) {
		adopt(th, m)
	}
}

// indexFor returns the index of the thread with a number, 0 being the caller, or
// an error number.
func indexFor(th *carrier.Thread, id int32) (carrier.Index, int64) {
	switch {
	case id == 0:
	case spanned.on:
		slot := spanned.frame.Find(id)
		if slot < 0 {
			return 0, linux.ESRCH
		}
		return carrier.Index(slot), 0
	default:
		if th = threads.Find(id); th == nil {
			return 0, linux.ESRCH
		}
	}
	return threads.Index(th), 0
}

// scheduled returns the index of the thread that the first argument of a scheduling
// call names, or an error number.
func scheduled(th *carrier.Thread) (carrier.Index, int64) {
	id := int32(th.Regs.RDI)
	if id < 0 {
		return 0, linux.EINVAL
	}
	return indexFor(th, id)
}

func callSchedSetscheduler(th *carrier.Thread) int64 {
	policy := int32(th.Regs.RSI)
	if policy < 0 {
		return -linux.EINVAL
	}
	return setScheduler(th, policy, th.Regs.RDX)
}

func callSchedSetparam(th *carrier.Thread) int64 { return setScheduler(th, -1, th.Regs.RSI) }

// setScheduler gives a thread a policy, its own if that is negative, and the
// priority at an address.
func setScheduler(th *carrier.Thread, policy int32, address uint64) int64 {
	if address == 0 || int32(th.Regs.RDI) < 0 {
		return -linux.EINVAL
	}
	if !readable(address, 4) {
		return -linux.EFAULT
	}
	priority := *at[int32](address)
	i, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	if policy < 0 {
		policy = mannerAt(i).schedulePolicy()
	}
	plain := policy &^ linux.SCHED_RESET_ON_FORK
	most, ok := highest(uint64(plain))
	if !ok || plain == linux.SCHED_DEADLINE || priority < 0 || priority > most || (priority == 0) != (most == 0) {
		return -linux.EINVAL
	}
	m := manner{policy: uint8(plain), priority: uint8(priority), nice: mannerAt(i).nice}
	if plain != policy {
		m.policy |= policyReset
	}
	setManner(i, m)
	return 0
}

// highest returns the highest fixed priority under a policy, 0 if it has none;
// false if there is no such policy.
func highest(policy uint64) (int32, bool) {
	switch policy {
	case linux.SCHED_FIFO, linux.SCHED_RR:
		return linux.MaxPriority, true
	case linux.SCHED_OTHER, linux.SCHED_BATCH, linux.SCHED_IDLE, linux.SCHED_DEADLINE:
		return 0, true
	}
	return 0, false
}

func callSchedGetscheduler(th *carrier.Thread) int64 {
	i, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	return int64(mannerAt(i).schedulePolicy())
}

func callSchedGetparam(th *carrier.Thread) int64 {
	address := th.Regs.RSI
	if address == 0 {
		return -linux.EINVAL
	}
	i, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	if !writable(address, 4) {
		return -linux.EFAULT
	}
	*at[int32](address) = int32(mannerAt(i).priority)
	return 0
}

func callSchedGetPriorityMax(th *carrier.Thread) int64 {
	most, ok := highest(uint64(uint32(th.Regs.RDI)))
	if !ok {
		return -linux.EINVAL
	}
	return int64(most)
}

func callSchedGetPriorityMin(th *carrier.Thread) int64 {
	most, ok := highest(uint64(uint32(th.Regs.RDI)))
	if !ok {
		return -linux.EINVAL
	}
	return int64(min(most, linux.MinPriority))
}

func callSchedRrGetInterval(th *carrier.Thread) int64 {
	address := th.Regs.RSI
	i, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	turn := mannerAt(i).turn()
	if turn == farFuture {
		turn = 0
	}
	return putTimespec(address, turn)
}

// meant returns the range of indices that a priority call means, or an error number:
// one thread or all, which are one process group and one user's.
func meant(th *carrier.Thread) (first, end carrier.Index, errno int64) {
	which, who := int32(th.Regs.RDI), int32(th.Regs.RSI)
	switch which {
	case linux.PRIO_PROCESS:
		first, errno = indexFor(th, who)
		return first, first + 1, errno
	case linux.PRIO_PGRP:
		if who == processID() {
			who = 0
		}
	case linux.PRIO_USER:
	default:
		return 0, 0, linux.EINVAL
	}
	if who != 0 {
		return 0, 0, linux.ESRCH
	}
	if spanned.on {
		return 0, maxThreads, 0
	}
	return 0, carrier.Index(threads.Used()), 0
}

func callSetpriority(th *carrier.Thread) int64 {
	first, end, errno := meant(th)
	if errno != 0 {
		return -errno
	}
	nice := int8(min(max(int32(th.Regs.RDX), linux.MinNice), linux.MaxNice))
	for i := first; i < end; i++ {
		if isThread(i) {
			m := mannerAt(i)
			m.nice = nice
			setManner(i, m)
		}
	}
	return 0
}

// callGetpriority returns 20 less the lowest nice value, as Linux does so that
// results are no errors.
func callGetpriority(th *carrier.Thread) int64 {
	first, end, errno := meant(th)
	if errno != 0 {
		return -errno
	}
	nice := int8(linux.MaxNice)
	for i := first; i < end; i++ {
		if isThread(i) {
			nice = min(nice, mannerAt(i).nice)
		}
	}
	return 20 - int64(nice)
}

// callPrctl serves what threads ask of it: their names.
func callPrctl(th *carrier.Thread) int64 {
	const most = uint64(len(carrier.Thread{}.Name))
	address := th.Regs.RSI
	switch th.Regs.RDI {
	case linux.PR_SET_NAME:
		name, errno := readString(address, most-2)
		if errno == linux.ENAMETOOLONG {
			name, errno = stringAt(address, most-1), 0
		}
		if errno != 0 {
			return -errno
		}
		th.Name = [most]byte{}
		copy(th.Name[:], name)
		return 0
	case linux.PR_GET_NAME:
		if !writable(address, most) {
			return -linux.EFAULT
		}
		copy(bytesAt(address, most), th.Name[:])
		return 0
	}
	return -linux.EINVAL
}
