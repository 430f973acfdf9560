package raw

import "skerry/abi"

// Message is what abi.CallMessage takes and returns beside the words, by register.
type Message struct {
	Call      uint64 // RAX: the call, and what goes along; then the error
	Endpoints uint64 // RDI: to and from; then the label
	Deadline  uint64 // RBP: the deadline; then what came along
}

// Exchange makes the native call abi.CallMessage with what is in m and words, and leaves
// there what came of it. It blocks the dispatcher, as far as the call does.
//
//go:noescape
func Exchange(m *Message, words *[abi.MessageWords]uint64)
