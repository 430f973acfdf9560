package capability

import (
	"fmt"
	"slices"
	"testing"
	"time"

	abi "skerry/abi/capability"
	"skerry/kernel/memory"
)

// sizes are how many capabilities the database holds in the benchmarks.
var sizes = []uint64{1, 1000, 1_000_000}

// operationsOf are what is measured, each undone by itself.
func operationsOf(m *machine) []struct {
	name string
	do   func()
} {
	var a abi.Arguments
	word := abi.Word(abi.MakeReference(1, 1), abi.InvokeNop)
	end := m.size - 4096
	return []struct {
		name string
		do   func()
	}{
		{"nop", func() {
			if _, _, err := m.Decode(m.root, word, &a); err != abi.OK {
				panic(err)
			}
		}},
		{"copy-delete", func() {
			m.must(m.Copy(m.slot(60), m.slot(1), abi.AllRights))
			m.must(m.Delete(m.slot(60)))
		}},
		{"move", func() {
			m.must(m.Move(m.slot(60), m.slot(3)))
			m.must(m.Move(m.slot(3), m.slot(60)))
		}},
		{"retype-delete", func() {
			m.must(m.Retype(m.slot(60), m.slot(1), abi.Frame, end, 4096, 1))
			m.must(m.Delete(m.slot(60)))
		}},
		{"retype-delete-8", func() {
			m.must(m.Retype(m.slot(100), m.slot(61), abi.Frame, 4096, 4096, MaxRetype))
			for i := range uint64(MaxRetype) {
				m.must(m.Delete(m.slot(100 + i)))
			}
		}},
		{"map-unmap", func() {
			m.must(m.Map(m.slot(60), m.slot(62), m.slot(61), 1, 1))
			m.must(m.Delete(m.slot(60)))
		}},
		{"revoke-1", func() {
			m.must(m.Retype(m.slot(60), m.slot(61), abi.Frame, 4096, 4096, 1))
			m.must(m.Revoke(m.slot(61)))
		}},
		{"has-descendants", func() { m.HasDescendants(m.slot(1)) }},
		{"range", func() { m.Range(abi.RAM, end, 4096) }},
	}
}

// prepared is a machine with n more capabilities than it needs.
func prepared(t testing.TB, n uint64) *machine {
	m, _, _ := many(t, n)
	m.must(m.Create(m.slot(61), Object{Type: abi.Frame, Base: 1 << 50, Size: 1 << 20}, abi.AllRights))
	m.must(m.Retype(m.slot(62), m.slot(1), abi.PageTable1, m.size-2*pageSize, pageSize, 1))
	return m
}

func BenchmarkOperations(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for _, o := range operationsOf(prepared(b, n)) {
				b.Run(o.name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						o.do()
					}
				})
			}
		})
	}
}

// BenchmarkRevoke revokes a frame with many descendants in steps of one unit. The
// longest step is what it took when it went best: run it a few times
// (-benchtime 5x) for what is the system's own.
func BenchmarkRevoke(b *testing.B) {
	for _, n := range []uint64{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			best := make([]time.Duration, 2*n)
			for b.Loop() {
				b.StopTimer()
				m, frames, _ := many(b, n)
				b.StartTimer()
				m.Revoke(frames)
				more := true
				for i := 0; more; i++ {
					start := time.Now()
					more = m.Step(1)
					if took := time.Since(start); best[i] == 0 || took < best[i] {
						best[i] = took
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(uint64(b.N)*n), "ns/capability")
			b.ReportMetric(float64(slices.Max(best).Nanoseconds()), "ns/longest-step")
		})
	}
}

// TestNothingAllocates does all of the above, and steps, without an allocation.
func TestNothingAllocates(t *testing.T) {
	m := prepared(t, 1000)
	for _, o := range operationsOf(m) {
		if n := testing.AllocsPerRun(100, o.do); n != 0 {
			t.Errorf("%s: %v allocations", o.name, n)
		}
	}
	steps := func() {
		if err := m.Retype(m.slot(60), m.slot(1), abi.L2CNode, 32<<10, 16<<10, 2); err != abi.OK && err != abi.ErrPending {
			t.Fatal(err)
		}
		m.Step(100)
		m.must(m.Delete(m.slot(60)))
		m.must(m.Delete(m.slot(61)))
		m.Step(100)
	}
	m.must(m.Delete(m.slot(61)))
	if n := testing.AllocsPerRun(100, steps); n != 0 {
		t.Errorf("steps: %v allocations", n)
	}
}

// BenchmarkDomain makes what a program is made of out of a piece of RAM: a CNode,
// page tables, frames and mappings of their pages; and revokes the piece.
func BenchmarkDomain(b *testing.B) {
	const tables, frames, pages = 12, 20, 8
	m := prepared(b, 1000)
	m.must(m.Retype(m.slot(70), m.slot(1), abi.RAM, m.size-64<<10-spare, spare, 1))
	slot := func(i uint64) memory.Phys {
		to, err := m.Slot(m.slot(72), 1+i, 1)
		m.must(err)
		return to
	}
	made := func(err abi.Error) {
		if err != abi.ErrPending {
			m.must(err)
		}
		m.drain()
	}
	var count uint64
	var making time.Duration
	for b.Loop() {
		start, before := time.Now(), m.Count
		m.must(m.Copy(m.slot(71), m.slot(70), abi.AllRights))
		made(m.Retype(m.slot(72), m.slot(71), abi.L2CNode, 0, 16<<10, 1))
		for i := range uint64(tables) {
			made(m.Retype(slot(i), m.slot(71), abi.PageTable1, 16<<10+i*pageSize, pageSize, 1))
		}
		for i := range uint64(frames) {
			frame := slot(tables + i*(1+pages))
			made(m.Retype(frame, m.slot(71), abi.Frame, 64<<10+i*pages*pageSize, pages*pageSize, 1))
			for p := range uint64(pages) {
				m.must(m.Map(slot(tables+i*(1+pages)+1+p), slot(i%tables), frame, i*pages+p, 1))
			}
		}
		count = m.Count - before
		making += time.Since(start)
		if err := m.Revoke(m.slot(70)); err != abi.ErrPending {
			b.Fatal(err)
		}
		m.drain()
	}
	b.ReportMetric(float64(making.Nanoseconds())/float64(uint64(b.N)*count), "ns/capability-made")
	b.ReportMetric(float64((b.Elapsed()-making).Nanoseconds())/float64(uint64(b.N)*count), "ns/capability-ended")
	b.ReportMetric(float64(count), "capabilities")
}
