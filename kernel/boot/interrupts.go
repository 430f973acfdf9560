package boot

import (
	"skerry/abi"
	"skerry/kernel/acpi"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// legacySources is how many sources are the lines of the first PCs: edge-
// triggered and active-high unless the firmware says otherwise. Those above are
// PCI's: level-triggered and active-low.
const legacySources = 16

// setupInterrupts maps the interrupt controllers, silences all their lines, and
// sends those of the serial ports to this core.
func setupInterrupts(k *kcb.KCB, t *acpi.Tables) {
	s := amd64.Space{Root: k.Root}
	x := &k.Interrupts
	for i, io := range t.IOAPICs[:min(len(t.IOAPICs), len(x.Controllers))] {
		at := ioapicAt + uintptr(i)*abi.PageSize
		if io.GSI >= kcb.MaxSources || !s.MapDevice(&k.Pages, at, memory.Phys(io.Base)) {
			continue
		}
		a := amd64.IOAPIC{Base: at, GSI: io.GSI}
		c := kcb.Controller{At: at, First: io.GSI, Lines: min(a.Lines(), kcb.MaxSources-io.GSI)}
		for n := range c.Lines {
			a.Mask(c.First + n)
		}
		x.Controllers[x.NumControllers] = c
		x.NumControllers++
	}
	describeSources(x, t.Overrides)
	for _, serial := range []struct {
		irq, vector uint8
	}{{4, amd64.VectorSerial0}, {3, amd64.VectorSerial1}} {
		n := sourceOf(serial.irq, t.Overrides)
		c := x.Controller(uint64(n))
		if c == nil {
			continue
		}
		g := &x.Sources[n]
		g.Kernel, g.Vector = true, serial.vector
		amd64.IOAPIC{Base: c.At, GSI: c.First}.Route(n, g.Vector, k.Machine.APIC, g.Level, g.Low)
	}
	console.COM1.EnableInterrupts()
	console.COM2.EnableInterrupts()
}

// describeSources says how each source is triggered.
func describeSources(x *kcb.Interrupts, overrides []acpi.Override) {
	for n := range x.Sources {
		if n >= legacySources {
			x.Sources[n].Level, x.Sources[n].Low = true, true
		}
	}
	for _, o := range overrides {
		if o.GSI < kcb.MaxSources {
			x.Sources[o.GSI].Level, x.Sources[o.GSI].Low = o.Level, o.Low
		}
	}
}

// sourceOf returns the source that a line of the first PCs arrives at.
func sourceOf(irq uint8, overrides []acpi.Override) uint32 {
	for _, o := range overrides {
		if o.Source == irq {
			return o.GSI
		}
	}
	return uint32(irq)
}
