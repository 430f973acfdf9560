// Messages shows what dispatchers of one core can say to each other. It makes a server
// of a few instructions in an address space of its own, calls it, gives it a
// capability and gets it back, fills its buffer, and sees it end. Each line says what
// it did and what came of it. It runs on Skerry alone and must be given
// manifest.Dispatch.
//
//	messages [PART ...]
//
// The parts are call, many, order, capability, full, deadline, end and refused; all of
// these, in this order, if none is named.
package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/native"
	"skerry/lib/native/bare"
	"skerry/lib/native/endpoint"
)

var parts = []struct {
	name string
	show func() error
}{
	{"call", showCall},
	{"many", showMany},
	{"order", showOrder},
	{"capability", showCapability},
	{"full", showFull},
	{"deadline", showDeadline},
	{"end", showEnd},
	{"refused", showRefused},
}

func main() {
	for _, p := range parts {
		if named := os.Args[1:]; len(named) > 0 && !slices.Contains(named, p.name) {
			continue
		}
		fmt.Println(p.name)
		if err := p.show(); err != nil {
			fmt.Fprintf(os.Stderr, "messages: %s: %v\n", p.name, err)
			os.Exit(1)
		}
	}
}

// say prints one line about what was done.
func say(format string, a ...any) { fmt.Printf("  "+format+"\n", a...) }

// refused prints what was tried and by which error it was refused. It is an error if
// it was not.
func refused(what string, err error) error {
	var e capability.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %v", what, err)
	}
	say("%s: %s, %s", what, e.Name(), e)
	return nil
}

// forever is no deadline.
var forever time.Time

// message makes a message of words.
func message(words ...uint64) *endpoint.Message {
	m := &endpoint.Message{Len: len(words)}
	copy(m.Words[:], words)
	return m
}

// connect makes an endpoint, and a server, which does not run yet, that answers to it
// and has room for one message.
func connect() (endpoint.Endpoint, *bare.Dispatcher, error) {
	own, err := endpoint.New(1)
	if err != nil {
		return 0, nil, err
	}
	server, err := bare.NewServer(capability.Reference(own), 256)
	return own, server, err
}

// disconnect ends a server.
func disconnect(own endpoint.Endpoint, server *bare.Dispatcher) error {
	return errors.Join(server.Close(), own.Close())
}

// showCall calls a server.
func showCall() error {
	own, server, err := connect()
	if err != nil {
		return err
	}
	if err := server.Run(); err != nil {
		return err
	}
	for n := range 3 {
		m := message(bare.ServerAnswer, uint64(10*n), 7)
		if err := own.Call(server.Endpoint(), m, forever); err != nil {
			return err
		}
		say("called with %d and 7, was answered %d words: %v", 10*n, m.Len, m.Words[1:m.Len])
	}
	m := message(bare.ServerAnswer, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	if err := own.Call(server.Endpoint(), m, forever); err != nil {
		return err
	}
	say("ten words there and back: %v", m.Words)
	for range 10_000 {
		m := message(bare.ServerAnswer, 2, 3, 4)
		if err := own.Call(server.Endpoint(), m, forever); err != nil || m.Words[3] != 4 {
			return fmt.Errorf("%v, %v", m, err)
		}
	}
	say("ten thousand more calls")
	return disconnect(own, server)
}

// showMany calls several servers in turn, at random, while other goroutines have work
// to do.
func showMany() error {
	const servers, calls = 6, 20_000
	var own [servers]endpoint.Endpoint
	var server [servers]*bare.Dispatcher
	for i := range server {
		var err error
		if own[i], server[i], err = connect(); err != nil {
			return err
		}
		if err := server[i].Run(); err != nil {
			return err
		}
	}
	ended, collections := make(chan bool), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-ended:
				collections <- n
				return
			case <-time.After(time.Millisecond):
				runtime.GC()
				n++
			}
		}
	}()
	r := rand.New(rand.NewPCG(1, 1))
	for range calls {
		i := r.IntN(servers)
		m := &endpoint.Message{Len: 1 + r.IntN(abi.MessageWords)}
		for w := range m.Len {
			m.Words[w] = r.Uint64()&^(1<<64-1<<32) | 1
		}
		sent := *m
		if err := own[i].Call(server[i].Endpoint(), m, forever); err != nil {
			return err
		}
		if m.Words != sent.Words || m.Len != sent.Len {
			return fmt.Errorf("server %d was sent %v and answered %v", i, sent, *m)
		}
	}
	close(ended)
	say("called %d servers %d times, each answered; garbage was collected meanwhile: %v", servers, calls, <-collections > 0)
	for i := range server {
		if err := disconnect(own[i], server[i]); err != nil {
			return err
		}
	}
	return nil
}

