package driver

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/capability"
	"skerry/kernel/memory"
)

// TestEntryBits tries all protections with all rights.
func TestEntryBits(t *testing.T) {
	for prot := range uint64(8) {
		for rights := range abicap.Rights(8) {
			bits, err := entryBits(prot, rights|abicap.RightControl)
			allowed := abicap.Rights(prot)&^rights == 0 && (prot == 0 || rights&abicap.RightRead != 0)
			switch {
			case !allowed || prot&6 == 6:
				if err != abicap.ErrRights {
					t.Errorf("protection %d with rights %d: %v", prot, rights, err)
				}
			case err != abicap.OK:
				t.Errorf("protection %d with rights %d: %v", prot, rights, err)
			default:
				if bits&amd64.PagePresent == 0 || (bits&amd64.PageUser != 0) != (prot != 0) ||
					(bits&amd64.PageWrite != 0) != (prot&abi.ProtWrite != 0) || (bits&amd64.PageNX == 0) != (prot&abi.ProtExec != 0) {
					t.Errorf("protection %d: bits %#x", prot, bits)
				}
			}
		}
	}
}

const (
	dom    = 16 // the first slot of a test's domain
	spare  = dom + domFree
	spare2 = spare + 1
	spare3 = spare + 2
)

// domain makes a core with one domain.
func domain(t testing.TB) *core {
	c := newCore(t, 4)
	c.newDomain(dom, 0, 0)
	return c
}

const readWrite = abi.ProtRead | abi.ProtWrite

