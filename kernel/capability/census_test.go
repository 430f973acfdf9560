package capability

import (
	"testing"

	abi "skerry/abi/capability"
)

// TestCensus holds that Next lists each object once, in order, without mappings,
// whatever has come and gone in between.
func TestCensus(t *testing.T) {
	m := mapped(t)
	for i := range uint64(30) {
		m.must(m.Map(m.slot(100+i), m.slot(21), m.slot(20), 100+i, 1))
	}
	m.must(m.Create(m.slot(40), Object{Type: abi.Domain, Size: 1 << 32}, abi.AllRights))
	var want []abi.Description
	for _, a := range m.check() {
		d := m.Identify(a)
		if d.Type != abi.Mapping && (len(want) == 0 || d != want[len(want)-1]) {
			want = append(want, d)
		}
	}
	after, n := abi.Description{}, 0
	for {
		d, ok := m.Next(after)
		if !ok {
			break
		}
		if n == len(want) || d != want[n] {
			t.Fatalf("object %d is %+v, want %+v", n, d, want[n])
		}
		after = d
		n++
	}
	if n != len(want) || n < 8 {
		t.Errorf("%d objects, want %d", n, len(want))
	}
	// After what is not there, or cannot be.
	frame := m.Identify(m.slot(20))
	m.Revoke(m.slot(24))
	m.drain()
	if d, ok := m.Next(frame); !ok || d.Type != abi.Domain {
		t.Errorf("after the frame: %+v, %v", d, ok)
	}
	for _, d := range []abi.Description{{Type: 255, Base: 1 << 60}, {Type: abi.RAM, Base: ^uint64(0), Size: ^uint64(0)}, {Type: 255, Base: 1<<56 - 1}} {
		if d, ok := m.Next(d); ok && d.Type != abi.Domain {
			t.Errorf("%+v", d)
		}
	}
}