// showOrder sends messages to itself, through two endpoints.
func showOrder() error {
	var e [2]endpoint.Endpoint
	for i := range e {
		var err error
		if e[i], err = endpoint.New(4); err != nil {
			return err
		}
		if err := e[i].Label(uint64(100 + i)); err != nil {
			return err
		}
	}
	for n, i := range []int{1, 0, 0, 1} {
		if err := endpoint.Send(capability.Reference(e[i]), message(uint64(n))); err != nil {
			return err
		}
	}
	m := new(endpoint.Message)
	receive := func(from endpoint.Endpoint, what string) error {
		if err := from.Receive(m, forever); err != nil {
			return err
		}
		say("out of %s: message %d, with label %d", what, m.Words[0], m.Label)
		return nil
	}
	if err := receive(e[0], "the first endpoint"); err != nil {
		return err
	}
	for range 3 {
		if err := receive(endpoint.Any, "any endpoint"); err != nil {
			return err
		}
	}
	return errors.Join(e[0].Close(), e[1].Close())
}

// showCapability gives the server a frame, and gets it back.
func showCapability() error {
	const slot = 100 // of the server's
	own, server, err := connect()
	if err != nil {
		return err
	}
	if err := server.Run(); err != nil {
		return err
	}
	m := message(bare.ServerAnswer)
	m.Capability = capability.Base(capability.SlotArchive)
	if err := refused("gave it the boot archive unasked", own.Call(server.Endpoint(), m, forever)); err != nil {
		return err
	}
	if err := typed.Endpoint(server.Endpoint()).Accept(server.Own(slot)); err != nil {
		return err
	}
	if err := own.Call(server.Endpoint(), m, forever); err != nil {
		return err
	}
	d, err := native.Identify(server.Slot(slot))
	if err != nil {
		return err
	}
	say("let it have one: there is a %v in its slot", d.Type)
	to, err := native.Slot()
	if err != nil {
		return err
	}
	if err := own.Accept(to); err != nil {
		return err
	}
	m = message(bare.ServerAnswer | uint64(server.Own(slot))<<32)
	if err := own.Call(server.Endpoint(), m, forever); err != nil {
		return err
	}
	back, err := native.Identify(to)
	if err != nil {
		return err
	}
	say("asked for it back: came with the answer: %v; the same: %v", m.Given, back.Type == d.Type && back.Base == d.Base && back.Size == d.Size)
	if err := typed.L2CNode(capability.LevelOneReference(to.L1())).Delete(to.Slot()); err != nil {
		return err
	}
	return errors.Join(native.FreeSlot(to), disconnect(own, server))
}

