package wire

import "skerry/abi"

// Part names a core's part in a program with several dispatchers: Home is the
// core that the program starts on, Core another of its cores.
type Part struct{ Program, Home, Core uint32 }

// Between is a message from one core to another about a Part, which core 0 hands
// on. Where the other core is lost, core 0 answers Extend by Shrunk.
type Between interface {
	Message
	// Of returns the part.
	Of() Part
	// Outward reports whether it goes from Home to Core, not back.
	Outward() bool
}

// Common is the memory that a program's dispatchers have in common from its start
// on, all of it Home's: the frame at abi.SpanBase and, unless the domain is
// replicated, the tables that their top tables begin with, by physical address.
type Common struct {
	Frame, Size uint64
	Tables      [abi.SpanTables]uint64
}

// Between cores.
type (
	// Extend asks for a dispatcher of a program. Extended or Shrunk answers it.
	Extend struct {
		Part
		// Domain is the program's number at home, Index that of the dispatcher
		// among its Dispatchers.
		Domain, Index, Dispatchers uint32
		Grants                     uint32 // Grant…
		Share                      Share
		Quota                      uint64 // bytes of memory; 0: as much as the core has
		Common                     Common
		Name                       string // for people, at most 31 bytes
		Info                       []byte // an abi.Info with its strings
	}
	// Extended says that the dispatcher is there, and which RemoteDoorbell is
	// its.
	Extended struct {
		Part
		Doorbell uint32
	}
	// Peers tells the doorbells of all dispatchers, by index: the dispatcher is
	// to run.
	Peers struct {
		Part
		Doorbells []uint32
	}
	// Shrink asks for the dispatcher's end. Shrunk follows, unless it was under
	// way.
	Shrink struct{ Part }
	// Shrunk says that nothing is left of the program on the core, asked for or
	// not: how the dispatcher ended, and the most bytes of memory that it held;
	// or, with a Reason, why it never ran.
	Shrunk struct {
		Part
		Peak   uint64
		Status abi.Status
		Reason string
	}
	// Grow gives the dispatcher a frame of home's memory, by physical address, as
	// the piece of a number. Grown answers it; where it cannot be given, Shrunk.
	Grow struct {
		Part
		Number     uint32
		Base, Size uint64
	}
	// Grown says that the dispatcher has that piece.
	Grown struct {
		Part
		Number uint32
	}
)

// Of returns the part itself, for the messages that it is embedded in.
func (p *Part) Of() Part { return *p }

// Outward implements Between.
func (*Extend) Outward() bool { return true }

// Outward implements Between.
func (*Extended) Outward() bool { return false }

// Outward implements Between.
func (*Peers) Outward() bool { return true }

// Outward implements Between.
func (*Shrink) Outward() bool { return true }

// Outward implements Between.
func (*Shrunk) Outward() bool { return false }

// Outward implements Between.
func (*Grow) Outward() bool { return true }

// Outward implements Between.
func (*Grown) Outward() bool { return false }

func (*Extend) kind() uint8   { return kindExtend }
func (*Extended) kind() uint8 { return kindExtended }
func (*Peers) kind() uint8    { return kindPeers }
func (*Shrink) kind() uint8   { return kindShrink }
func (*Shrunk) kind() uint8   { return kindShrunk }
func (*Grow) kind() uint8     { return kindGrow }
func (*Grown) kind() uint8    { return kindGrown }

func (p *Part) put(b []byte) []byte {
	return word(word(word(b, p.Program), p.Home), p.Core)
}

func (p *Part) get(d *decoder) { p.Program, p.Home, p.Core = d.word(), d.word(), d.word() }

func (m *Extend) append(b []byte) []byte {
	b = long(word(word(word(word(m.put(b), m.Domain), m.Index), m.Dispatchers), m.Grants), m.Quota)
	b = fixed(fixed(b, &m.Share), &m.Common)
	return append(text(b, m.Name), m.Info...)
}

func (m *Extend) decode(d *decoder) {
	m.get(d)
	m.Domain, m.Index, m.Dispatchers, m.Grants, m.Quota = d.word(), d.word(), d.word(), d.word(), d.long()
	d.fixed(&m.Share)
	d.fixed(&m.Common)
	m.Name, m.Info = d.text(), d.all()
}

func (m *Extended) append(b []byte) []byte { return word(m.put(b), m.Doorbell) }
func (m *Extended) decode(d *decoder) {
	m.get(d)
	m.Doorbell = d.word()
}

func (m *Peers) append(b []byte) []byte { return words(m.put(b), m.Doorbells) }
func (m *Peers) decode(d *decoder) {
	m.get(d)
	m.Doorbells = d.words()
}

func (m *Shrink) append(b []byte) []byte { return m.put(b) }
func (m *Shrink) decode(d *decoder)      { m.get(d) }

func (m *Shrunk) append(b []byte) []byte {
	return append(fixed(long(m.put(b), m.Peak), &m.Status), m.Reason...)
}

func (m *Shrunk) decode(d *decoder) {
	m.get(d)
	m.Peak = d.long()
	d.fixed(&m.Status)
	m.Reason = string(d.all())
}

func (m *Grow) append(b []byte) []byte {
	return long(long(word(m.put(b), m.Number), m.Base), m.Size)
}

func (m *Grow) decode(d *decoder) {
	m.get(d)
	m.Number, m.Base, m.Size = d.word(), d.long(), d.long()
}

func (m *Grown) append(b []byte) []byte { return word(m.put(b), m.Number) }
func (m *Grown) decode(d *decoder) {
	m.get(d)
	m.Number = d.word()
}

// text appends a string with its length before it.
func text(b []byte, s string) []byte { return append(word(b, uint32(len(s))), s...) }

func (d *decoder) text() string { return string(d.bytes(int(d.word()))) }

// words appends numbers with how many they are before them.
func words(b []byte, all []uint32) []byte { return list(word(b, uint32(len(all))), all) }

func (d *decoder) words() []uint32 {
	n := int(d.word())
	if n > len(d.rest)/4 {
		d.err, d.rest = errShort, nil
		return nil
	}
	list := make([]uint32, n)
	for i := range list {
		list[i] = d.word()
	}
	return list
}
