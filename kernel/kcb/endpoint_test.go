package kcb

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"skerry/abi/capability"
	"skerry/kernel/memory"
)

// TestLinks holds lists against slices.
func TestLinks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	lists, links := make([]Link, 4), make([]Link, 30)
	model := make([][]*Link, len(lists))
	for range 20_000 {
		n := r.IntN(len(lists))
		list, l := &lists[n], &links[r.IntN(len(links))]
		in := slices.IndexFunc(model, func(m []*Link) bool { return slices.Contains(m, l) })
		switch {
		case r.IntN(20) == 0:
			from := r.IntN(len(lists))
			if from != n {
				list.Take(&lists[from])
				model[n], model[from] = append(model[n], model[from]...), nil
			}
		case in >= 0 && r.IntN(2) == 0:
			l.Remove()
			model[in] = slices.DeleteFunc(model[in], func(m *Link) bool { return m == l })
		case in >= 0:
		case r.IntN(4) == 0:
			l.Remove() // from nowhere
		default:
			list.Append(l)
			model[n] = append(model[n], l)
		}
		for n := range lists {
			if lists[n].Empty() != (len(model[n]) == 0) {
				t.Fatal("a list is empty that is not")
			}
			if lists[n].Empty() {
				continue
			}
			var got []*Link
			for l := lists[n].First(); l != &lists[n]; l = l.next {
				got = append(got, l)
			}
			if !slices.Equal(got, model[n]) {
				t.Fatalf("%v, want %v", got, model[n])
			}
		}
	}
}

// TestEndpointLayout checks what package kcb says of endpoints against the table
// of types.
func TestEndpointLayout(t *testing.T) {
	rule := capability.Of(capability.Endpoint)
	offers := capability.Of(capability.Dispatcher).Offers
	if rule.Align != endpointAlign || offers != endpointsAt || Room(rule.Least) == 0 {
		t.Errorf("differs from %+v", rule)
	}
	buffer := make([]byte, 2*ObjectSize)
	at := (uintptr(unsafe.Pointer(&buffer[0])) + ObjectSize - 1) &^ (ObjectSize - 1)
	d := (*DCB)(unsafe.Pointer(at))
	for offset := memory.Phys(offers); offset < ObjectSize; offset += memory.Phys(rule.Align) {
		e := d.EndpointAt(Place(7*ObjectSize + offset))
		if got := uintptr(unsafe.Pointer(e)) - at; got != uintptr(offset) {
			t.Fatalf("the endpoint at %#x is thought to be at %#x", offset, got)
		}
	}
	for size := rule.Least; size <= rule.Most; size += rule.Align {
		e := d.EndpointAt(0)
		if end := uintptr(unsafe.Pointer(e.message(Room(size)))) - uintptr(unsafe.Pointer(e)); uint64(end) > size {
			t.Fatalf("%d messages in %d bytes reach to %d", Room(size), size, end)
		}
	}
}
