// Package native gives Go programs on Skerry what lies below Linux's calls: the
// CPU driver's native calls, and the calls by which the libos gives a program a
// part of its CSpace and its memory. What capabilities can be asked is in package
// capability; what a monitor asks its Kernel for has functions here too.
//
// Services and native programs import it. What it passes to the kernel goes
// through memory that is kept present for the purpose (package buffer), so
// callers may hand it any Go value. All functions return at once; waiting is a
// Doorbell's affair. On another system than Skerry every call fails.
package native

import (
	"bytes"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native/buffer"
	"skerry/lib/native/home"
	"skerry/lib/native/raw"
)

// Invoke asks something of a capability: word is capability.Word of a reference
// and an invocation. Addresses among the arguments must be of memory that is
// present; see package buffer. Package capability has a method for each
// invocation.
func Invoke(word uint64, a *capability.Arguments) (uint64, capability.Error) {
	if home.Alone() {
		err, value := raw.Call(abi.CallInvoke, uintptr(word), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]))
		return uint64(value), err
	}
	err, value := home.Call(abi.CallInvoke, uintptr(word), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]))
	return uint64(value), err
}

// Identify describes the capability in a slot, whatever its type. It fails with a
// *Failure of package capability.
func Identify(r capability.Reference) (capability.Description, error) {
	b, err := buffer.Lock()
	if err != nil {
		return capability.Description{}, err
	}
	defer buffer.Unlock()
	if _, e := Invoke(capability.Word(r, capability.InvokeIdentify), &capability.Arguments{buffer.Address(b)}); e != capability.OK {
		return capability.Description{}, &typed.Failure{Reference: r, Invocation: capability.InvokeIdentify, Err: e}
	}
	return *buffer.As[capability.Description](b), nil
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
		call := raw.Call
		if !home.Alone() {
			call = home.Call
		}
		if e, _ := call(abi.CallRandom, uintptr(buffer.Address(b)), uintptr(n), 0, 0, 0, 0); e != capability.OK {
			return fmt.Errorf("random: %w", e)
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