// TestMapRefuses asks for mappings that may not be.
func TestMapRefuses(t *testing.T) {
	c := domain(t)
	c.make(100, 1, devices, abicap.DeviceFrame, 1<<30, 1<<30)
	c.make(101, 1, ram, abicap.Frame, 2<<20, 2<<20)
	c.must(ref(base), abicap.L2CNodeMint, 102, ref(101), uint64(abicap.RightRead|abicap.RightExecute|abicap.RightGrant))
	c.make(103, 1, ram, abicap.PageTable1, 1<<20, abi.PageSize)
	c.make(104, 1, ram, abicap.PageTable2, 1<<20+abi.PageSize, abi.PageSize)
	c.make(105, 1, ram, abicap.PageTable5, 1<<20+2*abi.PageSize, abi.PageSize)
	c.must(ref(base), abicap.L2CNodeMint, 106, ref(103), uint64(abicap.RightGrant))
	c.must(ref(base), abicap.L2CNodeMint, 107, ref(dom+domDispatcher), uint64(abicap.RightRead))
	c.must(ref(base), abicap.L2CNodeMint, 108, ref(101), uint64(abicap.RightWrite|abicap.RightGrant))
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 7|1<<32, ref(101), ref(109), 0, abi.ProtRead)
	const one = 1 << 32
	for name, test := range map[string]struct {
		table        uint32
		entries      uint64
		source       uint32
		slot         uint32
		offset, prot uint64
		want         abicap.Error
	}{
		"no entries":              {dom + domDir1, 0, 101, spare, 0, 1, abicap.ErrRange},
		"beyond the table":        {dom + domDir1, 512 | one, 101, spare, 0, 1, abicap.ErrRange},
		"more than the table":     {dom + domDir1, 510 | 3<<32, 101, spare, 0, 1, abicap.ErrRange},
		"no source":               {dom + domDir1, one, spare2, spare, 0, 1, abicap.ErrEmpty},
		"slot in use":             {dom + domDir1, one, 101, 101, 0, 1, abicap.ErrOccupied},
		"entry in use":            {dom + domDir1, 6 | 2<<32, 101, spare, 0, 1, abicap.ErrInUse},
		"write and execute":       {dom + domDir1, one, 101, spare, 0, 6, abicap.ErrRights},
		"no right to write":       {dom + domDir1, one, 102, spare, 0, readWrite, abicap.ErrRights},
		"no right to read":        {dom + domDir1, one, 108, spare, 0, abi.ProtWrite, abicap.ErrRights},
		"executable device":       {dom + domDir1, one, 100, spare, 0, 5, abicap.ErrRights},
		"odd offset":              {dom + domDir1, one, 101, spare, 8, 1, abicap.ErrRange},
		"beyond the frame":        {dom + domDir1, 2 << 32, 101, spare, 2<<20 - abi.PageSize, 1, abicap.ErrRange},
		"offset beyond the frame": {dom + domDir1, one, 101, spare, 1<<52 - abi.PageSize, 1, abicap.ErrRange},
		"offset for large pages":  {dom + domDir2, one, 101, spare, abi.PageSize, 1, abicap.ErrRange},
		"small frame, large page": {dom + domDir2, one, dom + domFrame, spare, 0, 1, abicap.ErrRange},
		"frame for a top table":   {dom + domSpace, 1 | one, 100, spare, 0, 1, abicap.ErrType},
		"table of another level":  {dom + domDir3, 1 | one, 103, spare, 0, 1, abicap.ErrType},
		"table in a last table":   {dom + domDir1, one, 103, spare, 0, 1, abicap.ErrType},
		"several tables":          {dom + domDir2, 5 | 2<<32, 103, spare, 0, 1, abicap.ErrRange},
		"part of a table":         {dom + domDir2, 5 | one, 103, spare, 8, 1, abicap.ErrRange},
		"table without right":     {dom + domDir2, 5 | one, 106, spare, 0, 1, abicap.ErrRights},
		"table that is mapped":    {dom + domDir2, 5 | one, dom + domDir1, spare, 0, 0, abicap.ErrInUse},
		"the kernel's half":       {dom + domSpace, 256 | one, 104, spare, 0, 0, abicap.ErrRange},
		"table in five levels":    {105, one, dom + domSpace, spare, 0, 0, abicap.ErrInvocation},
		"RAM":                     {dom + domDir1, one, ram, spare, 0, 1, abicap.ErrType},
		"a CNode":                 {dom + domDir1, one, base, spare, 0, 1, abicap.ErrType},
		"a control block":         {dom + domDir1, one, dom + domDispatcher, spare, 0, 1, abicap.ErrRange},
		"a kernel's vector area":  {dom + domDir1, one, dom + domDispatcher, spare, abi.PageSize, 1, abicap.ErrRange},
		"endpoints":               {dom + domDir1, 2 << 32, dom + domDispatcher, spare, 4 * abi.PageSize, 1, abicap.ErrRange},
		"dispatcher to execute":   {dom + domDir1, one, dom + domDispatcher, spare, 2 * abi.PageSize, 5, abicap.ErrRights},
		"dispatcher, no control":  {dom + domDir1, one, 107, spare, 2 * abi.PageSize, 1, abicap.ErrRights},
		"dispatcher as 2 MiB":     {dom + domDir2, one, dom + domDispatcher, spare, 0, 1, abicap.ErrType},
	} {
		err := c.ask(ref(test.table), abicap.PageTable1Map, test.entries, ref(test.source), ref(test.slot), test.offset, test.prot)
		if err != test.want {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if c.kind(ref(spare)) != abicap.Null {
			t.Fatalf("%s: there is a mapping", name)
		}
	}
	c.sound()
	amd64.CPU.GiantPages = false
	c.want(abicap.ErrType, ref(dom+domDir3), abicap.PageTable3Map, 1|1<<32, ref(100), ref(spare), 0, abi.ProtRead)
}

