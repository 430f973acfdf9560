package main

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/abi/linux"
	"skerry/carrier"
)

// exitRefused is the exit code of a program that the libos cannot start: that
// of shells for what cannot be executed.
const exitRefused = 126

// message is a line that is put together without a heap.
type message struct {
	text [240]byte
	n    int
}

func (m *message) add(s string) { m.n += copy(m.text[m.n:], s) }

func (m *message) number(v, base uint64) {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = "0123456789abcdef"[v%base]
		v /= base
		if v == 0 {
			break
		}
	}
	m.n += copy(m.text[m.n:], digits[i:])
}

// log appends the line to the CPU driver's log, if the domain may.
func (m *message) log() { logLine(addressOf(&m.text), uint64(m.n)) }

// logLine appends n bytes, at most 256, to the CPU driver's log, which ends the
// line itself. A domain that was not given the log says nothing there.
func logLine(address, n uint64) {
	invoke(capability.Word(capability.Base(capability.SlotLog), capability.KernelLog), address, n, 0, 0, 0)
}

// say sends the line to the spawner, and to the CPU driver's log if there is no
// room for it there.
func (m *message) say() {
	if spanned.satellite {
		words = *m
		return
	}
	f := fileLayer()
	if m.n == len(m.text) {
		m.n--
	}
	m.text[m.n] = '\n'
	if f.Notice(m.text[:m.n+1]) != m.n+1 {
		m.log()
	}
	ring(f)
}

// words is what a satellite has said last: home says it for it when the domain
// ends.
var words message

// sayFor says what another dispatcher wanted to say.
func sayFor(text []byte) {
	if len(text) > 0 {
		var m message
		m.n = copy(m.text[:], text)
		m.say()
	}
}

// end ends the domain. A satellite has home do that, and stands still.
func end(kind, code uint64) {
	for spanned.satellite {
		spanned.frame.End(uint32(kind), code, words.text[:words.n])
		ringOthers()
		dispatcher().HasWork = 0
		native(abi.CallWait, 0, 0)
	}
	if traced() {
		traceUnknown()
	}
	for {
		native(abi.CallExit, kind, code)
	}
}

func exitWithCode(code uint64) { end(abi.ExitCode, code&0xff) }
func exitBySignal(signal int)  { end(abi.ExitSignal, uint64(signal)) }

// fail ends a domain that cannot go on for a reason that is not its program's.
func fail(why string) {
	var m message
	m.add("libos: ")
	m.add(why)
	m.log()
	m.say()
	end(abi.ExitCode, exitRefused)
}

// refuse ends the domain of a program that cannot be started.
func refuse(path, why string) {
	var m message
	m.add(path)
	m.add(" ")
	m.add(why)
	m.say()
	end(abi.ExitCode, exitRefused)
}

// traceUnknown names the Linux calls that were not served.
func traceUnknown() {
	for number := range uint64(len(unknown)) {
		n := unknown[number]
		if n == 0 {
			continue
		}
		var m message
		m.add("linux call ")
		if name := linux.CallName(number); name != "" {
			m.add(name)
			m.add(" (")
			m.number(number, 10)
			m.add(")")
		} else if number == linux.NumCalls {
			m.add("of a higher number than any known")
		} else {
			m.number(number, 10)
		}
		m.add(" is not served: asked for ")
		m.number(uint64(n), 10)
		m.add(" times")
		m.say()
	}
}

// signalName returns the name of one of the signals that exceptions cause.
func signalName(signal int) string {
	switch signal {
	case linux.SIGSEGV:
		return "SIGSEGV"
	case linux.SIGBUS:
		return "SIGBUS"
	case linux.SIGFPE:
		return "SIGFPE"
	case linux.SIGILL:
		return "SIGILL"
	case linux.SIGTRAP:
		return "SIGTRAP"
	}
	return "signal"
}

// reportFault says where a program died of an exception.
func reportFault(signal int, th *carrier.Thread, address uint64) {
	var m message
	m.add(signalName(signal))
	m.add(" at pc=0x")
	m.number(th.Regs.RIP, 16)
	m.add(" address=0x")
	m.number(address, 16)
	m.say()
}
