package main

import "skerry/abi/linux"

// adviseCases are about madvise on small pages.
var adviseCases = []memoryCase{
	{"dontneed-all", func() string { return advised(0, 6*page, linux.MADV_DONTNEED) }},
	{"dontneed-front", func() string { return advised(0, 2*page, linux.MADV_DONTNEED) }},
	{"dontneed-middle", func() string { return advised(2*page, 2*page, linux.MADV_DONTNEED) }},
	{"dontneed-end", func() string { return advised(4*page, 2*page, linux.MADV_DONTNEED) }},
	{"dontneed-length-rounded-up", func() string { return advised(2*page, page+1, linux.MADV_DONTNEED) }},
	{"dontneed-beyond-the-end", func() string { return advised(4*page, 4*page, linux.MADV_DONTNEED) }},
	{"dontneed-unaligned", func() string { return advised(page+1, page, linux.MADV_DONTNEED) }},
	{"dontneed-nothing", func() string { return advised(page, 0, linux.MADV_DONTNEED) }},
	{"dontneed-wraps", func() string { return advised(0, ^uintptr(page-1), linux.MADV_DONTNEED) }},
	{"dontneed-length-wraps-to-nothing", func() string { return advised(0, ^uintptr(0), linux.MADV_DONTNEED) }},
	{"dontneed-where-nothing-is", func() string { return name(advise(base, page, linux.MADV_DONTNEED)) }},
	{"dontneed-untouched", func() string {
		area(6)
		return words(name(advise(base+page, 2*page, linux.MADV_DONTNEED)), look(base, 6), try(base, 6))
	}},
	{"dontneed-twice", func() string {
		lettered(4)
		advise(base+page, page, linux.MADV_DONTNEED)
		return words(name(advise(base+page, page, linux.MADV_DONTNEED)), look(base, 4))
	}},
	{"dontneed-and-write", func() string {
		lettered(4)
		advise(base, 4*page, linux.MADV_DONTNEED)
		letters(base+page, 1)
		return look(base, 4)
	}},
	{"dontneed-read-only", func() string {
		lettered(4)
		protect(base, 4*page, read)
		errno := advise(base+page, 2*page, linux.MADV_DONTNEED)
		return words(name(errno), look(base, 4), try(base, 4))
	}},
	{"dontneed-none", func() string {
		lettered(4)
		protect(base, 4*page, none)
		errno := advise(base+page, 2*page, linux.MADV_DONTNEED)
		protect(base, 4*page, read)
		return words(name(errno), look(base, 4))
	}},
	{"dontneed-across-regions", func() string {
		lettered(6)
		protect(base+2*page, page, read)
		protect(base+3*page, page, none)
		errno := advise(base+page, 4*page, linux.MADV_DONTNEED)
		return words(name(errno), look(base, 6))
	}},
	{"dontneed-across-a-hole", func() string {
		lettered(8)
		unmap(base+3*page, 2*page)
		return words(name(advise(base+page, 6*page, linux.MADV_DONTNEED)), look(base, 8))
	}},
	{"dontneed-shared", func() string {
		mmap(base, 4*page, read|write, linux.MAP_SHARED|linux.MAP_ANONYMOUS|linux.MAP_FIXED)
		letters(base, 4)
		return words(name(advise(base+page, 2*page, linux.MADV_DONTNEED)), look(base, 4))
	}},
	{"dontneed-many-times", func() string {
		lettered(16)
		for i := range uintptr(300) {
			advise(base+(i%8)*page, page, linux.MADV_DONTNEED)
			letters(base+(i%4)*page, 1)
		}
		return look(base, 16)
	}},
	{"free-old-or-zero", func() string {
		lettered(4)
		errno := advise(base+page, 2*page, linux.MADV_FREE)
		now := look(base, 4)
		if now == "A..D" || now == "A.CD" || now == "AB.D" || now == "ABCD" {
			now = "old or zero"
		}
		return words(name(errno), now)
	}},
	{"free-and-write", func() string {
		lettered(4)
		advise(base, 4*page, linux.MADV_FREE)
		text := try(base, 4)
		return words(text, look(base, 4))
	}},
	{"free-shared", func() string {
		mmap(base, page, read|write, linux.MAP_SHARED|linux.MAP_ANONYMOUS|linux.MAP_FIXED)
		return name(advise(base, page, linux.MADV_FREE))
	}},
	{"free-across-a-hole", func() string {
		lettered(6)
		unmap(base+2*page, page)
		return name(advise(base, 5*page, linux.MADV_FREE))
	}},
	{"advise-normal", func() string { return advised(page, 2*page, linux.MADV_NORMAL) }},
	{"advise-random", func() string { return advised(page, 2*page, linux.MADV_RANDOM) }},
	{"advise-sequential", func() string { return advised(page, 2*page, linux.MADV_SEQUENTIAL) }},
	{"advise-willneed", func() string { return advised(page, 2*page, linux.MADV_WILLNEED) }},
	{"advise-dontfork", func() string { return advised(page, 2*page, linux.MADV_DONTFORK) }},
	{"advise-dontdump", func() string { return advised(page, 2*page, linux.MADV_DONTDUMP) }},
	{"advise-cold", func() string { return advised(page, 2*page, linux.MADV_COLD) }},
	{"advise-pageout", func() string { return advised(page, 2*page, linux.MADV_PAGEOUT) }},
	{"advise-unknown", func() string { return advised(page, 2*page, 999) }},
	{"advise-unknown-nothing", func() string { return advised(page, 0, 999) }},
	{"advise-across-a-hole", func() string {
		lettered(6)
		unmap(base+2*page, page)
		return name(advise(base, 5*page, linux.MADV_NORMAL))
	}},
}

// advised gives advice about a part of six pages that hold letters.
func advised(offset, size uintptr, advice int) string {
	lettered(6)
	return words(name(advise(base+offset, size, advice)), look(base, 6))
}
