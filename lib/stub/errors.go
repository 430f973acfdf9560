package stub

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// RemoteError is an error of the other end that is none of those that the interface
// declares, or is wrapped around one of them.
type RemoteError struct {
	Method string // as people call it: Store.Get
	Text   string // of the error there, at most MaxText bytes of it
	Err    error  // the declared error, context.Canceled or context.DeadlineExceeded; nil if it is none
}

// Error returns what the other end said.
func (e *RemoteError) Error() string { return fmt.Sprintf("%s: %s", e.Method, e.Text) }

// Unwrap returns the declared error that it is, if any.
func (e *RemoteError) Unwrap() error { return e.Err }

// Codes of errors. Those that an interface declares follow.
const (
	codeNone = iota
	codeOther
	codeCanceled
	codeDeadline
	codeDeclared
)

// failure appends an error as its code and, unless the code says all, its text.
func (e *Encoder) failure(s *Spec, err error) {
	if err == nil {
		e.Uint16(codeNone)
		return
	}
	code, known := uint16(codeOther), error(nil)
	switch {
	case errors.Is(err, context.Canceled):
		code, known = codeCanceled, context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code, known = codeDeadline, context.DeadlineExceeded
	}
	for i, declared := range s.Errors {
		if errors.Is(err, declared) {
			code, known = uint16(codeDeclared+i), declared
			break
		}
	}
	e.Uint16(code)
	if err != known {
		e.b = append(e.b, cut(err.Error(), MaxText)...)
	}
}

// cut returns the first n bytes of a text, or less, so that it ends with a whole
// character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// decodeFailure returns the error that failure wrote, nil for none.
func decodeFailure(s *Spec, m *Method, b []byte) error {
	if len(b) < codeSize {
		return &RemoteError{Method: m.Name, Text: "an error that it did not say"}
	}
	// An implementation that returns the error of the stream that it consumes says the method already.
	code, text := binary.LittleEndian.Uint16(b), strings.TrimPrefix(string(b[codeSize:]), m.Name+": ")
	var known error
	switch i := int(code) - codeDeclared; {
	case code == codeNone:
		return nil
	case code == codeCanceled:
		known = context.Canceled
	case code == codeDeadline:
		known = context.DeadlineExceeded
	case i >= 0 && i < len(s.Errors):
		known = s.Errors[i]
	}
	if known != nil && text == "" {
		return known
	}
	return &RemoteError{Method: m.Name, Text: text, Err: known}
}
