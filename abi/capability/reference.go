package capability

// Reference names a slot of a CSpace in 32 bits. With LevelOne clear, the low
// SlotBits number a slot of an L2 CNode and the bits above them a slot of the
// L1 CNode that holds it. With LevelOne set, those bits name the L1 slot
// itself, and the low ones are 0. Slot 0 of every CNode is the kernel's, so no
// reference to it is valid: 0 is no reference at all.
type Reference uint32

const (
	// SlotBits is the number of bits of a reference that number a slot of an
	// L2 CNode.
	SlotBits = 8
	// L2Slots is the number of slots of an L2 CNode.
	L2Slots = 1 << SlotBits
	// MaxL1Slots bounds the slots of an L1 CNode.
	MaxL1Slots = 1 << 23
	// LevelOne marks a reference to a slot of the L1 CNode itself.
	LevelOne Reference = 1 << 31
	// SlotSize is the size of a slot in bytes.
	SlotSize = 64
)

// MakeReference returns the reference to a slot of the L2 CNode that lies in
// slot l1 of the L1 CNode.
func MakeReference(l1, slot uint32) Reference {
	return Reference(l1<<SlotBits|slot&(L2Slots-1)) &^ LevelOne
}

// LevelOneReference returns the reference to slot l1 of the L1 CNode.
func LevelOneReference(l1 uint32) Reference { return Reference(l1<<SlotBits) | LevelOne }

// L1 returns the number of the slot of the L1 CNode.
func (r Reference) L1() uint32 { return uint32(r&^LevelOne) >> SlotBits }

// Slot returns the number of the slot of the L2 CNode.
func (r Reference) Slot() uint32 { return uint32(r) & (L2Slots - 1) }

// Valid reports whether the reference could name a slot that a user may use.
func (r Reference) Valid() bool {
	if r&LevelOne != 0 {
		return r.Slot() == 0 && r.L1() != 0
	}
	return r.Slot() != 0 && r.L1() != 0
}
