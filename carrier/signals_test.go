package carrier

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
)

// randomThread fills a thread's registers with noise.
func randomThread(random *rand.Rand) Thread {
	var th Thread
	for _, p := range []*uint64{
		&th.Regs.RAX, &th.Regs.RBX, &th.Regs.RCX, &th.Regs.RDX, &th.Regs.RSI, &th.Regs.RDI, &th.Regs.RBP,
		&th.Regs.R8, &th.Regs.R9, &th.Regs.R10, &th.Regs.R11, &th.Regs.R12, &th.Regs.R13, &th.Regs.R14, &th.Regs.R15,
		&th.Regs.RIP, &th.Regs.FSBase,
	} {
		*p = random.Uint64()
	}
	th.Regs.RFLAGS = UserFlags(random.Uint64())
	th.Mask = random.Uint64() &^ unblockable
	return th
}

// TestFrame enters a handler and returns from it: the handler finds what the
// Linux interface promises, and the thread finds itself as it was.
func TestFrame(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 3))
		stack := make([]byte, 16<<10)
		alternate := make([]byte, 16<<10)
		area := make([]uint64, 2688/8)
		top := func(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) + uint64(len(b)) }
		th := randomThread(random)
		th.Regs.RSP = top(stack) - uint64(random.IntN(1024))
		var s Signals
		action := linux.Sigaction{Handler: 0x401000, Flags: linux.SA_SIGINFO | linux.SA_RESTORER, Restorer: 0x402000, Mask: random.Uint64()}
		on := stack
		if random.IntN(2) == 0 {
			action.Flags |= linux.SA_ONSTACK
			th.AltStack = linux.SignalStack{Base: top(alternate) - uint64(len(alternate)), Size: uint64(len(alternate))}
			on = alternate
		} else {
			th.AltStack.Flags = linux.SS_DISABLE
		}
		if errno := s.SetAction(linux.SIGSEGV, &action); errno != 0 {
			t.Fatal(errno)
		}
		var vector VectorState
		if random.IntN(3) > 0 {
			for i := range area {
				area[i] = random.Uint64()
			}
			for i := 512 / 8; i < 576/8; i++ {
				area[i] = 0
			}
			area[24/8], area[512/8] = 0xffff_0000_1f80, 7
			vector = VectorState{Address: uint64(uintptr(unsafe.Pointer(&area[0]))), Size: uint64(len(area) * 8), Mask: 7}
		}
		before := th
		legacy := bytes.Clone(bytesAt(uintptr(unsafe.Pointer(&area[0])), uint64(len(area)*8)))
		info := linux.Siginfo{Signo: linux.SIGSEGV, Code: linux.SEGV_MAPERR, Word0: 0x18}
		frame, state, end := s.Place(&th, linux.SIGSEGV, vector)
		if frame < top(on)-uint64(len(on)) || end > top(on) {
			t.Fatalf("frame [%#x,%#x) outside its stack", frame, end)
		}
		if end > before.Regs.RSP-128 && on[0] == stack[0] && &on[0] == &stack[0] {
			t.Fatal("frame in the red zone")
		}
		s.Enter(&th, linux.SIGSEGV, &info, Fault{Vector: 14, Code: 6, Address: 0x18}, vector)

		f := (*linux.SignalFrame)(pointer(uintptr(frame)))
		r := &th.Regs
		switch {
		case r.RSP != frame, (frame+8)%16 != 0, state%64 != 0 && vector.Size != 0:
			t.Fatalf("stack pointer %#x, frame %#x, state %#x", r.RSP, frame, state)
		case r.RIP != action.Handler, r.RDI != linux.SIGSEGV,
			r.RSI != uint64(uintptr(unsafe.Pointer(&f.Info))), r.RDX != uint64(uintptr(unsafe.Pointer(&f.UC))):
			t.Fatalf("handler's registers %+v", r)
		case f.Return != action.Restorer, f.Info.Code != linux.SEGV_MAPERR, f.Info.Word0 != 0x18,
			f.UC.Mcontext.CR2 != 0x18, f.UC.Mcontext.Trapno != 14, f.UC.Mcontext.RIP != before.Regs.RIP:
			t.Fatalf("frame %+v", f)
		case th.Mask != before.Mask|action.Mask&^unblockable|SignalBit(linux.SIGSEGV):
			t.Fatalf("mask %#x", th.Mask)
		case vector.Size != 0 && (f.UC.Mcontext.FPState != state || state+vector.Size+4 > end),
			vector.Size == 0 && f.UC.Mcontext.FPState != 0:
			t.Fatalf("vector state at %#x, frame says %#x", state, f.UC.Mcontext.FPState)
		}

		clear(area[512/8:])
		r.RSP += 8 // the handler's RET took the restorer's address
		r.RIP, r.RBX, r.R15 = 1, 2, 3
		if VectorOf(&th) != f.UC.Mcontext.FPState {
			t.Fatal("VectorOf")
		}
		Leave(&th, VectorOf(&th), vector)
		want := before
		want.Resume = ResumeFull
		if vector.Size != 0 {
			want.Resume = ResumeVector
		}
		if th != want {
			t.Fatalf("after the handler\n%+v, want\n%+v", th, want)
		}
		if vector.Size != 0 {
			now := bytesAt(uintptr(unsafe.Pointer(&area[0])), vector.Size)
			// The software's words of the legacy area belong to the frame.
			if !bytes.Equal(now[:416], legacy[:416]) || !bytes.Equal(now[512:], legacy[512:]) {
				t.Fatal("vector state differs after the handler")
			}
		}
	}
}