// TestPageSizes maps and unmaps pages of every size.
func TestPageSizes(t *testing.T) {
	c := domain(t)
	b := c.dcb(dom)
	c.make(100, 1, devices, abicap.DeviceFrame, 0, 2<<30)
	c.make(101, 1, ram, abicap.Frame, 2<<20, 2<<20)
	for _, test := range []struct {
		table   uint32
		index   uint64
		source  uint32
		count   uint64
		at      uintptr
		physics uint64
		span    uintptr
		bits    uint64
	}{
		{dom + domDir1, 3, 101, 5, domainAt + 3<<12, ramAt + 2<<20, 4 << 10, 0},
		{dom + domDir2, 9, 101, 1, 9 << 21, ramAt + 2<<20, 2 << 20, amd64.PageLarge},
		{dom + domDir2, 10, 100, 3, 10 << 21, devicesAt, 2 << 20, amd64.PageLarge | amd64.PageUncached},
		{dom + domDir3, 4, 100, 2, 4 << 30, devicesAt, 1 << 30, amd64.PageLarge | amd64.PageUncached},
		{dom + domDir1, 9, 100, 1, domainAt + 9<<12, devicesAt, 4 << 10, amd64.PageUncached},
	} {
		c.must(ref(test.table), abicap.PageTable1Map, test.index|test.count<<32, ref(test.source), ref(spare), 0, readWrite)
		c.sound()
		for i := range uintptr(test.count) {
			want := test.physics + uint64(i*test.span) | amd64.PagePresent | amd64.PageUser | amd64.PageWrite | amd64.PageNX | test.bits
			if e := c.mapped(b, test.at+i*test.span+8); e != want {
				t.Errorf("%#x is mapped by %#x, want %#x", test.at+i*test.span, e, want)
			}
		}
		if c.mapped(b, test.at+uintptr(test.count)*test.span) != 0 || c.mapped(b, test.at-1) != 0 {
			t.Errorf("more is mapped than %d pages at %#x", test.count, test.at)
		}
		c.stale = false
		c.must(ref(spare), abicap.MappingProtect, 0, 1, abi.ProtRead, 0)
		if e := c.mapped(b, test.at); e&amd64.PageWrite != 0 || e&test.bits != test.bits || !c.stale {
			t.Errorf("%#x is mapped by %#x after it was protected; stale is %v", test.at, e, c.stale)
		}
		c.stale = false
		c.must(ref(spare), abicap.MappingUnmap, 0, 0, 0)
		if c.mapped(b, test.at) != 0 || c.kind(ref(spare)) != abicap.Null || !c.stale {
			t.Errorf("%#x is still mapped; stale is %v", test.at, c.stale)
		}
		c.stale = false
	}
	c.sound()
}

// TestPartly unmaps and protects parts of a mapping, and asks for parts that it
// has not.
func TestPartly(t *testing.T) {
	c := domain(t)
	b := c.dcb(dom)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 100|8<<32, ref(dom+domFrame), ref(spare), 0, readWrite)
	at := func(i uintptr) uint64 { return c.mapped(b, domainAt+(100+i)<<12) }
	c.must(ref(spare), abicap.MappingUnmap, 2, 3, 0)
	c.must(ref(spare), abicap.MappingProtect, 1, 5, abi.ProtRead, 0)
	c.want(abicap.ErrRights, ref(spare), abicap.MappingProtect, 0, 1, abi.ProtWrite|abi.ProtExec, 0)
	for i, want := range []uint64{readWrite, 1, 0, 0, 0, 1, readWrite, readWrite} {
		if e := at(uintptr(i)); (e != 0) != (want != 0) || (e&amd64.PageWrite != 0) != (want == readWrite) {
			t.Errorf("page %d is mapped by %#x", i, e)
		}
	}
	// Another mapping in the gap is none of the first's.
	c.make(100, 1, ram, abicap.Frame, 1<<20, abi.PageSize)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 103|1<<32, ref(100), ref(spare2), 0, abi.ProtRead)
	c.must(ref(spare), abicap.MappingProtect, 0, 8, readWrite, 0)
	if at(3)&amd64.PageWrite != 0 || at(0)&amd64.PageWrite == 0 {
		t.Error("protecting a mapping changed another")
	}
	for _, part := range [][2]uint64{{8, 1}, {0, 9}, {1, 0}, {7, 2}, {1<<52 - 1, 1<<52 - 1}} {
		c.want(abicap.ErrRange, ref(spare), abicap.MappingUnmap, part[0], part[1], 0)
		c.want(abicap.ErrRange, ref(spare), abicap.MappingProtect, part[0], part[1], abi.ProtRead, 0)
	}
	c.must(ref(spare), abicap.MappingUnmap, 0, 8, 0)
	for i := range uintptr(8) {
		if (at(i) != 0) != (i == 3) {
			t.Errorf("page %d is mapped by %#x at last", i, at(i))
		}
	}
	// No protection keeps the page, but from its user.
	c.must(ref(spare2), abicap.MappingProtect, 0, 1, 0, 0)
	if e := at(3); e&amd64.PagePresent == 0 || e&amd64.PageUser != 0 {
		t.Errorf("without protection it is mapped by %#x", e)
	}
	// A table's entry has no protection to change.
	before := amd64.Entry(&c.k.Pages, memory.Phys(c.cap.BaseOf(c.at(ref(dom+domDir2))))+8)
	c.must(ref(dom+domMaps+2), abicap.MappingProtect, 0, 1, 0, 0)
	if amd64.Entry(&c.k.Pages, memory.Phys(c.cap.BaseOf(c.at(ref(dom+domDir2))))+8) != before {
		t.Error("the way to a table was protected")
	}
	c.sound()
}

