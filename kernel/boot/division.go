package boot

import (
	"fmt"

	"skerry/abi"
	"skerry/kernel/acpi"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/mailbox"
	"skerry/kernel/memory"
)

// division says what each page of the machine's RAM is for. Every one is in
// exactly one of first, the shares, and shared.
type division struct {
	// first is what core 0 starts with: from the boot segment, which it can
	// use when all cores have started, with its kernel's image, to the
	// archive.
	first memory.Extent
	// shares are the cores' RAM, core 0's besides first; each begins with its
	// largest extent.
	shares [][]memory.Extent
	// shared belongs to no core: what lies below 1 MiB, the boot archive, the
	// channels between cores, and what partition leaves over. channels lies in
	// it, reachable before 4 GiB.
	shared   ranges
	channels memory.Extent
}

// largePage is the size up to which the archive takes whole large pages.
const largePage = 2 << 20

// divide plans what the RAM is for. m says where the image is; pool is a part
// of the memory that core 0 started with, and goes up to the archive.
func divide(ram ranges, m *kcb.Machine, pool memory.Extent, nodes []acpi.Memory, nodeOf []uint32) (*division, error) {
	imageEnd := memory.Phys(m.ArchivePhys+m.ArchiveSize+largePage-1) &^ (largePage - 1)
	free := ram.without(memory.Extent{End: imageEnd})
	d := &division{}
	for _, e := range ram {
		if e.Base <= pool.Base && pool.Base < e.End {
			d.first = memory.Extent{Base: max(e.Base, abi.BootPhys), End: pool.End}
		}
	}
	size := memory.Phys(len(nodeOf))*(console.OutboxSize+abi.MonitorChannelSize) + memory.Phys(mailbox.Size(uint32(len(nodeOf))))
	for _, e := range free {
		if end := min(e.End, 4<<30); end > e.Base && end-e.Base >= size {
			d.channels = memory.Extent{Base: end - size, End: end}
			break
		}
	}
	if d.channels.End == 0 {
		return nil, fmt.Errorf("too little memory: no room for the channels of %d cores", len(nodeOf))
	}
	free = free.without(d.channels)

	first := splitByNode([]memory.Extent{pool}, nodes)[0] // where it begins counts
	first.Extent = d.first
	var err error
	if d.shares, err = partition(splitByNode(free, nodes), first, nodeOf); err != nil {
		return nil, err
	}
	d.shared = ram.without(d.first)
	for _, share := range d.shares {
		for _, e := range share {
			d.shared = d.shared.without(e)
		}
	}
	return d, nil
}

// record writes into the first core's KCB what is known of the machine's
// memory. images are where the other cores' kernels lie.
func (d *division) record(m *kcb.Memory, ram ranges, images []memory.Extent) {
	m.Owned = d.first.Pages() + ranges(d.shares[0]).pages()
	m.Machine, m.Shared = ram.pages(), d.shared.pages()
	all := ranges{d.first}
	for _, share := range d.shares {
		all = append(all, share...)
	}
	all = all.normal()
	for _, e := range images {
		all = all.without(e)
	}
	m.NumRAM = uint32(copy(m.RAM[:], all))
}

// messages is where a processor's write is an interrupt, for the page of its
// interrupt controller or for others (SDM 3A 11.11).
var messages = memory.Extent{Base: 0xfee0_0000, End: 0xfef0_0000}

// devices returns the addresses from 1 MiB to 4 GiB that the firmware said
// nothing of: there the devices are. Kernels' own are left out.
func devices(entries []mapEntry, own []memory.Extent) ranges {
	r := ranges{{Base: 1 << 20, End: 4 << 30}}
	for _, e := range entries {
		end := e.Base + min(e.Size, 1<<52-min(e.Base, 1<<52))
		r = r.without(memory.Extent{
			Base: memory.Phys(e.Base &^ (abi.PageSize - 1)),
			End:  memory.Phys((end + abi.PageSize - 1) &^ (abi.PageSize - 1)),
		})
	}
	for _, e := range own {
		r = r.without(e)
	}
	return r.without(messages)
}

// distances fills in how far the memory of each core is from that of a core on
// node self: what the firmware says, or, where it says nothing, 10 and 20.
func distances(to []uint8, table [][]uint8, self uint32, nodeOf []uint32) {
	for core, n := range nodeOf {
		switch {
		case n == self:
			to[core] = 10
		case uint64(self) < uint64(len(table)) && uint64(n) < uint64(len(table[self])):
			to[core] = table[self][n]
		default:
			to[core] = 20
		}
	}
}
