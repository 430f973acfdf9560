// Package native gives Go programs on Skerry what lies below Linux's calls: the
// CPU driver's native calls, invocations of capabilities among them, and the
// calls by which the libos gives a program a part of its CSpace and its memory.
// What only monitors may ask of a Kernel capability has functions here too;
// package capability has types for all others.
//
// Services and native programs import it. What it passes to the kernel goes
// through memory that is kept present for the purpose (package buffer), so
// callers may hand it any Go value. All functions return at once; waiting is a
// Doorbell's affair. On another system than Skerry every call fails.
package native

import (
	"bytes"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native/buffer"
	"skerry/lib/native/raw"
)

// CallError is a call that failed.
type CallError struct {
	Call string           // what was to be done
	Err  capability.Error // the kernel's answer
}

// Error returns what failed and why.
func (e *CallError) Error() string { return e.Call + ": " + e.Err.Error() }

// Unwrap returns the kernel's answer.
func (e *CallError) Unwrap() error { return e.Err }

// check turns the kernel's answer into an error that says what was to be done.
func check(call string, err capability.Error) error {
	if err == capability.OK {
		return nil
	}
	return &CallError{call, err}
}

// Invoke asks something of a capability: word is capability.Word of a reference
// and an invocation. Addresses among the arguments must be of memory that is
// present; see package buffer.
func Invoke(word uint64, a *capability.Arguments) (uint64, capability.Error) {
	err, value := raw.Call(abi.CallInvoke, uintptr(word), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]))
	return uint64(value), err
}

// invoke is Invoke with the arguments one by one.
func invoke(r capability.Reference, i capability.Invocation, args ...uint64) (uint64, capability.Error) {
	var a capability.Arguments
	copy(a[:], args)
	return Invoke(capability.Word(r, i), &a)
}

// Identify describes the capability in a slot.
func Identify(r capability.Reference) (capability.Description, error) {
	return read[capability.Description]("identify", func(at uint64) capability.Error {
		_, err := invoke(r, capability.InvokeIdentify, at)
		return err
	})
}

// read returns the T that a call writes to an address.
func read[T any](what string, call func(at uint64) capability.Error) (value T, err error) {
	b, err := buffer.Lock()
	if err != nil {
		return value, err
	}
	defer buffer.Unlock()
	if e := call(buffer.Address(b)); e != capability.OK {
		return value, check(what, e)
	}
	return *buffer.As[T](b), nil
}

// DispatcherStatus returns how a dispatcher ended. ErrState: it has not.
func DispatcherStatus(dispatcher capability.Reference) (abi.Status, error) {
	return read[abi.Status]("status of a dispatcher", func(at uint64) capability.Error {
		_, err := invoke(dispatcher, capability.DispatcherStatus, at)
		return err
	})
}

// Random fills p with the kernel's entropy.
func Random(p []byte) error {
	b, err := buffer.Lock()
	if err != nil {
		return err
	}
	defer buffer.Unlock()
	const most = 256
	for len(p) > 0 {
		n := min(len(p), most)
		if e, _ := raw.Call(abi.CallRandom, uintptr(buffer.Address(b)), uintptr(n), 0, 0, 0, 0); e != capability.OK {
			return check("random", e)
		}
		copy(p, b[:n])
		clear(b[:n])
		p = p[n:]
	}
	return nil
}

// Text returns the text in a NUL-padded field of the kernel's structures.
func Text(field []byte) string {
	if i := bytes.IndexByte(field, 0); i >= 0 {
		field = field[:i]
	}
	return string(field)
}