// TestEndOfMapping ends mappings by all there is: what was mapped is mapped no
// more, and the processor must not remember it.
func TestEndOfMapping(t *testing.T) {
	const one = 1 << 32
	for name, test := range map[string]struct {
		end  func(c *core)
		gone bool // the table, not the entry
	}{
		"unmap":                {func(c *core) { c.must(ref(spare), abicap.MappingUnmap, 0, 0, 0) }, false},
		"delete the mapping":   {func(c *core) { c.must(ref(base), abicap.L2CNodeDelete, spare) }, false},
		"delete the frame":     {func(c *core) { c.deletes(ref(base), abicap.L2CNodeDelete, 100) }, false},
		"revoke the frame":     {func(c *core) { c.deletes(ref(base), abicap.L2CNodeRevoke, 100) }, false},
		"revoke its RAM":       {func(c *core) { c.deletes(ref(base), abicap.L2CNodeRevoke, 101) }, false},
		"unmap the table":      {func(c *core) { c.must(ref(dom+domMaps+2), abicap.MappingUnmap, 0, 0, 0) }, true},
		"delete the table":     {func(c *core) { c.deletes(ref(base), abicap.L2CNodeDelete, dom+domDir1) }, true},
		"delete the directory": {func(c *core) { c.deletes(ref(base), abicap.L2CNodeDelete, dom+domDir3) }, true},
	} {
		c := domain(t)
		b := c.dcb(dom)
		c.loaded = b.Root
		c.make(101, 1, ram, abicap.RAM, 2<<20, 2<<20)
		c.make(100, 1, 101, abicap.Frame, 1<<20, 8*abi.PageSize)
		c.must(ref(dom+domDir1), abicap.PageTable1Map, 5|3*one, ref(100), ref(spare), abi.PageSize, readWrite)
		c.stale = false
		test.end(c)
		c.finish()
		if !c.stale {
			t.Errorf("%s: the processor is not told", name)
		}
		for i := range uintptr(3) {
			if c.mapped(b, domainAt+(5+i)<<12) != 0 {
				t.Errorf("%s: page %d is still mapped", name, i)
			}
		}
		if gone := c.kind(ref(spare)) == abicap.Null; gone == test.gone {
			t.Errorf("%s: the mapping is gone: %v", name, gone)
		}
		c.sound()
	}
}

