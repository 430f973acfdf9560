package acpi

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// firmware is memory as the firmware left it: [base, base+len(bytes)). Whoever
// reads outside of it gets nothing, and what is read has no room behind it.
type firmware struct {
	base  uint64
	bytes []byte
}

const firmwareBase = 0xe_0000

func (f *firmware) read(at uint64, n int) []byte {
	if at < f.base || n < 0 || at-f.base > uint64(len(f.bytes)) || uint64(n) > uint64(len(f.bytes))-(at-f.base) {
		return nil
	}
	b := f.bytes[at-f.base:]
	return b[:n:n]
}

// put appends bytes and returns their address.
func (f *firmware) put(b []byte) uint64 {
	at := f.base + uint64(len(f.bytes))
	f.bytes = append(f.bytes, b...)
	return at
}

// table36 makes a table: its header of 36 bytes and a body.
func table36(signature string, body ...byte) []byte {
	b := make([]byte, 36, 36+len(body))
	copy(b, signature)
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	seal(b)
	return b
}

// seal makes a table's bytes sum to zero.
func seal(b []byte) {
	b[9] = 0
	sum := byte(0)
	for _, c := range b {
		sum += c
	}
	b[9] = -sum
}

// root stores the table of tables and the root pointer, and returns the
// latter's address.
func (f *firmware) root(extended bool, tables ...uint64) uint64 {
	var body []byte
	for _, at := range tables {
		if extended {
			body = binary.LittleEndian.AppendUint64(body, at)
		} else {
			body = binary.LittleEndian.AppendUint32(body, uint32(at))
		}
	}
	p := make([]byte, 36)
	copy(p, "RSD PTR ")
	if extended {
		p[15] = 2
		binary.LittleEndian.PutUint64(p[24:], f.put(table36("XSDT", body...)))
	} else {
		binary.LittleEndian.PutUint32(p[16:], uint32(f.put(table36("RSDT", body...))))
	}
	return f.put(p)
}

func u16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// record makes an entry of a MADT or SRAT.
func record(kind byte, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append([]byte{kind, byte(2 + len(body))}, body...)
}

// fadt makes a FADT of 148 bytes and more with what the kernel reads.
func fadt(dsdt uint64, wide bool, pm1a, timer, resetPort uint16, resetValue byte) []byte {
	b := make([]byte, 244)
	copy(b, "FACP")
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	if wide {
		binary.LittleEndian.PutUint64(b[140:], dsdt)
		binary.LittleEndian.PutUint32(b[40:], 0xdead_0000) // must be ignored
	} else {
		binary.LittleEndian.PutUint32(b[40:], uint32(dsdt))
	}
	binary.LittleEndian.PutUint32(b[64:], uint32(pm1a))
	binary.LittleEndian.PutUint32(b[76:], uint32(timer))
	if resetPort != 0 {
		binary.LittleEndian.PutUint32(b[112:], 1<<10)
		b[116] = 1 // I/O space
		binary.LittleEndian.PutUint64(b[120:], uint64(resetPort))
		b[128] = resetValue
	}
	seal(b)
	return b
}

// sleep makes a DSDT whose byte code holds \_S5 with a value for PM1a.
func sleep(value byte, prefixed bool, noise []byte) []byte {
	code := append(slices.Clone(noise), 0x08, '_', 'S', '5', '_', 0x12, 6, 4)
	if prefixed {
		code = append(code, 0x0a, value, 0x0a, value, 0, 0)
	} else {
		code = append(code, value, value, 0, 0)
	}
	return table36("DSDT", append(code, make([]byte, 16)...)...)
}

