package emit

import (
	"fmt"

	"skerry/cmd/interface/declare"
)

// put and get return the functions that encode and decode an item of a method's stream.
func put(m *declare.Method) string { return "put" + m.ItemCodec() }
func get(m *declare.Method) string { return "get" + m.ItemCodec() }

// codecs writes the functions for structs and items.
func (w *writer) codecs() {
	for _, t := range w.Structs {
		w.line("func put%s(out *stub.Encoder, v %s) {", t.Codec(), t.Go)
		for _, f := range t.Fields {
			w.encode("out", t.Go+"."+f.Name, "v."+f.Name, f.Type, 0)
		}
		w.line("}\n")
		w.line("func get%s(in *stub.Decoder) (v %s) {", t.Codec(), t.Go)
		for _, f := range t.Fields {
			w.decode("in", "v."+f.Name, f.Type, 0)
		}
		w.line("return v\n}\n")
	}
	for _, m := range w.Methods {
		if v := m.Stream; v != nil && v.Type.Kind != declare.Struct {
			w.line("func %s(out *stub.Encoder, v %s) {", put(m), w.typ(v.Type))
			w.encode("out", "an item of "+v.Name, "v", v.Type, 0)
			w.line("}\n")
			if e, ok := w.expression("in", v.Type); ok {
				w.line("func %s(in *stub.Decoder) %s { return %s }\n", get(m), w.typ(v.Type), e)
				continue
			}
			w.line("func %s(in *stub.Decoder) (v %s) {", get(m), w.typ(v.Type))
			w.decode("in", "v", v.Type, 0)
			w.line("return v\n}\n")
		}
	}
}

// index returns the variable of a loop in so many others.
func index(depth int) string { return string(rune('i' + depth)) }

// pass returns v as an argument of an encoder called out.
func pass(out string) string {
	if out == "out" {
		return out
	}
	return "&" + out
}

// bits returns the name of the encoder's and decoder's methods for a number.
func bits(t *declare.Type) string {
	if t.Kind == declare.Float {
		return fmt.Sprintf("Float%d", 8*t.Bytes)
	}
	return fmt.Sprintf("Uint%d", 8*t.Bytes)
}

// convert returns v as the type that travels.
func convert(t *declare.Type, v string) string {
	if t.Wire == "" {
		return v
	}
	return t.Wire + "(" + v + ")"
}

// encode writes how v goes into an encoder. what is what people call it.
func (w *writer) encode(out, what, v string, t *declare.Type, depth int) {
	switch t.Kind {
	case declare.Bool:
		w.line("%s.Bool(%s)", out, convert(t, v))
	case declare.Int, declare.Uint, declare.Float:
		w.line("%s.%s(%s)", out, bits(t), convert(t, v))
	case declare.String:
		w.line("%s.String(%q, %s, %d)", out, what, convert(t, v), t.Max)
	case declare.Bytes:
		w.line("%s.Bytes(%q, %s, %d)", out, what, convert(t, v), t.Max)
	case declare.Time:
		w.line("%s.Time(%s)", out, v)
	case declare.Capability:
		w.line("%s.Capability(uint32(%s))", out, v)
	case declare.Struct:
		w.line("put%s(%s, %s)", t.Codec(), pass(out), v)
	case declare.Array, declare.Slice:
		if t.Kind == declare.Array && plain(t.Element) {
			w.line("%s.Raw(%s[:])", out, v)
			return
		}
		i := index(depth)
		if t.Kind == declare.Array {
			w.line("for %s := range %s {", i, v)
		} else {
			w.line("for %s := range %s.Count(%q, len(%s), %d) {", i, out, what, v, t.Max)
		}
		w.encode(out, "an element of "+what, v+"["+i+"]", t.Element, depth+1)
		w.line("}")
	}
}

// plain reports whether a type is byte.
func plain(t *declare.Type) bool { return t.Go == "byte" || t.Go == "uint8" }

// expression returns what yields a value of a decoder, if one expression does.
func (w *writer) expression(in string, t *declare.Type) (string, bool) {
	cast := func(s string) string {
		if t.Wire == "" {
			return s
		}
		return w.typ(t) + "(" + s + ")"
	}
	switch t.Kind {
	case declare.Bool:
		return cast(in + ".Bool()"), true
	case declare.Int, declare.Uint, declare.Float:
		return cast(fmt.Sprintf("%s.%s()", in, bits(t))), true
	case declare.String:
		return cast(fmt.Sprintf("%s.String(%d)", in, t.Max)), true
	case declare.Bytes:
		return cast(fmt.Sprintf("%s.Bytes(%d)", in, t.Max)), true
	case declare.Time:
		return in + ".Time()", true
	case declare.Capability:
		return w.typ(t) + "(" + in + ".Capability())", true
	case declare.Struct:
		p := in
		if in != "in" {
			p = "&" + in
		}
		return fmt.Sprintf("get%s(%s)", t.Codec(), p), true
	}
	return "", false
}

// decode writes how v comes out of a decoder.
func (w *writer) decode(in, v string, t *declare.Type, depth int) {
	if e, ok := w.expression(in, t); ok {
		w.line("%s = %s", v, e)
		return
	}
	if t.Kind == declare.Array && plain(t.Element) {
		w.line("%s.Raw(%s[:])", in, v)
		return
	}
	if t.Kind == declare.Slice {
		w.line("%s = make(%s, %s.Count(%d, %d))", v, w.typ(t), in, t.Max, t.Element.Size().Least)
	}
	i := index(depth)
	w.line("for %s := range %s {", i, v)
	w.decode(in, v+"["+i+"]", t.Element, depth+1)
	w.line("}")
}