// showFull sends more than there is room for.
func showFull() error {
	own, server, err := connect()
	if err != nil {
		return err
	}
	bell, err := native.OpenDoorbell()
	if err != nil {
		return err
	}
	n := 0
	for err = nil; err == nil; n++ {
		err = endpoint.Send(server.Endpoint(), message(bare.ServerSilent))
	}
	say("sent %d messages to a server that does not run", n-1)
	if err := refused("one more", err); err != nil {
		return err
	}
	if err := server.Run(); err != nil {
		return err
	}
	for err = capability.ErrFull; errors.Is(err, capability.ErrFull); err = endpoint.Send(server.Endpoint(), message(bare.ServerSilent)) {
		if _, err := bell.Wait(); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	say("let it run: the doorbell rang, and there was room")
	return disconnect(own, server)
}

// showDeadline waits for what does not come.
func showDeadline() error {
	e, err := endpoint.New(1)
	if err != nil {
		return err
	}
	var ticks atomic.Int32
	ticking, stopped := make(chan bool), make(chan bool)
	go func() {
		t := time.NewTicker(time.Millisecond)
		defer close(stopped)
		for {
			select {
			case <-t.C:
				ticks.Add(1)
			case <-ticking:
				return
			}
		}
	}()
	// In an emulator whose host is busy the core may stand still for longer than
	// that: then wait once more, longer.
	wait, long, ticked := 50*time.Millisecond, true, false
	began := time.Now()
	for try := 0; try < 3 && !ticked; try++ {
		before, start := ticks.Load(), time.Now()
		err = e.Receive(new(endpoint.Message), start.Add(wait))
		ticked, long = ticks.Load() > before+2, long && time.Since(start) >= wait
		wait *= 10
	}
	close(ticking)
	<-stopped
	if err := refused("waited 50 ms", err); err != nil {
		return err
	}
	say("it took that long: %v; a goroutine with a ticker went on meanwhile: %v", long, ticked)
	if err := refused("waited until yesterday", e.Receive(new(endpoint.Message), began.Add(-24*time.Hour))); err != nil {
		return err
	}
	return e.Close()
}

// showEnd sees servers end, each in another way.
func showEnd() error {
	for _, way := range []struct {
		what string
		end  func(own endpoint.Endpoint, server *bare.Dispatcher) error
	}{
		{"told it to exit, waiting for an answer", func(own endpoint.Endpoint, server *bare.Dispatcher) error {
			return own.Call(server.Endpoint(), message(bare.ServerExit), forever)
		}},
		{"took its memory away", func(own endpoint.Endpoint, server *bare.Dispatcher) error {
			if err := server.Close(); err != nil {
				return err
			}
			return own.Receive(new(endpoint.Message), forever)
		}},
	} {
		own, server, err := connect()
		if err != nil {
			return err
		}
		if err := errors.Join(own.Label(5), own.Watch(server.Endpoint()), server.Run()); err != nil {
			return err
		}
		if err := own.Call(server.Endpoint(), message(bare.ServerAnswer), forever); err != nil {
			return err
		}
		if err := refused(way.what, way.end(own, server)); err != nil {
			return err
		}
		if err := refused("sent it a message", endpoint.Send(server.Endpoint(), message(0))); err != nil {
			return err
		}
		if err := own.Close(); err != nil {
			return err
		}
	}
	return nil
}

// showRefused asks for what is refused.
func showRefused() error {
	own, server, err := connect()
	if err != nil {
		return err
	}
	slot, err := native.Slot()
	if err != nil {
		return err
	}
	home := typed.L2CNode(capability.LevelOneReference(slot.L1()))
	if err := home.Mint(slot.Slot(), capability.Reference(own), capability.AllRights&^capability.RightSend); err != nil {
		return err
	}
	many := &endpoint.Message{Len: abi.MessageWords + 1}
	for _, try := range []struct {
		what string
		err  error
	}{
		{"sent eleven words", endpoint.Send(capability.Reference(own), many)},
		{"sent to a frame", endpoint.Send(capability.Base(capability.SlotArchive), message())},
		{"sent without right Send", endpoint.Send(slot, message())},
		{"received what is another's", endpoint.Endpoint(server.Endpoint()).Receive(new(endpoint.Message), forever)},
		{"sent what cannot be given", endpoint.Send(capability.Reference(own), &endpoint.Message{Capability: capability.Base(capability.SlotSupervisor)})},
	} {
		if err := refused(try.what, try.err); err != nil {
			return err
		}
	}
	if err := home.Delete(slot.Slot()); err != nil {
		return err
	}
	return errors.Join(native.FreeSlot(slot), disconnect(own, server))
}
