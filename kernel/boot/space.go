package boot

import (
	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/mailbox"
	"skerry/kernel/memory"
)

// What lies where in the device area of every kernel.
const (
	apicAt     = abi.DeviceBase
	ioapicAt   = abi.DeviceBase + abi.PageSize // as many pages as there are controllers
	outboxesAt = abi.DeviceBase + 0x10_0000
)

// buildSpace makes the address space of a core's kernel: its image, page by
// page with the rights of its segments; the memory it owns; its interrupt
// controller; the outboxes and mailboxes. With identity, all memory below 4 GiB is mapped
// one to one as well, until dropIdentity. Tables come from pages.
func buildSpace(k *kcb.KCB, pages *memory.Pages, identity bool) bool {
	k.Root = pages.AllocZero()
	if k.Root == 0 {
		return false
	}
	s := amd64.Space{Root: k.Root}
	m := &k.Machine
	for i := range m.Segments {
		g := &m.Segments[i]
		if uint64(i) >= m.NumSegments {
			break
		}
		pa := memory.Phys(m.KernelPhys + g.VA - (abi.KernelBase + abi.KernelOffset - abi.PageSize))
		bits := amd64.Protection(g.Prot)
		for off := uintptr(0); off < uintptr(g.Size); off += abi.PageSize {
			if s.Map(pages, uintptr(g.VA)+off, pa+memory.Phys(off), bits) < 0 {
				return false
			}
		}
	}
	for i := range k.Pages.Extents() {
		e := k.Pages.Extent(i)
		if !s.MapRange(pages, abi.WindowBase+uintptr(e.Base), e.Base, uintptr(e.End-e.Base), kernelData) {
			return false
		}
	}
	if !s.MapDevice(pages, apicAt, memory.Phys(amd64.APICBase())) {
		return false
	}
	for c := uint32(0); c < m.Cores; c++ {
		if !mapOutbox(s, pages, m, c) {
			return false
		}
	}
	if m.Mailboxes != 0 && !mapMailboxes(s, pages, m) {
		return false
	}
	if m.LibosPhys != 0 && !mapLibos(s, pages, m) {
		return false
	}
	if !makeWindow(s, k) || !s.MakeKernelSlots(pages, abi.KernelHeap, abi.KernelHeap) {
		return false
	}
	return !identity || s.MapRange(pages, 0, 0, 4<<30, kernelData)
}

// makeWindow gives the window its top-level slots, up to the last RAM of the
// machine as far as that is known: memory of another core may come to lie in
// it.
func makeWindow(s amd64.Space, k *kcb.KCB) bool {
	last := uintptr(abi.WindowBase)
	if n := k.Memory.NumRAM; n > 0 {
		last += uintptr(k.Memory.RAM[n-1].End - 1)
	}
	return s.MakeKernelSlots(&k.Pages, abi.WindowBase, last)
}

const kernelData = amd64.PagePresent | amd64.PageWrite | amd64.PageNX

// mapOutbox maps core c's outbox: writable on its own core, read-only on the
// owner of the console, and of the others only the status page.
func mapOutbox(s amd64.Space, pages *memory.Pages, m *kcb.Machine, c uint32) bool {
	bits := uint64(amd64.PagePresent | amd64.PageNX)
	size := uintptr(console.StatusSize)
	if c == m.Core {
		bits |= amd64.PageWrite
	}
	if c == m.Core || m.Core == 0 {
		size = console.OutboxSize
	}
	at := uintptr(c) * console.OutboxSize
	for off := uintptr(0); off < size; off += abi.PageSize {
		if s.Map(pages, outboxesAt+at+off, m.Outboxes+memory.Phys(at+off), bits) < 0 {
			return false
		}
	}
	return true
}

// mapMailboxes maps the mailboxes: each kernel writes to those of all others.
func mapMailboxes(s amd64.Space, pages *memory.Pages, m *kcb.Machine) bool {
	return s.MapRange(pages, kcb.MailboxesAt, m.Mailboxes, uintptr(mailbox.Size(m.Cores)), kernelData)
}

// mapLibos maps the libos's file, which kernels read and nobody writes.
func mapLibos(s amd64.Space, pages *memory.Pages, m *kcb.Machine) bool {
	size := uintptr(m.LibosSize+abi.PageSize-1) &^ (abi.PageSize - 1)
	return s.MapRange(pages, kcb.LibosAt, memory.Phys(m.LibosPhys), size, amd64.PagePresent|amd64.PageNX)
}

// dropIdentity removes the one-to-one map of the boot.
func dropIdentity(k *kcb.KCB) {
	s := amd64.Space{Root: k.Root}
	s.DropUser(&k.Pages)
	amd64.SetCR3(uintptr(k.Root))
}
