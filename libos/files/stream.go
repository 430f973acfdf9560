package files

import (
	"skerry/abi/linux"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
)

// The streams that the stdio channel carries.
const (
	streamIn  = 0
	streamOut = 1
	streamErr = 2
)

// Poll takes in what has come over the stdio channel. Wakes may follow.
func (f *Files) Poll() {
	if !f.channel.Attached() {
		return
	}
	var payload [urpc.PayloadSize]byte
	for stdinSize-f.stdinLength >= urpc.PayloadSize {
		kind, n, ok := f.channel.Receive(&payload)
		if !ok {
			break
		}
		switch {
		case kind == stdio.Stdin && !f.stdinEnded && n > 0:
			f.putStdin(payload[:n])
			f.stdinWanted = false
			f.wake(&f.streams[streamIn], canRead, keyStdin)
		case kind == stdio.StdinEOF && !f.stdinEnded:
			f.stdinEnded = true
			f.wake(&f.streams[streamIn], 0, keyStdin)
		}
	}
	f.tellRead()
	if f.outputNeed > 0 && (f.channel.Free() >= f.outputNeed || f.channel.Broken()) {
		f.outputNeed = 0
		f.wake(&f.streams[streamOut], canWrite, keyOutput)
		f.wake(&f.streams[streamErr], canWrite, keyOutput)
	}
}

// putStdin appends to the buffer of the standard input, which has room.
func (f *Files) putStdin(b []byte) {
	for i := range b {
		f.stdin[(f.stdinStart+f.stdinLength)%stdinSize] = b[i]
		f.stdinLength++
	}
}

// want tells the spawner, once, that the program waits for input.
func (f *Files) want() {
	if !f.stdinWanted && !f.stdinEnded && f.channel.Attached() {
		f.stdinWanted = true
		f.stdinTell = stdio.Wanted
		f.tellRead()
	}
}

// tellRead tells the spawner how much has been read, if that is to be told and
// the ring has room; otherwise Poll does so later.
func (f *Files) tellRead() {
	if f.stdinTell == 0 {
		return
	}
	var count [stdio.CountSize]byte
	stdio.PutCount(&count, f.stdinRead)
	if f.channel.Send(f.stdinTell, count[:]) {
		f.stdinTell, f.stdinTold = 0, f.stdinRead
	}
}

// NeedsDoorbell says, once, that the spawner sleeps and is to be notified of
// what was sent to it.
func (f *Files) NeedsDoorbell() bool { return f.channel.NeedsDoorbell() }

// Announce tells the spawner to ring from now on. False means that there is
// something to Poll first.
func (f *Files) Announce() bool {
	// With a full buffer nothing more can be taken in, and so there is
	// nothing to stay awake for: the next read of the standard input polls.
	return f.channel.Announce() || stdinSize-f.stdinLength < urpc.PayloadSize
}

// Withdraw takes the announcement back.
func (f *Files) Withdraw() { f.channel.Withdraw() }

// Notice sends what the libos itself has to say about the program and returns
// how many bytes of it were taken.
func (f *Files) Notice(b []byte) int {
	done := 0
	for done < len(b) {
		n := min(len(b)-done, urpc.PayloadSize)
		if !f.channel.Send(stdio.Notice, b[done:done+n]) {
			break
		}
		done += n
	}
	return done
}

func (f *Files) readStream(c *Call, o *file, s *span) Result {
	if s.length == 0 {
		return done(0)
	}
	if f.stdinLength == 0 {
		f.Poll()
	}
	if f.stdinLength == 0 {
		if f.stdinEnded || f.channel.Broken() || !f.channel.Attached() {
			return done(0)
		}
		f.want()
		return f.block(c, o, keyStdin)
	}
	total := uint64(0)
	for f.stdinLength > 0 && s.length > 0 {
		end := min(f.stdinStart+f.stdinLength, stdinSize)
		n := s.put(f.stdin[f.stdinStart:end])
		if n == 0 {
			break
		}
		total += n
		f.stdinStart = (f.stdinStart + uint32(n)) % stdinSize
		f.stdinLength -= uint32(n)
	}
	if f.stdinLength == 0 {
		f.stdinStart = 0 // begin at the same page again, rather than touch all
	}
	f.stdinRead += uint32(total)
	if f.stdinTell == 0 && f.stdinRead-f.stdinTold >= stdio.Window/2 {
		f.stdinTell = stdio.Read
	}
	f.Poll()
	return done(int64(total))
}

func (f *Files) writeStream(c *Call, o *file, s *span) Result {
	if s.length == 0 {
		return done(0)
	}
	if !f.channel.Attached() {
		b := s.next(logMax)
		return Result{
			Wait: KeyLog, Value: int64(len(b)), Timeout: -1,
			Address: s.address - uint64(len(b)), Length: uint64(len(b)),
		}
	}
	if f.channel.Broken() {
		return failed(linux.EIO)
	}
	kind := uint8(stdio.Stdout)
	if o.index == streamErr {
		kind = stdio.Stderr
	}
	// Whole or not at all, like a pipe, up to a page: so lines stay lines.
	slots := 1
	if c.Progress == 0 && s.length <= pageSize {
		slots = int(s.length+urpc.PayloadSize-1) / urpc.PayloadSize
	}
	s.skip(c.Progress)
	for s.length > 0 {
		if f.channel.Free() < slots {
			f.Poll() // acknowledgements may have come
			if f.channel.Broken() {
				return failed(linux.EIO)
			}
			if f.channel.Free() < slots && f.needOutput(slots) {
				return f.block(c, o, keyOutput)
			}
			if f.channel.Free() < slots {
				continue // some has come, but not enough: what frees more is bounded
			}
		}
		slots = 1
		var payload [urpc.PayloadSize]byte
		n := s.get(payload[:])
		if n == 0 || !f.channel.Send(kind, payload[:n]) {
			break
		}
		c.Progress += n
	}
	return done(int64(c.Progress))
}

// needOutput asks for a wake when so many slots are free, which are more than were
// free when that was last looked at. It returns false if there is more room now.
func (f *Files) needOutput(slots int) bool {
	if f.outputNeed == 0 || slots < f.outputNeed {
		f.outputNeed = slots
	}
	// What Announce said when the libos last looked was of messages alone, unless
	// the ring was as full then.
	return f.channel.Sender().Announce()
}

func (f *Files) pollStream(o *file) uint32 {
	if o.index != streamIn {
		if f.channel.CanSend() || !f.channel.Attached() {
			return canWrite
		}
		if !f.needOutput(1) {
			return canWrite
		}
		return 0
	}
	events := uint32(0)
	if f.stdinLength > 0 {
		events |= canRead
	} else {
		f.want()
	}
	if f.stdinEnded || !f.channel.Attached() {
		events |= linux.EPOLLHUP
	}
	return events
}
