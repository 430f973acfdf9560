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

// page returns the entry of the page that b has mapped at va, and the physical
// address that it leads to; entry 0 if there is no page, or none that this kernel can find:
// one in a table of another core's.
func (d *Driver) page(b *kcb.DCB, va uintptr) (e uint64, pa memory.Phys) {
	if b == nil || b.Root == 0 || va >= userEnd {
		return 0, 0
	}
	at, level := space(b).Find(&d.k.Pages, va)
	if e = amd64.Entry(&d.k.Pages, at); e&amd64.PagePresent == 0 || e&amd64.PageForeign != 0 {
		return 0, 0
	}
	return e, amd64.Frame(e) + memory.Phys(va&(amd64.Span(level)-1))
}

// userBytes returns the kernel's view of user memory from va to the end of its
// 4 KiB, at most n bytes. The page must be there, be b's to read (and write, if
// write is set), and lie in memory that this kernel sees.
func (d *Driver) userBytes(b *kcb.DCB, va, n uintptr, write bool) ([]byte, abi.Error) {
	need := uint64(amd64.PageUser)
	if write {
		need |= amd64.PageWrite
	}
	e, pa := d.page(b, va)
	if e&need != need || !d.owns(pa) {
		return nil, abi.ErrFault
	}
	n = min(n, abi.PageSize-va&(abi.PageSize-1))
	return unsafe.Slice((*byte)(unsafe.Pointer(d.k.Pages.At(pa))), n), abi.OK
}

// owns reports whether the kernel sees the page at a physical address: whether
// it is RAM of its core's.
func (d *Driver) owns(pa memory.Phys) bool {
	return amd64.Space{Root: d.k.Root}.InWindow(&d.k.Pages, pa)
}

// executable reports whether b can execute at an address.
func (d *Driver) executable(b *kcb.DCB, va uint64) bool {
	e, _ := d.page(b, uintptr(va))
	return e&amd64.PageUser != 0 && e&amd64.PageNX == 0
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
