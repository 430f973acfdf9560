package vspace

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
)

// Calls of Linux's userfaultfd, by which the host lets a test page memory.
const (
	sysUserfaultfd  = 323
	uffdUserOnly    = 1
	uffdAPI         = 0xc018aa3f
	uffdRegister    = 0xc020aa00
	uffdZeroPage    = 0xc020aa04
	uffdMissing     = 1
	uffdVersion     = 0xaa
	uffdMessage     = 32
	uffdPageFault   = 0x12
	uffdAddressWord = 2
	uffdThreadWord  = 3
	uffdThreadID    = 1 << 8 // who faulted is told
)

// pageHeap lets the tables be paged by NestedFault, wherever that may be. It
// returns how many pages were missed.
//
// A page can be missed more than once: a signal, such as the Go runtime's to a thread
// that seems to run for long, ends the wait of the thread that missed it, and it
// misses it again.
func pageHeap(t *testing.T) *atomic.Int64 {
	fd, _, errno := syscall.Syscall(sysUserfaultfd, syscall.O_CLOEXEC|syscall.O_NONBLOCK|uffdUserOnly, 0, 0)
	if errno != 0 {
		t.Skipf("userfaultfd: %v", errno)
	}
	api := [3]uint64{uffdVersion, uffdThreadID}
	raw(t, syscall.SYS_IOCTL, fd, uffdAPI, uintptr(unsafe.Pointer(&api)), 0, 0, 0)
	register := [4]uint64{tablesAt, TablesSize, uffdMissing}
	raw(t, syscall.SYS_IOCTL, fd, uffdRegister, uintptr(unsafe.Pointer(&register)), 0, 0, 0)
	var faults atomic.Int64
	var active sync.Mutex // held while a page is brought in, which is in served then
	served := map[uint64]bool{}
	var servers [2]atomic.Int64 // their threads
	var wait sync.WaitGroup
	stop := make([]int, 2)
	if err := syscall.Pipe(stop); err != nil {
		t.Fatal(err)
	}
	serve := func(self int) {
		defer wait.Done()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		servers[self].Store(int64(syscall.Gettid()))
		for {
			var ready struct {
				fd      int32
				events  int16
				revents int16
				stop    int32
				sevents int16
				srevent int16
			}
			ready.fd, ready.events, ready.stop, ready.sevents = int32(fd), 1, int32(stop[0]), 1
			if _, _, errno := syscall.Syscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(&ready)), 2, ^uintptr(0)); errno != 0 && errno != syscall.EINTR {
				return
			}
			if ready.srevent != 0 {
				return
			}
			if ready.revents == 0 {
				continue
			}
			var message [uffdMessage / 8]uint64
			n, _, errno := syscall.Syscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&message)), uffdMessage)
			if errno != 0 || n != uffdMessage || byte(message[0]) != uffdPageFault {
				continue
			}
			address := message[uffdAddressWord]
			fill := func() {
				zero := [4]uint64{address &^ pageMask, pageSize}
				syscall.Syscall(syscall.SYS_IOCTL, fd, uffdZeroPage, uintptr(unsafe.Pointer(&zero)))
			}
			if thread := int64(uint32(message[uffdThreadWord])); thread == servers[0].Load() || thread == servers[1].Load() {
				t.Errorf("NestedFault touches %#x", address)
				fill()
				continue
			}
			if !active.TryLock() {
				continue // missed again: it is being brought in
			}
			if page := address &^ pageMask; !served[page] {
				served[page] = true
				if !NestedFault(address) {
					t.Errorf("NestedFault(%#x) fails", address)
				}
				faults.Add(1)
				fill()
			}
			active.Unlock()
		}
	}
	wait.Add(2) // the second finds the first one's faults
	go serve(0)
	go serve(1)
	t.Cleanup(func() {
		syscall.Write(stop[1], []byte{0})
		wait.Wait()
		syscall.Close(int(fd))
		syscall.Close(stop[0])
		syscall.Close(stop[1])
	})
	return &faults
}

// TestHeapPagedByItself runs all of it on a heap that it pages itself.
func TestHeapPagedByItself(t *testing.T) {
	for s := range uint64(4) {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			m := bareMachine(t, 2<<20)
			faults := pageHeap(t)
			if s == 2 {
				m.cnodes = FirstCNode + 1 // then it needs a larger L1 CNode
			}
			m.must(m.start())
			if s == 3 {
				m.refuse = 1
			}
			Replenish()
			run(t, s, m, 150, func(int) { Replenish() })
			if s == 2 && space.cnodes == m.cnodes {
				t.Error("the L1 CNode has not grown")
			}
			if n := uint64(faults.Load()); n != space.heapPages || n < 10 {
				t.Errorf("%d pages of the heap, %d faults", space.heapPages, n)
			}
		})
	}
}

