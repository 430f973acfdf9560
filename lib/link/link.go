// Package link is the protocol between the host command and the monitor of
// core 0 over the machine's second serial port: frames of an 8-byte header and
// a payload, in both directions.
//
//	byte 0     'S'
//	byte 1     kind
//	bytes 2-3  core       (little endian, as all numbers here)
//	bytes 4-5  program    (index in the manifest; None where there is none)
//	bytes 6-7  length of the payload that follows
//
// The line neither loses nor alters bytes, so there is no resynchronization:
// the first frame that breaks a rule ends the conversation. The serial port
// holds back a sender only at its FIFO; so that input for a program that does
// not read never blocks the frames behind it, the host may send no more Stdin
// bytes to a program than the guest has granted it by Window frames.
//
// The host command and the monitor import it; it imports the standard library
// and abi alone, and must never know what the line is made of.
package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// Kind is what a frame says.
type Kind uint8

// Kinds of frames. The guest speaks first, with Hello, and last, with Bye.
const (
	// Hello opens the conversation (guest to host). Payload: JSON of Greeting.
	Hello Kind = 1 + iota
	// Started says that a program runs (guest to host). Payload: its domain
	// number, 4 bytes.
	Started
	// Failed says that a program could not be started and will have no other
	// frames (guest to host). Payload: the reason, text.
	Failed
	// Stdout and Stderr carry what a program wrote (guest to host).
	Stdout
	Stderr
	// Window grants a program's input more bytes (guest to host). Payload:
	// how many, 4 bytes; they add up.
	Window
	// Stdin carries input for a program (host to guest).
	Stdin
	// StdinEOF ends a program's input (host to guest). No payload, and it
	// needs no grant.
	StdinEOF
	// Exit says how a program ended; no frame of that program follows (guest
	// to host). Payload: an End; see AppendEnd.
	Exit
	// Kill asks for the end of a program, or of all with None (host to
	// guest). No payload. The guest answers with Exit as for any other end.
	Kill
	// Log is one line of the guest's log, without its end (guest to host).
	Log
	// Info is the summary of the machine (guest to host). Payload: JSON of
	// Summary.
	Info
	// Bye is the guest's last frame: it powers off next. No payload.
	Bye
	lastKind = Bye
)

var kindNames = [lastKind + 1]string{
	Hello: "hello", Started: "started", Failed: "failed", Stdout: "stdout", Stderr: "stderr",
	Window: "window", Stdin: "stdin", StdinEOF: "stdin-eof", Exit: "exit", Kill: "kill",
	Log: "log", Info: "info", Bye: "bye",
}

// String returns the kind's name.
func (k Kind) String() string {
	if k >= Hello && k <= lastKind {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// None stands for the program, or the core, of a frame that concerns no one.
const None = 0xffff

// Sizes in bytes.
const (
	HeaderSize = 8
	// MaxPayload bounds the payload of a frame.
	MaxPayload = 0xffff
)

const magic = 'S'

// Frame is one message. The payload of a frame that a Reader returned is valid
// until its next call.
type Frame struct {
	Kind    Kind
	Core    uint16
	Program uint16
	Payload []byte
}

// FormatError says that what came in is no frame. It ends the conversation.
type FormatError struct {
	Offset int64 // of the frame in the stream, bytes
	Reason string
}

// Error returns the reason and where.
func (e *FormatError) Error() string {
	return fmt.Sprintf("link: bad frame at byte %d: %s", e.Offset, e.Reason)
}

// sizeError returns what is wrong with n bytes of payload for a frame of kind
// k, or "".
func sizeError(k Kind, n int) string {
	var want int
	switch k {
	case StdinEOF, Kill, Bye:
		want = 0
	case Window, Started:
		want = 4
	case Exit:
		want = EndSize
	default:
		return ""
	}
	if n == want {
		return ""
	}
	return fmt.Sprintf("%v frame of %d bytes, not %d", k, n, want)
}

// Reader reads frames. It is not safe for concurrent use.
type Reader struct {
	r      io.Reader
	offset int64
	buf    []byte
	err    error
}

// NewReader returns a Reader of r. It reads no further than the frame asked
// for, in two reads a frame: give it a bufio.Reader where reads cost.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next blocks until it has a frame. It returns io.EOF when the stream ends
// between frames, io.ErrUnexpectedEOF when it ends inside one, a *FormatError
// when what comes is not a frame, or the error of the stream. An error is
// returned again by every later call.
func (r *Reader) Next() (Frame, error) {
	if r.err != nil {
		return Frame{}, r.err
	}
	f, err := r.next()
	r.err = err
	return f, err
}

func (r *Reader) next() (Frame, error) {
	var h [HeaderSize]byte
	if _, err := io.ReadFull(r.r, h[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{
		Kind:    Kind(h[1]),
		Core:    binary.LittleEndian.Uint16(h[2:]),
		Program: binary.LittleEndian.Uint16(h[4:]),
	}
	n := int(binary.LittleEndian.Uint16(h[6:]))
	reason := ""
	switch {
	case h[0] != magic:
		reason = fmt.Sprintf("starts with %#02x, not %#02x", h[0], byte(magic))
	case f.Kind < Hello || f.Kind > lastKind:
		reason = "unknown " + f.Kind.String()
	default:
		reason = sizeError(f.Kind, n)
	}
	if reason != "" {
		return Frame{}, &FormatError{r.offset, reason}
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, max(n, 4096))
	}
	f.Payload = r.buf[:n]
	if _, err := io.ReadFull(r.r, f.Payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	r.offset += int64(HeaderSize + n)
	return f, nil
}

// Writer writes frames. It is safe for concurrent use: frames never mix.
type Writer struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte
	err error
}

// NewWriter returns a Writer to w. Each frame is one Write.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes one frame. It blocks as long as the stream does. After an error
// of the stream every later call returns that error, since half a frame may
// have gone out.
func (w *Writer) Write(f Frame) error {
	if f.Kind < Hello || f.Kind > lastKind {
		return fmt.Errorf("link: %v cannot be sent", f.Kind)
	}
	if len(f.Payload) > MaxPayload {
		return fmt.Errorf("link: %v frame of %d bytes, at most %d fit", f.Kind, len(f.Payload), MaxPayload)
	}
	if s := sizeError(f.Kind, len(f.Payload)); s != "" {
		return fmt.Errorf("link: %s", s)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	b := append(w.buf[:0], magic, byte(f.Kind))
	b = binary.LittleEndian.AppendUint16(b, f.Core)
	b = binary.LittleEndian.AppendUint16(b, f.Program)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(f.Payload)))
	w.buf = append(b, f.Payload...)
	_, w.err = w.w.Write(w.buf)
	return w.err
}

// WriteStream writes p as frames of at most max payload bytes each; max is at
// most MaxPayload. Frames of other writers may come between them.
func (w *Writer) WriteStream(kind Kind, core, program uint16, p []byte, max int) error {
	for len(p) > 0 {
		n := min(len(p), max)
		if err := w.Write(Frame{kind, core, program, p[:n]}); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}
