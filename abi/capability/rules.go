package capability

// Rule is what the table says of a type, as far as code needs it.
type Rule struct {
	Name    string
	Space   Space
	Rights  Rights // those that exist for the type
	Parents uint32 // a bit for each type it is retyped from
	// Align is what start and size are multiples of, Least and Most bound
	// the size.
	Align, Least, Most uint64
	Zeroed, Holds      bool
	Dependent          bool
	SlotsAt, Slots     uint64
	// Offers is the offset from which on other objects can be made of it.
	Offers uint64
}

// Of returns the rule of a type; that of Null for a number that is no type.
func Of(t Type) *Rule {
	if t >= NumTypes {
		t = Null
	}
	return &rules[t]
}

// String returns the type's name.
func (t Type) String() string { return Of(t).Name }

// MadeOf reports whether objects of type t are made of objects of type p.
func (t Type) MadeOf(p Type) bool { return t < NumTypes && Of(t).Parents>>p&1 != 0 }

// Fits reports whether a range is one that an object of type t can have.
func (t Type) Fits(base, size uint64) bool {
	r := Of(t)
	return t != Null && r.Least <= size && size <= r.Most && (base|size)&(r.Align-1) == 0
}

// SlotRange returns where in an object of size bytes its capability slots lie
// and how many there are; 0 if it holds none.
func (t Type) SlotRange(size uint64) (offset, slots uint64) {
	r := Of(t)
	switch {
	case !r.Holds:
		return 0, 0
	case r.Slots == 0:
		return 0, size / SlotSize
	}
	return r.SlotsAt, r.Slots
}

// String lists the rights by their first letters, '-' for each one missing.
func (r Rights) String() string {
	var b [NumRights]byte
	for i := range b {
		b[i] = '-'
		if r>>i&1 != 0 {
			b[i] = rightLetters[i]
		}
	}
	return string(b[:])
}
