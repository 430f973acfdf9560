// Package introduce is what is said first on a connection to somewhere from which
// one goes on to many names, such as another machine, or a program that passes
// messages on: one message asks, one answers, and if it asked to be bound the
// connection is one to that name from then on.
//
// Networks import it. What comes may be anything: it is judged here.
package introduce

import (
	"context"
	"encoding/binary"
	"fmt"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/session"
)

// Operations of a Request.
const (
	Find  = 1 + iota // what is exported under a name?
	Bind             // be bound to it
	Watch            // answer when it is gone
)

// Request asks.
type Request struct {
	Operation   uint8
	Wait        uint8 // 1: Find answers when there is something
	Version     uint32
	Fingerprint uint64
	Name        session.Name
}

// Reply answers: what is exported, unless Error says why not.
type Reply struct {
	Error       session.Error
	Version     uint32
	Fingerprint uint64
}

// kindReply is the kind of the message that answers; that which asks has its
// operation.
const kindReply = 255

// Message returns r as a message.
func (r *Request) Message() channel.Message {
	m := channel.Message{Kind: r.Operation}
	m.Length = uint8(session.Put(&m.Payload, r))
	return m
}

// Message returns r as a message.
func (r *Reply) Message() channel.Message {
	m := channel.Message{Kind: kindReply}
	m.Length = uint8(session.Put(&m.Payload, r))
	return m
}

// ParseRequest returns the request that a message is, and whether it is one.
func ParseRequest(m *channel.Message) (r Request, ok bool) {
	ok = m.Kind >= Find && m.Kind <= Watch && session.Get(m.Payload[:], int(m.Length), &r) &&
		r.Operation == m.Kind && r.Wait <= 1 && r.Name.Valid()
	return r, ok
}

// ParseReply returns the reply that a message is, and whether it is one.
func ParseReply(m *channel.Message) (r Reply, ok bool) {
	ok = m.Kind == kindReply && session.Get(m.Payload[:], int(m.Length), &r)
	return r, ok
}

// Ask sends a request and waits for the reply. The reply's Error is returned as one,
// session.ErrVersion as a *network.VersionError.
func Ask(ctx context.Context, c channel.Conn, operation uint8, name string, wait bool, i channel.Interface) (Reply, error) {
	n, err := session.MakeName(name)
	if err != nil {
		return Reply{}, err
	}
	request := Request{Operation: operation, Version: i.Version, Fingerprint: i.Fingerprint, Name: n}
	if wait {
		request.Wait = 1
	}
	m := request.Message()
	if err := c.Send(ctx, &m); err != nil {
		return Reply{}, err
	}
	if err := c.Receive(ctx, &m); err != nil {
		return Reply{}, err
	}
	reply, ok := ParseReply(&m)
	switch {
	case !ok:
		return Reply{}, fmt.Errorf("what answered for %q is no reply: %w", name, channel.ErrBroken)
	case reply.Error == session.ErrVersion:
		return reply, &network.VersionError{Name: name, Interface: i.Name, Want: i.Version, Have: reply.Version}
	case reply.Error != session.ErrNone:
		return reply, reply.Error
	}
	return reply, nil
}

// Interface is what is spoken on a connection before it is one to a name. Its
// fingerprint is of what the messages hold.
var Interface = channel.Interface{
	Name: "introduce", Version: 1,
	Fingerprint: uint64(binary.Size(Request{}))<<32 | uint64(binary.Size(Reply{})),
}
