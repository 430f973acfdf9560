// Package capability gives Go programs on Skerry a type for each type of
// capability, with a method for each invocation: what docs/capabilities.md
// lists, as functions. The types are references to slots of the caller's
// CSpace, and convert from and to capability.Reference of package
// abi/capability, which has the constants, descriptions and errors that go with
// them:
//
//	frame := capability.Frame(slot)
//	d, err := frame.Identify()
//
// A value of these types promises nothing: what the slot holds, and what may be
// done with it, the CPU driver checks at every invocation. A method fails with a
// *Failure, which says what was asked of what and unwraps to the kernel's answer,
// a capability.Error; so errors.Is(err, abi.ErrRights) tells. ErrPending is no
// failure, though it is returned as one: see its comment.
//
// Methods return at once. What they hand to the kernel or get from it goes
// through memory that is kept present for the purpose, so callers may pass any
// Go value. All may be called from any goroutine.
//
// Native programs and services import it. types.go is generated from package
// abi/capability/table. It must never keep anything about a slot: the CSpace is
// the libos's to lay out, and package native has the calls for that. On another
// system than Skerry every method fails.
package capability
