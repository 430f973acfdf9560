package console

import (
	"unsafe"

	"skerry/kernel/amd64"
)

// The serial ports; only the owner core sets them up.
var (
	COM1, COM2 amd64.Serial
	owner      bool
)

// Whom to interrupt when the outbox has something; set by SetOwnerAPIC.
var (
	ownerAPIC uint32
	canWake   bool
)

// Lines counts the lines this core has logged.
var Lines uint64

// lineSize bounds a line of the log; longer ones are cut into several.
const lineSize = 240

// line is the one being put together, with room for its prefix and end.
var (
	line    [lineSize + 64]byte
	lineLen int
)

// SetupOwner makes this core the owner of the console.
func SetupOwner() {
	owner = COM1.Setup(0x3f8)
	COM2.Setup(0x2f8)
}

// SetOwnerAPIC tells a core that is not the owner whom to interrupt when it
// has put something into its outbox.
func SetOwnerAPIC(id uint32) { ownerAPIC, canWake = id, true }

// WriteBytes adds text to the log. Whole lines are passed on as they end.
func WriteBytes(b []byte) {
	for _, c := range b {
		if c == '\n' {
			Flush()
			continue
		}
		if lineLen == lineSize {
			Flush()
		}
		Byte(c)
	}
}

// Write adds text to the log.
func Write(s string) { WriteBytes(unsafe.Slice(unsafe.StringData(s), len(s))) }

// Number adds a number in decimal to the log.
func Number(v uint64) {
	var d [20]byte
	i := len(d)
	for {
		i--
		d[i&31%20] = byte('0' + v%10)
		v /= 10
		if v == 0 {
			break
		}
	}
	for ; i < len(d); i++ {
		Byte(d[i])
	}
}

// Hex adds a number in hexadecimal to the log.
func Hex(v uint64) {
	Write("0x")
	started := false
	for s := 60; s >= 0; s -= 4 {
		n := v >> uint(s) & 15
		if n != 0 || started || s == 0 {
			started = true
			Byte("0123456789abcdef"[n])
		}
	}
}

// Value adds a name and a number in hexadecimal to the log.
func Value(name string, v uint64) {
	Write(name)
	Hex(v)
}

// Begin ends the line being put together and starts one with a prefix of its
// own instead of the usual.
func Begin(prefix string) {
	if lineLen > 0 {
		Flush()
	}
	lineLen = copy(line[:lineSize], prefix)
}

// Byte adds a byte, not the end of a line, to the log.
func Byte(c byte) {
	if lineLen == 0 {
		prefix()
	}
	if lineLen < len(line)-2 {
		line[lineLen] = c
		lineLen++
	}
}

// prefix starts a line with whose it is.
func prefix() {
	lineLen = copy(line[:], "skerry: core ")
	n := self
	if n >= 100 {
		line[lineLen] = byte('0' + n/100)
		lineLen++
	}
	if n >= 10 {
		line[lineLen] = byte('0' + n/10%10)
		lineLen++
	}
	line[lineLen] = byte('0' + n%10)
	line[lineLen+1] = ':'
	line[lineLen+2] = ' '
	lineLen += 3
}

// Flush ends the line being put together and passes it on.
func Flush() {
	if lineLen == 0 {
		prefix()
	}
	line[lineLen] = '\r'
	line[lineLen+1] = '\n'
	b := line[:lineLen+2]
	lineLen = 0
	Lines++
	if owner {
		for COM1.Room() < len(b) {
			before := COM1.Room()
			COM1.Pump()
			if COM1.Room() == before {
				break // the far end takes nothing: the line is lost
			}
		}
		if COM1.Room() >= len(b) {
			COM1.Write(b)
		}
		COM1.Pump()
		return
	}
	if outboxes == 0 {
		return
	}
	for !put(b) {
		if !last || patience == 0 {
			mine().Lost++
			return
		}
		patience--
		amd64.Pause()
	}
	if canWake {
		amd64.SendIPI(ownerAPIC, amd64.VectorLog)
	}
}

// last says that what is logged are last words, which wait for room in the
// outbox; patience is how often they still ask for it.
var (
	last     bool
	patience = 20_000_000
)

// LastWords makes the log wait for the owner to make room in the outbox, though
// not for ever: the kernel is ending, and says why.
func LastWords() { last = true }

// transfer holds bytes on their way from an outbox to the port.
var transfer [512]byte

// Collect moves what the other cores' outboxes hold to the port, on the
// owner, as far as the port's buffer has room for whole transfers. cores is
// how many there are.
func Collect(cores uint32) {
	for c := uint32(1); c < cores; c++ {
		for range RingSize/len(transfer) + 1 {
			if COM1.Room() < len(transfer) {
				COM1.Pump()
				if COM1.Room() < len(transfer) {
					return
				}
			}
			n := take(c, transfer[:])
			if n == 0 {
				break
			}
			COM1.Write(transfer[:n])
		}
	}
	COM1.Pump()
}

// Drain sends everything that waits, as far as the port takes it: last words.
func Drain() {
	if owner {
		COM1.Drain()
	}
}
