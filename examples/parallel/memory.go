package main

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// memoryCases change the address space while threads use it.
var memoryCases = []parallelCase{
	{"munmap-is-seen-by-all", munmapSeen},
	{"mprotect-is-seen-by-all", mprotectSeen},
	{"dontneed-is-seen-by-all", dontneedSeen},
	{"mapping-over-is-seen-by-all", mapOverSeen},
	{"first-touches-at-once", firstTouches},
	{"touches-while-others-map", touchesWhileMapping},
	{"touches-while-given-back", touchesWhileGivenBack},
	{"everybody-maps", everybodyMaps},
	{"allocation-and-collection", allocation},
}

const (
	pageSize  = 4096
	readWrite = syscall.PROT_READ | syscall.PROT_WRITE
	anonymous = syscall.MAP_ANON | syscall.MAP_PRIVATE
	fixed     = syscall.MAP_FIXED
)

// base is where the cases map at an address of their choice: neither the Go
// runtime nor a system that chooses comes there.
const base = uintptr(0x2a_0000_0000)

func mmap(at, size uintptr, flags int) (uintptr, syscall.Errno) {
	got, _, errno := syscall.Syscall6(syscall.SYS_MMAP, at, size, readWrite, uintptr(flags), ^uintptr(0), 0)
	return got, errno
}

func memoryCall(number, at, size, argument uintptr) syscall.Errno {
	_, _, errno := syscall.Syscall(number, at, size, argument)
	return errno
}

// word is the 64-bit word at an address, for atomic access.
//
//go:nocheckptr
func word(at uintptr) *atomic.Uint64 {
	return (*atomic.Uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&at)))
}

// faults reports whether an access faults.
func faults(access func()) (fault bool) {
	defer func() { fault = recover() != nil }()
	access()
	return false
}

// must ends the program if a call failed that cannot.
func must(errno syscall.Errno) {
	if errno != 0 {
		panic(errno)
	}
}

// watched is a page that threads keep using while it is changed under them, round
// after round.
type watched struct {
	// round is the one whose page is there to be used, done the one whose change
	// has been made: its call has returned.
	round, done atomic.Int64
	// stale counts uses of what should have been gone.
	stale atomic.Int64
	// seen counts by thread the rounds whose change it has noticed.
	seen [watchers]atomic.Int64
}

// watchers is how many threads use the page.
const watchers = 4

const watchedRounds = 10

// watch has threads use a page and one more change it. Prepare makes the page of
// a round, and change changes it while it is in use. Use accesses it, told which
// thread it is for, and says whether the page is as it was before the change.
func watch(prepare, change func(round int64), use func(user int, round int64) (before bool)) string {
	var w watched
	w.round.Store(-1)
	w.done.Store(-1)
	onThreads(watchers+1, func(number int) {
		if number < watchers {
			w.use(number, use)
			return
		}
		for round := range int64(watchedRounds) {
			prepare(round)
			w.round.Store(round)
			// Let all have the page in their translations.
			w.await(func(user int) bool { return w.seen[user].Load() == 2*round+1 })
			change(round)
			w.done.Store(round)
			w.await(func(user int) bool { return w.seen[user].Load() == 2*round+2 })
		}
	})
	return tell(int(w.stale.Load()), "times seen what was gone")
}

// await waits until something is true of all users.
func (w *watched) await(is func(user int) bool) {
	for user := range w.seen {
		for !is(user) {
			runtime.Gosched()
		}
	}
}

// use is what each user does.
func (w *watched) use(user int, use func(user int, round int64) (before bool)) {
	for round := range int64(watchedRounds) {
		for w.round.Load() != round {
			runtime.Gosched()
		}
		if !use(user, round) {
			w.stale.Add(1) // a page of another round
		}
		w.seen[user].Store(2*round + 1)
		for {
			changed := w.done.Load() == round
			before := use(user, round)
			if changed && before {
				w.stale.Add(1)
			}
			if changed {
				break
			}
		}
		w.seen[user].Store(2*round + 2)
	}
}

// mapPage maps a page at base and gives it the mark of a round.
func mapPage(round int64) {
	_, errno := mmap(base, pageSize, anonymous|fixed)
	must(errno)
	word(base).Store(mark(round))
}

// mark is what a page of a round holds.
func mark(round int64) uint64 { return uint64(round+1) * 0x9e3779b97f4a7c15 }

// marked reads the page at base: whether it has the mark of a round. A fault is no
// mark.
func marked(_ int, round int64) (is bool) {
	faults(func() { is = word(base).Load() == mark(round) })
	return is
}

// munmapSeen unmaps a page that threads read: after the call has returned none of
// them can, wherever it runs.
func munmapSeen() string {
	return watch(mapPage, func(int64) { must(memoryCall(syscall.SYS_MUNMAP, base, pageSize, 0)) }, marked)
}

// mprotectSeen protects a page that threads write: after the call has returned
// none of them can.
func mprotectSeen() string {
	defer memoryCall(syscall.SYS_MUNMAP, base, pageSize, 0)
	return watch(mapPage,
		func(int64) { must(memoryCall(syscall.SYS_MPROTECT, base, pageSize, syscall.PROT_READ)) },
		func(user int, _ int64) bool { return !faults(func() { word(base + 8 + 8*uintptr(user)).Add(1) }) })
}

