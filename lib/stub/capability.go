package stub

import (
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
)

// discard deletes capabilities that came for nobody, and frees their slots. That it
// fails matters to no one: then there is none, or no Skerry.
func discard(capabilities []capability.Reference) {
	for _, c := range capabilities {
		if typed.L2CNode(capability.LevelOneReference(c.L1())).Delete(c.Slot()) == nil {
			native.FreeSlot(c)
		}
	}
}