// TestNestedFault backs pages from the reserve until that is used up, with no
// access to the heap at all.
func TestNestedFault(t *testing.T) {
	m := newMachine(t, 2<<20)
	raw(t, syscall.SYS_MPROTECT, tablesAt, TablesSize, syscall.PROT_NONE, 0, 0, 0)
	for _, a := range []uint64{0, abi.LibosHeap - 1, abi.LibosHeapEnd, abi.UserTop, ^uint64(0), testBase} {
		if NestedFault(a) {
			t.Errorf("backs %#x", a)
		}
	}
	seen := map[uint64]bool{}
	backed := 0
	for i := uint64(0); ; i++ {
		a := tablesAt + 1<<32 + i/8*hugeBytes + i%8*pageSize
		if !NestedFault(a + i) {
			break
		}
		backed++
		e, span := m.walk(a)
		if e&writeEntry == 0 || e&userEntry == 0 || span != pageSize || seen[e&frameMask] {
			t.Fatalf("%#x: page table says %#x", a, e)
		}
		seen[e&frameMask] = true
	}
	if backed < 32 {
		t.Errorf("the reserve is good for %d pages", backed)
	}
	raw(t, syscall.SYS_MPROTECT, tablesAt, TablesSize, syscall.PROT_READ|syscall.PROT_WRITE, 0, 0, 0)
	Replenish()
	if !NestedFault(tablesAt+2<<32) || reserve.numSlots < leastSlots {
		t.Error("the reserve is not refilled")
	}
	m.check()
	before := m.total()
	Replenish()
	if n := m.total(); n != 0 {
		t.Errorf("%d invocations with nothing to do, after %d", n, before)
	}
	m.write(m.mmap(0, 1, readWrite), 1)
	m.check()
}

// TestSmallFirstPiece begins with less than the reserve takes.
func TestSmallFirstPiece(t *testing.T) {
	for _, size := range []uint64{pageSize, 3 * blockBytes} {
		m := bareMachine(t, size)
		m.must(m.start())
		m.check()
		a := m.mmap(low, 512, readWrite)
		for p := range uint64(512) {
			m.write(a+pages(p), p)
		}
		m.check()
		if size > blockBytes && space.numPieces < 3 {
			t.Errorf("%d pieces", space.numPieces)
		}
	}
	m := bareMachine(t, pageSize)
	m.refuse = 0
	if err := m.start(); err != capability.ErrQuota {
		t.Errorf("without memory: %v", err)
	}
}

// TestPopulateMuch brings in more than the reserve is good for at once.
func TestPopulateMuch(t *testing.T) {
	m := bareMachine(t, 2<<20)
	pageHeap(t)
	m.must(m.start())
	// A page of each of 200 stretches of 2 MiB: a page of heap each.
	for i := range uint64(200) {
		m.mmap(low+i*hugeBytes, 1, readWrite)
	}
	for i := range uint64(200) {
		if err := populate(low+i*hugeBytes, low+i*hugeBytes+pageSize); err != capability.OK {
			t.Fatal(err)
		}
	}
	m.check()
	var now abi.Memory
	if Memory(&now); now.Mapped != 200*pageSize {
		t.Errorf("%+v", now)
	}
}

// TestReserveWithoutRAM lets refilling fail: nothing is lost, and it goes on once
// there is RAM.
func TestReserveWithoutRAM(t *testing.T) {
	m := newMachine(t, 512<<10)
	m.refuse = 0
	a := m.mmap(0, 4096, readWrite)
	for p := uint64(0); ; p++ {
		if code, err := m.access(a+p*pageSize, linux.PROT_WRITE); err == capability.ErrQuota {
			break
		} else if code != 0 || err != capability.OK {
			t.Fatal(code, err)
		}
	}
	m.check()
	for NestedFault(tablesAt + 1<<32 + uint64(reserve.numSlots)*pageSize) {
	}
	Replenish()
	m.check()
	m.refuse = -1
	Replenish()
	m.check()
	if reserve.numSlots != reserveSlots || reserve.numChunks != reserveChunks {
		t.Errorf("%d slots, %d chunks", reserve.numSlots, reserve.numChunks)
	}
}
