package stub

import (
	"skerry/abi/capability"
	"skerry/lib/native/slots"
)

// discard deletes capabilities that came for nobody, and frees their slots.
func discard(capabilities []capability.Reference) {
	for _, c := range capabilities {
		// Where it cannot be deleted it stays in its slot until the program ends.
		_ = slots.Drop(c)
	}
}
