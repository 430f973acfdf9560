package main

import (
	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// threads are the program's threads, signals what its signals do.
var (
	threads carrier.Threads
	signals carrier.Signals
)

// process is the program's process number: that of its domain, at home.
var process int32

func processID() int32 { return process }

func initThreads() *carrier.Thread {
	th := threads.Init(heapThreads, maxThreads, process)
	th.AltStack.Flags = linux.SS_DISABLE
	giveVector(th)
	th.Turn, clocks.turn = quantum, quantum
	return th
}

// giveVector gives a new thread the save area of its entry.
func giveVector(th *carrier.Thread) {
	index := (addressOf(th) - heapThreads) / uint64(carrier.ThreadSize)
	th.Vector = heapVectors + index*abi.VectorAreaSize
}

// threadIndex returns the number of a thread's entry in the table.
func threadIndex(th *carrier.Thread) uint64 {
	return (addressOf(th) - heapThreads) / uint64(carrier.ThreadSize)
}

// vectorState describes the thread's saved vector state.
func vectorState(th *carrier.Thread) carrier.VectorState {
	d := dispatcher()
	return carrier.VectorState{Address: th.Vector, Size: min(d.VectorSize, abi.VectorAreaSize), Mask: d.VectorMask}
}

// settle brings the state of the current thread, wherever the last upcall left
// it, into its carrier.Thread.
func settle(th *carrier.Thread) {
	d := dispatcher()
	full, vector := d.Scratch[scratchFull], d.Scratch[scratchVector]
	if full == 0 {
		return // in a Linux call: it is there
	}
	d.Scratch[scratchFull] = 0
	if full != addressOf(&th.Regs) {
		th.Regs = *at[abi.Registers](full)
	}
	th.Resume = carrier.ResumeFull
	if vector != 0 {
		th.Resume = carrier.ResumeVector
		if vector != th.Vector {
			n := min(d.VectorSize, abi.VectorAreaSize)
			copy(bytesAt(th.Vector, n), bytesAt(vector, n))
		}
	}
}

// prepare makes a thread the one that resume continues, from its
// carrier.Thread.
func prepare(th *carrier.Thread) {
	d := dispatcher()
	d.Scratch[scratchCurrent] = addressOf(th)
	d.Scratch[scratchFull], d.Scratch[scratchVector] = 0, 0
	if th.Resume > carrier.ResumeYield {
		d.Scratch[scratchFull] = addressOf(&th.Regs)
	}
	if th.Resume == carrier.ResumeVector {
		d.Scratch[scratchVector] = th.Vector
	}
}

// schedule finds the next thread to run when there is no current one, and
// parks the dispatcher when there is none: then it does not return.
func schedule() {
	if spanned.on {
		spanSchedule()
		return
	}
	for {
		th := threads.Next()
		if th == nil {
			park()
			return
		}
		if th.Restart {
			// A call that had to wait: make it again.
			th.Restart = false
			result := continueFile(th)
			if result == switched {
				continue
			}
			th.Regs.RAX = uint64(result)
		}
		prepare(th)
		if th.Turn != clocks.turn {
			startTurn(th)
		}
		if signals.Deliverable(th) {
			deliver(th)
		}
		arm()
		return
	}
}

// park gives up the core until something happens. It does not return.
func park() {
	deadline := threads.NextDeadline()
	if t := nextTimer(); t != 0 && (deadline == 0 || t < deadline) {
		deadline = t
	}
	clocks.parkedAt = now()
	clocks.armed, clocks.turnEnds = 0, 0
	native(abi.CallPark, uint64(deadline), 0)
	fail("parking returned")
}

// wakeup asks for a run upcall at a time.
func wakeup(deadline int64) { native(abi.CallWakeup, uint64(deadline), 0) }
