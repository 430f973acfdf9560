package capability

// Error is the result of a native call: of an invocation, or of a call on the
// caller's own dispatcher.
type Error uint32

// The errors.
const (
	OK Error = iota
	// ErrPending is no failure: the operation has begun and goes on in the
	// kernel's own time, or, for Delete, is to be asked for again.
	ErrPending
	ErrReference
	ErrEmpty
	ErrOccupied
	ErrType
	ErrRights
	ErrInvocation
	ErrArgument
	ErrRange
	ErrParent
	ErrInUse
	ErrNotReady
	ErrRevoking
	ErrBusy
	ErrRemote
	ErrCall
	ErrFault
	ErrTooBig
	ErrState
	ErrAgain
	ErrNotFound
	ErrMemory
	ErrQuota
	ErrFull
	ErrNoSlot
	ErrPeer
	ErrTimeout
	ErrInterrupted
	ErrOverload
	numErrors
)

var errorNames = [numErrors]struct{ name, text string }{
	OK:            {"OK", "no error"},
	ErrPending:    {"ErrPending", "begun, and not finished yet"},
	ErrReference:  {"ErrReference", "the reference names no slot of the CSpace"},
	ErrEmpty:      {"ErrEmpty", "the slot is empty"},
	ErrOccupied:   {"ErrOccupied", "the slot is not empty, or cannot hold a capability of this type"},
	ErrType:       {"ErrType", "the capability is of another type"},
	ErrRights:     {"ErrRights", "the capability lacks the right"},
	ErrInvocation: {"ErrInvocation", "the type has no such invocation"},
	ErrArgument:   {"ErrArgument", "argument out of range"},
	ErrRange:      {"ErrRange", "not a range that the object has, or not of a size and alignment that the type has"},
	ErrParent:     {"ErrParent", "the type is not made of that type"},
	ErrInUse:      {"ErrInUse", "something is already made of part of the range"},
	ErrNotReady:   {"ErrNotReady", "the object's memory is still being cleared"},
	ErrRevoking:   {"ErrRevoking", "the capability is being revoked"},
	ErrBusy:       {"ErrBusy", "too many such operations are under way"},
	ErrRemote:     {"ErrRemote", "other cores have a part in it: the monitors must agree"},
	ErrCall:       {"ErrCall", "no such native call"},
	ErrFault:      {"ErrFault", "pointer to memory that is not the caller's"},
	ErrTooBig:     {"ErrTooBig", "larger than one call may ask for"},
	ErrState:      {"ErrState", "not possible in this state"},
	ErrAgain:      {"ErrAgain", "nothing there yet"},
	ErrNotFound:   {"ErrNotFound", "no such object"},
	ErrMemory:     {"ErrMemory", "there is no memory left"},
	ErrQuota:      {"ErrQuota", "the domain's memory quota is used up"},

	ErrFull:        {"ErrFull", "the endpoint has no room for the message: the caller is notified when it has"},
	ErrNoSlot:      {"ErrNoSlot", "the endpoint's owner has no empty slot for a capability: the caller is notified when it has"},
	ErrPeer:        {"ErrPeer", "the dispatcher at the other end is gone"},
	ErrTimeout:     {"ErrTimeout", "the deadline passed before a message came"},
	ErrInterrupted: {"ErrInterrupted", "something else came before a message"},
	ErrOverload:    {"ErrOverload", "more processor time than is left of the core"},
}

// Name returns the error's name in this package.
func (e Error) Name() string {
	if e < numErrors {
		return errorNames[e].name
	}
	return "unknown"
}

// Error returns the error's text.
func (e Error) Error() string {
	if e < numErrors {
		return errorNames[e].text
	}
	return "unknown error"
}

// Errors is the number of errors.
const Errors = int(numErrors)