// TestLeaveHostile: what a program writes into its frame is made fit to load.
func TestLeaveHostile(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for range 500 {
		memory := make([]uint64, 1024)
		for i := range memory {
			memory[i] = random.Uint64()
		}
		area := make([]uint64, 2688/8)
		base := uint64(uintptr(unsafe.Pointer(&memory[0])))
		var th Thread
		th.Regs.RSP = base + 8
		vector := VectorState{Address: uint64(uintptr(unsafe.Pointer(&area[0]))), Size: 2688, Mask: 7}
		Leave(&th, base+1024, vector)
		if th.Regs.RFLAGS&(0x3000|0x4000|1<<17) != 0 || th.Regs.RFLAGS&flagIF == 0 {
			t.Fatalf("RFLAGS %#x", th.Regs.RFLAGS)
		}
		if th.Mask&unblockable != 0 {
			t.Fatalf("mask %#x", th.Mask)
		}
		if area[512/8]&^7 != 0 || area[520/8] != 0 || area[568/8] != 0 || uint32(area[3])&^0xffff != 0 {
			t.Fatal("vector state that does not load")
		}
	}
}

func TestTake(t *testing.T) {
	var s Signals
	var th, other Thread
	handler := linux.Sigaction{Handler: 0x1000}
	s.SetAction(linux.SIGURG, &handler)
	s.SetAction(linux.SIGUSR1, &handler)
	s.Send(&th, linux.SIGURG, linux.SI_TKILL, 9)
	s.Send(nil, linux.SIGUSR1, linux.SI_USER, 8)
	s.Send(nil, linux.SIGCHLD, linux.SI_USER, 8) // ignored
	th.SetMask(SignalBit(linux.SIGUSR1))
	var info linux.Siginfo
	if !s.Deliverable(&th) || s.Take(&th, &info) != linux.SIGURG || info.Code != linux.SI_TKILL || info.Word0 != 9 {
		t.Errorf("first %+v", info)
	}
	if s.Deliverable(&th) || s.Take(&th, &info) != 0 {
		t.Error("a blocked signal is delivered")
	}
	if s.Take(&other, &info) != linux.SIGUSR1 || s.Take(&other, &info) != 0 {
		t.Error("a program's signal goes to a thread that does not block it, once")
	}
	if s.Disposition(linux.SIGSEGV) != Terminate || s.Disposition(linux.SIGWINCH) != Ignore || s.Disposition(linux.SIGUSR1) != Handle {
		t.Error("dispositions")
	}
	if s.SetAction(linux.SIGKILL, &handler) != linux.EINVAL || s.SetAction(0, &handler) != linux.EINVAL || s.SetAction(65, &handler) != linux.EINVAL {
		t.Error("signals that cannot be changed")
	}
	th.SetMask(^uint64(0))
	s.Send(&th, linux.SIGKILL, 0, 0)
	if s.Take(&th, &info) != linux.SIGKILL {
		t.Error("SIGKILL is blocked")
	}
}

func TestOffsets(t *testing.T) {
	if unsafe.Offsetof(Thread{}.Regs) != 0 {
		t.Error("a thread's registers do not come first")
	}
	if ThreadSize%8 != 0 || RegionSize%8 != 0 {
		t.Error("table entries are not aligned")
	}
	_ = abi.PageSize
}
