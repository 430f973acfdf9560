package stub

import (
	"encoding/binary"

	"skerry/abi/capability"
	"skerry/lib/channel"
)

// A flow is a call's stream at one end, where it is either produced or consumed. mu of
// the link guards it.
type flow struct {
	// Of the producer: how many items it may send, and whether it may end early.
	credit  int
	stopped bool

	// Of the consumer: what has come, how much more may, how much was taken since
	// the producer was told, and how it ends.
	items []item
	room  int
	taken int
	ended bool
	err   error
	// ranged says that somebody consumes it, gone that the call is another's.
	// returned that the caller has it.
	ranged, gone, returned bool
	in                     Decoder
	out                    channel.Message // credit, stop
}

type item struct {
	data         []byte
	capabilities []capability.Reference
}

func newFlow() *flow { return &flow{credit: Window, room: Window} }

// push takes an item, and is false if there should be none.
func (f *flow) push(data []byte, capabilities []capability.Reference) bool {
	if f.gone {
		discard(capabilities)
		return true
	}
	if f.room == 0 || f.ended {
		discard(capabilities)
		return false
	}
	f.room--
	f.items = append(f.items, item{append([]byte(nil), data...), append([]capability.Reference(nil), capabilities...)})
	return true
}

// end is when no more items will come.
func (f *flow) end(err error) {
	if !f.ended {
		f.ended, f.err = true, err
	}
}

// drop is when nobody will take any more items.
func (f *flow) drop(err error) {
	for _, i := range f.items {
		discard(i.capabilities)
	}
	f.items = nil
	f.end(err)
	f.gone, f.stopped = true, true
}

// control takes kindCredit and kindStop, and is false if they make no sense.
func (f *flow) control(m *channel.Message) bool {
	if m.Kind == kindStop {
		f.stopped = true
		return true
	}
	if m.Length != headerSize+2 {
		return false
	}
	f.credit += int(binary.LittleEndian.Uint16(m.Payload[headerSize:]))
	return f.credit <= Window
}

// message makes a message of the consumer's.
func (f *flow) message(kind uint8, h header) *channel.Message {
	f.out.Kind, f.out.Length = kind, headerSize
	h.put(&f.out)
	if kind == kindCredit {
		f.out.Length += 2
		binary.LittleEndian.PutUint16(f.out.Payload[headerSize:], uint16(f.taken))
		f.room += f.taken
		f.taken = 0
	}
	return &f.out
}
