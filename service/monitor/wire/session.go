package wire

import (
	"skerry/lib/session"
	"skerry/protocol/binding"
	"skerry/protocol/names"
	"skerry/protocol/transfer"
)

// Route is from which core to which a message goes, by way of core 0.
type Route struct{ From, To uint32 }

// Way implements Routed for the messages that a Route is embedded in.
func (r *Route) Way() Route { return *r }

// Routed is a message from one core to another that core 0 hands on. One to a core
// that is lost does not arrive; Lost tells its sender.
type Routed interface {
	Message
	// Way returns its route.
	Way() Route
}

// Between cores.
type (
	// Names is of the protocol about names, from or to core 0, which has the registry.
	Names struct {
		Route
		Message names.Message
	}
	// Binding is of the protocol about bindings.
	Binding struct {
		Route
		Message binding.Message[Details]
	}
	// Transfer is of the protocol about capabilities that go to other cores.
	Transfer struct {
		Route
		Message transfer.Message
	}
	// Inquire asks for the State of a core with regard to a program there. Told
	// answers it.
	Inquire struct {
		Route
		Request, Program uint32
	}
	// Told answers Inquire.
	Told struct {
		Route
		Request uint32
		State   State
	}
)

// Details are what a side of a binding tells the other's monitor, and gives to it.
type Details struct {
	// Base and Size say where the frame is, Sleep and Hints where the two pages of the
	// program's board are, physically; Doorbell is the RemoteDoorbell that rings
	// it, and Hint where it wants hints about the binding. LMP uses none of these.
	Base, Size, Sleep, Hints uint64
	Doorbell                 uint32
	Hint                     uint16
	Transport                uint8 // a channel.Transport
	Name                     session.Name
	Program                  uint32 // the side's own
	End                      uint32 // its number of the side
	State                    State
}

// State is what a core says of itself with regard to a program there.
type State struct {
	// Domain is the program's number.
	Domain uint32
	// Load is how many dispatchers run or could, the program's among them.
	Load uint32
	// Cache is the number of the last cache before memory: cores that share it have the
	// same. NoCache, if it is not known.
	Cache uint32
}

// NoCache stands for a cache that is not known.
const NoCache = 1<<32 - 1

// Lost says, from core 0, that a core is lost.
type Lost struct{ Core uint32 }

// QueryChannels asks for a ChannelsAnswer: the bindings whose clients the core has.
type QueryChannels struct{ Request uint32 }

// ChannelsAnswer answers QueryChannels.
type ChannelsAnswer struct {
	Request  uint32
	Channels []Channel
}

// Channel describes a binding: the domains by their numbers on their cores, and
// how many bytes its frame has.
type Channel struct {
	Name                       session.Name
	Transport                  uint8 // a channel.Transport
	Client, Server, ServerCore uint32
	Size                       uint64
}

func (*Names) kind() uint8          { return kindNames }
func (*Binding) kind() uint8        { return kindBinding }
func (*Transfer) kind() uint8       { return kindTransfer }
func (*Inquire) kind() uint8        { return kindInquire }
func (*Told) kind() uint8           { return kindTold }
func (*Lost) kind() uint8           { return kindLost }
func (*QueryChannels) kind() uint8  { return kindQueryChannels }
func (*ChannelsAnswer) kind() uint8 { return kindChannelsAnswer }

func (m *Names) append(b []byte) []byte         { return fixed(b, m) }
func (m *Names) decode(d *decoder)              { d.fixed(m) }
func (m *Binding) append(b []byte) []byte       { return fixed(b, m) }
func (m *Binding) decode(d *decoder)            { d.fixed(m) }
func (m *Transfer) append(b []byte) []byte      { return fixed(b, m) }
func (m *Transfer) decode(d *decoder)           { d.fixed(m) }
func (m *Inquire) append(b []byte) []byte       { return fixed(b, m) }
func (m *Inquire) decode(d *decoder)            { d.fixed(m) }
func (m *Told) append(b []byte) []byte          { return fixed(b, m) }
func (m *Told) decode(d *decoder)               { d.fixed(m) }
func (m *Lost) append(b []byte) []byte          { return fixed(b, m) }
func (m *Lost) decode(d *decoder)               { d.fixed(m) }
func (m *QueryChannels) append(b []byte) []byte { return fixed(b, m) }
func (m *QueryChannels) decode(d *decoder)      { d.fixed(m) }
func (m *ChannelsAnswer) append(b []byte) []byte {
	return list(word(b, m.Request), m.Channels)
}
func (m *ChannelsAnswer) decode(d *decoder) {
	m.Request = d.word()
	m.Channels = listOf[Channel](d)
}
