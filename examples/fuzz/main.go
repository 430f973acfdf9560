// Fuzz fires native calls at the CPU driver: all numbers, all invocations of all
// types of capabilities, with arguments that make sense, nearly make sense, or
// make none: references that are valid, stale, forged or of another level,
// pointers to the kernel, to nothing and across edges, lengths and ranges at and
// beyond their limits. It is for tests: beside it runs a victim that must not
// notice, and what memory there is must still add up afterwards.
//
//	fuzz [-seed N] [-calls N] [-wild]
//
// Polite, it leaves alone what it lives on, so that all its calls get far; it
// ends with the line "fuzz ok" and exit code 0. Wild, it names everything that it
// has, its own dispatcher, tables and memory included, and may end in any way.
// In both it ends with "fuzz BREACH: ..." and exit code 99 when it got what no
// program may have: memory of others, a pointer followed that is not its own, a
// page that should be gone. What it does depends on the seed alone (and RUN, the
// number of a run that a manifest repeats, which is added to it).
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/native"
	"skerry/lib/native/buffer"
	"skerry/lib/native/raw"
)

// breachCode is the exit code of a run that got what no program may have.
const breachCode = 99

// fuzzer is a run.
type fuzzer struct {
	r    *rand.Rand
	wild bool
	seed uint64
	arena
	window
	valid uint64 // address of pages that calls may write to

	calls   uint64 // made so far
	results [capability.Errors]uint64
	ran     uint64 // dispatchers that were made ready to run
	tried   uint64 // times that pages were tried in the window
	last    string // what is tried, for a breach
}

func main() {
	seed := flag.Uint64("seed", 1, "what the calls depend on")
	calls := flag.Uint64("calls", 100_000, "native calls to make")
	wild := flag.Bool("wild", false, "name everything, and perhaps die of it")
	flag.Parse()
	if run, err := strconv.ParseUint(os.Getenv("RUN"), 10, 64); err == nil {
		*seed += run
	}
	fmt.Printf("fuzz: seed %d\n", *seed)
	f := &fuzzer{r: rand.New(rand.NewPCG(*seed, 0)), wild: *wild, seed: *seed}
	if err := f.prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
	for epoch := 0; f.calls < *calls; epoch++ {
		f.begin()
		for end := min(*calls, f.calls+epochCalls); f.calls < end; {
			f.step()
		}
		f.end()
	}
	f.report()
	fmt.Println("fuzz ok")
}

// epochCalls is after how many calls all that was made is revoked, so that no
// run gets stuck with all its memory in use.
const epochCalls = 40_000

// prepare takes what the calls are to chew on.
func (f *fuzzer) prepare() error {
	// The goroutine stays where upcalls find it, and pages that calls are told
	// to write to stay present.
	runtime.LockOSThread()
	pages, err := buffer.Pages(3 * abi.PageSize)
	if err != nil {
		return err
	}
	// What is behind those pages must be nobody's: calls write across their end.
	if err := syscall.Mprotect(pages[2*abi.PageSize:], syscall.PROT_NONE); err != nil {
		return err
	}
	f.valid = buffer.Address(pages)
	if err := f.window.take(); err != nil {
		return err
	}
	return f.arena.take(capability.LevelOneReference(f.slots), windowSlots)
}

// step makes one or a few calls.
func (f *fuzzer) step() {
	switch n := f.r.IntN(1000); {
	case n < 2 && !f.wild:
		f.tryPages()
	case n < 4:
		f.tryStray()
	case n < 80:
		f.anyCall()
	case n < 130:
		f.anyWord()
	case n < 300:
		f.anyInvocation()
	default:
		f.sensible()
	}
	if f.r.IntN(4096) == 0 {
		f.mend()
		f.lookAgain(f.r.IntN(len(f.cnodes)))
	}
}

// call makes a native call.
func (f *fuzzer) call(number uint64, a [6]uint64) capability.Error {
	err, _ := raw.Call(uintptr(number), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
	f.calls++
	if int(err) >= capability.Errors {
		f.breach("call %#x %#x returned error %#x, which does not exist", number, a, uint64(err))
	}
	f.results[err]++
	return err
}

// invoke asks something of a capability.
func (f *fuzzer) invoke(r capability.Reference, i capability.Invocation, a ...uint64) capability.Error {
	all := [6]uint64{capability.Word(r, i)}
	copy(all[1:], a)
	return f.call(abi.CallInvoke, all)
}

// patience bounds how often what the kernel has begun is asked for again.
const patience = 1_000_000

// patiently repeats what the kernel has begun until it is done.
func (f *fuzzer) patiently(do func() capability.Error) (err capability.Error) {
	for range patience {
		switch err = do(); err {
		case capability.ErrPending, capability.ErrRevoking, capability.ErrNotReady, capability.ErrBusy:
		default:
			return err
		}
	}
	if !f.wild { // it may revoke what it waits for
		f.breach("the kernel does not get done with %s: %s", f.last, err.Name())
	}
	return err
}

// breach reports that something was let through, and ends the program.
func (f *fuzzer) breach(format string, arguments ...any) {
	fmt.Printf("fuzz BREACH: seed %d, call %d: %s\n", f.seed, f.calls, fmt.Sprintf(format, arguments...))
	os.Exit(breachCode)
}

// report says how many calls came to what.
func (f *fuzzer) report() {
	fmt.Printf("fuzz: %d calls\n", f.calls)
	for e, n := range f.results {
		if n > 0 {
			fmt.Printf("fuzz: %8d %s\n", n, capability.Error(e).Name())
		}
	}
	fmt.Printf("fuzz: %d dispatchers ran, pages were tried %d times\n", f.ran, f.tried)
	if m, err := native.Memory(); err == nil {
		fmt.Printf("fuzz: the domain held %d KiB\n", m.Peak>>10)
	}
}
