package wait

import (
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// TestCourtesy has a goroutine that never lacks a message on the only processor: one that could
// run beside it does, and one that is hinted does at once.
func TestCourtesy(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s, o, received := waiting(t)
	var turns atomic.Int32
	var over atomic.Bool
	defer over.Store(true)
	go func() {
		for !over.Load() {
			turns.Add(1)
			runtime.Gosched()
		}
	}()

	var c Courtesy
	for range 1000 * courteous {
		c.Received(s)
	}
	if n := turns.Load(); n < 500 {
		t.Errorf("who could run has had %d turns beside %d messages", n, 1000*courteous)
	}
	o.sent.Add(1)
	o.bell.Hint() // nobody rings
	for n := 0; ; n++ {
		c.Received(s)
		select {
		case err := <-received:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			if n == 10*courteous {
				t.Fatalf("who was hinted has not run beside %d messages", n)
			}
		}
	}
}

// TestCourtesyAmongSeveral has a goroutine that never lacks a message beside one that is hinted,
// where both can run at a time.
func TestCourtesyAmongSeveral(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	s, o, received := waiting(t)
	o.sent.Add(1)
	o.bell.Hint() // nobody rings
	receiveUntil(t, s, received, "who was hinted")
}

// TestCourtesyToFiles is TestCourtesy for a goroutine that waits for a file, which the
// runtime has to look at.
func TestCourtesyToFiles(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	to := int(w.Fd())
	read := make(chan error, 1)
	go func() {
		_, err := r.Read(make([]byte, 1))
		read <- err
	}()
	// What looks at files is asleep once nothing has run for a while, and stays so if the end
	// of that is no call of the kernel's: another process wakes this one.
	gate, opened, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	command := exec.Command("sh", "-c", "sleep 0.1; echo")
	command.Stdout = opened
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Wait()
	conn, err := gate.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	looks := 0
	if err := conn.Read(func(uintptr) bool { looks++; return looks == 2 }); err != nil {
		t.Fatal(err)
	}
	var one = [1]byte{1}
	// The runtime must not know of this call.
	if _, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(to), uintptr(unsafe.Pointer(&one)), 1); errno != 0 {
		t.Fatal(errno)
	}
	receiveUntil(t, nil, read, "who waits for a file")
}

// waiting returns a Set at which a goroutine waits for o, and where it says what came of that.
func waiting(t *testing.T) (s *Set, o *source, received chan error) {
	b := newBoard()
	s, _ = open(t, b)
	o = add(t, s, b)
	received = make(chan error, 1)
	go func() { received <- o.receive(t.Context()) }()
	for o.announced.Load() == 0 {
		runtime.Gosched()
	}
	return s, o, received
}

// receiveUntil never lacks a message until somebody else is done, who is to have run within 10 s.
func receiveUntil(t *testing.T, s *Set, done <-chan error, who string) {
	var c Courtesy
	for late := time.Now().Add(10 * time.Second); ; {
		c.Received(s)
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			if time.Now().After(late) {
				t.Fatal(who + " has not run in 10 s of messages")
			}
		}
	}
}
