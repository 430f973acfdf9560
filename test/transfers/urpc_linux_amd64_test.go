package transfers

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"skerry/lib/urpc"
)

var update = flag.Bool("update", false, "write testdata/counts.txt")

// childVariable is set in the environment of the process that is traced.
const childVariable = "TRANSFERS_SCRIPT"

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		child(scripts[name])
		os.Exit(0)
	}
	if os.Getenv(callVariable) != "" {
		callChild()
	}
	os.Exit(m.Run())
}

// The memory that the two ends share, in pages. The scripts say in the mark what they
// are about to do.
const (
	page      = 4096
	markAt    = 0
	hintsAt   = page
	sleepAt   = 2 * page
	frameAt   = 3 * page
	allSize   = 4 * page
	slots     = 8
	frameSize = urpc.Rings + 2*slots*urpc.Pitch
)

// What a mark says: who acts and what is done, or one of these.
const (
	nobody   = iota
	begin    // what came before was only to get warm
	finish   // the end
	doorbell // who acts would call the kernel to ring
	first    // A acts in even ones, B in odd ones
)

const (
	sendA = first + iota
	receiveB
	nothingA
	pollB
	receiveA
	sendB
	hintA
	wakeB
	_
	sleepB
	operations
)

var names = map[int]string{
	sendA: "send", receiveB: "receive", pollB: "poll", receiveA: "receive_reply", sendB: "reply",
	hintA: "send_and_wake", wakeB: "woken_receive", sleepB: "go_to_sleep",
}

// stage is what a script has at hand.
type stage struct {
	mark  *atomic.Uint64
	ends  [2]urpc.Channel
	board urpc.Board
	bell  urpc.Bell
	buf   [urpc.PayloadSize]byte
}

