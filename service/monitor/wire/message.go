// Package wire is the protocol between the monitor of core 0 and those of the
// other cores: typed messages, cut to URPC slots and put together again.
//
// The monitor of core 0 says what is to happen on a core; that core's monitor
// does it and says what came of it. About programs with dispatchers on several
// cores the monitors speak to each other, by way of core 0. Programs are named by
// numbers that core 0 chooses, requests likewise. Messages between two monitors
// arrive in order.
//
// Only the monitor imports it. It holds no policy and must never block.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/packed"
	"skerry/lib/supply"
	"skerry/service/memory/loan"
)

// Message is one of the message types of this package.
type Message interface {
	kind() uint8
	append(b []byte) []byte
	decode(d *decoder)
}

// To a core.
type (
	// Spawn asks for a program to be started. Started or Failed answers it.
	Spawn struct {
		Program uint32
		Grants  uint32   // Grant…
		Quota   uint64   // bytes of memory; 0: as much as the core has
		Cores   []uint32 // others on which it is to have a dispatcher besides
		Share   Share    // of each core
		Name    string   // for people, at most 31 bytes
		Info    []byte   // an abi.Info with its strings
	}
	// Share is how a dispatcher is scheduled: its weight, 0 for the usual one, and
	// its reservation in ns, all 0 for none.
	Share struct{ Weight, Period, Budget, Deadline uint64 }
	// Kill asks for a program's end. Exit follows, unless it was under way.
	Kill struct{ Program uint32 }
	// Stdin carries input for a program, within what Window has granted.
	Stdin struct {
		Program uint32
		Data    []byte
	}
	// StdinEOF ends a program's input.
	StdinEOF struct{ Program uint32 }
	// QueryCore asks for a CoreAnswer.
	QueryCore struct{ Request uint32 }
	// QueryDomains asks for a DomainsAnswer.
	QueryDomains struct{ Request uint32 }
	// QueryMemory asks for a MemoryAnswer.
	QueryMemory struct{ Request uint32 }
	// QueryThreads asks for a ThreadsAnswer about the core's part of a program.
	// A program that does not answer gets none.
	QueryThreads struct{ Request, Program uint32 }
	// Weigh sets the weight of a program's dispatcher on the core, Reserve its
	// reservation, in ns; 0 ends it. Scheduled answers them.
	Weigh struct {
		Request, Program uint32
		Weight           uint64
	}
	Reserve struct {
		Request, Program         uint32
		Period, Budget, Deadline uint64
	}
)

// What a program may be given besides what every domain has; the sum of them.
const (
	// GrantLog is the kernel's log, in slot capability.SlotLog.
	GrantLog = 1 << iota
	// GrantInspect is the right to inspect the core: the Kernel with right
	// Read, in slot capability.SlotKernel.
	GrantInspect
	// GrantDispatch is right Grant to the domain's number, which it takes to set
	// dispatchers up.
	GrantDispatch
	// GrantDevices is all that the core has beside memory, where package
	// capability says that a monitor finds it.
	GrantDevices
	// GrantMessages is a session, with its exchange.
	GrantMessages
)

// Loan carries a message about lent memory, either way.
type Loan struct{ loan.Message }

// From a core.
type (
	// Ready says that the core's monitor runs, how many bytes it could lend,
	// and how far from it the memory of each core is.
	Ready struct {
		Spare     uint64
		Distances []byte
	}
	// Started says that a program runs, as domain Domain of its core.
	Started struct{ Program, Domain uint32 }
	// Failed says that a program could not be started. Nothing follows of it.
	Failed struct {
		Program uint32
		Reason  string
	}
	// Output carries what a program wrote; Stream is its kind in package stdio.
	Output struct {
		Program uint32
		Stream  uint8
		Data    []byte
	}
	// Window grants more input for a program, in bytes; grants add up.
	Window struct{ Program, Bytes uint32 }
	// Wanted says that a program has read all its input and waits for more.
	Wanted struct{ Program uint32 }
	// Exit says how a program ended, on which of its cores, and how many bytes
	// of memory it held at most. Nothing follows of it: its memory is the core's
	// again.
	Exit struct {
		Program, Core uint32
		Peak          uint64
		Status        abi.Status
	}
	// CoreAnswer answers QueryCore. Sent and Received count the messages to
	// and from other cores' monitors. Free and Given are the bytes of RAM that
	// nobody has, and that programs have.
	CoreAnswer struct {
		Request        uint32
		Sent, Received uint64
		Free, Given    uint64
		Info           abi.CoreInfo
	}
	// DomainsAnswer answers QueryDomains.
	DomainsAnswer struct {
		Request uint32
		Domains []Domain
	}
	// MemoryAnswer answers QueryMemory.
	MemoryAnswer struct {
		Request uint32
		Memory  Memory
	}
	// ThreadsAnswer answers QueryThreads.
	ThreadsAnswer struct {
		Request uint32
		Threads []supply.Thread
	}
	// Scheduled answers Weigh and Reserve; Left is how much of the core can be
	// reserved for the dispatcher, what it has included, in millionths.
	Scheduled struct {
		Request uint32
		Left    uint64
	}
	// Refused says that a request could not be answered.
	Refused struct {
		Request uint32
		Reason  string
	}
)

