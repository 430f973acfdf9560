package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
)

// interrupt handles one interrupt and ends it.
func (d *Driver) interrupt(vector int) {
	k := d.k
	k.Counters.Interrupts++
	switch vector {
	case amd64.VectorTimer:
		d.timer.Fired()
		d.armed = never
		d.expire(carry.Now())
	case amd64.VectorDoorbell:
		k.Counters.DoorbellsIn++
		d.notifyMonitor()
	case amd64.VectorLog:
		console.Collect(k.Machine.Cores)
	case amd64.VectorPanic:
		d.coreEnded()
	case amd64.VectorSerial0:
		d.serial(&console.COM1)
	case amd64.VectorSerial1:
		d.serial(&console.COM2)
	default:
		d.interruptVector(vector)
	}
	if vector != amd64.VectorSpurious {
		amd64.EOI()
	}
}

// expire does what is due at time now.
func (d *Driver) expire(now int64) {
	for {
		b := d.k.NextWakeup()
		if b == nil || b.WakeAt > now {
			break
		}
		d.k.WakeLater(b, 0)
		// Inside the libos, running or waiting for the processor, or stopped, it
		// can be told by nothing else.
		if b.State == abi.DomainReady && disabled(b) || b.State == abi.DomainNew {
			b.Page().HasWork = 1
		}
		d.wake(b)
	}
	if d.retryAt <= now {
		d.retryAt = never
		if d.running != nil && d.running.Page().HasWork != 0 {
			d.upcall = true
		}
	}
	if d.workAt <= now {
		d.workAt = never
	}
	if b := d.running; b != nil && now >= d.sliceEnd && d.k.Ready.First != nil {
		d.resched = true
		// What ran enabled learns by a run upcall that it was stopped.
		if !disabled(b) {
			d.upcall = false
			d.preempt(b)
		}
	}
}

// serial moves bytes of a port and tells the monitor.
func (d *Driver) serial(s *amd64.Serial) {
	s.Pump()
	console.Collect(d.k.Machine.Cores)
	d.notifyMonitor()
}

// coreEnded says which kernels have ended since it was last called, and tells
// the monitor.
func (d *Driver) coreEnded() {
	if d.k.Machine.Core == 0 {
		console.Collect(d.k.Machine.Cores)
	}
	for c := range d.k.Machine.Cores {
		if d.k.Ended[c%abi.MaxCores] || console.StateOf(c) != abi.CorePanicked {
			continue
		}
		d.k.Ended[c%abi.MaxCores] = true
		console.Write("core ")
		console.Number(uint64(c))
		console.Write("'s kernel has ended; this core goes on")
		console.Flush()
	}
	d.notifyMonitor()
}
