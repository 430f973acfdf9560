package session

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"skerry/lib/link"
)

// talk is the conversation with the monitor of core 0.
type talk struct {
	conn     io.ReadWriter
	start    time.Time // of the machine
	programs []Program
	stdout   io.Writer
	stderr   io.Writer
	log      func(core int, line string)
	writer   *link.Writer

	mu      sync.Mutex
	result  Result
	windows []chan int // bytes granted, by program
	said    bool       // Hello has come

	hello chan struct{} // closed when the guest has said Hello
	// ended gets a program's number when it has ended. Buffered for all.
	ended chan int
	done  chan struct{} // closed at the end of the conversation
	err   error         // why it ended; nil after Bye
}

func newTalk(c *Config, conn io.ReadWriter, start time.Time) *talk {
	t := &talk{
		conn: conn, start: start, writer: link.NewWriter(conn),
		programs: c.Programs, stdout: c.Stdout, stderr: c.Stderr, log: c.Log,
		hello: make(chan struct{}), ended: make(chan int, len(c.Programs)), done: make(chan struct{}),
	}
	t.result.Outcomes = make([]Outcome, len(c.Programs))
	t.windows = make([]chan int, len(c.Programs))
	for i := range t.windows {
		t.windows[i] = make(chan int, 64)
	}
	return t
}

// run holds the conversation until its end.
func (t *talk) run() {
	defer close(t.done)
	r := link.NewReader(bufio.NewReaderSize(t.conn, 64<<10))
	for i := range t.programs {
		if in := t.programs[i].Stdin; in != nil {
			go t.feed(i, in)
		}
	}
	for {
		f, err := r.Next()
		if err == nil {
			err = t.handle(f)
		}
		if err != nil {
			t.err = err
			return
		}
		if f.Kind == link.Bye {
			t.mu.Lock()
			t.result.Bye = true
			t.mu.Unlock()
			return
		}
	}
}

// outputError says that what a program wrote cannot be passed on.
type outputError struct {
	stream string
	err    error
}

func (e *outputError) Error() string { return e.stream + ": " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

func (t *talk) handle(f link.Frame) error {
	if !t.said && f.Kind != link.Hello {
		return fmt.Errorf("the guest begins with a %v frame, not hello", f.Kind)
	}
	var o *Outcome
	i := int(f.Program)
	switch f.Kind {
	case link.Started, link.Failed, link.Stdout, link.Stderr, link.Window, link.Exit:
		if i >= len(t.programs) {
			return fmt.Errorf("a %v frame for program %d of %d", f.Kind, i, len(t.programs))
		}
		o = &t.result.Outcomes[i]
	}
	// Writing may block for as long as the reader of our output likes, so it
	// happens outside the lock.
	switch f.Kind {
	case link.Stdout:
		if _, err := t.stdout.Write(f.Payload); err != nil {
			return &outputError{"standard output", err}
		}
		return nil
	case link.Stderr:
		if _, err := t.stderr.Write(f.Payload); err != nil {
			return &outputError{"standard error", err}
		}
		return nil
	case link.Log:
		if t.log != nil {
			t.log(int(f.Core), string(f.Payload))
		}
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch f.Kind {
	case link.Hello:
		g, err := link.ParseGreeting(f.Payload)
		if err != nil {
			return err
		}
		if t.said {
			return errors.New("the guest says hello twice")
		}
		t.said = true
		t.result.Greeting = g
		t.result.ReadyAfter = time.Since(t.start)
		close(t.hello)
	case link.Started:
		o.Started = true
	case link.Failed:
		o.Ended, o.Failed = true, string(f.Payload)
		t.ended <- i
	case link.Window:
		select {
		case t.windows[i] <- int(link.ParseWindow(f.Payload)):
		default:
			// More grants than the guest has reason to give are dropped with
			// a program that takes no input; one that does takes them faster.
			if t.programs[i].Stdin != nil {
				return fmt.Errorf("too many grants of input for program %d", i)
			}
		}
	case link.Exit:
		if o.Ended {
			return fmt.Errorf("program %d ends twice", i)
		}
		end, err := link.ParseEnd(f.Payload)
		if err != nil {
			return err
		}
		o.Ended, o.End = true, end
		close(t.windows[i])
		t.ended <- i
	case link.Info:
		s, err := link.ParseSummary(f.Payload)
		if err != nil {
			return err
		}
		t.result.Summary = &s
	case link.Bye:
	default:
		return fmt.Errorf("the guest sends a %v frame", f.Kind)
	}
	return nil
}

// maxInput is the most input that one frame carries.
const maxInput = 4096

// feed sends a program's input as far as the guest grants it. It ends with the
// input or with the program. A read that blocks for ever holds up nothing else.
func (t *talk) feed(i int, in io.Reader) {
	core := uint16(t.programs[i].Core)
	buf := make([]byte, maxInput)
	granted := 0
	for {
		for granted == 0 {
			select {
			case n, ok := <-t.windows[i]:
				if !ok {
					return
				}
				granted += n
			case <-t.done:
				return
			}
		}
		n, err := in.Read(buf[:min(granted, len(buf))])
		if n > 0 {
			if t.writer.Write(link.Frame{Kind: link.Stdin, Core: core, Program: uint16(i), Payload: buf[:n]}) != nil {
				return // the reader of the link says why
			}
			granted -= n
		}
		if err != nil {
			// Input that cannot be read ends: there is no frame for its error.
			_ = t.writer.Write(link.Frame{Kind: link.StdinEOF, Core: core, Program: uint16(i)})
			return
		}
	}
}

// killAll asks the guest to end all programs. It does not block.
func (t *talk) killAll() {
	go t.writer.Write(link.Frame{Kind: link.Kill, Core: link.None, Program: link.None})
}

// snapshot returns what is known by now.
func (t *talk) snapshot() Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.result
	r.Outcomes = append([]Outcome(nil), r.Outcomes...)
	return r
}

// Outcome is what became of a program.
type Outcome struct {
	Started bool
	Ended   bool
	Failed  string // why it could not be started
	link.End
}
