package driver

import (
	"skerry/abi"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
)

// end ends a dispatcher: it runs no more, and whoever supervises it is told.
// What it was made of is not the driver's: who gave it takes it back.
func (d *Driver) end(b *kcb.DCB, s abi.Status) {
	if b.State == abi.DomainEnded {
		return
	}
	if b == d.monitor {
		monitorEnded(s)
	}
	s.Domain, s.CPU = b.Domain, d.cpu(b)
	b.Status = s
	d.stop(b, abi.DomainEnded)
	b.Alarm = 0
	d.k.WakeLater(b, 0)
	d.dispatcherEnded(b)
	d.ring(d.slot(b, kcb.SlotSupervisor))
}

// monitorEnded ends the kernel: a core without its monitor serves nobody.
func monitorEnded(s abi.Status) {
	why := "its monitor exited"
	switch s.Kind {
	case abi.ExitSignal:
		why = "its monitor died of a signal"
	case abi.ExitFault:
		why = "its monitor's libos faulted"
		logFault(&s)
	case abi.ExitStuck:
		why = "its monitor's libos is stuck"
		logFault(&s)
	case abi.ExitMemory:
		why = "its monitor ran out of memory"
	case abi.ExitKilled:
		why = "what its monitor was made of is gone"
	}
	carry.Stop(why)
}

// logFault says where a domain's libos faulted, or is stuck.
func logFault(s *abi.Status) {
	console.Write("vector ")
	console.Number(s.FaultVector)
	console.Value(", code ", s.FaultCode)
	console.Value(", address ", s.FaultAddress)
	console.Value(", RIP ", s.FaultRIP)
	console.Flush()
	for _, a := range s.Trace {
		if a != 0 {
			console.Value("  called from ", a)
			console.Flush()
		}
	}
}