// Domain describes a domain of a core.
type Domain struct {
	abi.DomainInfo
	Memory, Quota uint64 // bytes of RAM that it holds and may hold; 0: not known
	// Home is the core where its program started, and HomeDomain its number
	// there; Index is the dispatcher's among the Dispatchers of the program.
	Home, HomeDomain, Index, Dispatchers uint32
}

// Memory says where the RAM of a core is, in bytes.
type Memory struct {
	// Total is what the core has: what it was given at boot, less Lent, and
	// Borrowed. Kernel is what its kernel keeps of that. The rest is in Types:
	// Total = Kernel + the sum of Types.
	Total, Kernel  uint64
	Lent, Borrowed uint64
	// Types is what the rest was made into, by type; RAM: nothing yet.
	Types [capability.NumTypes]uint64
	// Free is the part of it that nobody has, in blocks up to Largest; Given is
	// what programs have, Monitor what the monitor itself has. That is another
	// way to count the same: Total = Kernel + Free + Given + Monitor.
	Free, Largest  uint64
	Given, Monitor uint64
	// Machine is all RAM of the machine, and Shared what no core has; on core 0
	// alone.
	Machine, Shared uint64
}

// The kinds, from 1. The top bit of a slot's kind is the fragment bit.
const (
	kindSpawn = 1 + iota
	kindKill
	kindStdin
	kindStdinEOF
	kindQueryCore
	kindQueryDomains
	kindQueryMemory
	kindQueryThreads
	kindWeigh
	kindReserve
	kindLoan
	kindExtend
	kindExtended
	kindPeers
	kindShrink
	kindShrunk
	kindGrow
	kindGrown
	kindReady
	kindStarted
	kindFailed
	kindOutput
	kindWindow
	kindWanted
	kindExit
	kindCoreAnswer
	kindDomainsAnswer
	kindMemoryAnswer
	kindThreadsAnswer
	kindScheduled
	kindRefused
	kindNames
	kindBinding
	kindTransfer
	kindInquire
	kindTold
	kindLost
	kindQueryChannels
	kindChannelsAnswer
)

func (*Spawn) kind() uint8         { return kindSpawn }
func (*Kill) kind() uint8          { return kindKill }
func (*Stdin) kind() uint8         { return kindStdin }
func (*StdinEOF) kind() uint8      { return kindStdinEOF }
func (*QueryCore) kind() uint8     { return kindQueryCore }
func (*QueryDomains) kind() uint8  { return kindQueryDomains }
func (*QueryMemory) kind() uint8   { return kindQueryMemory }
func (*QueryThreads) kind() uint8  { return kindQueryThreads }
func (*Weigh) kind() uint8         { return kindWeigh }
func (*Reserve) kind() uint8       { return kindReserve }
func (*Loan) kind() uint8          { return kindLoan }
func (*Ready) kind() uint8         { return kindReady }
func (*Started) kind() uint8       { return kindStarted }
func (*Failed) kind() uint8        { return kindFailed }
func (*Output) kind() uint8        { return kindOutput }
func (*Window) kind() uint8        { return kindWindow }
func (*Wanted) kind() uint8        { return kindWanted }
func (*Exit) kind() uint8          { return kindExit }
func (*CoreAnswer) kind() uint8    { return kindCoreAnswer }
func (*DomainsAnswer) kind() uint8 { return kindDomainsAnswer }
func (*MemoryAnswer) kind() uint8  { return kindMemoryAnswer }
func (*ThreadsAnswer) kind() uint8 { return kindThreadsAnswer }
func (*Scheduled) kind() uint8     { return kindScheduled }
func (*Refused) kind() uint8       { return kindRefused }

