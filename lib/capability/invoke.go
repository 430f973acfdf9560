package capability

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native/buffer"
	"skerry/lib/native/home"
	"skerry/lib/native/raw"
)

// kernel answers invocations. Tests put another in its place.
var kernel = func(word uint64, a capability.Arguments) (uint64, capability.Error) {
	if home.Alone() {
		err, value := raw.Call(abi.CallInvoke, uintptr(word), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]))
		return uint64(value), err
	}
	err, value := home.Call(abi.CallInvoke, uintptr(word), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]))
	return uint64(value), err
}

// invoke asks something of the capability that r refers to as one of type t.
func invoke(t capability.Type, r capability.Reference, i capability.Invocation, arguments ...uint64) (uint64, error) {
	var a capability.Arguments
	copy(a[:], arguments)
	value, err := kernel(capability.Word(r, i), a)
	if err != capability.OK {
		return value, &Failure{t, r, i, err}
	}
	return value, nil
}

// read is invoke for what writes a T to the address that is argument number at.
func read[T any](t capability.Type, r capability.Reference, i capability.Invocation, at int, arguments ...uint64) (value T, err error) {
	b, err := buffer.Lock()
	if err != nil {
		return value, err
	}
	defer buffer.Unlock()
	arguments[at] = buffer.Address(b)
	if _, err := invoke(t, r, i, arguments...); err != nil {
		return value, err
	}
	return *buffer.As[T](b), nil
}

// send is invoke for what reads p at the address that is argument number at; the
// next is how long it is. At most buffer.Size bytes are sent.
func send(t capability.Type, r capability.Reference, i capability.Invocation, at int, p []byte, arguments ...uint64) (uint64, error) {
	b, err := buffer.Lock()
	if err != nil {
		return 0, err
	}
	defer buffer.Unlock()
	arguments[at], arguments[at+1] = buffer.Address(b), uint64(copy(b, p))
	return invoke(t, r, i, arguments...)
}

// receive is invoke for what writes bytes to the address that is argument number
// at; the next is how many at most. It returns what the kernel does, which can be
// more than fit into p. At most buffer.Size bytes are received.
func receive(t capability.Type, r capability.Reference, i capability.Invocation, at int, p []byte, arguments ...uint64) (uint64, error) {
	b, err := buffer.Lock()
	if err != nil {
		return 0, err
	}
	defer buffer.Unlock()
	n := min(len(p), len(b))
	arguments[at], arguments[at+1] = buffer.Address(b), uint64(n)
	value, err := invoke(t, r, i, arguments...)
	if err == nil {
		copy(p[:n], b[:min(value, uint64(n))])
	}
	return value, err
}

// census is invoke for what lists the objects after one.
func census(t capability.Type, r capability.Reference, i capability.Invocation, after capability.Description, list *[capability.CensusMax]capability.Description) (uint64, error) {
	b, err := buffer.Lock()
	if err != nil {
		return 0, err
	}
	defer buffer.Unlock()
	*buffer.As[capability.Description](b) = after
	n, err := invoke(t, r, i, buffer.Address(b))
	if err == nil {
		n = min(n, capability.CensusMax)
		copy(list[:n], buffer.As[[capability.CensusMax]capability.Description](b)[:n])
	}
	return n, err
}
