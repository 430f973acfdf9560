// Package stdio is the protocol between a program's libos and the domain that
// spawned it, over a urpc channel in the frame at abi.StdioBase: what the
// program writes to its standard output and error, and what it reads from its
// standard input.
//
// Output is a stream of bytes cut into messages at no particular place. Order
// holds within the channel, so between the two streams as well. Of the input at
// most Window bytes are on their way or unread: the program says how many it has
// read (Read, Wanted) and so makes room for more. A libos can therefore always
// empty the ring, and with it take the acknowledgements of the output, however
// long the program leaves its input alone. After StdinEOF no Stdin follows.
//
// Either side rings the other when Channel.NeedsDoorbell says so: the libos by
// the doorbell in slot capability.SlotSupervisor, the spawner by one that it made
// of the domain's endpoint. When a domain has ended, what it wrote is still in
// the frame: the spawner drains it before it reports the end.
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
	// Read says how many bytes of its standard input the program has read
	// since its start (4 bytes, see Count). It comes now and then.
	Read = 4
	// Wanted says the same, and that the program has looked for input and
	// found none. It comes once for each time that input runs out.
	Wanted = 5
)

// Window is how much standard input may be unread, in bytes.
const Window = 64 << 10

// CountSize is the size of the payload of Read and Wanted in bytes.
const CountSize = 4

// PutCount writes the payload of Read and Wanted.
func PutCount(b *[CountSize]byte, n uint32) {
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
}

// Count reads the payload of Read and Wanted, which has been found to have its
// size: a number of bytes modulo 2^32.
func Count(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

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
// of abi.StdioSize bytes at the address, which it formats, before the domain
// runs.
func AttachSpawner(c *urpc.Channel, frame uintptr) {
	urpc.Format(frame, abi.StdioSize)
	c.Attach(frame, abi.StdioSize, urpc.A)
}
