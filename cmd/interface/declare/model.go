// Package declare reads the declaration of an interface from a Go package: what
// docs/interfaces.md says can be declared, and nothing else. Each thing that is wrong
// becomes an error that says where, what, and what to do.
//
// Command interface imports it, and package emit. It must never write anything.
package declare

// Interface is an interface that is declared, with all that is needed to make stubs.
type Interface struct {
	Package string // its name
	Path    string // and how it is imported
	File    string // in which the interface is, without folder
	Name    string
	Version uint32
	Methods []*Method // as declared
	// Structs are those that travel, each after those that it has.
	Structs []*Type
	// Types are the names of those that the package declares, whether they travel or not, sorted.
	Types []string
	// Errors are the names of those that travel, sorted.
	Errors []string
}

// Method is one of its methods. The context and the error are in neither list.
type Method struct {
	Name      string
	Doc       []string // its comment's lines, without directives
	Arguments []*Value
	Results   []*Value
	OneWay    bool
	// Stream is the argument or result that is one, nil if there is none; it is in
	// its list besides, with the type of an item.
	Stream   *Value
	ToServer bool // the stream is an argument
}

// Value is an argument, a result or a field.
type Value struct {
	Name   string
	Type   *Type
	Stream bool
}

// Kind is what sort of type something is, as it travels.
type Kind uint8

// Kinds of types.
const (
	Bool Kind = iota
	Int
	Uint
	Float
	String
	Bytes
	Time
	Capability
	Array
	Slice
	Struct
)

// Type is a type that can travel.
type Type struct {
	Kind Kind
	// Go is how the type is written in the interface's package, Wire how the one is
	// that its conversion yields, "" if it is the same.
	Go, Wire string
	Imports  []string // that Go needs
	Bytes    int      // of Int, Uint and Float
	Max      int      // of String, Bytes and Slice
	Length   int      // of Array
	Element  *Type    // of Array and Slice
	Fields   []*Value // of Struct
}

// Size is how many bytes and capabilities something takes at most, and at least.
type Size struct{ Bytes, Capabilities, Least int }

// Size returns how much a value of the type takes.
func (t *Type) Size() Size {
	switch t.Kind {
	case Bool:
		return Size{1, 0, 1}
	case Int, Uint, Float:
		return Size{t.Bytes, 0, t.Bytes}
	case Time:
		return Size{12, 0, 12}
	case Capability:
		return Size{1, 1, 1}
	case String, Bytes:
		n := prefix(t.Max)
		return Size{n + t.Max, 0, n}
	case Slice:
		n, e := prefix(t.Max), t.Element.Size()
		return Size{n + times(t.Max, e.Bytes), times(t.Max, e.Capabilities), n}
	case Array:
		e := t.Element.Size()
		return Size{times(t.Length, e.Bytes), times(t.Length, e.Capabilities), times(t.Length, e.Least)}
	}
	return sizeOf(t.Fields)
}

// times returns n times a size of an element, or what is too much for any: slices of slices of slices
// would have more than an int can say.
func times(n, size int) int { return min(n*min(size, tooMuch), tooMuch) }

const tooMuch = 1 << 40

// prefix returns how many bytes a length takes that has a bound.
func prefix(max int) int {
	switch {
	case max <= 0xff:
		return 1
	case max <= 0xffff:
		return 2
	}
	return 4
}

// sizeOf returns how much several values take, streams left out.
func sizeOf(values []*Value) (s Size) {
	for _, v := range values {
		if !v.Stream {
			e := v.Type.Size()
			s = Size{s.Bytes + e.Bytes, s.Capabilities + e.Capabilities, s.Least + e.Least}
		}
	}
	return s
}

// Request is how much a call of the method takes, Answer what its results, Item what
// an item of its stream.
func (m *Method) Request() Size { return sizeOf(m.Arguments) }

// Answer is how much the method's results take.
func (m *Method) Answer() Size { return sizeOf(m.Results) }

// Item is how much an item of the method's stream takes.
func (m *Method) Item() Size {
	if m.Stream == nil {
		return Size{}
	}
	return m.Stream.Type.Size()
}
