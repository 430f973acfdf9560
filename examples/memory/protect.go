package main

import "fmt"

// protectCases are about mprotect and what may be executed.
var protectCases = []memoryCase{
	{"protect-read-only", func() string { return protected(0, 6*page, read) }},
	{"protect-none", func() string { return protected(0, 6*page, none) }},
	{"protect-execute", func() string { return protected(0, 6*page, read|execute) }},
	{"protect-write-only", func() string { return protected(0, 6*page, write) }},
	{"protect-write-execute", func() string { return protected(0, 6*page, read|write|execute) }},
	{"protect-front", func() string { return protected(0, 2*page, read) }},
	{"protect-middle", func() string { return protected(2*page, 2*page, read) }},
	{"protect-end", func() string { return protected(4*page, 2*page, read) }},
	{"protect-one-page", func() string { return protected(3*page, page, none) }},
	{"protect-same", func() string { return protected(2*page, 2*page, read|write) }},
	{"protect-length-rounded-up", func() string { return protected(2*page, page+1, read) }},
	{"protect-unaligned", func() string { return protected(2*page+1, page, read) }},
	{"protect-nothing", func() string { return protected(2*page, 0, none) }},
	{"protect-unknown", func() string { return protected(2*page, page, read|0x40) }},
	{"protect-beyond-the-end", func() string { return protected(4*page, 4*page, read) }},
	{"protect-before-the-start", func() string { return protected(^uintptr(page-1), 4*page, read) }},
	{"protect-wraps", func() string { return protected(0, ^uintptr(page-1), read) }},
	{"protect-length-wraps-to-nothing", func() string { return protected(0, ^uintptr(0), read) }},
	{"protect-beyond-the-top", func() string { return name(protect(top, page, read)) }},
	{"protect-in-the-kernel", func() string { return name(protect(0xffff_8000_0000_0000, page, read)) }},
	{"protect-where-nothing-is", func() string { return name(protect(base, page, read)) }},
	{"protect-untouched", func() string {
		area(6)
		return words(name(protect(base+2*page, 2*page, read)), look(base, 6), try(base, 6))
	}},
	{"protect-across-a-hole", func() string {
		lettered(8)
		unmap(base+3*page, 2*page)
		return words(name(protect(base+page, 6*page, read)), look(base, 8), try(base, 8))
	}},
	{"protect-across-regions", func() string {
		lettered(8)
		protect(base+2*page, page, read)
		protect(base+4*page, 2*page, none)
		return words(name(protect(base+page, 6*page, read)), look(base, 8), try(base, 8),
			name(protect(base, 8*page, read|write)), look(base, 8), try(base, 8))
	}},
	{"protect-none-and-back", func() string {
		lettered(4)
		protect(base, 4*page, none)
		hidden := look(base, 4)
		return words(hidden, name(protect(base, 4*page, read|write)), look(base, 4), try(base, 4))
	}},
	{"protect-split-and-join", func() string {
		lettered(12)
		for i := uintptr(0); i < 12; i += 2 {
			protect(base+i*page, page, read)
		}
		split := try(base, 12)
		return words(split, name(protect(base, 12*page, read)), try(base, 12), name(protect(base, 12*page, read|write)), try(base, 12))
	}},
	{"protect-each-page-many-times", func() string {
		lettered(8)
		for i := range uintptr(400) {
			protect(base+(i*5%8)*page, page, []int{read, none, read | write}[i%3])
		}
		protect(base, 8*page, read|write)
		return look(base, 8)
	}},
	{"protect-guard-page", func() string {
		lettered(5)
		protect(base+2*page, page, none)
		return words(look(base, 5), faultAt(func() { put(base+2*page+123, 1) }), try(base, 5))
	}},
	{"protect-write-fault-address", func() string {
		lettered(2)
		protect(base, 2*page, read)
		return words(faultAt(func() { put(base+page+1234, 1) }), look(base, 2))
	}},
	{"protect-read-fault-address", func() string {
		area(1)
		return faultAt(func() { get(base + page + 77) })
	}},
	{"protect-write-after-fault", func() string {
		lettered(2)
		protect(base, page, read)
		before := try(base, 2)
		protect(base, page, read|write)
		return words(before, try(base, 2), look(base, 2))
	}},
	{"execute-code", func() string {
		put(area(1), ret)
		protect(base, page, read|execute)
		return enter(base)
	}},
	{"execute-data", func() string {
		put(area(1), ret)
		return enter(base)
	}},
	{"execute-read-only", func() string {
		put(area(1), ret)
		protect(base, page, read)
		return enter(base)
	}},
	{"execute-no-more", func() string {
		put(area(1), ret)
		protect(base, page, read|execute)
		before := enter(base)
		protect(base, page, read|write)
		return words(before, enter(base), try(base, 1))
	}},
	{"execute-changed-code", func() string {
		area(1)
		text := ""
		for i := range byte(3) {
			protect(base, page, read|write)
			put(base+uintptr(i), ret)
			protect(base, page, read|execute)
			text = words(text, enter(base+uintptr(i)))
		}
		return text
	}},
	{"execute-one-page-of-data", func() string {
		area(3)
		for i := range uintptr(3) {
			put(base+i*page, ret)
		}
		protect(base+page, page, read|execute)
		return words(enter(base), enter(base+page), enter(base+2*page))
	}},
}

// protected changes the protection of a part of six pages that hold letters.
func protected(offset, size uintptr, protection int) string {
	lettered(6)
	return words(name(protect(base+offset, size, protection)), look(base, 7), try(base, 7))
}

// faultAt says where f faults.
func faultAt(f func()) string {
	found := faults(f)
	switch {
	case found == nil:
		return "no fault"
	case found.address-base < room:
		return fmt.Sprintf("fault at %#x", found.address-base)
	}
	return "fault elsewhere"
}
