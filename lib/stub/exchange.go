package stub

import "skerry/lib/channel"

// An exchange is a call at one of its ends.
type exchange struct {
	waiter
	link    *link
	spec    *Spec
	number  uint16
	number8 uint8 // of the method
	// Out is what is sent next: arguments, results or an item.
	Out Encoder
	// In is what has come: results or arguments.
	In  Decoder
	out channel.Message // where Out begins
	assembly
	flow *flow // of the method's stream, nil if it has none
}

// header is that of this exchange's messages.
func (x *exchange) header() header { return header{call: x.number} }

// method returns what is known of the method.
func (x *exchange) method() *Method { return x.spec.method(x.number8) }

func (x *exchange) base() *exchange { return x }

// read has In read the arguments or results that have come.
func (x *exchange) read() {
	if x.flow == nil {
		x.In.start(x.data, x.took())
		return
	}
	// Items may come before it has been read.
	x.In.start(x.data, append(x.took()[:0:0], x.took()...))
	x.data = nil
}
