package bind

import (
	"context"
	"fmt"

	"skerry/abi/capability"
)

// Withdraw returns when no other core has a copy any more of a capability that was sent
// over a connection, nor of anything made of its object there: until then the kernel
// refuses to revoke it. It needs right Grant. Where nothing was sent to another core it
// returns at once.
func Withdraw(ctx context.Context, c capability.Reference) error {
	begin()
	if networks.machine == nil {
		return fmt.Errorf("withdraw the capability in slot %d:%d: %w", c.L1(), c.Slot(), networks.why)
	}
	if err := networks.machine.Withdraw(ctx, c); err != nil {
		return fmt.Errorf("withdraw the capability in slot %d:%d: %w", c.L1(), c.Slot(), err)
	}
	return nil
}
