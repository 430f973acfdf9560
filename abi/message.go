package abi

// A message is at most MessageWords words and one capability. CallMessage moves
// it in registers:
//
//	in   RAX       NativeCall | CallMessage | words<<8 | capability<<32
//	     RDI       to | from<<32
//	     RBP       deadline
//	     RSI, RDX, R10, R8, R9, RBX, R12, R13, R14, R15: the words
//	out  RAX       Error
//	     RDI       label of the endpoint that the message came out of
//	     RBP       words | MessageCapability if one came with it
//	     the words in the same registers; those that the message has not are 0
//	     on an error RDX says whether the message was sent: 1, or 0
//
// Both endpoints are looked up first. Then, if to is not 0, it sends: to is a reference
// to an Endpoint with right Send, capability one of level two, with right Grant, to
// what a copy of goes along, or 0. If the dispatcher behind the endpoint waits in
// CallMessage, it has the message at once; otherwise it is put into the endpoint's
// buffer, and the dispatcher notified. Errors of the sending: those of looking up,
// ErrFull, ErrNoSlot, ErrPeer if the dispatcher has ended.
//
// Then, if from is not 0, it receives: from is a reference to an Endpoint, with right
// Control, of the caller's own dispatcher, or AnyEndpoint for all it has, in the
// order in which messages came. If there is no message it waits until the deadline,
// an absolute time in ns; 0 is now, WaitForever never. What remains of the
// caller's turn goes to whoever it has sent to just before: so a call and its
// reply, with CallMessage at both ends, switch straight from one to the other.
// Errors of the receiving: ErrAgain (the deadline was 0), ErrTimeout; ErrPeer, once,
// with the endpoint's label, when what the endpoint watches has ended and all that
// came before has been received; ErrInterrupted if the dispatcher is notified, or
// HasWork is set already: then a message may come later, and the caller asks for it
// again with to 0. One that is enabled has its run upcall before it sees that.
//
// A call that does not receive leaves the words as they are, and so does, but for RDX,
// one that fails. All other registers but RCX, R11 and the vector registers are preserved.
const (
	MessageWords      = 10
	MessageCapability = 1 << 8
	AnyEndpoint       = 1<<32 - 1
	WaitForever       = 1<<63 - 1
)

// A dispatcher is an object of DispatcherObject bytes, aligned to that. Its endpoints lie
// from DispatcherEndpoints on in it, at multiples of EndpointAlign.
const (
	DispatcherObject    = 8 * PageSize
	DispatcherEndpoints = 2*PageSize + DispatcherSize
	EndpointAlign       = 256
)

// EndpointPlace returns the number of the endpoint at a physical address among the
// places where its dispatcher can have one.
func EndpointPlace(base uint64) uint {
	return uint(base%DispatcherObject-DispatcherEndpoints) / EndpointAlign % 64
}
