package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
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
		d.collect()
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

// wakeMost is how many dispatchers are woken in one event at most. The timer
// comes again at once for the others.
const wakeMost = 16

// expire does what is due at time now.
func (d *Driver) expire(now int64) {
	for range wakeMost {
		b := d.k.NextWakeup()
		if b == nil || b.WakeAt > now {
			break
		}
		d.alarm(b, now)
	}
	if d.retryAt <= now {
		d.retryAt = never
		if d.running != nil && d.running.Page().HasWork != 0 {
			d.upcall = true
		}
	}
	if d.checkAt <= now {
		d.checkAt = never
		if d.running != nil {
			d.checkAt = now + watchEvery
		}
	}
	if d.workAt <= now {
		d.workAt = never
	}
	if d.until <= now {
		d.changed = true
	}
}

// alarm tells b, whose wake-up time has come, about it.
func (d *Driver) alarm(b *kcb.DCB, now int64) {
	late := b.Awaits != 0
	if b.Alarm != 0 && b.Alarm <= now {
		b.Alarm, late = 0, false
	}
	d.k.WakeLater(b, b.Alarm)
	if late {
		d.messageExpired(b)
		d.ready(b)
		return
	}
	// Inside the libos, waiting for the core, perhaps with a message that it has not
	// seen yet, or stopped, it can be told by nothing else.
	if b.State == abi.DomainReady && (disabled(b) || b != d.running && stopped(b)) || b.Awaits != 0 && disabled(b) || b.State == abi.DomainNew {
		b.Page().HasWork = 1
	}
	d.wake(b)
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
		if d.k.Shootdown.End(c) {
			d.settledMore()
		}
		console.Write("core ")
		console.Number(uint64(c))
		console.Write("'s kernel has ended; this core goes on")
		console.Flush()
	}
	d.deliver()
	d.notifyMonitor()
}
