// Lmp measures messages between two dispatchers of one core in address spaces of
// their own: a stock Go program that calls, and a server of a few instructions. It
// runs on Skerry alone and must be given manifest.Dispatch. Package measure says what
// it prints.
//
//	lmp [-count] [-time D] [NAME ...]
package main

import (
	"os"
	"time"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/bench/measure"
	typed "skerry/lib/capability"
	"skerry/lib/native/bare"
	"skerry/lib/native/endpoint"
	"skerry/lib/native/raw"
)

func main() {
	if !measure.Run(rows) {
		os.Exit(1)
	}
}

var rows = []measure.Row{
	{Name: "native_nop", Prepare: func() (measure.Operation, error) {
		return measure.Operation{Run: func() { raw.Call(abi.CallNop, 0, 0, 0, 0, 0, 0) }}, nil
	}},
	{Name: "lmp_round_trip", Prepare: roundTrip(4)},
	{Name: "lmp_round_trip_10", Prepare: roundTrip(abi.MessageWords)},
	{Name: "lmp_one_way", Prepare: oneWay},
	{Name: "lmp_capability", Prepare: withCapability},
}

// forever is no deadline.
var forever time.Time

// connection is a client's end of a connection to a server.
type connection struct {
	own    endpoint.Endpoint
	server *bare.Dispatcher
}

// connect starts a server whose endpoint has size bytes.
func connect(size uint64) (*connection, error) {
	own, err := endpoint.New(1)
	if err != nil {
		return nil, err
	}
	c := &connection{own: own}
	if c.server, err = bare.NewServer(capability.Reference(own), size); err != nil {
		return nil, err
	}
	return c, c.server.Run()
}

// call calls the server, which is to answer with the same words.
func (c *connection) call(m *endpoint.Message) {
	first := m.Words[0]
	if err := c.own.Call(c.server.Endpoint(), m, forever); err != nil {
		panic(err)
	}
	if m.Words[0] != first {
		panic("another answer")
	}
}

// done is the end of a row.
func (c *connection) done() {
	if err := c.server.Close(); err != nil {
		panic(err)
	}
	if err := c.own.Close(); err != nil {
		panic(err)
	}
}

// roundTrip is a call with a number of words and its answer.
func roundTrip(words int) func() (measure.Operation, error) {
	return func() (measure.Operation, error) {
		c, err := connect(256)
		if err != nil {
			return measure.Operation{}, err
		}
		m := &endpoint.Message{Len: words, Words: [abi.MessageWords]uint64{bare.ServerAnswer, 2, 3, 4}}
		return measure.Operation{Run: func() { c.call(m) }, Done: c.done}, nil
	}
}

// oneWay is a message of four words that is not waited for: many are sent in a row,
// then one that is answered when all have been received.
func oneWay() (measure.Operation, error) {
	const many = 64 // fewer than the buffer has room for
	c, err := connect(25 * 256)
	if err != nil {
		return measure.Operation{}, err
	}
	m := &endpoint.Message{Len: 4, Words: [abi.MessageWords]uint64{bare.ServerSilent, 2, 3, 4}}
	last := &endpoint.Message{Len: 4, Words: [abi.MessageWords]uint64{bare.ServerAnswer, 2, 3, 4}}
	return measure.Operation{Run: func() {
		for range many - 1 {
			if err := endpoint.Send(c.server.Endpoint(), m); err != nil {
				panic(err)
			}
		}
		c.call(last)
	}, Units: many, Done: c.done}, nil
}

// withCapability is a call of four words and a capability.
func withCapability() (measure.Operation, error) {
	const slot = 100
	c, err := connect(256)
	if err != nil {
		return measure.Operation{}, err
	}
	place := typed.L2CNode(capability.LevelOneReference(c.server.Slot(slot).L1()))
	sent := false
	m := &endpoint.Message{Len: 4, Words: [abi.MessageWords]uint64{bare.ServerAnswer, 2, 3, 4}}
	return measure.Operation{
		Before: func() {
			if sent {
				if err := place.Delete(slot); err != nil {
					panic(err)
				}
			}
			if err := typed.Endpoint(c.server.Endpoint()).Accept(c.server.Own(slot)); err != nil {
				panic(err)
			}
			sent = true
		},
		Run: func() {
			m.Capability = capability.Base(capability.SlotArchive)
			c.call(m)
		},
		Done: c.done,
	}, nil
}
