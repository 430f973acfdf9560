package transfers

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/arch/x86/x86asm"
)

// Access is what an instruction does with memory.
type Access struct {
	Address uint64
	Size    int // in bytes
	Write   bool
}

// Step is an instruction that is about to be executed.
type Step struct {
	Address  uint64
	Accesses []Access // but for those of the stack by PUSH, POP, CALL and RET; valid until the next step
	Unknown  bool     // the instruction is not understood, nor its accesses
	Pause    bool     // it is a PAUSE
	Fence    bool     // it is a full fence: locked, or an XCHG with memory
	stored   uint64
}

// Stored returns what a MOV or XCHG of a register stores.
func (s *Step) Stored() uint64 { return s.stored }

// Trace executes a thread of a child process one instruction at a time and calls
// see before each, until that returns false; then the process is stopped, as by SIGSTOP. The
// thread must be about to wait, or waiting, in a system call that release ends. Trace
// fails where processes must not trace others (ptrace).
func Trace(thread int, release func() error, see func(*Step) bool) error {
	return Interleave([]int{thread}, release, func(_ int, s *Step) (int, bool) { return 0, see(s) })
}

// Interleave is Trace for several threads, each of which executes one instruction in a unit
// of time, in the order of their list. see is told which of them it is, by its index, and
// returns for how many units the thread is to wait before the instruction; if there
// are any, it is asked again then. A thread that has called the kernel is back when that lets it: it
// may wait for what one of the others holds.
func Interleave(threads []int, release func() error, see func(thread int, s *Step) (wait int, more bool)) error {
	// All requests about a thread must come from one.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tracers := make([]tracer, len(threads))
	known := map[uint64]x86asm.Inst{}
	for i, thread := range threads {
		if err := syscall.PtraceAttach(thread); err != nil {
			return fmt.Errorf("trace a child process: %w; this host must allow ptrace", err)
		}
		if _, err := wait(thread); err != nil {
			return err
		}
		memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", thread))
		if err != nil {
			return err
		}
		defer memory.Close()
		tracers[i] = tracer{thread: thread, memory: memory, known: known}
	}
	if err := release(); err != nil {
		return err
	}
	for {
		turn, err := next(tracers)
		if err != nil {
			return err
		}
		t := &tracers[turn]
		if err := t.next(); err != nil {
			return err
		}
		wait, more := see(turn, &t.step)
		switch {
		case !more:
			var err error
			for i := range tracers {
				err = errors.Join(err, tracers[i].detach())
			}
			return err
		case wait > 0:
			t.due += wait
			continue
		}
		if err := t.advance(); err != nil {
			return err
		}
		t.due++
	}
}

// next returns whose turn it is, when anybody is there to have one.
func next(tracers []tracer) (turn int, err error) {
	for {
		turn = -1
		for i := range tracers {
			if t := &tracers[i]; !t.away && (turn < 0 || t.due < tracers[turn].due) {
				turn = i
			}
		}
		for i := range tracers {
			t := &tracers[i]
			if !t.away {
				continue
			}
			if err := t.back(); err != nil {
				return 0, err
			}
			if turn >= 0 {
				t.due = max(t.due, tracers[turn].due) // it has lost its turns
			}
		}
		if turn >= 0 {
			return turn, nil
		}
		time.Sleep(look)
	}
}

// look is how often it is asked whether a thread is back, if none is there.
const look = 50 * time.Microsecond

// detach has a thread go on by itself, and its process stop: alone, some threads could not go
// on.
func (t *tracer) detach() error {
	if t.away {
		// Only who has stopped can be let go.
		if _, _, e := syscall.Syscall(syscall.SYS_TKILL, uintptr(t.thread), uintptr(syscall.SIGSTOP), 0); e != 0 {
			return fmt.Errorf("stop the traced thread: %w", e)
		}
		if _, err := wait(t.thread); err != nil {
			return err
		}
	}
	_, _, e := syscall.Syscall6(syscall.SYS_PTRACE, syscall.PTRACE_DETACH, uintptr(t.thread), 0, uintptr(syscall.SIGSTOP), 0, 0)
	if e != 0 {
		return fmt.Errorf("let go of the traced thread: %w", e)
	}
	return nil
}

type tracer struct {
	thread    int
	due       int  // when it executes its next instruction
	away      bool // in the kernel
	memory    *os.File
	registers syscall.PtraceRegs
	known     map[uint64]x86asm.Inst
	step      Step
	calls     bool // the kernel
}

// wait waits for a thread to stop, and returns the signal that stopped it.
func wait(thread int) (syscall.Signal, error) {
	signal, _, err := stopped(thread, 0)
	return signal, err
}

// stopped is wait, or with WNOHANG says that the thread has not stopped.
func stopped(thread, options int) (signal syscall.Signal, ok bool, err error) {
	var status syscall.WaitStatus
	for {
		n, err := syscall.Wait4(thread, &status, syscall.WALL|options, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return 0, false, fmt.Errorf("wait for the traced thread: %w", err)
		case n == 0:
			return 0, false, nil
		case !status.Stopped():
			return 0, false, fmt.Errorf("the traced process has ended: status %#x", status)
		}
		return status.StopSignal(), true, nil
	}
}