// TestSpaceOfMapping ends mappings in an address space that is loaded, and in one
// that is not: the processor is told of the first, and only of that.
func TestSpaceOfMapping(t *testing.T) {
	const one, other, table, mount, page = 1 << 32, dom + domFree, 110, 111, 112
	root := func(c *core, first uint32) memory.Phys { return memory.Phys(c.cap.BaseOf(c.at(ref(first + domSpace)))) }
	for name, act := range map[string]func(c *core){
		"as made": func(*core) {},
		"copied":  func(c *core) { c.must(ref(base), abicap.L2CNodeCopy, table-1, ref(table)) },
		"copied, the first copy deleted": func(c *core) {
			c.must(ref(base), abicap.L2CNodeCopy, table-1, ref(table))
			c.must(ref(base), abicap.L2CNodeCopy, table+5, ref(table))
			c.must(ref(base), abicap.L2CNodeDelete, table-1)
			c.must(ref(base), abicap.L2CNodeDelete, table)
		},
		"moved": func(c *core) { c.must(ref(base), abicap.L2CNodeMove, table-1, ref(table)) },
	} {
		for _, loaded := range []uint32{dom, other} {
			c := newCore(t, 4)
			c.newDomain(dom, 0, 0)
			c.newDomain(other, domainSize, 0)
			c.make(table, 1, ram, abicap.PageTable1, 1<<20, abi.PageSize)
			c.must(ref(dom+domDir2), abicap.PageTable1Map, 9|one, ref(table), ref(mount), 0, 0)
			c.must(ref(table), abicap.PageTable1Map, 5|one, ref(dom+domFrame), ref(page), 0, readWrite)
			act(c)
			c.loaded, c.stale = root(c, loaded), false
			c.must(ref(base), abicap.L2CNodeDelete, page)
			if c.stale != (loaded == dom) {
				t.Errorf("%s: stale is %v with the space of %d loaded", name, c.stale, loaded)
			}
		}
	}
	// A table is moved to another address space with what is below it.
	c := newCore(t, 4)
	c.newDomain(dom, 0, 0)
	c.newDomain(other, domainSize, 0)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 5|one, ref(dom+domFrame), ref(page), 0, readWrite)
	c.must(ref(base), abicap.L2CNodeDelete, dom+domMaps+1)
	c.must(ref(other+domDir3), abicap.PageTable1Map, 9|one, ref(dom+domDir2), ref(mount), 0, 0)
	c.loaded, c.stale = root(c, other), false
	c.must(ref(base), abicap.L2CNodeDelete, page)
	if !c.stale {
		t.Error("the processor is not told of a table that was moved with the one above it")
	}
}

// TestStaleMapping makes other tables and frames of the memory of a table that
// has a mapping: what happens to the mapping then must not touch them.
func TestStaleMapping(t *testing.T) {
	const one = 1 << 32
	for name, act := range map[string]func(c *core){
		"unmap":   func(c *core) { c.must(ref(spare), abicap.MappingUnmap, 0, 0, 0) },
		"protect": func(c *core) { c.must(ref(spare), abicap.MappingProtect, 0, 2, abi.ProtRead, 0) },
		"delete":  func(c *core) { c.must(ref(base), abicap.L2CNodeDelete, spare) },
	} {
		for _, next := range []abicap.Type{abicap.PageTable1, abicap.Frame} {
			c := domain(t)
			b := c.dcb(dom)
			c.must(ref(dom+domDir1), abicap.PageTable1Map, 5|2*one, ref(dom+domFrame), ref(spare), 0, readWrite)
			table := c.cap.BaseOf(c.at(ref(dom + domDir1)))
			c.deletes(ref(base), abicap.L2CNodeDelete, dom+domDir1)
			c.make(dom+domDir1, 1, ram, next, table-ramAt, abi.PageSize)
			entry := memory.Phys(table) + 5*8
			want := uint64(0x1234)
			if next == abicap.PageTable1 {
				// The same frame at the same place, by another mapping.
				c.must(ref(dom+domDir2), abicap.PageTable2Map, domainAt>>21&511|one, ref(dom+domDir1), ref(dom+domMaps+2), 0, 0)
				c.must(ref(dom+domDir1), abicap.PageTable1Map, 5|2*one, ref(dom+domFrame), ref(spare2), 0, readWrite)
				want = c.mapped(b, domainAt+5<<12)
			} else {
				want = c.cap.BaseOf(c.at(ref(dom+domFrame))) | 7
				amd64.SetEntry(&c.k.Pages, entry, want)
			}
			act(c)
			if got := amd64.Entry(&c.k.Pages, entry); got != want || want == 0 {
				t.Errorf("%s of a mapping whose table became a %v: %#x became %#x", name, next, want, got)
			}
			c.sound()
		}
	}
}