// TestParse makes tables for a machine at random, in a random order, and
// expects the machine back.
func TestParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &firmware{base: firmwareBase, bytes: make([]byte, 64)}
		want := &Tables{}
		var madt, srat []byte
		madt = append(u32(0xfee0_0000), u32(1)...)
		srat = make([]byte, 12)
		node := map[uint32]uint32{}
		apics := rapid.SliceOfNDistinct(rapid.Uint32Range(0, 600), 1, 40, rapid.ID[uint32]).Draw(t, "apics")
		withSRAT := rapid.Bool().Draw(t, "srat")
		for i, apic := range apics {
			enabled := i == 0 || rapid.IntRange(0, 3).Draw(t, "enabled") > 0
			flags := u32(2) // may be enabled later: not ours
			if enabled {
				flags = u32(1)
			}
			extended := apic > 254 || rapid.Bool().Draw(t, "x2apic")
			if extended {
				madt = append(madt, record(9, u16(0), u32(apic), flags, u32(uint32(i)))...)
			} else {
				madt = append(madt, record(0, []byte{byte(i), byte(apic)}, flags)...)
			}
			if rapid.Bool().Draw(t, "assigned") {
				n := rapid.Uint32Range(0, 1<<32-1).Draw(t, "node")
				used := rapid.IntRange(0, 4).Draw(t, "used") > 0
				flags := u32(0)
				if used {
					flags = u32(1)
					node[apic] = n
				}
				if extended {
					srat = append(srat, record(2, u16(0), u32(n), u32(apic), flags, u32(0), u32(0))...)
				} else {
					srat = append(srat, record(0, []byte{byte(n), byte(apic)}, flags, []byte{0, byte(n >> 8), byte(n >> 16), byte(n >> 24)}, u32(0))...)
				}
			}
			if enabled {
				want.CPUs = append(want.CPUs, CPU{APIC: apic})
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "ioapics") {
			io := IOAPIC{Base: uint64(rapid.Uint32().Draw(t, "base")), GSI: rapid.Uint32Range(0, 100).Draw(t, "gsi")}
			madt = append(madt, record(1, []byte{7, 0}, u32(uint32(io.Base)), u32(io.GSI))...)
			want.IOAPICs = append(want.IOAPICs, io)
		}
		for range rapid.IntRange(0, 4).Draw(t, "overrides") {
			o := Override{Source: rapid.Byte().Draw(t, "source"), GSI: rapid.Uint32().Draw(t, "gsi"),
				Level: rapid.Bool().Draw(t, "level"), Low: rapid.Bool().Draw(t, "low")}
			flags := uint16(0)
			if o.Low {
				flags |= 3
			}
			if o.Level {
				flags |= 3 << 2
			}
			madt = append(madt, record(2, []byte{0, o.Source}, u32(o.GSI), u16(flags))...)
			want.Overrides = append(want.Overrides, o)
		}
		madt = append(madt, record(4, []byte{0xff, 0, 0, 1})...) // kinds not known are skipped
		for range rapid.IntRange(0, 4).Draw(t, "ranges") {
			m := Memory{Base: rapid.Uint64().Draw(t, "base"), Size: rapid.Uint64().Draw(t, "size"), Node: rapid.Uint32().Draw(t, "node")}
			used := rapid.Bool().Draw(t, "used")
			flags := u32(0)
			if used {
				flags = u32(1)
			}
			srat = append(srat, record(1, u32(m.Node), u16(0), u64(m.Base), u64(m.Size), u32(0), flags, u64(0))...)
			if used && withSRAT {
				want.Memory = append(want.Memory, m)
			}
		}
		if withSRAT {
			for i := range want.CPUs {
				want.CPUs[i].Node = node[want.CPUs[i].APIC]
			}
		}
		tables := []uint64{f.put(table36("APIC", madt...)), f.put(table36("HPET", 1, 2, 3))}
		if withSRAT {
			tables = append(tables, f.put(table36("SRAT", srat...)))
		}
		if n := rapid.IntRange(0, 6).Draw(t, "nodes"); n > 0 {
			body := u64(uint64(n))
			for range n {
				row := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "row")
				body = append(body, row...)
				want.Distance = append(want.Distance, row)
			}
			tables = append(tables, f.put(table36("SLIT", body...)))
		}
		if rapid.Bool().Draw(t, "fadt") {
			want.PMTimer, want.PM1a = rapid.Uint16().Draw(t, "timer"), rapid.Uint16().Draw(t, "pm1a")
			if want.ResetPort = rapid.Uint16().Draw(t, "reset"); want.ResetPort != 0 {
				want.ResetValue = rapid.Byte().Draw(t, "value")
			}
			prefixed := rapid.Bool().Draw(t, "prefixed")
			value := rapid.ByteRange(0, 1).Draw(t, "sleep")
			if prefixed {
				value = rapid.ByteRange(0, 7).Draw(t, "sleep")
			}
			want.SleepType, want.CanPowerOff = uint16(value), want.PM1a != 0
			dsdt := f.put(sleep(value, prefixed, []byte{0x10, '_', 'S', '5', '_', 0}))
			tables = append(tables, f.put(fadt(dsdt, rapid.Bool().Draw(t, "wide"), want.PM1a, want.PMTimer, want.ResetPort, want.ResetValue)))
		}
		tables = append(tables, 0, 1<<31) // pointers to nothing are left out
		order := rapid.Permutation(tables).Draw(t, "order")
		got, err := Parse(f.read, f.root(rapid.Bool().Draw(t, "extended"), order...))
		if err != nil {
			t.Fatal(err)
		}
		got.nodeOf = nil
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

