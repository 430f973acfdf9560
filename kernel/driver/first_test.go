package driver

import (
	"encoding/binary"
	"slices"
	"testing"
	"unsafe"

	"skerry/abi"
	abicap "skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// libosFile makes an ELF file with text and data, as the libos's is.
func libosFile() []byte {
	le := binary.LittleEndian
	file := make([]byte, 4*abi.PageSize)
	copy(file, "\x7fELF")
	le.PutUint64(file[24:], abi.LibosBase+0x10)
	le.PutUint64(file[32:], 64)
	le.PutUint16(file[54:], 56)
	le.PutUint16(file[56:], 2)
	for i, s := range []struct {
		flags                     uint32
		offset, va, fileSize, mem uint64
	}{
		{5, abi.PageSize, abi.LibosBase, 2 * abi.PageSize, 2 * abi.PageSize},
		{6, 3 * abi.PageSize, abi.LibosBase + 4*abi.PageSize, 100, 8 * abi.PageSize},
	} {
		h := file[64+56*i:]
		le.PutUint32(h, 1)
		le.PutUint32(h[4:], s.flags)
		le.PutUint64(h[8:], s.offset)
		le.PutUint64(h[16:], s.va)
		le.PutUint64(h[32:], s.fileSize)
		le.PutUint64(h[40:], s.mem)
	}
	copy(file[3*abi.PageSize:], "the libos's data")
	return file
}

// bareCore makes a core whose kernel has all its memory, n MiB in three
// extents, and has not started anybody; and returns where they lie.
func bareCore(t *testing.T, number uint32, n uintptr) (*Driver, []memory.Extent) {
	t.Helper()
	buf := make([]byte, n<<20+abi.PageSize)
	kept = append(kept, buf)
	t.Cleanup(func() { kept = nil })
	at := (uintptr(unsafe.Pointer(unsafe.SliceData(buf))) + abi.PageSize - 1) &^ (abi.PageSize - 1)
	k := (*kcb.KCB)(unsafe.Pointer(at))
	k.Pages.Offset = at - corePhys
	const page = abi.PageSize
	end := memory.Phys(corePhys + n<<20)
	extents := []memory.Extent{{Base: corePhys, End: end - 513*page}, {Base: end - 512*page, End: end - 2*page}, {Base: end - page, End: end}}
	for _, e := range extents {
		fresh := e.Base
		if fresh == corePhys {
			fresh += kcb.Size
		}
		k.Pages.Add(e, fresh)
	}
	carry.SetHz(&k.Machine.Clock, 1_000_000_000)
	carry.Setup(k)
	k.Root = k.Pages.AllocZero()
	kernel := amd64.Space{Root: k.Root}
	for _, e := range extents {
		if !kernel.MapRange(&k.Pages, abi.WindowBase+uintptr(e.Base), e.Base, uintptr(e.Size()), amd64.PagePresent|amd64.PageWrite|amd64.PageNX) {
			t.Fatal("too few pages")
		}
	}
	m := &k.Machine
	m.Core, m.Cores = number, 3
	m.KernelSize = 500 * page
	m.ArchivePhys, m.ArchiveSize = 16<<20, 5<<20+1
	m.LibosPhys = m.ArchivePhys + 3*page
	m.Channels = 32 << 20
	m.PM1a, m.ResetPort = 0x604, 0xcf9
	k.Memory.Owned = k.Pages.Total() + m.KernelSize/page
	k.Memory.Devices[0] = memory.Extent{Base: 0x8000_0000, End: 0xfec0_0000}
	k.Memory.NumDevices = 1
	k.Interrupts.Controllers[0] = kcb.Controller{Lines: 24}
	k.Interrupts.NumControllers = 1
	k.Interrupts.Sources[4].Kernel = true
	return New(k), extents
}

// TestFirst starts the monitor of a core with and without devices, and looks at
// what it has: all that the kernel does not keep, and that once.
func TestFirst(t *testing.T) {
	for _, number := range []uint32{0, 2} {
		d, extents := bareCore(t, number, 24)
		if err := d.startFirst(libosFile()); err != nil {
			t.Fatal(err)
		}
		b := d.monitor
		if b == nil || b.State != abi.DomainReady || !d.changed || d.k.Numbered(0) != b || b.Domain != 1 || string(b.Name[:8]) != "monitor\x00" {
			t.Fatalf("core %d: the monitor is not ready: %+v", number, b)
		}
		if b.Regs.RIP != abi.LibosBase+0x10 || b.Page().Self != abi.DispatcherBase {
			t.Errorf("core %d: it starts at %#x", number, b.Regs.RIP)
		}
		if free := d.k.Pages.Available(); free > reserve || free < reserve-8 {
			t.Errorf("core %d: the kernel kept %d free pages", number, free)
		}

		// Its CSpace is what abi/capability says.
		root := d.slot(b, kcb.SlotCSpace)
		describe := func(r abicap.Reference) abicap.Description {
			slot, err := d.cap.Find(root, r)
			if err != abicap.OK {
				t.Fatal(err)
			}
			return d.cap.Identify(slot)
		}
		for slot, want := range map[uint32]abicap.Type{
			abicap.SlotCSpace: abicap.L1CNode, abicap.SlotBase: abicap.L2CNode, abicap.SlotVSpace: abicap.PageTable4,
			abicap.SlotDispatcher: abicap.Dispatcher, abicap.SlotDomain: abicap.Domain, abicap.SlotEndpoint: abicap.Endpoint,
			abicap.SlotSupervisor: abicap.Null, abicap.SlotArchive: abicap.Frame, abicap.SlotLog: abicap.Kernel,
			abicap.SlotDoorbells: abicap.RemoteDoorbell, abicap.SlotChannels: abicap.Null, abicap.SlotKernel: abicap.Kernel, abicap.SlotDomains: abicap.Domain,
			abicap.SlotIRQDestination: abicap.IRQDestination, abicap.SlotMemory: abicap.RAM, abicap.SlotMemory + 1: abicap.Null,
			abicap.SlotFree: abicap.Null,
		} {
			if got := describe(abicap.Base(slot)); got.Type != want {
				t.Errorf("core %d: slot %d holds a %v, want a %v", number, slot, got.Type, want)
			}
		}
		if got := describe(abicap.LevelOneReference(2)).Type; got != abicap.L2CNode {
			t.Errorf("core %d: the machine's CNode is a %v", number, got)
		}
		if got := describe(abicap.Base(abicap.SlotLog)).Rights; got != abicap.RightWrite {
			t.Errorf("core %d: rights to the log are %v", number, got)
		}
		archive := describe(abicap.Base(abicap.SlotArchive))
		if archive.Rights != abicap.RightRead|abicap.RightExecute|abicap.RightGrant || archive.Base != 16<<20 || archive.Size != 6<<20 {
			t.Errorf("core %d: archive %+v", number, archive)
		}
		if got := describe(abicap.Base(abicap.SlotMemory)).Size; got < 2<<20 || got > startMemory {
			t.Errorf("core %d: its first memory has %d KiB", number, got>>10)
		}
		if device := describe(abicap.Machine(abicap.MachineDevices)).Type; (device == abicap.PhysicalRange) != (number == 0) ||
			(describe(abicap.Base(abicap.SlotIOPorts)).Type == abicap.IOPorts) != (number == 0) {
			t.Errorf("core %d: device slots hold a %v", number, device)
		}

		// Every page is in one capability that is not part of another, or the
		// kernel's.
		var given []memory.Extent
		end := uint64(0)
		for at, ok := (abicap.Description{}), true; ok; {
			if at, ok = d.cap.Next(at); ok && at.Type == abicap.RAM && at.Base >= end {
				given = append(given, memory.Extent{Base: memory.Phys(at.Base), End: memory.Phys(at.Base + at.Size)})
				end = at.Base + at.Size
			}
		}
		sum := d.kernelPages()
		for _, e := range given {
			sum += e.Pages()
			if !slices.ContainsFunc(extents, func(x memory.Extent) bool { return x.Base <= e.Base && e.End <= x.End }) {
				t.Errorf("core %d: RAM at %#x is not the core's", number, e)
			}
			for i := range d.k.Pages.Extents() {
				if x := d.k.Pages.Extent(i); x.Base < e.End && e.Base < x.End {
					t.Errorf("core %d: RAM at %#x is the kernel's too: %#x", number, e, x)
				}
			}
		}
		if sum != d.k.Memory.Owned {
			t.Errorf("core %d: %d pages are the kernel's or somebody's, of %d", number, sum, d.k.Memory.Owned)
		}
		// Of the memory for the monitor to give away nothing has been made.
		for slot := uint32(abicap.MachineRAM); describe(abicap.Machine(slot)).Type != abicap.Null; slot++ {
			at, err := d.cap.Find(root, abicap.Machine(slot))
			if err != abicap.OK || d.cap.Sole(at) != abicap.OK {
				t.Errorf("core %d: RAM %d is in use", number, slot)
			}
		}
		// The monitors' channels: core 0's two, or the one of another.
		for at, want := range map[uintptr]memory.Phys{
			abi.MonitorChannels:                            32<<20 + 2*abi.MonitorChannelSize,
			abi.MonitorChannels + abi.MonitorChannelSize:   32<<20 + abi.MonitorChannelSize,
			abi.MonitorChannels + 3*abi.MonitorChannelSize: 0,
		} {
			if is := number == 0; is == (at == abi.MonitorChannels) {
				want = 0
			}
			if _, pa := d.page(b, at); pa != want {
				t.Errorf("core %d: at %#x is %#x, want %#x", number, at, pa, want)
			}
		}
		info := abi.Info{}
		if err := d.copyIn(b, abi.InfoBase, bytesOf(&info)); err != abi.OK || info.Magic != abi.InfoMagic || info.Flags != abi.InfoLog {
			t.Errorf("core %d: info %+v, %v", number, info, err)
		}
		text := make([]byte, info.Size)
		if err := d.copyIn(b, abi.InfoBase, text); err != abi.OK || string(text[info.Program:][:13]) != "boot/monitor\x00" ||
			string(text[info.Args:][:8]) != "monitor\x00" || string(text[info.Env:]) != "GOMAXPROCS=1\x00" || string(text[info.Cwd:][:2]) != "/\x00" {
			t.Errorf("core %d: info %q, %v", number, text, err)
		}
	}
}

// TestFirstNeedsMemory starts the monitor of a core that has too little.
func TestFirstNeedsMemory(t *testing.T) {
	d, _ := bareCore(t, 0, 4)
	d.k.Pages.Keep(reserve+16, func(memory.Extent) {})
	if err := d.startFirst(libosFile()); err == nil || d.monitor != nil {
		t.Errorf("a monitor in 64 KiB: %v", err)
	}
}

// TestParts finds what is left of ports and interrupt sources.
func TestParts(t *testing.T) {
	ports := freePorts(&kcb.Machine{PM1a: 0x604, ResetPort: 0xcf9})
	want := []part{{0, 0x20}, {0x22, 0xa0}, {0xa2, 0x2f8}, {0x300, 0x3f8}, {0x400, 0x604}, {0x606, 0xcf8}, {0xd00, 0x1_0000}}
	if !slices.Equal(ports, want) {
		t.Errorf("ports %#x, want %#x", ports, want)
	}
	if ports = freePorts(&kcb.Machine{ResetPort: 0xffff}); ports[0] != (part{0, 0x20}) || ports[len(ports)-1] != (part{0xd00, 0xffff}) {
		t.Errorf("ports %#x without power management", ports)
	}
	var x kcb.Interrupts
	x.Controllers[0], x.Controllers[1] = kcb.Controller{First: 0, Lines: 24}, kcb.Controller{First: 32, Lines: 8}
	x.NumControllers = 2
	x.Sources[3].Kernel, x.Sources[4].Kernel = true, true
	if got := freeSources(&x); !slices.Equal(got, []part{{0, 3}, {5, 24}, {32, 40}}) {
		t.Errorf("sources %v", got)
	}
}
