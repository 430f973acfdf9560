package amd64

// IOAPIC is an I/O interrupt controller (Intel 82093AA datasheet 3.0).
type IOAPIC struct {
	Base uintptr // where its registers are mapped
	GSI  uint32  // the first global system interrupt it serves
}

// Registers and bits.
const (
	ioapicVersion  = 0x01
	ioapicRedirect = 0x10 // two registers for each line
	ioapicLow      = 1 << 13
	ioapicLevel    = 1 << 15
	ioapicMasked   = 1 << 16
)

// Lines returns how many global system interrupts it serves.
func (a IOAPIC) Lines() uint32 { return a.read(ioapicVersion)>>16&0xff + 1 }

// Route sends a global system interrupt to a core. Level-triggered or active-
// low lines say so.
func (a IOAPIC) Route(gsi uint32, vector uint8, apic uint32, level, low bool) {
	v := uint32(vector)
	if low {
		v |= ioapicLow
	}
	if level {
		v |= ioapicLevel
	}
	r := a.line(gsi)
	a.write(r+1, apic<<24)
	a.write(r, v)
}

// Mask keeps a global system interrupt from interrupting, Unmask lets it again
// where Route sent it.
func (a IOAPIC) Mask(gsi uint32) { a.write(a.line(gsi), a.read(a.line(gsi))|ioapicMasked) }

// Unmask undoes Mask.
func (a IOAPIC) Unmask(gsi uint32) { a.write(a.line(gsi), a.read(a.line(gsi))&^ioapicMasked) }

func (a IOAPIC) line(gsi uint32) uint32 { return ioapicRedirect + 2*(gsi-a.GSI) }

func (a IOAPIC) read(r uint32) uint32 {
	Write32(a.Base, r)
	return Read32(a.Base + 0x10)
}

func (a IOAPIC) write(r, v uint32) {
	Write32(a.Base, r)
	Write32(a.Base+0x10, v)
}