func at(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// child runs a script when it is told to.
func child(script func(*stage)) {
	debug.SetGCPercent(-1)
	m, err := syscall.Mmap(-1, 0, allSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	base := uintptr(unsafe.Pointer(&m[0]))
	s := &stage{mark: (*atomic.Uint64)(at(base + markAt))}
	s.ends[0].Attach(base+frameAt, frameSize, urpc.A)
	s.ends[1].Attach(base+frameAt, frameSize, urpc.B)
	s.board.Attach(base+hintsAt, base+sleepAt)
	s.bell.Attach(base+hintsAt, base+sleepAt, 77)
	runtime.LockOSThread()
	fmt.Printf("%d %#x\n", syscall.Gettid(), base)
	pin()
	// Raw, so that nobody else takes over meanwhile.
	var told [1]byte
	syscall.RawSyscall(syscall.SYS_READ, 0, uintptr(unsafe.Pointer(&told)), 1)
	script(s)
	s.mark.Store(finish)
}

// The messages that are counted: whole turns of the ring.
const counted = 2 * slots

var scripts = map[string]func(*stage){
	// Messages one way, the receiver close behind.
	"one_way": func(s *stage) {
		out, in := s.ends[0].Sender(), s.ends[1].Receiver()
		for n := range 2*slots + counted {
			if n == 2*slots {
				s.mark.Store(begin)
			}
			s.mark.Store(nothingA)
			s.mark.Store(pollB)
			in.Receive(&s.buf)
			s.mark.Store(sendA)
			out.SendWhole(1, len(s.buf), &s.buf)
			out.NeedsDoorbell()
			s.mark.Store(receiveB)
			_, _, ok := in.Receive(&s.buf)
			in.NeedsDoorbell()
			s.mark.Store(nobody)
			if !ok {
				panic("nothing received")
			}
		}
	},
	// As many messages as there is room for, then all received.
	"bursts": func(s *stage) {
		out, in := s.ends[0].Sender(), s.ends[1].Receiver()
		for n := range (2*slots + counted) / slots {
			if n == 2 {
				s.mark.Store(begin)
			}
			for range slots {
				s.mark.Store(sendA)
				out.SendWhole(1, len(s.buf), &s.buf)
				out.NeedsDoorbell()
				s.mark.Store(nobody)
			}
			for range slots {
				s.mark.Store(receiveB)
				_, _, ok := in.Receive(&s.buf)
				in.NeedsDoorbell()
				s.mark.Store(nobody)
				if !ok {
					panic("nothing received")
				}
			}
		}
	},
	// A message there and one back; each end polls before there is anything.
	"round_trip": func(s *stage) {
		a, b := &s.ends[0], &s.ends[1]
		for n := range 2*slots + counted {
			if n == 2*slots {
				s.mark.Store(begin)
			}
			s.mark.Store(pollB)
			b.Receiver().Receive(&s.buf)
			s.mark.Store(sendA)
			a.Sender().SendWhole(1, len(s.buf), &s.buf)
			a.Sender().NeedsDoorbell()
			s.mark.Store(receiveB)
			b.Receiver().Receive(&s.buf)
			s.mark.Store(sendB)
			b.Sender().SendWhole(1, len(s.buf), &s.buf)
			b.Sender().NeedsDoorbell()
			s.mark.Store(receiveA)
			_, _, ok := a.Receiver().Receive(&s.buf)
			s.mark.Store(nobody)
			if !ok {
				panic("nothing received")
			}
		}
	},
	// A message to an owner that sleeps, and has one channel.
	"wake": func(s *stage) {
		out, in := s.ends[0].Sender(), s.ends[1].Receiver()
		for n := range 2*slots + counted {
			if n == 2*slots {
				s.mark.Store(begin)
			}
			s.mark.Store(sleepB)
			asleep := in.Announce() && s.board.Announce() && !in.Pending()
			s.mark.Store(hintA)
			out.SendWhole(1, len(s.buf), &s.buf)
			if out.PeerWaits() && s.bell.Hint() {
				s.mark.Store(doorbell)
			}
			s.mark.Store(wakeB)
			s.board.Withdraw()
			hint, hinted := s.board.Next()
			_, more := s.board.Next()
			in.Withdraw()
			_, _, ok := in.Receive(&s.buf)
			in.NeedsDoorbell()
			s.mark.Store(nobody)
			if !asleep || !hinted || more || hint != 77 || !ok {
				panic("not woken")
			}
		}
	},
}

// exactly is the slack of a row that must be what is kept.
const exactly = -1

// result is what a script costs.
type result struct {
	instructions [operations][]int
	ring, words  int // lines transferred: of the rings, of all else
	doorbells    int
	unknown      uint64 // where there was an instruction that is not understood
	late         uint64 // where something was written to a slot after its header
}

// startChild starts this program as a child, with a variable in its environment that says
// what it is to do, until the test ends or three minutes have passed. It returns what the child
// hears, and what it says.
func startChild(t *testing.T, variable, value string) (in io.Writer, said *bufio.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), variable+"="+value, "GODEBUG=asyncpreemptoff=1", "GOCOVERDIR="+t.TempDir())
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		command.Wait()
	})
	return in, bufio.NewReader(out)
}

