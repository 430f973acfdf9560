// Package packed puts structures of fixed size into bytes and gets them out again: their
// integers in little-endian order, one after another. That is what encoding/binary does,
// which looks at every field anew each time; here a structure's layout is looked at once, and
// then copied. So it works where integers are little-endian in memory: on all that Skerry
// runs on, and on the hosts of its tests.
//
// Monitors and package session import it, for messages that are sent often. It must never
// interpret what it copies.
package packed

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// layout says where the bytes of a structure lie.
type layout struct {
	size  int // in bytes, packed
	runs  []run
	bools []uintptr // where in the structure there are some
}

// run is bytes that are next to each other in both forms.
type run struct {
	at     uintptr // in the structure
	packed int     // in the bytes
	size   int
}

var layouts sync.Map // of *layout by reflect.Type

// Size returns how many bytes the structure takes to which v is a pointer. It may have
// integers, bools, which are bytes, arrays, and other structures, and blank fields
// like any others; it panics if it has anything else.
func Size(v any) int { return layoutOf(v).size }

// Put puts the structure to which v is a pointer into b, and returns how many bytes that
// took: Size, as many as b must have room for.
func Put(b []byte, v any) int {
	l := layoutOf(v)
	from := reflect.ValueOf(v).UnsafePointer()
	for _, r := range l.runs {
		copy(b[r.packed:r.packed+r.size], bytesAt(from, r))
	}
	return l.size
}

// Get fills the structure to which v is a pointer from b, and reports whether b has just
// as many bytes as it takes. If not nothing is changed.
func Get(b []byte, v any) bool {
	l := layoutOf(v)
	if len(b) != l.size {
		return false
	}
	to := reflect.ValueOf(v).UnsafePointer()
	for _, r := range l.runs {
		copy(bytesAt(to, r), b[r.packed:])
	}
	for _, at := range l.bools {
		p := (*uint8)(unsafe.Add(to, at))
		*p = min(*p, 1) // or it would be no bool
	}
	return true
}

func bytesAt(p unsafe.Pointer, r run) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(p, r.at)), r.size)
}

// layoutOf returns the layout of the structure to which v is a pointer.
func layoutOf(v any) *layout {
	t := reflect.TypeOf(v)
	if l, ok := layouts.Load(t); ok {
		return l.(*layout)
	}
	if t.Kind() != reflect.Pointer {
		panic(fmt.Sprintf("packed: a %s is no pointer", t))
	}
	l := new(layout)
	l.add(t.Elem(), 0)
	layouts.Store(t, l)
	return l
}

// add adds what lies at a place in the structure.
func (l *layout) add(t reflect.Type, at uintptr) {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			l.add(t.Field(i).Type, at+t.Field(i).Offset)
		}
	case reflect.Array:
		for i := range t.Len() {
			l.add(t.Elem(), at+uintptr(i)*t.Elem().Size())
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		l.append(at, int(t.Size()))
	case reflect.Bool:
		l.bools = append(l.bools, at)
		l.append(at, 1)
	default:
		panic(fmt.Sprintf("packed: a %s has no fixed size", t))
	}
}

// append adds bytes, to the last run if they follow it.
func (l *layout) append(at uintptr, size int) {
	last := len(l.runs) - 1
	if last >= 0 && l.runs[last].at+uintptr(l.runs[last].size) == at {
		l.runs[last].size += size
	} else {
		l.runs = append(l.runs, run{at, l.size, size})
	}
	l.size += size
}