// empty returns a message of the kind to decode into, or nil.
func empty(kind uint8) Message {
	switch kind {
	case kindSpawn:
		return new(Spawn)
	case kindKill:
		return new(Kill)
	case kindStdin:
		return new(Stdin)
	case kindStdinEOF:
		return new(StdinEOF)
	case kindQueryCore:
		return new(QueryCore)
	case kindQueryDomains:
		return new(QueryDomains)
	case kindQueryMemory:
		return new(QueryMemory)
	case kindQueryThreads:
		return new(QueryThreads)
	case kindWeigh:
		return new(Weigh)
	case kindReserve:
		return new(Reserve)
	case kindExtend:
		return new(Extend)
	case kindExtended:
		return new(Extended)
	case kindPeers:
		return new(Peers)
	case kindShrink:
		return new(Shrink)
	case kindShrunk:
		return new(Shrunk)
	case kindGrow:
		return new(Grow)
	case kindGrown:
		return new(Grown)
	case kindLoan:
		return new(Loan)
	case kindReady:
		return new(Ready)
	case kindStarted:
		return new(Started)
	case kindFailed:
		return new(Failed)
	case kindOutput:
		return new(Output)
	case kindWindow:
		return new(Window)
	case kindWanted:
		return new(Wanted)
	case kindExit:
		return new(Exit)
	case kindCoreAnswer:
		return new(CoreAnswer)
	case kindDomainsAnswer:
		return new(DomainsAnswer)
	case kindMemoryAnswer:
		return new(MemoryAnswer)
	case kindThreadsAnswer:
		return new(ThreadsAnswer)
	case kindScheduled:
		return new(Scheduled)
	case kindRefused:
		return new(Refused)
	case kindNames:
		return new(Names)
	case kindBinding:
		return new(Binding)
	case kindTransfer:
		return new(Transfer)
	case kindInquire:
		return new(Inquire)
	case kindTold:
		return new(Told)
	case kindLost:
		return new(Lost)
	case kindQueryChannels:
		return new(QueryChannels)
	case kindChannelsAnswer:
		return new(ChannelsAnswer)
	}
	return nil
}

var (
	errShort = errors.New("ends too early")
	errLong  = errors.New("has bytes left over")
)

// Decode returns the message of a kind with the body. Byte slices in it share
// the body's memory.
func Decode(kind uint8, body []byte) (Message, error) {
	m := empty(kind)
	if m == nil {
		return nil, fmt.Errorf("message of unknown kind %d", kind)
	}
	d := decoder{rest: body}
	m.decode(&d)
	if d.err == nil && len(d.rest) > 0 {
		d.err = errLong
	}
	if d.err != nil {
		return nil, fmt.Errorf("%T of %d bytes: %w", m, len(body), d.err)
	}
	return m, nil
}

// The bodies: fields in order, little endian; a byte string that is not the
// last field has its length, 4 bytes, before it; the last one ends the body.

func (m *Spawn) append(b []byte) []byte {
	b = long(word(word(b, m.Program), m.Grants), m.Quota)
	b = long(long(long(long(b, m.Share.Weight), m.Share.Period), m.Share.Budget), m.Share.Deadline)
	return append(text(words(b, m.Cores), m.Name), m.Info...)
}

func (m *Spawn) decode(d *decoder) {
	m.Program, m.Grants, m.Quota = d.word(), d.word(), d.long()
	m.Share = Share{d.long(), d.long(), d.long(), d.long()}
	m.Cores, m.Name, m.Info = d.words(), d.text(), d.all()
}