// TestLeads tells at which addresses single pages are enough to drop.
func TestLeads(t *testing.T) {
	c := domain(t)
	c.newDomain(dom+domFree, domainSize, 0)
	b := c.dcb(dom)
	c.make(100, 1, ram, abicap.Frame, 2<<20, 2<<20)
	c.must(ref(dom+domDir1), abicap.PageTable1Map, 5|3<<32, ref(dom+domFrame), ref(98), 0, readWrite)
	c.must(ref(dom+domDir2), abicap.PageTable2Map, 9|1<<32, ref(100), ref(99), 0, readWrite)
	small, _, _, _ := c.part(c.at(ref(98)), 1, 2)
	large, _, _, _ := c.part(c.at(ref(99)), 0, 0)
	for _, test := range []struct {
		root    memory.Phys
		address uintptr
		e       entries
		want    bool
	}{
		{b.Root, domainAt + 6<<12, small, true},
		{b.Root, domainAt + 6<<12 + 5, small, true},
		{b.Root, domainAt + 5<<12, small, false},
		{b.Root, domainAt + 7<<12, small, false},
		{b.Root, 9 << 21, large, true},
		{b.Root, 9<<21 + 0x12345, large, true},
		{b.Root, 8 << 21, large, false},
		{b.Root, 0, small, false},
		{b.Root, 1 << 46, small, false},
		{c.dcb(dom + domFree).Root, domainAt + 6<<12, small, false},
		{c.k.Root, domainAt + 6<<12, small, false},
	} {
		c.loaded = test.root
		if got := c.leads(test.address, test.e); got != test.want {
			t.Errorf("%#x leads to %#x: %v", test.address, test.e.first, got)
		}
		// The same with the entries cleared, as it is asked after unmapping.
		for i := range memory.Phys(test.e.count) {
			at := test.e.first + 8*i
			defer amd64.SetEntry(&c.k.Pages, at, amd64.Entry(&c.k.Pages, at))
			amd64.SetEntry(&c.k.Pages, at, 0)
		}
		if got := c.leads(test.address, test.e); got != test.want {
			t.Errorf("%#x leads to %#x, cleared: %v", test.address, test.e.first, got)
		}
	}
}

// TestRandomMappings maps, unmaps, protects, deletes and revokes at random, in
// two domains, and checks every time that no entry is left that may not be, and
// that none that changed can be remembered.
func TestRandomMappings(t *testing.T) {
	steps := 6000
	if testing.Short() {
		steps = 1000
	}
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := newCore(t, 4)
		c.newDomain(dom, 0, 0)
		c.newDomain(dom+domFree, domainSize, 0)
		c.make(90, 1, ram, abicap.RAM, 2<<20, 2<<20)
		const pool, poolSize = 100, 24
		kinds := map[abicap.Error]int{}
		for range steps {
			slot := uint32(pool + r.IntN(poolSize))
			first := uint32(dom + r.IntN(2)*domFree)
			prot := uint64(r.IntN(8))
			n := uint64(1 + r.IntN(1<<r.IntN(5)))
			c.loaded = memory.Phys(c.cap.BaseOf(c.at(ref(uint32(dom + domSpace + r.IntN(2)*domFree)))))
			before := c.known()
			var err abicap.Error
			switch r.IntN(24) {
			case 0, 1, 2, 3, 4, 5:
				types := []abicap.Type{abicap.Frame, abicap.PageTable1, abicap.PageTable2}
				err = c.ask(ref(base), abicap.L2CNodeRetype, uint64(slot)|1<<32, ref(90), uint64(types[r.IntN(3)]), uint64(r.IntN(64))<<12, abi.PageSize<<r.IntN(3))
			case 6, 7, 8, 9, 10, 11, 12, 13, 14, 15:
				table := first + domDir3 + uint32(r.IntN(3))
				if r.IntN(3) == 0 {
					table = pool + uint32(r.IntN(poolSize))
				}
				source := pool + uint32(r.IntN(poolSize))
				if r.IntN(4) == 0 {
					source = first + domFrame
				}
				err = c.ask(ref(table), abicap.PageTable1Map, uint64(r.IntN(30))|n<<32, ref(source), ref(slot), uint64(r.IntN(3))<<12, prot)
			case 16, 17:
				err = c.ask(ref(slot), abicap.MappingUnmap, uint64(r.IntN(4)), n, 0)
			case 18, 19, 20:
				err = c.ask(ref(slot), abicap.MappingProtect, uint64(r.IntN(4)), n, prot, 0)
			case 21, 22:
				err = c.ask(ref(base), abicap.L2CNodeDelete, uint64(slot))
			default:
				if r.IntN(10) == 0 {
					slot = 90
				}
				err = c.ask(ref(base), abicap.L2CNodeRevoke, uint64(slot))
			}
			kinds[err]++
			if r.IntN(4) == 0 {
				c.finish()
			}
			if err := c.remembers(before); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			c.sound()
		}
		if kinds[abicap.OK] < steps/10 {
			t.Errorf("seed %d: of %d operations only %d succeeded: %v", seed, steps, kinds[abicap.OK], kinds)
		}
	}
}