// play has a script run one instruction at a time.
func play(t *testing.T, name string) *result {
	t.Helper()
	in, said := startChild(t, childVariable, name)
	var thread int
	var base uint64
	if _, err := fmt.Fscanf(said, "%d %v\n", &thread, &base); err != nil {
		t.Fatalf("the child says nothing: %v", err)
	}
	var r result
	var caches Caches
	var rings, rest Count // of both cores, from begin on
	now, instructions, published := nobody, counter{}, false
	release := func() error { _, err := in.Write([]byte{1}); return err }
	err := Trace(thread, release, func(s *Step) bool {
		if s.Unknown && now >= first {
			r.unknown = s.Address
		}
		if now >= first {
			instructions.see(s.Address)
		}
		for _, a := range s.Accesses {
			switch {
			case a.Address == base+markAt && a.Write:
				switch mark := int(s.Stored()); mark {
				case begin:
					r, rings, rest = result{}, Count{}, Count{}
				case finish:
					return false
				case doorbell:
					r.doorbells++
				default:
					if now >= first {
						r.add(now, instructions.count)
					}
					now, instructions, published = mark, counter{}, false
				}
			case now >= first && a.Address >= base && a.Address < base+allSize:
				before := caches.All().Transfers
				caches.Access(now%2, a.Address, a.Size, a.Write)
				if a.Write && a.Address >= base+frameAt+urpc.Rings {
					if published {
						r.late = s.Address
					}
					published = a.Address%urpc.SlotSize == urpc.PayloadSize
				}
				if n := caches.All().Transfers - before; a.Address >= base+frameAt+urpc.Rings {
					rings.Transfers += n
				} else {
					rest.Transfers += n
				}
			}
		}
		return true
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if r.unknown != 0 {
		t.Fatalf("%s: the instruction at %#x is not understood", name, r.unknown)
	}
	if r.late != 0 {
		t.Fatalf("%s: the instruction at %#x writes to a slot whose header has been written", name, r.late)
	}
	r.ring, r.words = rings.Transfers, rest.Transfers
	return &r
}

// TestCounts holds what messages cost to testdata/counts.txt. To accept new counts:
//
//	go test ./test/transfers -update
func TestCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("traces a process")
	}
	file := filepath.Join("testdata", "counts.txt")
	kept := map[string]float64{}
	text, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	compiler := ""
	for l := range strings.Lines(string(text)) {
		var name string
		var value float64
		if rest, ok := strings.CutPrefix(l, "# "); ok {
			compiler = strings.TrimSpace(rest)
		} else if _, err := fmt.Sscan(l, &name, &value); err == nil {
			kept[name] = value
		}
	}
	var rows []string
	// A row is held to what is kept: exactly, or, if slack is not below 0, to at most that and
	// the slack.
	row := func(name string, value, slack float64) {
		t.Helper()
		rows = append(rows, fmt.Sprintf("%s %.6g", name, value))
		want, ok := kept[name]
		switch {
		case *update:
		case !ok:
			t.Errorf("%s is %g, and none is kept", name, value)
		case slack < 0 && value != want:
			t.Errorf("%s is %g, want %g", name, value, want)
		case slack >= 0 && compiler == runtime.Version() && value > want+slack:
			// Another compiler makes other code: its counts are not to be judged.
			t.Errorf("%s is %g, more than the %g kept", name, value, want)
		}
	}
	for _, script := range slices.Sorted(func(yield func(string) bool) {
		for name := range scripts {
			if !yield(name) {
				return
			}
		}
	}) {
		r := play(t, script)
		row(script+"_ring_transfers", float64(r.ring)/counted, exactly)
		row(script+"_other_transfers", float64(r.words)/counted, exactly)
		row(script+"_doorbells", float64(r.doorbells)/counted, exactly)
		for operation, name := range names {
			if n := r.instructions[operation]; n != nil {
				row(script+"_"+name+"_instructions", float64(slices.Min(n)), 0)
			}
		}
	}
	callRows(t, row)
	if *update {
		slices.Sort(rows)
		if err := os.WriteFile(file, []byte("# "+runtime.Version()+"\n"+strings.Join(rows, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range rows {
		t.Log(r)
	}
}

func (r *result) add(operation, instructions int) {
	r.instructions[operation] = append(r.instructions[operation], instructions)
}

// counter counts the instructions of package urpc. Where the Go runtime wants a
// goroutine to make way, which it says at the beginning of a function, that begins again
// afterwards: the first try does not count.
type counter struct {
	count   int
	entered int // the count when the last function began
	again   bool
}

func (c *counter) see(address uint64) {
	p := placeOf(address)
	switch {
	case p.makesWay:
		c.again = true
	case p.entry && c.again:
		c.count, c.again = c.entered, false
	case p.entry:
		c.entered = c.count
	}
	if p.urpc {
		c.count++
	}
}

// place is what there is to know of an instruction's address.
type place struct {
	urpc     bool // in a function of package urpc, or in one that was inlined from there
	entry    bool // the first of a function
	makesWay bool
}

var places = map[uint64]place{}

func placeOf(address uint64) place {
	p, ok := places[address]
	if ok {
		return p
	}
	// The child is the same program as this.
	if f := runtime.FuncForPC(uintptr(address)); f != nil {
		p.makesWay = strings.HasPrefix(f.Name(), "runtime.morestack")
		frames := runtime.CallersFrames([]uintptr{uintptr(address) + 1})
		for more := true; more && !p.urpc; {
			var f runtime.Frame
			f, more = frames.Next()
			p.urpc = strings.HasPrefix(f.Function, "skerry/lib/urpc.")
		}
	}
	p.entry = p.urpc && runtime.FuncForPC(uintptr(address)).Entry() == uintptr(address)
	places[address] = p
	return p
}
