// Session shows what monitors do for programs that speak to each other, without
// package bind, which programs would use: one serves a name, others bind to it, wherever
// they run. Each line says what came of something. It runs on Skerry alone and must be
// given messages.
//
//	session serve NAME CLIENTS           echo what clients say until so many have gone
//	session call NAME MESSAGES           bind, have so many echoed, give a frame
//	session watch NAME                   wait for the name, then for its end
//	session hold NAME                    bind, then wait for the server's end
//	session abandon NAME                 bind, and end without a word
//	session ATTACK NAME                  try to harm the monitor, or who serves the name
//
// The attacks are garbage, scribble, exchange, hoard, mute, names and revoke.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/session"
	"skerry/lib/urpc"
)

const version, fingerprint = 3, 0x5e55_1011

// Kinds of messages between client and server.
const (
	kindEcho = 1 + iota
	kindGift // a capability is to come; the answer is a word of its memory
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "session:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("say what to do: serve, call, watch, hold, abandon or an attack, and a name")
	}
	name, err := session.MakeName(args[1])
	if err != nil {
		return err
	}
	count := 1
	if len(args) > 2 {
		if count, err = strconv.Atoi(args[2]); err != nil {
			return err
		}
	}
	t, err := open()
	if err != nil {
		return err
	}
	if attack := attacks[args[0]]; attack != nil {
		return attack(t, name)
	}
	switch args[0] {
	case "serve":
		return serve(t, name, count)
	case "call":
		return call(t, name, count)
	case "watch":
		return watch(t, name)
	case "hold":
		return hold(t, name)
	case "abandon":
		_, err := bind(t, name)
		return err
	}
	return fmt.Errorf("%s is nothing that it can do", args[0])
}

// serve serves a name until so many clients have gone.
func serve(t *talk, name session.Name, clients int) error {
	if err := t.say(session.KindExport, &session.Export{ID: 1, Version: version, Fingerprint: fingerprint, Name: name}); err != nil {
		return err
	}
	exported, err := wait(t, func(m *session.Exported) bool { return m.ID == 1 })
	if err != nil {
		return err
	}
	if exported.Error != session.ErrNone {
		return exported.Error
	}
	served := 0
	err = t.until(func() (bool, error) {
		for {
			m := take(t, func(m *session.Incoming) bool { return true })
			if m == nil {
				break
			}
			if _, err := t.attach(m.Binding, m.Size, urpc.B); err != nil {
				return false, err
			}
			if err := t.say(session.KindAnswer, &session.Answer{Binding: m.Binding}); err != nil {
				return false, err
			}
		}
		for _, e := range t.ends {
			if err := answer(t, e); err != nil {
				return false, err
			}
		}
		for {
			m := take(t, func(m *session.Gone) bool { return t.ends[m.Binding] != nil })
			if m == nil {
				break
			}
			if err := answer(t, t.ends[m.Binding]); err != nil {
				return false, err
			}
			if err := t.detach(t.ends[m.Binding]); err != nil {
				return false, err
			}
			served++
		}
		return served == clients, nil
	})
	fmt.Printf("served %d clients\n", served)
	return err
}

// answer answers what a client has said.
func answer(t *talk, e *end) error {
	var b [urpc.PayloadSize]byte
	for {
		kind, n, ok := e.channel.Receive(&b)
		if !ok {
			break
		}
		if kind == kindGift {
			ticket := binary.LittleEndian.Uint32(b[:])
			// The monitor has said so before the client could.
			if err := t.hear(); err != nil {
				return err
			}
			m := take(t, func(m *session.Arrived) bool { return m.Binding == e.number && m.Ticket == ticket })
			if m == nil {
				return fmt.Errorf("capability %d is announced and has not arrived", ticket)
			}
			g := gift{e.number, ticket}
			word, err := look(t.came[g][0])
			delete(t.came, g)
			if err != nil {
				return err
			}
			n = binary.PutUvarint(b[:], word)
		}
		if !e.channel.Send(kind, b[:n]) {
			return errors.New("a client does not read its answers")
		}
	}
	if e.channel.NeedsDoorbell() {
		return e.bell.Ring()
	}
	return nil
}

// look returns the first word of a frame that came, which can be read and no more, and
// keeps it.
func look(own capability.Reference) (uint64, error) {
	if _, err := native.Map(own, 0, abi.PageSize, abi.ProtRead|abi.ProtWrite); err == nil {
		return 0, errors.New("the frame can be written")
	}
	at, err := native.Map(own, 0, abi.PageSize, abi.ProtRead)
	if err != nil {
		return 0, err
	}
	word := *wordAt(at)
	return word, native.Unmap(at, abi.PageSize)
}

