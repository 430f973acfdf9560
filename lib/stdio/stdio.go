// Package stdio is the protocol between a program's libos and the domain that
// spawned it, over a urpc channel in the frame at abi.StdioBase: what the
// program writes to its standard output and error, and what it reads from its
// standard input.
//
// Output is a stream of bytes cut into messages at no particular place. Order
// holds within the channel, so between the two streams as well. Input flows as
// far as the ring has room: a libos takes messages out only when it has room
// for what they carry, and the spawner sends only what fits. After StdinEOF no
// Stdin follows.
//
// The libos rings its spawner with abi.CallNotify(0), the spawner the libos
// with abi.CallNotify(domain), when Channel.NeedsDoorbell says so. When a
// domain has ended, what it wrote is still in the frame: the spawner drains it
// before it reports the end.
//
// The libos and spawners import it. It is freestanding and must never do more
// than name what goes over the channel.
package stdio

import (
	"skerry/abi"
	"skerry/lib/urpc"
)

// Kinds of messages from the program to its spawner.
const (
	// Stdout is bytes for the standard output.
	Stdout = 1
	// Stderr is bytes for the standard error.
	Stderr = 2
	// Notice is bytes that the libos itself has to say about the program,
	// such as why it could not be loaded. Lines end in "\n".
	Notice = 3
)

// Kinds of messages from the spawner to the program.
const (
	// Stdin is bytes for the standard input.
	Stdin = 1
	// StdinEOF says that the standard input has ended. It has no payload.
	StdinEOF = 2
)

// AttachProgram makes c the program's side of its stdio channel. The spawner
// has formatted the frame before the program was started.
func AttachProgram(c *urpc.Channel) {
	c.Attach(abi.StdioBase, abi.StdioSize, urpc.B)
}

// AttachSpawner makes c the spawner's side of the stdio channel in the frame
// of abi.StdioSize bytes at the address, which it formats. Call it before
// abi.CallSpawn.
func AttachSpawner(c *urpc.Channel, frame uintptr) {
	urpc.Format(frame, abi.StdioSize)
	c.Attach(frame, abi.StdioSize, urpc.A)
}