// dontneedSeen gives a page's memory back while threads read it: after that it is
// cleared for all.
func dontneedSeen() string {
	defer memoryCall(syscall.SYS_MUNMAP, base, pageSize, 0)
	return watch(mapPage,
		func(int64) { must(memoryCall(syscall.SYS_MADVISE, base, pageSize, syscall.MADV_DONTNEED)) }, marked)
}

// mapOverSeen maps another page over one that threads read.
func mapOverSeen() string {
	defer memoryCall(syscall.SYS_MUNMAP, base, pageSize, 0)
	return watch(mapPage, func(round int64) {
		_, errno := mmap(base, pageSize, anonymous|fixed)
		must(errno)
	}, marked)
}

// firstTouches has all threads count in each page of fresh memory, so that many
// are the first to touch a page at the same time. No count may get lost.
func firstTouches() string {
	const pages = 256
	lost := 0
	for range 4 {
		at, errno := mmap(0, pages*pageSize, anonymous)
		must(errno)
		onThreads(threads, func(number int) {
			for i := range uintptr(pages) {
				// Some come from the other end, to meet in the middle.
				page := i
				if number%3 == 2 {
					page = pages - 1 - i
				}
				word(at + page*pageSize).Add(1)
			}
		})
		for page := range uintptr(pages) {
			lost += threads - int(word(at+page*pageSize).Load())
		}
		must(memoryCall(syscall.SYS_MUNMAP, at, pages*pageSize, 0))
	}
	return tell(lost, "lost")
}

// touchesWhileMapping has threads touch fresh memory of their own while another
// maps, protects and unmaps next to it.
func touchesWhileMapping() string {
	const pages = 200
	at, errno := mmap(0, threads*pages*pageSize, anonymous)
	must(errno)
	var left, wrong atomic.Int64
	left.Store(threads - 1)
	onThreads(threads, func(number int) {
		own := at + uintptr(number)*pages*pageSize
		if number == 0 {
			for i := uintptr(0); left.Load() > 0; i++ {
				page := own + i%pages*pageSize
				word(page).Store(1)
				must(memoryCall(syscall.SYS_MPROTECT, page, pageSize, syscall.PROT_READ))
				must(memoryCall(syscall.SYS_MUNMAP, page, pageSize, 0))
				_, errno := mmap(page, pageSize, anonymous|fixed)
				must(errno)
			}
			return
		}
		for i := range uintptr(pages) {
			word(own + i*pageSize).Store(uint64(own + i))
		}
		for i := range uintptr(pages) {
			if word(own+i*pageSize).Load() != uint64(own+i) {
				wrong.Add(1)
			}
		}
		left.Add(-1)
	})
	must(memoryCall(syscall.SYS_MUNMAP, at, threads*pages*pageSize, 0))
	return tell(int(wrong.Load()), "wrong")
}

// touchesWhileGivenBack has all threads touch one page while one of them gives its
// memory back, over and over: each time many find it missing at once, and it never
// fails them.
func touchesWhileGivenBack() string {
	at, errno := mmap(0, pageSize, anonymous)
	must(errno)
	var failed atomic.Int64
	var over atomic.Bool
	onThreads(threads, func(number int) {
		touch := func() {
			if faults(func() { word(at + 8*uintptr(number)).Add(1) }) {
				failed.Add(1)
			}
		}
		if number > 0 {
			for !over.Load() {
				touch()
			}
			return
		}
		for range 300 {
			must(memoryCall(syscall.SYS_MADVISE, at, pageSize, syscall.MADV_DONTNEED))
			touch()
		}
		over.Store(true)
	})
	must(memoryCall(syscall.SYS_MUNMAP, at, pageSize, 0))
	return tell(int(failed.Load()), "failed")
}

// everybodyMaps has all threads map, use and unmap at once.
func everybodyMaps() string {
	var wrong atomic.Int64
	onThreads(threads, func(number int) {
		for i := range 40 {
			size := pageSize << (i % 6)
			b, err := syscall.Mmap(-1, 0, size, readWrite, anonymous)
			if err != nil {
				wrong.Add(1)
				continue
			}
			for at := 0; at < size; at += pageSize {
				if b[at] != 0 {
					wrong.Add(1)
				}
				b[at] = byte(1 + number)
			}
			if syscall.Mprotect(b[:pageSize], syscall.PROT_READ) != nil || !faults(func() { b[1] = 1 }) {
				wrong.Add(1)
			}
			for at := 0; at < size; at += pageSize {
				if b[at] != byte(1+number) {
					wrong.Add(1)
				}
			}
			if syscall.Munmap(b) != nil {
				wrong.Add(1)
			}
		}
	})
	return tell(int(wrong.Load()), "wrong")
}

// allocation has all threads allocate so that the heap grows and is given back to
// the system while they do.
func allocation() string {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var wrong atomic.Int64
	onThreads(threads, func(number int) {
		var held [8][]byte
		for i := range 60 {
			b := make([]byte, 1000<<(i%7))
			for at := 0; at < len(b); at += 500 {
				if b[at] != 0 {
					wrong.Add(1)
				}
				b[at] = byte(number)
			}
			held[i%len(held)] = b
			if number == 0 && i%20 == 0 {
				debug.FreeOSMemory()
			}
			for _, h := range held {
				for at := 0; at < len(h); at += 500 {
					if h[at] != byte(number) {
						wrong.Add(1)
					}
				}
			}
		}
	})
	return tell(int(wrong.Load()), "wrong")
}
