package machine

import (
	"testing"

	"skerry/test/boot"
)

// TestRegisters: calls and page faults keep the registers that they must, though
// the libos has page faults of its own in their midst.
func TestRegisters(t *testing.T) {
	o := boot.Run(t, &boot.Machine{Cores: 1, Programs: []boot.Program{{Package: "./testdata/registers"}}})
	if o.Err != nil || o.Stdout != "registers ok\n" {
		t.Error(o.Err)
	}
}