// bind waits for a name and binds to it.
func bind(t *talk, name session.Name) (*end, error) {
	t.request++
	if err := t.say(session.KindLookup, &session.Lookup{Request: t.request, Wait: 1, Name: name}); err != nil {
		return nil, err
	}
	found, err := wait(t, func(m *session.Found) bool { return m.Request == t.request })
	if err != nil {
		return nil, err
	}
	if found.Error != session.ErrNone || found.Version != version || found.Fingerprint != fingerprint {
		return nil, fmt.Errorf("found %+v: %w", *found, found.Error)
	}
	t.request++
	m := &session.Bind{Request: t.request, Version: version, Fingerprint: fingerprint, Depth: 32, Transport: uint8(channel.TransportDoorbell), Name: name}
	if err := t.say(session.KindBind, m); err != nil {
		return nil, err
	}
	bound, err := wait(t, func(m *session.Bound) bool { return m.Request == t.request })
	if err != nil {
		return nil, err
	}
	if bound.Error != session.ErrNone {
		return nil, bound.Error
	}
	return t.attach(bound.Binding, bound.Size, urpc.A)
}

// call has messages echoed, and a frame looked into.
func call(t *talk, name session.Name, count int) error {
	e, err := bind(t, name)
	if err != nil {
		return err
	}
	for i := range uint64(count) {
		b := binary.LittleEndian.AppendUint64(nil, i*i)
		if err := e.send(t, kindEcho, b); err != nil {
			return err
		}
		if _, got, err := e.receive(t); err != nil || string(got) != string(b) {
			return fmt.Errorf("message %d came back as %x: %w", i, got, err)
		}
	}
	if err := give(t, e); err != nil {
		return fmt.Errorf("give: %w", err)
	}
	if err := t.detach(e); err != nil {
		return err
	}
	fmt.Printf("had %d messages echoed\n", count)
	return nil
}

// give gives the server a frame, has it looked into, and withdraws it.
func give(t *talk, e *end) error {
	ram, err := native.Slot()
	if err != nil {
		return err
	}
	if err := native.RAM(abi.PageSize, ram); err != nil {
		return err
	}
	frame, err := native.Slot()
	if err != nil {
		return err
	}
	if err := retype(frame, ram); err != nil {
		return err
	}
	at, err := native.Map(frame, 0, abi.PageSize, abi.ProtRead|abi.ProtWrite)
	if err != nil {
		return err
	}
	const word, ticket, slot = 0x1234_5678_9abc, 7, 5
	*wordAt(at) = word
	if err := cnode(capability.Exchange(slot)).Copy(slot, frame); err != nil {
		return err
	}
	m := &session.Give{Binding: e.number, Ticket: ticket, Slot: slot, Rights: uint8(capability.RightRead)}
	if err := t.say(session.KindGive, m); err != nil {
		return err
	}
	given, err := wait(t, func(m *session.Given) bool { return m.Ticket == ticket })
	if err != nil {
		return err
	}
	if given.Error != session.ErrNone {
		return given.Error
	}
	if err := e.send(t, kindGift, binary.LittleEndian.AppendUint32(nil, ticket)); err != nil {
		return err
	}
	_, b, err := e.receive(t)
	if err != nil {
		return err
	}
	if got, _ := binary.Uvarint(b); got != word {
		return fmt.Errorf("the server read %#x", got)
	}
	if err := cnode(capability.Exchange(slot)).Copy(slot, frame); err != nil {
		return err
	}
	if err := t.say(session.KindWithdraw, &session.Withdraw{Request: 9, Slot: slot}); err != nil {
		return err
	}
	withdrawn, err := wait(t, func(m *session.Withdrawn) bool { return m.Request == 9 })
	if err != nil {
		return err
	}
	if withdrawn.Error != session.ErrNone {
		return withdrawn.Error
	}
	if err := native.Unmap(at, abi.PageSize); err != nil {
		return err
	}
	return revoke(frame)
}

// watch waits for a name, then for its end.
func watch(t *talk, name session.Name) error {
	if err := t.say(session.KindLookup, &session.Lookup{Request: 1, Wait: 1, Name: name}); err != nil {
		return err
	}
	found, err := wait(t, func(m *session.Found) bool { return m.Request == 1 })
	if err != nil || found.Error != session.ErrNone {
		return fmt.Errorf("%v, %+v", err, found)
	}
	fmt.Printf("found on core %d\n", found.Facts.Core)
	if err := t.say(session.KindWatch, &session.Watch{Request: 2, Name: name}); err != nil {
		return err
	}
	gone, err := wait(t, func(m *session.NameGone) bool { return m.Request == 2 })
	if err != nil || gone.Error != session.ErrNone {
		return fmt.Errorf("%v, %+v", err, gone)
	}
	fmt.Println("gone")
	return nil
}

// hold waits for the server's end.
func hold(t *talk, name session.Name) error {
	e, err := bind(t, name)
	if err != nil {
		return err
	}
	fmt.Println("bound")
	gone, err := wait(t, func(m *session.Gone) bool { return m.Binding == e.number })
	if err != nil {
		return err
	}
	// What is shared is there until it is closed.
	e.channel.Send(kindEcho, nil)
	if err := t.detach(e); err != nil {
		return err
	}
	fmt.Printf("the server is gone: %v\n", gone.Error)
	return nil
}
