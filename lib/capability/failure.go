package capability

import (
	"fmt"

	"skerry/abi/capability"
)

// Failure is an invocation that was not done.
type Failure struct {
	Type       capability.Type      // as which the capability was invoked
	Reference  capability.Reference // where it should be
	Invocation capability.Invocation
	Err        capability.Error // the kernel's answer
}

// Error returns what was asked of what, and why it was not done.
func (f *Failure) Error() string {
	return fmt.Sprintf("%v %s: %s: %v", f.Type, slot(f.Reference), capability.InvocationName(f.Type, f.Invocation), f.Err)
}

// Unwrap returns the kernel's answer.
func (f *Failure) Unwrap() error { return f.Err }

// slot names a slot: that of the L1 CNode, and that of the L2 CNode in it unless
// the first alone is meant.
func slot(r capability.Reference) string {
	if r&capability.LevelOne != 0 {
		return fmt.Sprint(r.L1())
	}
	return fmt.Sprintf("%d:%d", r.L1(), r.Slot())
}