func (m *Kill) append(b []byte) []byte         { return word(b, m.Program) }
func (m *Kill) decode(d *decoder)              { m.Program = d.word() }
func (m *Stdin) append(b []byte) []byte        { return append(word(b, m.Program), m.Data...) }
func (m *Stdin) decode(d *decoder)             { m.Program, m.Data = d.word(), d.all() }
func (m *StdinEOF) append(b []byte) []byte     { return word(b, m.Program) }
func (m *StdinEOF) decode(d *decoder)          { m.Program = d.word() }
func (m *QueryCore) append(b []byte) []byte    { return word(b, m.Request) }
func (m *QueryCore) decode(d *decoder)         { m.Request = d.word() }
func (m *QueryDomains) append(b []byte) []byte { return word(b, m.Request) }
func (m *QueryDomains) decode(d *decoder)      { m.Request = d.word() }
func (m *QueryMemory) append(b []byte) []byte  { return word(b, m.Request) }
func (m *QueryMemory) decode(d *decoder)       { m.Request = d.word() }
func (m *QueryThreads) append(b []byte) []byte { return word(word(b, m.Request), m.Program) }
func (m *QueryThreads) decode(d *decoder)      { m.Request, m.Program = d.word(), d.word() }
func (m *Weigh) append(b []byte) []byte        { return fixed(b, m) }
func (m *Weigh) decode(d *decoder)             { d.fixed(m) }
func (m *Reserve) append(b []byte) []byte      { return fixed(b, m) }
func (m *Reserve) decode(d *decoder)           { d.fixed(m) }
func (m *Loan) append(b []byte) []byte         { return fixed(b, &m.Message) }
func (m *Loan) decode(d *decoder)              { d.fixed(&m.Message) }
func (m *Ready) append(b []byte) []byte        { return append(long(b, m.Spare), m.Distances...) }
func (m *Ready) decode(d *decoder)             { m.Spare, m.Distances = d.long(), d.all() }
func (m *Started) append(b []byte) []byte      { return word(word(b, m.Program), m.Domain) }
func (m *Started) decode(d *decoder)           { m.Program, m.Domain = d.word(), d.word() }
func (m *Failed) append(b []byte) []byte       { return append(word(b, m.Program), m.Reason...) }
func (m *Failed) decode(d *decoder)            { m.Program, m.Reason = d.word(), string(d.all()) }
func (m *Output) append(b []byte) []byte {
	return append(append(word(b, m.Program), m.Stream), m.Data...)
}
func (m *Output) decode(d *decoder) {
	m.Program, m.Stream, m.Data = d.word(), d.byte(), d.all()
}
func (m *Window) append(b []byte) []byte { return word(word(b, m.Program), m.Bytes) }
func (m *Window) decode(d *decoder)      { m.Program, m.Bytes = d.word(), d.word() }
func (m *Wanted) append(b []byte) []byte { return word(b, m.Program) }
func (m *Wanted) decode(d *decoder)      { m.Program = d.word() }
func (m *Exit) append(b []byte) []byte {
	return fixed(long(word(word(b, m.Program), m.Core), m.Peak), &m.Status)
}
func (m *Exit) decode(d *decoder) {
	m.Program, m.Core, m.Peak = d.word(), d.word(), d.long()
	d.fixed(&m.Status)
}
func (m *CoreAnswer) append(b []byte) []byte {
	b = long(long(word(b, m.Request), m.Sent), m.Received)
	return fixed(long(long(b, m.Free), m.Given), &m.Info)
}
func (m *CoreAnswer) decode(d *decoder) {
	m.Request, m.Sent, m.Received = d.word(), d.long(), d.long()
	m.Free, m.Given = d.long(), d.long()
	d.fixed(&m.Info)
}
func (m *MemoryAnswer) append(b []byte) []byte { return fixed(word(b, m.Request), &m.Memory) }
func (m *MemoryAnswer) decode(d *decoder) {
	m.Request = d.word()
	d.fixed(&m.Memory)
}
func (m *DomainsAnswer) append(b []byte) []byte {
	return list(word(b, m.Request), m.Domains)
}
func (m *DomainsAnswer) decode(d *decoder) {
	m.Request = d.word()
	m.Domains = listOf[Domain](d)
}
func (m *ThreadsAnswer) append(b []byte) []byte {
	return list(word(b, m.Request), m.Threads)
}
func (m *ThreadsAnswer) decode(d *decoder) {
	m.Request = d.word()
	m.Threads = listOf[supply.Thread](d)
}
func (m *Scheduled) append(b []byte) []byte { return fixed(b, m) }
func (m *Scheduled) decode(d *decoder)      { d.fixed(m) }
func (m *Refused) append(b []byte) []byte   { return append(word(b, m.Request), m.Reason...) }
func (m *Refused) decode(d *decoder)        { m.Request, m.Reason = d.word(), string(d.all()) }

func word(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }

func long(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// fixed appends the structure of fixed size to which v is a pointer.
func fixed(b []byte, v any) []byte {
	size := packed.Size(v)
	b = slices.Grow(b, size)[:len(b)+size]
	packed.Put(b[len(b)-size:], v)
	return b
}

// list appends structures of fixed size.
func list[T any](b []byte, all []T) []byte {
	for i := range all {
		b = fixed(b, &all[i])
	}
	return b
}

// decoder takes fields from the start of a body. After the first error it
// returns zeros.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) bytes(n int) []byte {
	if n < 0 || n > len(d.rest) {
		d.err, d.rest = errShort, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) all() []byte { return d.bytes(len(d.rest)) }

func (d *decoder) byte() uint8 {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) word() uint32 {
	if b := d.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) long() uint64 {
	if b := d.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// fixed takes the structure of fixed size to which v is a pointer.
func (d *decoder) fixed(v any) {
	if b := d.bytes(packed.Size(v)); b != nil {
		packed.Get(b, v)
	}
}

// listOf takes as many structures of fixed size as are left.
func listOf[T any](d *decoder) []T {
	all := make([]T, len(d.rest)/packed.Size(new(T)))
	for i := range all {
		d.fixed(&all[i])
	}
	return all
}
