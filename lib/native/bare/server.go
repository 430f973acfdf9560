package bare

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
)

// dispatcherPage names the type's fields for assembly, through go_asm.h.
type dispatcherPage abi.Dispatcher

// The slots that a Server uses: an endpoint to answer to, with right Send, and its
// own, with right Control.
const (
	ServerPeer = 1
	ServerOwn  = 2
)

// What the first word of a message asks of a Server: nothing by 0, and else the same
// words back. The upper half is the server's reference to a capability to send along,
// or 0.
const (
	ServerSilent = 0
	ServerAnswer = 1
	ServerExit   = 1<<64 - 1 // it exits
)

// The references in assembly.
const (
	peerReference   = 1<<capability.SlotBits | ServerPeer
	ownReference    = 1<<capability.SlotBits | ServerOwn
	answerReference = ownReference<<32 | peerReference
	receiveAtOwn    = ownReference << 32

	callMessage    = abi.CallMessage
	callExit       = abi.CallExit
	exitCode       = abi.ExitCode
	waitForever    = abi.WaitForever
	errInterrupted = uint32(capability.ErrInterrupted)
)

// serverCode returns where the code of a Server begins and ends.
func serverCode() (start, end uintptr)

// Server returns the code of a dispatcher that answers messages. It waits for one,
// answers it, and waits for the next in the same call.
func Server() []byte {
	start, end := serverCode()
	return unsafe.Slice((*byte)(unsafe.Pointer(start)), end-start)
}

// NewServer makes a Server that answers to peer, an endpoint with right Grant. It
// does not run yet.
func NewServer(peer capability.Reference, size uint64) (*Dispatcher, error) {
	d, err := New(Server(), size)
	if err != nil {
		return nil, err
	}
	if err := d.Give(ServerPeer, peer, capability.RightSend); err != nil {
		return nil, err
	}
	return d, d.Give(ServerOwn, d.endpoint, capability.RightControl)
}
