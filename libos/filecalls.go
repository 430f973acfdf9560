package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/libos/files"
	"skerry/libos/vspace"
)

// fileCall is a call of the file layer that a thread is in: it outlives the
// waits between its executions.
type fileCall struct {
	call     files.Call
	deadline int64 // when it waits no longer, 0 for never
	waiting  bool  // it has been executed and had to wait
}

// transferMax bounds what one read or write moves: programs expect that less
// may be moved than they asked for, and the memory for it must all be there.
const transferMax = 1 << 20

// fileKey is added to a key of the file layer to tell it from futexes, whose
// keys are addresses.
const fileKey = 1 << 63

// lastNotified is the count of notifications that the file layer knows.
var lastNotified uint64

// fileLayer returns the file layer.
func fileLayer() *files.Files { return files.At(heapFiles) }

// initFiles sets up the file layer: it returns false if there is no archive.
func initFiles() bool {
	f := fileLayer()
	if f.Init(abi.ArchiveBase, abi.DispatcherBase-abi.ArchiveBase) != 0 {
		return false
	}
	if at[abi.Info](abi.InfoBase).Flags&abi.InfoLog == 0 {
		f.AttachStdio()
		listen(f)
	}
	return true
}

// listen takes in what is in the stdio channel and asks to be notified of what
// comes next.
func listen(f *files.Files) {
	f.Withdraw()
	for {
		f.Poll()
		if f.Announce() {
			return
		}
	}
}

// ring notifies the spawner if it waits for what was sent to it.
func ring(f *files.Files) {
	if f.NeedsDoorbell() {
		notifySpawner()
	}
}

// pollFiles tells the file layer of notifications. It returns how many threads
// that woke.
func pollFiles() int {
	d := dispatcher()
	if d.Notified == lastNotified {
		return 0
	}
	lastNotified = d.Notified
	f := fileLayer()
	if f.Attached() {
		listen(f)
	}
	f.Notify(lastNotified)
	n := wakeFiles(f)
	ring(f)
	return n
}

// wakeFiles readies the threads whose calls the file layer can go on with.
func wakeFiles(f *files.Files) int {
	n := 0
	for k := f.NextWake(); k != files.NoKey; k = f.NextWake() {
		n += threads.Wake(fileKey|uint64(k), carrier.AllBits, maxThreads)
	}
	return n
}

// callOf returns the file call of a thread.
func callOf(th *carrier.Thread) *fileCall {
	return at[fileCall](heapCalls + threadIndex(th)*uint64(unsafe.Sizeof(fileCall{})))
}

// callFile serves all calls of the file layer.
func callFile(th *carrier.Thread) int64 {
	r := &th.Regs
	c := callOf(th)
	*c = fileCall{call: files.Call{
		Number: r.RAX,
		Args:   [6]uint64{r.RDI, r.RSI, r.RDX, r.R10, r.R8, r.R9},
	}}
	switch r.RAX {
	case linux.SysRead, linux.SysWrite, linux.SysPread64, linux.SysPwrite64:
		c.call.Args[2] = min(r.RDX, transferMax)
	}
	return execute(th, c)
}

// continueFile executes a thread's call again after a wait.
func continueFile(th *carrier.Thread) int64 {
	c := callOf(th)
	if th.Interrupted {
		c.call.Stop = files.Interrupted
	} else if c.deadline != 0 && now() >= c.deadline {
		c.call.Stop = files.Expired
	}
	result := execute(th, c)
	if result == -linux.EINTR && c.call.Stop == files.Interrupted && transfers(c.call.Number) && signals.Restarts(th) {
		// The handlers return to where the call is made again.
		th.Regs.RIP -= syscallSize
		return int64(c.call.Number)
	}
	return result
}

// syscallSize is the length of the instruction SYSCALL.
const syscallSize = 2

// transfers says whether a call reads or writes: those Linux makes again after a signal,
// but not the others that wait.
func transfers(call uint64) bool {
	switch call {
	case linux.SysRead, linux.SysWrite, linux.SysReadv, linux.SysWritev:
		return true
	}
	return false
}

// execute executes a file call, and blocks its thread if it has to wait.
func execute(th *carrier.Thread, c *fileCall) int64 {
	f := fileLayer()
	var spans [files.SpansMax]files.Span
	n := files.Spans(&c.call, &spans)
	for i := range n {
		if !accessible(&spans[i]) {
			return f.Fault(&c.call)
		}
	}
	for {
		result, _ := f.Do(&c.call)
		wakeFiles(f)
		ring(f)
		if result.BrokenPipe {
			send(th, linux.SIGPIPE, linux.SI_USER)
		}
		switch result.Wait {
		case files.NoKey:
			return result.Value
		case files.KeyMaps:
			writeMaps(f)
			continue
		case files.KeyRandom:
			fillRandom(result.Address, result.Length)
			return result.Value
		case files.KeyLog:
			logText(result.Address, result.Length)
			return result.Value
		}
		if !c.waiting {
			c.waiting = true
			if result.Timeout >= 0 {
				c.deadline = after(result.Timeout)
			}
		}
		th.Restart = true
		threads.Block(fileKey|uint64(result.Wait), carrier.AllBits, c.deadline)
		return switched
	}
}

// logBuffer holds a line on its way to the log.
var logBuffer [256]byte

// logText gives what a program wrote to the CPU driver's log, as a line.
func logText(address, length uint64) {
	n := copy(logBuffer[:], bytesAt(address, length))
	if n > 0 && logBuffer[n-1] == '\n' {
		n--
	}
	logLine(addressOf(&logBuffer), uint64(n))
}

// accessible makes sure that the file layer may touch a span.
func accessible(s *files.Span) bool {
	switch s.Kind {
	case files.SpanRead:
		return readable(s.Address, s.Length)
	case files.SpanWrite:
		return writable(s.Address, s.Length)
	case files.SpanString:
		_, errno := readString(s.Address, s.Length)
		return errno != linux.EFAULT
	}
	if !readable(s.Address, s.Length) {
		return false
	}
	const size = uint64(unsafe.Sizeof(linux.Iovec{}))
	for a := s.Address; a < s.Address+s.Length; a += size {
		v := at[linux.Iovec](a)
		if s.Kind == files.SpanReadVector && !readable(v.Base, v.Len) ||
			s.Kind == files.SpanWriteVector && !writable(v.Base, v.Len) {
			return false
		}
	}
	return true
}

// mapFile returns where in the archive the part of a file lies that is to be
// mapped; length is in whole pages. What reads as zero has no offset there.
func mapFile(fd int32, offset, length uint64, prot uint32, flags uint64) (kind uint32, at uint64, errno int64) {
	m, failure := fileLayer().Mapping(fd)
	if failure != 0 {
		return 0, 0, failure
	}
	if m.Zero {
		return vspace.BackZero, 0, 0
	}
	writes := prot&linux.PROT_WRITE != 0
	if writes && flags&linux.MAP_TYPE != linux.MAP_PRIVATE {
		return 0, 0, -linux.EACCES
	}
	// Pages beyond the file would fault when touched on Linux; nothing is
	// there that could be mapped.
	size := pageUp(m.Size)
	if offset > size || length > size-offset {
		return 0, 0, -linux.ENXIO
	}
	if writes {
		return vspace.BackCopy, m.Offset + offset, 0
	}
	return vspace.BackArchive, m.Offset + offset, 0
}
