package capability

import (
	"errors"
	"reflect"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/capability/table"
)

// types has a value of each type, at reference 1:34.
var types = []any{
	PhysicalRange(at), RAM(at), Frame(at), DeviceFrame(at), L1CNode(at), L2CNode(at),
	PageTable1(at), PageTable2(at), PageTable3(at), PageTable4(at), PageTable5(at),
	Dispatcher(at), Endpoint(at), Doorbell(at), KCB(at), Mapping(at), IRQSource(at), IRQDestination(at),
	IOPorts(at), Kernel(at), Domain(at), PerformanceCounter(at), RemoteDoorbell(at),
}

const at = 1<<capability.SlotBits | 34

// serve puts a kernel in the CPU driver's place for a test.
func serve(t *testing.T, f func(word uint64, a capability.Arguments) (uint64, capability.Error)) {
	was := kernel
	kernel = f
	t.Cleanup(func() { kernel = was })
}

// TestMethods calls every method of every type: each must ask for its own
// invocation, with arguments that the table allows in the order of the table,
// and hand on what comes back.
func TestMethods(t *testing.T) {
	if len(types) != len(table.Types) {
		t.Fatalf("%d types of %d", len(types), len(table.Types))
	}
	for i, c := range table.Types {
		v, kind := reflect.ValueOf(types[i]), capability.Type(i+1)
		all := append(append([]table.Invocation{}, table.Common...), c.Invocations...)
		if n := v.NumMethod(); n != len(all) {
			t.Errorf("%s has %d methods, want %d", c.Name, n, len(all))
		}
		for number, invocation := range all {
			m := v.MethodByName(invocation.Name)
			if !m.IsValid() {
				t.Errorf("%s has no method %s", c.Name, invocation.Name)
				continue
			}
			answer := capability.OK
			calls := 0
			serve(t, func(word uint64, a capability.Arguments) (uint64, capability.Error) {
				calls++
				if word != capability.Word(at, capability.Invocation(number)) {
					t.Errorf("%s.%s asks for %#x", c.Name, invocation.Name, word)
				}
				if err := capability.Check(kind, capability.AllRights, capability.Invocation(number), &a); err != capability.OK {
					t.Errorf("%s.%s with %#x: %v", c.Name, invocation.Name, a, err)
				}
				if want := arguments(invocation, a); a != want {
					t.Errorf("%s.%s with %#x, want %#x", c.Name, invocation.Name, a, want)
				}
				return 5, answer
			})
			var in []reflect.Value
			for p := range m.Type().NumIn() {
				in = append(in, parameter(m.Type().In(p), p))
			}
			out := m.Call(in)
			if e := out[len(out)-1]; calls != 1 || !e.IsNil() {
				t.Errorf("%s.%s: %d calls, %v", c.Name, invocation.Name, calls, e)
			}
			if invocation.Returns != "" && out[0].Uint() != 5 {
				t.Errorf("%s.%s returns %v", c.Name, invocation.Name, out[0])
			}
			answer = capability.ErrRights
			out = m.Call(in)
			err, _ := out[len(out)-1].Interface().(error)
			if want := c.Name + " 1:34: " + invocation.Name + ": the capability lacks the right"; !errors.Is(err, capability.ErrRights) || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
}

// parameter is the p-th parameter of a call: its words are 2, 3, 4 and so on.
func parameter(t reflect.Type, p int) reflect.Value {
	switch t.Kind() {
	case reflect.Slice:
		return reflect.ValueOf([]byte("seven b"))
	case reflect.Pointer:
		return reflect.New(t.Elem())
	case reflect.Struct:
		return reflect.Zero(t)
	}
	v := reflect.New(t).Elem()
	v.SetUint(uint64(2 + p))
	return v
}

// arguments are what an invocation should have with these parameters; addresses
// are taken as they are, if they are any.
func arguments(v table.Invocation, got capability.Arguments) (want capability.Arguments) {
	next := uint64(2)
	for i := 0; i < len(v.Arguments); i++ {
		switch kind := v.Arguments[i].Kind; {
		case kind == "Slots":
			want[i] = next | (next+1)<<32
			next += 2
		case kind == "Input" || kind == "Output":
			if want[i], want[i+1] = got[i], 7; got[i] == 0 {
				want[i] = 1
			}
			i++
			next++
		case kind == "Census" || buffered[kind]:
			if want[i] = got[i]; got[i] == 0 {
				want[i] = 1
			}
		default:
			want[i] = next
			next++
		}
	}
	return want
}

var buffered = map[table.Kind]bool{"Description": true, "Status": true, "CoreInfo": true, "DomainInfo": true}

func memory(address uint64, n uint64) []byte {
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&address))), n)
}

// TestBuffers holds that what goes through memory arrives.
func TestBuffers(t *testing.T) {
	want := capability.Description{Type: capability.Frame, Base: 1 << 20, Size: 4096}
	serve(t, func(_ uint64, a capability.Arguments) (uint64, capability.Error) {
		*(*capability.Description)(unsafe.Pointer(&memory(a[0], 1)[0])) = want
		return 0, capability.OK
	})
	if d, err := Frame(at).Identify(); d != want || err != nil {
		t.Errorf("%+v, %v", d, err)
	}
	serve(t, func(_ uint64, a capability.Arguments) (uint64, capability.Error) {
		*(*abi.DomainInfo)(unsafe.Pointer(&memory(a[1], 1)[0])) = abi.DomainInfo{Domain: uint32(a[0])}
		return 0, capability.OK
	})
	if d, err := Kernel(at).Dispatcher(7); d.Domain != 7 || err != nil {
		t.Errorf("%+v, %v", d, err)
	}
	var said string
	serve(t, func(_ uint64, a capability.Arguments) (uint64, capability.Error) {
		said = string(memory(a[0], a[1]))
		return 0, capability.OK
	})
	if err := Kernel(at).Log([]byte("a line")); said != "a line" || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	if err := Kernel(at).Log(make([]byte, 10_000)); len(said) != 4096 || err != nil {
		t.Errorf("%d bytes, %v", len(said), err)
	}
	// More than fits is said, but not written.
	serve(t, func(_ uint64, a capability.Arguments) (uint64, capability.Error) {
		copy(memory(a[0], a[1]), "a long command line")
		return 19, capability.OK
	})
	p := []byte("......!")
	if n, err := Kernel(at).CommandLine(p[:6]); n != 19 || string(p) != "a long!" || err != nil {
		t.Errorf("%d, %q, %v", n, p, err)
	}
	serve(t, func(_ uint64, a capability.Arguments) (uint64, capability.Error) {
		list := (*[capability.CensusMax]capability.Description)(unsafe.Pointer(&memory(a[0], 1)[0]))
		if list[0] != want {
			t.Errorf("after %+v", list[0])
		}
		list[0], list[1] = capability.Description{Base: 1}, capability.Description{Base: 2}
		return 2, capability.OK
	})
	var list [capability.CensusMax]capability.Description
	if n, err := Kernel(at).Next(want, &list); n != 2 || list[0].Base != 1 || list[1].Base != 2 || list[2].Base != 0 || err != nil {
		t.Errorf("%d, %+v, %v", n, list, err)
	}
}

// TestFailure holds how slots of both levels are named.
func TestFailure(t *testing.T) {
	f := &Failure{capability.L2CNode, capability.LevelOneReference(9), capability.L2CNodeCopy, capability.ErrOccupied}
	if want := "L2CNode 9: Copy: " + capability.ErrOccupied.Error(); f.Error() != want {
		t.Errorf("%q, want %q", f.Error(), want)
	}
}
