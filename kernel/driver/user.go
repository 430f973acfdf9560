package driver

import (
	"unsafe"

	"skerry/abi"
	"skerry/kernel/amd64"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
)

// userEnd is the end of the addresses a user can have mapped. The last page of
// the user half stays empty: a SYSCALL at its end would leave a return address
// that is none of the user's.
const userEnd = abi.UserTop - abi.PageSize

// bytesOf returns the bytes of a structure without pointers.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

func space(b *kcb.DCB) amd64.Space { return amd64.Space{Root: b.Root} }

// userBytes returns the kernel's view of user memory from va to the end of its
// page, at most n bytes. The page must be there, be b's to read (and write, if
// write is set), and lie in memory that this core owns. Pages of the libos's
// heap are made on the way.
func (d *Driver) userBytes(b *kcb.DCB, va, n uintptr, write bool) ([]byte, abi.Error) {
	if va >= userEnd {
		return nil, abi.ErrFault
	}
	e := space(b).Lookup(&d.k.Pages, va)
	if e == 0 && inLibosHeap(uint64(va), 1) {
		if err := d.backHeap(b, va); err != abi.OK {
			return nil, err
		}
		e = space(b).Lookup(&d.k.Pages, va)
	}
	need := uint64(amd64.PagePresent | amd64.PageUser)
	if write {
		need |= amd64.PageWrite
	}
	if e&need != need || !d.k.Pages.Owns(amd64.Frame(e)) {
		return nil, abi.ErrFault
	}
	off := va & (abi.PageSize - 1)
	n = min(n, abi.PageSize-off)
	return unsafe.Slice((*byte)(unsafe.Pointer(d.k.Pages.At(amd64.Frame(e))+off)), n), abi.OK
}

// copyIn reads user memory; on an error to may hold a part of it.
func (d *Driver) copyIn(b *kcb.DCB, from uintptr, to []byte) abi.Error {
	for len(to) > 0 {
		p, err := d.userBytes(b, from, uintptr(len(to)), false)
		if err != abi.OK {
			return err
		}
		n := copy(to, p)
		to, from = to[n:], from+uintptr(n)
	}
	return abi.OK
}

// checkOut checks that n bytes of user memory can be written.
func (d *Driver) checkOut(b *kcb.DCB, to, n uintptr) abi.Error {
	for n > 0 {
		p, err := d.userBytes(b, to, n, true)
		if err != abi.OK {
			return err
		}
		to, n = to+uintptr(len(p)), n-uintptr(len(p))
	}
	return abi.OK
}

// copyOut writes user memory, all of it or nothing.
func (d *Driver) copyOut(b *kcb.DCB, to uintptr, from []byte) abi.Error {
	if err := d.checkOut(b, to, uintptr(len(from))); err != abi.OK {
		return err
	}
	for len(from) > 0 {
		p, err := d.userBytes(b, to, uintptr(len(from)), true)
		if err != abi.OK {
			return err
		}
		n := copy(p, from)
		to, from = to+uintptr(n), from[n:]
	}
	return abi.OK
}

// charge takes n pages from b's quota.
func charge(b *kcb.DCB, n uint64) bool {
	if b.Pages+n > b.Quota/abi.PageSize {
		return false
	}
	b.Pages += n
	b.PeakPages = max(b.PeakPages, b.Pages)
	return true
}

// reserve is how many pages of a core ordinary domains leave to its kernel and
// its monitor.
const reserve = 1024

// back maps a zeroed frame at va with entry bits, charged to b, and returns it.
func (d *Driver) back(b *kcb.DCB, va uintptr, bits uint64) (f memory.Phys, err abi.Error) {
	if !charge(b, 1) {
		return 0, abi.ErrQuota
	}
	if d.k.Pages.Available() > reserve || b.Rights&abi.RightMonitor != 0 {
		f = d.k.Pages.AllocZero()
	}
	if f == 0 {
		b.Pages--
		return 0, abi.ErrMemory
	}
	if err := d.install(b, va, f, bits|amd64.PageOwned); err != abi.OK {
		d.k.Pages.Free(f)
		b.Pages--
		return 0, err
	}
	return f, abi.OK
}

// bytes returns the kernel's view of the first n bytes of a frame.
func (d *Driver) bytes(f memory.Phys, n uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(d.k.Pages.At(f))), n)
}

// install maps a frame, charging b for the tables it takes.
func (d *Driver) install(b *kcb.DCB, va uintptr, f memory.Phys, bits uint64) abi.Error {
	made := space(b).Map(&d.k.Pages, va, f, bits)
	if made < 0 {
		return abi.ErrMemory
	}
	b.Pages += uint64(made)
	b.PeakPages = max(b.PeakPages, b.Pages)
	return abi.OK
}

const userData = amd64.PagePresent | amd64.PageWrite | amd64.PageUser | amd64.PageNX

func inLibosHeap(va uint64, n uint64) bool {
	return va >= abi.LibosHeap && va < abi.ArchiveBase && n <= abi.ArchiveBase-va
}

// backHeap backs the page of the libos's heap that va lies in.
func (d *Driver) backHeap(b *kcb.DCB, va uintptr) abi.Error {
	_, err := d.back(b, va&^(abi.PageSize-1), userData)
	return err
}
