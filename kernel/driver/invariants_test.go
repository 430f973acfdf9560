package driver

import (
	"fmt"
	"slices"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// objects lists what the capabilities of the core name, without mappings.
func (c *core) objects() (all []abicap.Description) {
	var d abicap.Description
	for {
		next, ok := c.cap.Next(d)
		if !ok {
			return all
		}
		all, d = append(all, next), next
	}
}

// mapping is what a test sees of one.
type mapping struct {
	first      memory.Phys
	count      uint64
	base, size uint64
	rights     abicap.Rights
	table      abicap.Type
}

// mappings lists the mappings that lie in CNodes.
func (c *core) mappings(objects []abicap.Description) (all []mapping) {
	for _, o := range objects {
		if o.Type != abicap.L2CNode || o.Ready == 0 {
			continue
		}
		for i := uint64(1); i < abicap.L2Slots; i++ {
			slot := memory.Phys(o.Base + i*abicap.SlotSize)
			if c.cap.TypeOf(slot) != abicap.Mapping {
				continue
			}
			first, count, table := c.cap.MappingOf(slot)
			all = append(all, mapping{first, count, c.cap.BaseOf(slot), c.cap.SizeOf(slot), c.cap.RightsOf(slot), table})
		}
	}
	return all
}

// check says what is wrong with the page tables and the dispatchers of a core:
// every entry must be covered by a mapping that allows it, and lead to memory
// that a capability names.
func (c *core) check() error {
	objects := c.objects()
	maps := c.mappings(objects)
	mounted := map[memory.Phys]int{}
	for _, table := range objects {
		if table.Type < abicap.PageTable1 || table.Type > abicap.PageTable4 || table.Ready == 0 || table.Owner != c.k.Machine.Core {
			continue
		}
		most := memory.Phys(tableEntries)
		if table.Type == abicap.PageTable4 {
			most = tableEntries / 2
		}
		for i := range most {
			at := memory.Phys(table.Base) + 8*i
			e := amd64.Entry(&c.k.Pages, at)
			if e == 0 {
				continue
			}
			if err := c.checkEntry(e, at, table.Type, objects, maps); err != nil {
				return fmt.Errorf("entry %#x at %d of a %v: %w", e, i, table.Type, err)
			}
			if !isPage(e, levelOf(table.Type)) && e&amd64.PageForeign == 0 {
				mounted[amd64.Frame(e)]++
			}
		}
	}
	for t, n := range mounted {
		if n > 1 {
			return fmt.Errorf("the table at %#x is in %d places", t, n)
		}
	}
	return c.checkDispatchers(objects)
}

func (c *core) checkEntry(e uint64, at memory.Phys, table abicap.Type, objects []abicap.Description, maps []mapping) error {
	level := levelOf(table)
	to := uint64(amd64.Frame(e))
	size := uint64(amd64.Span(level))
	page := isPage(e, level)
	if !page {
		size = abi.PageSize
	}
	var source *abicap.Description
	for i := range objects {
		o := &objects[i]
		switch o.Type {
		case abicap.Frame, abicap.DeviceFrame, abicap.Dispatcher:
			if !page {
				continue
			}
		case table - 1:
			if page {
				continue
			}
		default:
			continue
		}
		if o.Base <= to && to+size <= o.Base+o.Size && o.Ready != 0 {
			source = o
		}
	}
	allowed := false
	for i := range maps {
		m := &maps[i]
		if m.table != table || at < m.first || at >= m.first+memory.Phys(8*m.count) || to < m.base || to+size > m.base+m.size {
			continue
		}
		bits := m.rights & (abicap.RightRead | abicap.RightWrite | abicap.RightExecute)
		if source != nil && source.Type == abicap.Dispatcher {
			bits = abicap.RightRead | abicap.RightWrite
		}
		if !page || e&amd64.PageUser == 0 || bits&abicap.RightRead != 0 &&
			(e&amd64.PageWrite == 0 || bits&abicap.RightWrite != 0) &&
			(e&amd64.PageNX != 0 || bits&abicap.RightExecute != 0) {
			allowed = true
		}
	}
	switch {
	case e&amd64.PagePresent == 0:
		return fmt.Errorf("neither empty nor present")
	case page && e&amd64.PageWrite != 0 && e&amd64.PageNX == 0:
		return fmt.Errorf("writable and executable")
	case to%size != 0:
		return fmt.Errorf("not aligned")
	case source == nil:
		return fmt.Errorf("leads to nothing that may be mapped")
	case page && source.Type == abicap.Dispatcher && (to < source.Base+kcb.SharedAt || to >= source.Base+kcb.SharedAt+abi.DispatcherSize):
		return fmt.Errorf("leads into what the kernel keeps of a dispatcher")
	case (source.Owner != c.k.Machine.Core && !page) != (e&amd64.PageForeign != 0):
		return fmt.Errorf("marked wrongly, if it leads to a table of core %d", source.Owner)
	case page && source.Type == abicap.DeviceFrame && e&amd64.PageUncached == 0:
		return fmt.Errorf("device registers, cached")
	case !allowed:
		return fmt.Errorf("no mapping allows it")
	}
	return nil
}

// checkDispatchers checks the table, and what the scheduler knows.
func (c *core) checkDispatchers(objects []abicap.Description) error {
	there := func(t abicap.Type, base memory.Phys) bool {
		for _, o := range objects {
			if o.Type == t && memory.Phys(o.Base) == base && o.Ready != 0 {
				return true
			}
		}
		return false
	}
	waiting := 0
	for _, b := range c.k.Dispatchers {
		if b == nil {
			continue
		}
		if !there(abicap.Dispatcher, c.slot(b, 0)&^(kcb.ObjectSize-1)) {
			return fmt.Errorf("a dispatcher in the table is gone")
		}
		if b.Root != 0 && !there(abicap.PageTable4, b.Root) {
			return fmt.Errorf("domain %d's top table is gone", b.Domain)
		}
		if b.State == abi.DomainEnded && b.WakeAt != 0 || b.Root == 0 && (b.State == abi.DomainReady || b.State == abi.DomainParked) {
			return fmt.Errorf("domain %d waits in state %d", b.Domain, b.State)
		}
		if b.WakeAt != 0 {
			waiting++
		}
	}
	if waiting != c.k.NumWakeups {
		return fmt.Errorf("%d wait to be woken, %d are in the heap", waiting, c.k.NumWakeups)
	}
	for _, b := range c.k.Dispatchers {
		if b != nil && b.Entry.IsReady() != (b.State == abi.DomainReady) && !slices.Contains(c.behind[:c.numBehind], b) {
			return fmt.Errorf("the scheduler is wrong about domain %d in state %d", b.Domain, b.State)
		}
	}
	for _, b := range c.behind[:c.numBehind] {
		if n, ok := b.Number(); !ok || c.k.Numbered(n) != b || !b.Behind {
			return fmt.Errorf("the scheduler is to be told of a dispatcher that is gone")
		}
	}
	if b := c.running; b != nil && b.State != abi.DomainReady && !c.changed {
		return fmt.Errorf("domain %d runs in state %d", b.Domain, b.State)
	}
	return nil
}

// sound checks the core.
func (c *core) sound() {
	c.t.Helper()
	if err := c.check(); err != nil {
		c.t.Fatal(err)
	}
}

// entryAt returns the page table entry at an address.
func (c *core) entryAt(at memory.Phys) uint64 { return amd64.Entry(&c.k.Pages, at) }
