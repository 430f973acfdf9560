package declare

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// Fingerprint returns a digest of all that both ends must agree on, but for the version:
// names, numbers and orders of methods, arguments, results and fields, types, bounds,
// errors, and how values become bytes.
func (i *Interface) Fingerprint() uint64 {
	digest := sha256.Sum256([]byte(i.text()))
	return binary.BigEndian.Uint64(digest[:])
}

// format is to be changed when package stub puts the same values into other bytes.
const format = 1

// text is what the fingerprint is a digest of.
func (i *Interface) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "format %d\n%s\n", format, i.Name)
	for _, m := range i.Methods {
		fmt.Fprintf(&b, "%s%s%s oneway=%v\n", m.Name, list(m.Arguments), list(m.Results), m.OneWay)
	}
	for _, e := range i.Errors {
		fmt.Fprintf(&b, "%s\n", e)
	}
	return b.String()
}

func list(values []*Value) string {
	var b strings.Builder
	for _, v := range values {
		stream := ""
		if v.Stream {
			stream = "stream "
		}
		fmt.Fprintf(&b, "%s %s%s;", v.Name, stream, v.Type.text())
	}
	return "(" + b.String() + ")"
}

func (t *Type) text() string {
	switch t.Kind {
	case Bool:
		return "bool"
	case Int:
		return fmt.Sprintf("int%d", 8*t.Bytes)
	case Uint:
		return fmt.Sprintf("uint%d", 8*t.Bytes)
	case Float:
		return fmt.Sprintf("float%d", 8*t.Bytes)
	case String:
		return fmt.Sprintf("string<%d", t.Max)
	case Bytes:
		return fmt.Sprintf("bytes<%d", t.Max)
	case Time:
		return "time"
	case Capability:
		return t.Go
	case Array:
		return fmt.Sprintf("[%d]%s", t.Length, t.Element.text())
	case Slice:
		return fmt.Sprintf("[<%d]%s", t.Max, t.Element.text())
	}
	return "struct" + list(t.Fields)
}