// known is an entry that the processor may know translations by, and the addresses
// that it is for.
type known struct {
	entry         uint64
	address, size uintptr
}

// known returns the entries that lead somewhere in the address space that is
// loaded.
func (c *core) known() map[memory.Phys]known {
	all := map[memory.Phys]known{}
	var visit func(table memory.Phys, level uint, address uintptr)
	visit = func(table memory.Phys, level uint, address uintptr) {
		for i := range memory.Phys(tableEntries) {
			at, address := table+8*i, address+uintptr(i)*amd64.Span(level)
			e := amd64.Entry(&c.k.Pages, at)
			if e == 0 || level == 3 && i >= tableEntries/2 {
				continue
			}
			all[at] = known{e, address, amd64.Span(level)}
			if !isPage(e, level) && e&amd64.PageForeign == 0 {
				visit(amd64.Frame(e), level-1, address)
			}
		}
	}
	visit(c.loaded, 3, 0)
	c.stale, forgotten = false, map[uintptr]bool{}
	return all
}

// forgotten are the addresses that the processor was told to forget, one by one,
// since known was called last.
var forgotten map[uintptr]bool

func init() {
	// No test touches the processor that it runs on.
	setCR3, invlpg = func(uintptr) {}, func(address uintptr) { forgotten[address] = true }
}

// forgotten reports whether the processor was told to forget an entry.
func (k *known) forgotten() bool {
	for address := range forgotten {
		if address-k.address < k.size {
			return true
		}
	}
	return false
}

// remembers says which of the entries that the processor knew have changed without
// its being told.
func (c *core) remembers(before map[memory.Phys]known) error {
	for at, e := range before {
		if now := amd64.Entry(&c.k.Pages, at); now != e.entry && !c.stale && !e.forgotten() {
			return fmt.Errorf("the entry %#x at %#x, of %#x, became %#x, and the processor is not told", e.entry, at, e.address, now)
		}
	}
	return nil
}

// entries returns all entries of page tables that are not empty.
func (c *core) entries() map[memory.Phys]uint64 {
	all := map[memory.Phys]uint64{}
	for _, o := range c.objects() {
		if o.Type >= abicap.PageTable1 && o.Type <= abicap.PageTable4 && o.Ready != 0 && o.Owner == c.k.Machine.Core {
			for i := range memory.Phys(tableEntries / 2) {
				at := memory.Phys(o.Base) + 8*i
				if e := amd64.Entry(&c.k.Pages, at); e != 0 {
					all[at] = e
				}
			}
		}
	}
	return all
}

var _ capability.Kernel = (*Driver)(nil)
