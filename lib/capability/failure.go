package capability

import (
	"fmt"

	"skerry/abi/capability"
)

// Failure is an invocation that was not done.
type Failure struct {
	Type       capability.Type      // as which the capability was invoked; Null: whatever it is
	Reference  capability.Reference // where it should be
	Invocation capability.Invocation
	Err        capability.Error // the kernel's answer
}

// Error returns what was asked of what, and why it was not done.
func (f *Failure) Error() string {
	what, t := f.Type.String(), f.Type
	if t == capability.Null {
		what, t = "capability", capability.RAM // what all can be asked is the same of any
	}
	return fmt.Sprintf("%s %s: %s: %v", what, slot(f.Reference), capability.InvocationName(t, f.Invocation), f.Err)
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
