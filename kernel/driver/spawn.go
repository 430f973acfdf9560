package driver

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// leastQuota is the least memory that holds a domain's libos and tables.
const leastQuota = 2 << 20

func spawn(d *Driver, b *kcb.DCB, a *arguments) (uint64, abi.Error) {
	var s abi.Spawn
	if err := d.copyIn(b, uintptr(a[0]), bytesOf(&s)); err != abi.OK {
		return 0, err
	}
	if s.Rights&^b.Rights != 0 {
		return 0, abi.ErrRights
	}
	if s.InfoSz > abi.InfoMax || s.InfoSz < uint64(unsafe.Sizeof(abi.Info{})) {
		return 0, abi.ErrTooBig
	}
	if s.Info%abi.PageSize != 0 || s.Stdio%abi.PageSize != 0 || s.Quota < leastQuota {
		return 0, abi.ErrArgument
	}
	c, err := d.create(s.Name, s.Quota, s.Rights)
	if err != abi.OK {
		return 0, err
	}
	c.Parent = b.ID
	b.Children++
	err = d.giveInfo(b, c, s.Info, s.InfoSz)
	if err == abi.OK {
		err = d.shareStdio(b, c, s.Stdio)
	}
	if err != abi.OK {
		c.Reaped = true // nobody will ask
		d.end(c, abi.Status{Kind: abi.ExitKilled})
		return 0, err
	}
	d.start(c)
	return uint64(c.ID), abi.OK
}

// create makes a domain with the libos, a dispatcher frame and the archive, and
// nothing to do yet.
func (d *Driver) create(name [32]byte, quota, rights uint64) (*kcb.DCB, abi.Error) {
	pages := &d.k.Pages
	if pages.Available() < kcb.DCBPages {
		return nil, abi.ErrMemory
	}
	c := (*kcb.DCB)(unsafe.Pointer(pages.At(pages.AllocZero())))
	c.Vector = pages.At(pages.AllocZero())
	c.Name, c.Quota, c.Rights = name, quota, rights
	c.Name[len(c.Name)-1] = 0
	for i, ch := range c.Name {
		if ch != 0 {
			c.Name[i] = printable(ch)
		}
	}
	c.State = abi.DomainParked // in no queue until start
	c.Pages = kcb.DCBPages
	if !d.k.Enter(c) {
		d.freeDCB(c)
		return nil, abi.ErrMemory
	}
	err := d.build(c)
	if err != abi.OK {
		c.Reaped = true
		d.end(c, abi.Status{Kind: abi.ExitKilled})
		return nil, err
	}
	return c, abi.OK
}

// build makes c's address space.
func (d *Driver) build(c *kcb.DCB) abi.Error {
	pages := &d.k.Pages
	c.Root = pages.AllocZero()
	if c.Root == 0 {
		return abi.ErrMemory
	}
	charge(c, 1)
	s := space(c)
	s.ShareKernel(pages, amd64.Space{Root: d.k.Root})
	s.Share(pages, d.template, abi.ArchiveBase)
	if err := d.mapLibos(c); err != abi.OK {
		return err
	}
	for i := range c.Frame {
		va := uintptr(abi.DispatcherBase + i*abi.PageSize)
		f, err := d.back(c, va, userData)
		if err != abi.OK {
			return err
		}
		c.Frame[i] = f
	}
	m := &d.k.Machine
	*d.page(c) = abi.Dispatcher{
		Self: abi.DispatcherBase, Disabled: 1, Now: carry.Now(), Core: m.Core, Domain: c.ID,
		VectorMask: amd64.VectorMask, VectorSize: amd64.VectorSize, Clock: m.Clock,
	}
	return abi.OK
}

// giveInfo copies the Info of n bytes at from, in b's memory, to where c finds
// its own.
func (d *Driver) giveInfo(b, c *kcb.DCB, from, n uint64) abi.Error {
	for off := uint64(0); off < n; off += abi.PageSize {
		va := uintptr(abi.InfoBase + off)
		f, err := d.back(c, va, userData&^amd64.PageWrite)
		if err != abi.OK {
			return err
		}
		if err := d.copyIn(b, uintptr(from+off), d.bytes(f, min(n-off, abi.PageSize))); err != abi.OK {
			return err
		}
	}
	return abi.OK
}

// shareStdio maps the frames that lie at va in b into c as well. They stay
// b's, and stay where they are until c is gone.
func (d *Driver) shareStdio(b, c *kcb.DCB, va uint64) abi.Error {
	if err := userRange(va, abi.StdioSize/abi.PageSize, abi.MapMax); err != abi.OK {
		return err
	}
	pages := &d.k.Pages
	const need = amd64.PagePresent | amd64.PageUser | amd64.PageWrite | amd64.PageOwned
	for off := uint64(0); off < abi.StdioSize; off += abi.PageSize {
		if e := space(b).Lookup(pages, uintptr(va+off)); e&need != need || e&amd64.PageShared != 0 {
			return abi.ErrFault
		}
	}
	c.Stdio = va
	for off := uint64(0); off < abi.StdioSize; off += abi.PageSize {
		e := space(b).Lookup(pages, uintptr(va+off))
		space(b).Map(pages, uintptr(va+off), amd64.Frame(e), e|amd64.PageShared)
		if err := d.install(c, uintptr(abi.StdioBase+off), amd64.Frame(e), userData); err != abi.OK {
			return err
		}
	}
	return abi.OK
}

// start lets a created domain run.
func (d *Driver) start(c *kcb.DCB) {
	c.Regs = abi.Registers{RIP: d.libos.entry, RFLAGS: userFlags, RDI: abi.DispatcherBase}
	c.Resume = kcb.ResumeCall
	c.State = abi.DomainReady
	d.k.Ready.Push(c)
}

// startMonitor starts the core's monitor, the first domain, with all rights.
func (d *Driver) startMonitor() abi.Error {
	var name [32]byte
	copy(name[:], "monitor")
	c, err := d.create(name, d.k.Pages.Available()*abi.PageSize, 1<<63-1)
	if err != abi.OK {
		return err
	}
	const strings = "boot/monitor\x00/\x00monitor\x00GOMAXPROCS=1\x00"
	const header = uint32(unsafe.Sizeof(abi.Info{}))
	info := abi.Info{
		Magic: abi.InfoMagic, Size: header + uint32(len(strings)), Flags: abi.InfoLog,
		Program: header, Cwd: header + 13, Args: header + 15, NumArgs: 1, Env: header + 23, NumEnv: 1,
	}
	f, err := d.back(c, abi.InfoBase, userData&^amd64.PageWrite)
	if err != abi.OK {
		return err
	}
	at := d.bytes(f, abi.PageSize)
	copy(at, bytesOf(&info))
	copy(at[header:], strings)

	// The channels to the other monitors: core 0's has one to each, the
	// others' one to it.
	m := &d.k.Machine
	for i := range m.Cores {
		peer, frame := i, i
		if m.Core != 0 {
			peer, frame = 0, m.Core
		}
		if i == 0 != (m.Core != 0) {
			continue
		}
		for off := uintptr(0); off < abi.MonitorChannelSize; off += abi.PageSize {
			va := abi.MonitorChannels + uintptr(peer)*abi.MonitorChannelSize + off
			pa := m.Channels + memory.Phys(uintptr(frame)*abi.MonitorChannelSize+off)
			if err := d.install(c, va, pa, userData); err != abi.OK {
				return err
			}
		}
	}
	d.monitor = c
	d.start(c)
	return abi.OK
}
