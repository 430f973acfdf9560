package stub

import "skerry/lib/channel"

// Spec is what the runtime must know of an interface. The compiler writes it.
type Spec struct {
	Interface channel.Interface
	// Methods by number, the first having number 1.
	Methods []Method
	// Errors are those that travel, in an order that both ends know.
	Errors []error
}

// Method is what the runtime must know of a method.
type Method struct {
	Name string // as people call it: Store.Get
	// The most that its arguments, its results and an item of its stream take.
	Request, Answer, Item Size
	Stream                Stream
	OneWay                bool
}

// Size is how much one piece can have.
type Size struct{ Bytes, Capabilities int }

// Stream says which way a method's stream goes.
type Stream uint8

// Ways of streams.
const (
	NoStream Stream = iota
	ToServer
	ToClient
)

// method returns what is known of the method with a number.
func (s *Spec) method(number uint8) *Method {
	if i := uint(number) - 1; i < uint(len(s.Methods)) {
		return &s.Methods[i]
	}
	return nil
}
