package main

import (
	"unsafe"

	"skerry/carrier"
)

// What vdsoYield knows of threads and signals.
const (
	threadSize     = carrier.ThreadSize
	threadManner   = carrier.ThreadManner
	threadState    = carrier.ThreadState
	threadNext     = carrier.ThreadNext
	threadPrevious = carrier.ThreadPrevious
	threadPending  = unsafe.Offsetof(carrier.Thread{}.Pending)
	threadsBase    = carrier.ThreadsBase
	threadsCurrent = carrier.ThreadsCurrent
	threadsFirst   = carrier.ThreadsFirst
	threadsLast    = carrier.ThreadsLast
	signalsPending = unsafe.Offsetof(carrier.Signals{}.Pending)
	noThread       = carrier.None
	stateRunning   = carrier.Running
	stateReady     = carrier.Ready
	resumeYield    = carrier.ResumeYield
)

// yieldUpcall lets others run before the current thread, which is in vdsoYield,
// where that cannot do it by itself.
func yieldUpcall() {
	if spanned.on {
		spanned.frame.Enter()
	}
	if threads.HasReady() {
		threads.Yield()
		schedule()
	} else {
		threads.Current().Regs.RAX = 1
	}
	if spanned.on {
		spanLeave()
	}
}
