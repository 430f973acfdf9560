package driver

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// reclaimBudget bounds the pages and tables taken back between two events.
const reclaimBudget = 256

// end ends a domain: it runs no more, its children end too, and its memory
// will be taken back piece by piece; then its parent is told.
func (d *Driver) end(b *kcb.DCB, s abi.Status) {
	if b.State == abi.DomainEnded {
		return
	}
	if b == d.monitor {
		d.monitorEnded(s)
	}
	if b.State == abi.DomainReady && b != d.running {
		d.k.Ready.Remove(b)
	}
	d.k.WakeLater(b, 0)
	b.State = abi.DomainEnded
	s.Domain, s.PeakPages, s.CPU = b.ID, b.PeakPages, d.cpu(b)
	b.Status = s
	d.k.Reclaim.Push(b)
	if b.Rights&abi.RightSpawn != 0 {
		for n := uint32(0); ; {
			c := d.k.NextAfter(n)
			if c == nil {
				break
			}
			n = c.ID + 1
			if c.Parent == b.ID {
				c.Reaped = true // nobody will ask
				d.end(c, abi.Status{Kind: abi.ExitKilled})
				d.forget(c)
			}
		}
	}
}

// monitorEnded ends the kernel: a core without its monitor serves nobody.
func (d *Driver) monitorEnded(s abi.Status) {
	why := "its monitor exited"
	switch s.Kind {
	case abi.ExitSignal:
		why = "its monitor died of a signal"
	case abi.ExitFault:
		why = "its monitor's libos faulted"
		logFault(&s)
	case abi.ExitMemory:
		why = "its monitor ran out of memory"
	}
	carry.Stop(why)
}

func kill(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	c := d.k.Find(uint32(a[0]))
	if c == nil || a[0] > 1<<32-1 || c.Parent != b.ID {
		return 0, abi.ErrNotFound
	}
	d.end(c, abi.Status{Kind: abi.ExitKilled})
	return 0, abi.OK
}

func reap(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	for c := d.k.NextAfter(0); c != nil; c = d.k.NextAfter(c.ID + 1) {
		if c.Parent != b.ID || !c.Reclaimed || c.Reaped {
			continue
		}
		if err := d.copyOut(b, uintptr(a[0]), bytesOf(&c.Status)); err != abi.OK {
			return 0, err
		}
		c.Reaped = true
		d.forget(c)
		return 0, abi.OK
	}
	return 0, abi.ErrAgain
}

// reclaim takes back a bounded number of pages of the first domain that has
// ended and whose children are gone.
func (d *Driver) reclaim() {
	k := d.k
	b := k.Reclaim.First
	if b.Children > 0 {
		k.Reclaim.Remove(b)
		k.Reclaim.Push(b)
		return
	}
	if d.loaded == b.Root {
		amd64.SetCR3(uintptr(k.Root))
		d.loaded = k.Root
	}
	if b.Root != 0 {
		archiveSlot := uintptr(abi.ArchiveBase >> 39 & 511)
		n := space(b).Destroy(&k.Pages, reclaimBudget, func(slot uintptr) bool { return slot == archiveSlot })
		b.Pages -= min(b.Pages, uint64(n))
		if n >= reclaimBudget {
			return
		}
		k.Pages.Free(b.Root)
		b.Root = 0
		b.Pages--
	}
	k.Reclaim.Remove(b)
	b.Reclaimed = true
	if p := k.Find(b.Parent); p != nil && b.Parent != 0 {
		p.Children--
		d.unshareStdio(p, b)
		d.notify(p)
	}
	d.forget(b)
}

// unshareStdio makes the frames that p shared with c all p's again.
func (d *Driver) unshareStdio(p, c *kcb.DCB) {
	if c.Stdio == 0 || p.Root == 0 {
		return
	}
	space(p).Walk(&d.k.Pages, uintptr(c.Stdio), abi.StdioSize/abi.PageSize, func(_ uintptr, e uint64) uint64 {
		return e &^ amd64.PageShared
	})
}

// forget frees the DCB of a domain of which nothing is left to be told or done.
func (d *Driver) forget(b *kcb.DCB) {
	if b.Reaped && b.Reclaimed {
		d.k.Leave(b)
		d.freeDCB(b)
	}
}

// freeDCB frees a DCB and its vector save area.
func (d *Driver) freeDCB(b *kcb.DCB) {
	p := &d.k.Pages
	p.Free(memory.Phys(b.Vector - p.Offset))
	p.Free(memory.Phys(address(b) - p.Offset))
}

// logFault says where a domain's libos faulted.
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