// TestBroken gives tables that say nothing or lie, and expects an error or that
// they are left out.
func TestBroken(t *testing.T) {
	cpu := append(append(u32(0), u32(0)...), record(0, []byte{0, 5}, u32(1))...)
	tests := []struct {
		name  string
		build func(f *firmware) uint64
		cpus  int // 0: an error
	}{
		{"nothing there", func(*firmware) uint64 { return 0x1234_5678 }, 0},
		{"no signature", func(f *firmware) uint64 { return f.put(make([]byte, 36)) }, 0},
		{"no tables", func(f *firmware) uint64 { return f.root(true) }, 0},
		{"root table elsewhere", func(f *firmware) uint64 {
			p := make([]byte, 36)
			copy(p, "RSD PTR ")
			p[15] = 2
			binary.LittleEndian.PutUint64(p[24:], 1<<64-8)
			return f.put(p)
		}, 0},
		{"checksum of the MADT", func(f *firmware) uint64 {
			b := table36("APIC", cpu...)
			b[40]++
			return f.root(true, f.put(b))
		}, 0},
		{"length of the MADT beyond memory", func(f *firmware) uint64 {
			b := table36("APIC", cpu...)
			binary.LittleEndian.PutUint32(b[4:], 1<<19)
			seal(b)
			return f.root(true, f.put(b))
		}, 0},
		{"MADT shorter than its header", func(f *firmware) uint64 {
			b := table36("APIC", cpu...)
			binary.LittleEndian.PutUint32(b[4:], 12)
			return f.root(true, f.put(b))
		}, 0},
		{"entry of length 0", func(f *firmware) uint64 {
			return f.root(true, f.put(table36("APIC", append(slices.Clone(cpu), 0, 0, 0, 0)...)))
		}, 1},
		{"entry beyond the table", func(f *firmware) uint64 {
			return f.root(true, f.put(table36("APIC", append(slices.Clone(cpu), 0, 8, 1, 1)...)))
		}, 1},
		{"entry too short for its kind", func(f *firmware) uint64 {
			return f.root(true, f.put(table36("APIC", append(slices.Clone(cpu), record(0, []byte{1})...)...)))
		}, 1},
		{"SLIT for more nodes than it lists", func(f *firmware) uint64 {
			return f.root(true, f.put(table36("SLIT", u64(1<<33)...)), f.put(table36("APIC", cpu...)))
		}, 1},
		{"DSDT beyond memory", func(f *firmware) uint64 {
			return f.root(true, f.put(fadt(1<<40, true, 1, 1, 0, 0)), f.put(table36("APIC", cpu...)))
		}, 1},
	}
	for _, test := range tests {
		f := &firmware{base: firmwareBase, bytes: make([]byte, 64)}
		got, err := Parse(f.read, test.build(f))
		switch {
		case err != nil && test.cpus != 0:
			t.Errorf("%s: %v", test.name, err)
		case err == nil && len(got.CPUs) != test.cpus:
			t.Errorf("%s: %d processors, want %d", test.name, len(got.CPUs), test.cpus)
		case err == nil && (got.Distance != nil || got.CanPowerOff):
			t.Errorf("%s: believed: %+v", test.name, got)
		}
	}
}

