package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"skerry/lib/urpc"
)

// roleVariable is set in the environment of the other process.
const roleVariable = "URPC_PEER"

// The shared mapping: words and lines for the rows that need no channel, then the
// frames of a channel for calls and of a deep one.
const (
	wordsSize  = 4096
	callSlots  = 8 // enough for who waits for each answer
	callSize   = urpc.Rings + 2*callSlots*urpc.Pitch
	firstExtra = 4 // the file descriptors after the mapping's
)

// end is what one of the two processes has in hand.
type end struct {
	words   uintptr // wordsSize bytes
	calls   uintptr // callSize bytes: the frame of call
	call    urpc.Channel
	frame   uintptr // the frame of channel
	size    int     // of it
	channel urpc.Channel
	side    urpc.Side

	files    [fileCount]int // of the rivals: see rivals.go
	channels goChannels
	together bool // both are on one processor
}

// attach maps the shared memory behind a file descriptor.
func attach(fd, depth int) (*end, error) {
	size := urpc.FrameSize(depth)
	m, err := unix.Mmap(fd, 0, wordsSize+callSize+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("map the shared memory: %w", err)
	}
	base := uintptr(unsafe.Pointer(&m[0]))
	return &end{words: base, calls: base + wordsSize, frame: base + wordsSize + callSize, size: size, channels: newGoChannels(depth)}, nil
}

// pin keeps the calling goroutine on a processor.
func pin(cpu int) error {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("run on processor %d: %w; name two that there are with -cpu and -peer", cpu, err)
	}
	return nil
}

// peer is the other process as seen from this one.
type peer struct {
	*end
	there   int // its processor
	command *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
}

// start starts the other process.
func start(here, there, depth int) (*peer, error) {
	shared, err := unix.MemfdCreate("urpc", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make shared memory: %w", err)
	}
	if err := unix.Ftruncate(shared, int64(wordsSize+callSize+urpc.FrameSize(depth))); err != nil {
		return nil, fmt.Errorf("make shared memory: %w", err)
	}
	p := &peer{there: there}
	if p.end, err = attach(shared, depth); err != nil {
		return nil, err
	}
	p.together = here == there
	extra := []*os.File{os.NewFile(uintptr(shared), "shared memory")}
	ours, theirs, err := openFiles()
	if err != nil {
		return nil, err
	}
	p.files = ours
	for _, fd := range theirs {
		extra = append(extra, os.NewFile(uintptr(fd), "rival"))
	}
	p.command = exec.Command("/proc/self/exe", os.Args[1:]...)
	p.command.Env = append(os.Environ(), roleVariable+"=1")
	p.command.Stderr = os.Stderr
	p.command.ExtraFiles = extra
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.orders, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	answers, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = bufio.NewReader(answers)
	// A locked thread first: the other process is to die with this one, and that
	// means with the thread that started it.
	if err := pin(here); err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start the other process: %w", err)
	}
	return p, nil
}

func (p *peer) stop() {
	p.orders.Close()
	p.command.Wait()
}

// tooLong is after what time a run is given up.
const tooLong = 30 * time.Second

// nap is after what time the other end sleeps, if it does.
const nap = 3 * time.Millisecond

// run runs a row n times and returns how long that took.
func (p *peer) run(r *row, n int) (time.Duration, error) {
	// Whoever polls for what never comes cannot be told so.
	guard := time.AfterFunc(tooLong, func() {
		fmt.Fprintf(os.Stderr, "urpc: %s: %d times in more than %v: given up\n", r.name, n, tooLong)
		os.Exit(1)
	})
	defer guard.Stop()
	p.fresh(urpc.A)
	done := func() error { return nil }
	var err error
	switch {
	case r.local:
		done, err = p.beside(r, n)
	case r.there != nil:
		_, err = fmt.Fprintf(p.orders, "%s %d\n", r.name, n)
		err = errors.Join(err, p.hear("ready"))
		done = func() error { return p.hear("done") }
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", r.name, err)
	}
	if r.naps {
		time.Sleep(nap)
	}
	began := time.Now()
	err = r.here(p.end, n)
	took := time.Since(began)
	if err == nil {
		err = done()
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", r.name, err)
	}
	return took, nil
}

// beside starts the other end of a row in a thread of this process, on the other one's
// processor, and returns what waits for its end.
func (p *peer) beside(r *row, n int) (done func() error, err error) {
	ready, over := make(chan error), make(chan error, 1)
	go func() {
		// The thread ends with the goroutine, since it stays locked.
		err := pin(p.there)
		ready <- err
		if err == nil {
			over <- r.there(p.end, n)
		}
	}()
	return func() error { return <-over }, <-ready
}

func (p *peer) hear(want string) error {
	line, err := p.answers.ReadString('\n')
	if err != nil {
		return fmt.Errorf("the other process is gone: %w", err)
	}
	if got := strings.TrimSpace(line); got != want {
		return fmt.Errorf("the other process says %q, not %q", got, want)
	}
	return nil
}

// calibrate returns how often a row runs in about that time.
func (p *peer) calibrate(r *row, budget time.Duration) (int, error) {
	if r.naps {
		return 1, nil
	}
	for n := 256; ; n *= 4 {
		took, err := p.run(r, n)
		if err != nil {
			return 0, err
		}
		if took > budget/8 {
			return max(n, int(float64(n)*float64(budget)/float64(took))), nil
		}
	}
}

// fresh makes the shared memory what it is before a run. The other process waits
// for an order meanwhile.
func (e *end) fresh(side urpc.Side) {
	if side == urpc.A {
		urpc.Format(e.words, wordsSize+callSize+e.size)
	}
	e.side = side
	e.call.Attach(e.calls, callSize, side)
	e.channel.Attach(e.frame, e.size, side)
}

// serve is the other process: it does what it is told.
func serve(here, there, depth int) error {
	e, err := attach(3, depth)
	if err != nil {
		return err
	}
	e.together = here == there
	for i := range e.files {
		e.files[i] = firstExtra + i
	}
	if err := pin(there); err != nil {
		return err
	}
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		var name string
		var n int
		if _, err := fmt.Sscan(orders.Text(), &name, &n); err != nil {
			return fmt.Errorf("order %q: %w", orders.Text(), err)
		}
		chosen, err := choose([]string{name})
		if err != nil {
			return err
		}
		e.fresh(urpc.B)
		fmt.Println("ready")
		if err := chosen[0].there(e, n); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println("done")
	}
	return orders.Err()
}
