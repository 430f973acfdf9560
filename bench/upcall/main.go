// Upcall measures what it costs to enter the CPU driver and come back by an upcall, in
// a dispatcher without a libos that is made for the purpose and has an address space
// of its own. With -count it also measures what it costs to take the core from one
// such dispatcher and give it to another. It runs on Skerry alone and must be given its
// domain's number with right Grant and the Kernel with right Read. Package measure says
// what it prints.
//
//	upcall [-count] [-time D] [NAME ...]
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/bench/measure"
	"skerry/lib/native"
	"skerry/lib/native/bare"
	"skerry/lib/native/endpoint"
)

// What a dispatcher is asked to do, so many times.
const (
	doNothing = 1 + iota
	doYield   // call abi.CallYield, which comes back by the run upcall
	doTrap    // execute an undefined instruction
	doFault   // touch an address where nothing is mapped
	doSpin    // count in a loop of two instructions, until there is another message
)

// rounds is how often it does it in one operation: the message that asks for it then
// hardly counts.
const rounds = 20_000

// The references in assembly.
const (
	peerReference   = 1<<capability.SlotBits | bare.ServerPeer
	ownReference    = 1<<capability.SlotBits | bare.ServerOwn
	answerReference = ownReference<<32 | peerReference
	receiveAtOwn    = ownReference << 32

	callSetup   = abi.CallSetup
	callYield   = abi.CallYield
	callMessage = abi.CallMessage
	waitForever = abi.WaitForever
)

// The types whose fields assembly names through go_asm.h.
type (
	page    abi.Dispatcher
	entries abi.Entries
)

// Where in Scratch things are, by offset in the dispatcher page.
const (
	atEntries = unsafe.Offsetof(abi.Dispatcher{}.Scratch)
	atWhat    = atEntries + unsafe.Sizeof(abi.Entries{})
	atCount   = atWhat + 8
)

var _ [unsafe.Sizeof(abi.Dispatcher{}.Scratch) - unsafe.Sizeof(abi.Entries{}) - 16]byte

// code returns where the dispatcher's code begins and ends.
func code() (start, end uintptr)

// own is the endpoint at which the program is answered.
var own endpoint.Endpoint

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "upcall:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	if own, err = endpoint.New(2); err != nil {
		return err
	}
	d, err := start()
	if err != nil {
		return err
	}
	row := func(name string, what uint64) measure.Row {
		return measure.Row{Name: name, Prepare: func() (measure.Operation, error) {
			do := func() error {
				m := ask(what, rounds)
				return own.Call(d.Endpoint(), m, time.Time{})
			}
			return measure.Operation{Units: rounds, Samples: 11, Run: func() {
				if err := do(); err != nil {
					panic(err)
				}
			}}, do()
		}}
	}
	if !measure.Run([]measure.Row{row("upcall_run", doYield), row("upcall_trap", doTrap), row("upcall_page_fault", doFault)}) {
		return fmt.Errorf("not all could be measured")
	}
	if !measure.Counting() || flag.NArg() > 0 && !slices.Contains(flag.Args(), "preemption") {
		return nil
	}
	other, err := start()
	if err != nil {
		return err
	}
	ticks, err := preemption(d, other)
	if err == nil {
		fmt.Println("preemption", ticks, "ticks")
	}
	return err
}

// start starts a dispatcher.
func start() (*bare.Dispatcher, error) {
	first, last := code()
	d, err := bare.New(unsafe.Slice((*byte)(unsafe.Pointer(first)), last-first), 256)
	if err != nil {
		return nil, err
	}
	if err := d.Give(bare.ServerPeer, capability.Reference(own), capability.RightSend); err != nil {
		return nil, err
	}
	if err := d.Give(bare.ServerOwn, d.Endpoint(), capability.RightControl); err != nil {
		return nil, err
	}
	return d, d.Run()
}

// ask is the message that asks for something.
func ask(what, count uint64) *endpoint.Message {
	return &endpoint.Message{Words: [abi.MessageWords]uint64{what, count}, Len: 2}
}

// preemption has two dispatchers count side by side for a while, and returns how many
// instructions were executed beside their loops for each time that one lost the core
// to the other.
func preemption(ds ...*bare.Dispatcher) (uint64, error) {
	const while = 4 * time.Second
	before, err := preemptions()
	if err != nil {
		return 0, err
	}
	began := measure.Counter()
	for _, d := range ds {
		if err := endpoint.Send(d.Endpoint(), ask(doSpin, 0)); err != nil {
			return 0, err
		}
	}
	time.Sleep(while) // the program does nothing at all meanwhile
	spun := uint64(0)
	for _, d := range ds {
		m := ask(doNothing, 0)
		if err := own.Call(d.Endpoint(), m, time.Time{}); err != nil {
			return 0, err
		}
		spun += m.Words[0]
	}
	ticks := measure.Counter() - began - 2*spun
	after, err := preemptions()
	if err != nil || after == before {
		return 0, fmt.Errorf("%d preemptions: %w", after-before, err)
	}
	return ticks / (after - before), nil
}

// preemptions returns how often the dispatchers of the program have lost the core
// while they could run.
func preemptions() (n uint64, err error) {
	page := (*abi.Dispatcher)(unsafe.Add(unsafe.Pointer(nil), uintptr(abi.DispatcherBase)))
	for from := uint64(page.Domain); ; {
		info, ok, err := native.Dispatcher(from)
		if err != nil || !ok || info.Domain != page.Domain {
			return n, err
		}
		n += info.Counts.Preemptions
		from = uint64(info.Domain) | uint64(info.Number+1)<<32
	}
}