// sample is a machine with every table, and where each lies.
func sample() (f *firmware, rsdp uint64, tables []uint64) {
	f = &firmware{base: firmwareBase, bytes: make([]byte, 64)}
	madt := append(u32(0), u32(0)...)
	srat := make([]byte, 12)
	for i := range byte(4) {
		madt = append(madt, record(0, []byte{i, i}, u32(1))...)
		srat = append(srat, record(0, []byte{i / 2, i}, u32(1), u32(0), u32(0))...)
		srat = append(srat, record(1, u32(uint32(i)), u16(0), u64(uint64(i)<<30), u64(1<<30), u32(0), u32(1), u64(0))...)
	}
	madt = append(madt, record(9, u16(0), u32(300), u32(1), u32(9))...)
	madt = append(madt, record(1, []byte{7, 0}, u32(0xfec0_0000), u32(0))...)
	madt = append(madt, record(2, []byte{0, 4}, u32(20), u16(0xf))...)
	dsdt := f.put(sleep(5, true, nil))
	tables = []uint64{
		f.put(table36("SRAT", srat...)), f.put(table36("APIC", madt...)),
		f.put(table36("SLIT", append(u64(2), 10, 20, 20, 10)...)), f.put(fadt(dsdt, true, 0x604, 0x608, 0xcf9, 6)), dsdt,
	}
	return f, f.root(true, tables[:4]...), tables
}

// TestMutations parses tables with random damage whose sums are right again.
// Whatever is in them, the parser stays inside of what it was given: the
// memory ends where the tables do.
func TestMutations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f, rsdp, tables := sample()
	pristine := slices.Clone(f.bytes)
	parsed := 0
	for range 20_000 {
		copy(f.bytes, pristine)
		for range 1 + r.IntN(6) {
			i := r.IntN(len(f.bytes))
			switch r.IntN(3) {
			case 0:
				f.bytes[i] = byte(r.Uint32())
			case 1:
				f.bytes[i] = 0xff
			default:
				f.bytes[i] ^= 1 << r.IntN(8)
			}
		}
		for _, at := range tables {
			b := f.bytes[at-f.base:]
			if n := uint64(binary.LittleEndian.Uint32(b[4:])); n >= 36 && n <= uint64(len(b)) {
				seal(b[:n])
			}
		}
		if got, err := Parse(f.read, rsdp); err == nil {
			parsed++
			if len(got.CPUs) == 0 {
				t.Fatal("no processors and no error")
			}
		}
	}
	if parsed < 5000 {
		t.Errorf("only %d of the mutations were parsed: the damage is too great to test anything", parsed)
	}
}

func FuzzParse(f *testing.F) {
	m, rsdp, _ := sample()
	f.Add(m.bytes, rsdp)
	f.Fuzz(func(t *testing.T, memory []byte, rsdp uint64) {
		m := &firmware{base: firmwareBase, bytes: memory}
		if got, err := Parse(m.read, rsdp); err == nil && len(got.CPUs) == 0 {
			t.Fatal("no processors and no error")
		}
	})
}