// advance executes an instruction, or begins to if it calls the kernel.
func (t *tracer) advance() error {
	if err := t.begin(); err != nil || t.calls {
		t.away = t.calls
		return err
	}
	signal, err := wait(t.thread)
	for ; err == nil && signal != syscall.SIGTRAP; signal, err = wait(t.thread) {
		if err := t.again(signal); err != nil {
			return err
		}
	}
	return err
}

// back finds out whether a thread is back from the kernel.
func (t *tracer) back() error {
	signal, ok, err := stopped(t.thread, syscall.WNOHANG)
	if err != nil || !ok {
		return err
	}
	if signal != syscall.SIGTRAP {
		return t.again(signal)
	}
	t.away = false
	return nil
}

func (t *tracer) begin() error {
	if err := syscall.PtraceSingleStep(t.thread); err != nil {
		return fmt.Errorf("step: %w", err)
	}
	return nil
}

// again begins an instruction again that a signal has come before. Signals wait for their thread until
// the end: there are none that it depends on.
func (t *tracer) again(signal syscall.Signal) error {
	if signal == syscall.SIGSEGV || signal == syscall.SIGILL || signal == syscall.SIGBUS {
		return fmt.Errorf("%v at %#x", signal, t.registers.Rip)
	}
	return t.begin()
}

// next finds out what is executed next.
func (t *tracer) next() error {
	if err := syscall.PtraceGetRegs(t.thread, &t.registers); err != nil {
		return fmt.Errorf("read registers: %w", err)
	}
	at := t.registers.Rip
	i, ok := t.known[at]
	if !ok {
		var code [15]byte
		n, _ := t.memory.ReadAt(code[:], int64(at))
		var err error
		if i, err = x86asm.Decode(code[:n], 64); err != nil {
			i = x86asm.Inst{} // Unknown
		}
		t.known[at] = i
	}
	t.calls = i.Op == x86asm.SYSCALL
	t.step = Step{Address: at, Accesses: t.step.Accesses[:0], Unknown: i.Op == 0, Pause: i.Op == x86asm.PAUSE}
	t.step.Fence = i.Prefix[0]&0xff == x86asm.PrefixLOCK
	if i.Op == x86asm.LEA || i.Op == x86asm.NOP {
		return nil
	}
	for n, argument := range i.Args {
		m, ok := argument.(x86asm.Mem)
		if !ok {
			continue
		}
		write := n == 0 && !onlyReads[i.Op] || i.Op == x86asm.XCHG || i.Op == x86asm.XADD
		t.step.Fence = t.step.Fence || i.Op == x86asm.XCHG
		t.step.Accesses = append(t.step.Accesses, Access{t.address(m, &i), i.MemBytes, write})
		if r, ok := i.Args[1-min(n, 1)].(x86asm.Reg); ok && write {
			t.step.stored = t.register(r)
		}
	}
	return nil
}

// onlyReads are the instructions that do not write their first operand.
var onlyReads = map[x86asm.Op]bool{
	x86asm.CMP: true, x86asm.TEST: true, x86asm.BT: true, x86asm.PUSH: true, x86asm.CALL: true, x86asm.JMP: true,
	x86asm.UCOMISD: true, x86asm.UCOMISS: true, x86asm.MUL: true, x86asm.DIV: true, x86asm.IDIV: true,
	x86asm.PREFETCHT0: true, x86asm.PREFETCHT1: true, x86asm.PREFETCHT2: true, x86asm.PREFETCHNTA: true,
}

// address returns the address of an operand.
func (t *tracer) address(m x86asm.Mem, i *x86asm.Inst) uint64 {
	address := uint64(m.Disp)
	switch m.Base {
	case 0:
	case x86asm.RIP:
		address += t.registers.Rip + uint64(i.Len)
	default:
		address += t.register(m.Base)
	}
	if m.Index != 0 {
		address += t.register(m.Index) * uint64(m.Scale)
	}
	switch m.Segment {
	case x86asm.FS:
		address += t.registers.Fs_base
	case x86asm.GS:
		address += t.registers.Gs_base
	}
	return address
}

// register returns the value of a general register; of a part of one, the whole.
func (t *tracer) register(r x86asm.Reg) uint64 {
	g := &t.registers
	all := [...]uint64{
		g.Rax, g.Rcx, g.Rdx, g.Rbx, g.Rsp, g.Rbp, g.Rsi, g.Rdi,
		g.R8, g.R9, g.R10, g.R11, g.R12, g.R13, g.R14, g.R15,
	}
	switch {
	case r >= x86asm.RAX && r <= x86asm.R15:
		return all[r-x86asm.RAX]
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return all[r-x86asm.EAX]
	}
	return 0
}
