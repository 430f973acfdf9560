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

// policyOf returns a thread's policy.
func policyOf(th *carrier.Thread) uint8 { return th.Policy &^ policyReset }

// fixed says whether threads of a policy have fixed priorities.
func fixed(policy uint8) bool { return policy == linux.SCHED_FIFO || policy == linux.SCHED_RR }

// turnOf returns how long a thread may run while others of its level are ready.
func turnOf(th *carrier.Thread) int64 {
	switch policyOf(th) {
	case linux.SCHED_FIFO:
		return farFuture
	case linux.SCHED_RR:
		return roundRobin
	case linux.SCHED_IDLE:
		return shortestTurn
	}
	// A step is a fifth less or a quarter more, as the weights of Linux have it.
	turn := int64(quantum)
	for n := th.Nice; n > 0; n-- {
		turn -= turn / 5
	}
	for n := th.Nice; n < 0; n++ {
		turn += turn / 4
	}
	return min(max(turn, shortestTurn), longestTurn)
}

// setPolicy changes how a thread is scheduled.
func setPolicy(th *carrier.Thread, policy, priority uint8, nice int8) {
	th.Policy, th.Nice = policy, nice
	th.Turn = turnOf(th)
	if th == threads.Current() {
		startTurn(th)
	}
	threads.SetLevel(th, priority)
}

// startTurn begins the turn of the thread that runs next.
func startTurn(th *carrier.Thread) {
	clocks.turn, clocks.turnEnds = th.Turn, 0
	th.Turn = turnOf(th)
}

// inherit gives a new thread what its parent wants children to have.
func inherit(child *carrier.Thread) {
	if child.Policy&policyReset != 0 {
		setPolicy(child, linux.SCHED_OTHER, 0, max(child.Nice, 0))
	} else {
		child.Turn = turnOf(child)
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

// scheduled returns the thread that the first argument of a scheduling call
// names, 0 being the caller, or an error number.
func scheduled(th *carrier.Thread) (*carrier.Thread, int64) {
	id := int32(th.Regs.RDI)
	if id < 0 {
		return nil, linux.EINVAL
	}
	if id == 0 {
		return th, 0
	}
	if th = threads.Find(id); th == nil {
		return nil, linux.ESRCH
	}
	return th, 0
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
	th, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	if policy < 0 {
		policy = int32(policyOf(th))
		if th.Policy&policyReset != 0 {
			policy |= linux.SCHED_RESET_ON_FORK
		}
	}
	plain := policy &^ linux.SCHED_RESET_ON_FORK
	most, ok := highest(uint64(plain))
	if !ok || plain == linux.SCHED_DEADLINE || priority < 0 || priority > most || (priority == 0) != (most == 0) {
		return -linux.EINVAL
	}
	kept := uint8(plain)
	if plain != policy {
		kept |= policyReset
	}
	setPolicy(th, kept, uint8(priority), th.Nice)
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
	th, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	if th.Policy&policyReset != 0 {
		return int64(policyOf(th)) | linux.SCHED_RESET_ON_FORK
	}
	return int64(policyOf(th))
}

func callSchedGetparam(th *carrier.Thread) int64 {
	address := th.Regs.RSI
	if address == 0 {
		return -linux.EINVAL
	}
	th, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	if !writable(address, 4) {
		return -linux.EFAULT
	}
	*at[int32](address) = int32(th.Level())
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
	th, errno := scheduled(th)
	if errno != 0 {
		return -errno
	}
	turn := turnOf(th)
	if turn == farFuture {
		turn = 0
	}
	return putTimespec(address, turn)
}

// means says whether a priority call of a thread means another, and whether it
// could mean any: all threads are of one process group and one user.
func means(th, other *carrier.Thread) (yes, valid bool) {
	which, who := int32(th.Regs.RDI), int32(th.Regs.RSI)
	switch which {
	case linux.PRIO_PROCESS:
		return who == other.ID || who == 0 && other == th, true
	case linux.PRIO_PGRP:
		return who == 0 || who == processID(), true
	case linux.PRIO_USER:
		return who == 0, true
	}
	return false, false
}

func callSetpriority(th *carrier.Thread) int64 {
	nice := int8(min(max(int32(th.Regs.RDX), linux.MinNice), linux.MaxNice))
	result := int64(-linux.ESRCH)
	for i := range carrier.Index(threads.Used()) {
		other := threads.At(i)
		yes, valid := means(th, other)
		if !valid {
			return -linux.EINVAL
		}
		if yes && other.State() != carrier.Free {
			setPolicy(other, other.Policy, other.Level(), nice)
			result = 0
		}
	}
	return result
}

// callGetpriority returns 20 less the lowest nice value, as Linux does so that
// results are no errors.
func callGetpriority(th *carrier.Thread) int64 {
	result := int64(-linux.ESRCH)
	for i := range carrier.Index(threads.Used()) {
		other := threads.At(i)
		yes, valid := means(th, other)
		if !valid {
			return -linux.EINVAL
		}
		if yes && other.State() != carrier.Free {
			result = max(result, 20-int64(other.Nice))
		}
	}
	return result
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
