package amd64

// IOAPIC is an I/O interrupt controller (Intel 82093AA datasheet 3.0).
type IOAPIC struct {
	Base uintptr // where its registers are mapped
	GSI  uint32  // the first global system interrupt it serves
}

// Route sends a global system interrupt to a core. Level-triggered or active-
// low lines say so.
func (a IOAPIC) Route(gsi uint32, vector uint8, apic uint32, level, low bool) {
	v := uint32(vector)
	if low {
		v |= 1 << 13
	}
	if level {
		v |= 1 << 15
	}
	r := 0x10 + 2*(gsi-a.GSI)
	a.write(r+1, apic<<24)
	a.write(r, v)
}

func (a IOAPIC) write(r, v uint32) {
	Write32(a.Base, r)
	Write32(a.Base+0x10, v)
}
