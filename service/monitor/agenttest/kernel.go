// Package agenttest is a CPU driver made of memory, for tests of what runs
// above one: its domains are Go functions that hold the program's side of the
// stdio channel.
//
// Tests of the monitor import it, nothing else.
package agenttest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"unsafe"

	"skerry/abi"
	"skerry/lib/native"
	"skerry/lib/stdio"
	"skerry/lib/urpc"
)

// Kernel implements agent.Kernel.
type Kernel struct {
	Core uint32
	// Programs are what can be run, by path.
	Programs map[string]func(*Domain)
	Rung     map[native.Domain]int // doorbells rung
	// Lingering is how many of the domains that ended last still hold their
	// frames.
	Lingering int

	domains []*Domain
	held    []uintptr // frames of domains that have ended, the last one last
	ended   []abi.Status
	next    native.Domain
	memory  [][]uint64 // of frames, which are known by address only
}

// Domain is a running program.
type Domain struct {
	Number native.Domain
	Name   string
	Args   []string
	Quota  uint64
	Rights uint64

	Input []byte // received so far
	EOF   bool   // of the input
	State any    // the program's own

	received uint32 // bytes of input
	wanted   bool   // since the last came

	kernel  *Kernel
	frame   uintptr
	channel urpc.Channel
	step    func(*Domain)
	output  []piece
	status  *abi.Status
}

type piece struct {
	stream uint8
	data   []byte
}

// New returns a kernel for a core.
func New(core uint32, programs map[string]func(*Domain)) *Kernel {
	return &Kernel{Core: core, Programs: programs, Rung: make(map[native.Domain]int), next: 2}
}

// Write queues output of the program.
func (d *Domain) Write(stream uint8, data string) {
	if data != "" {
		d.output = append(d.output, piece{stream, []byte(data)})
	}
}

// Want says that the program has read all its input and waits for more.
func (d *Domain) Want() {
	if d.wanted || d.EOF {
		return
	}
	var count [stdio.CountSize]byte
	stdio.PutCount(&count, d.received)
	d.wanted = true
	d.Write(stdio.Wanted, string(count[:]))
}

// Exit ends the program when all its output is in the channel.
func (d *Domain) Exit(kind uint32, code uint64) {
	d.status = &abi.Status{Domain: uint32(d.Number), Kind: kind, Code: code}
}

// Step lets every program take input, run its function once and send output.
// It returns whether anything has happened.
func (k *Kernel) Step() (progress bool) {
	for _, d := range slices.Clone(k.domains) {
		var slot [urpc.PayloadSize]byte
		for {
			kind, n, ok := d.channel.Receive(&slot)
			if !ok {
				break
			}
			progress = true
			switch kind {
			case stdio.Stdin:
				d.Input = append(d.Input, slot[:n]...)
				d.received += uint32(n)
				d.wanted = false
			case stdio.StdinEOF:
				d.EOF = true
			}
		}
		if d.status == nil {
			d.step(d)
			progress = progress || d.status != nil
		}
		for len(d.output) > 0 {
			p := &d.output[0]
			n := min(len(p.data), urpc.PayloadSize)
			if !d.channel.Send(p.stream, p.data[:n]) {
				break
			}
			progress = true
			if p.data = p.data[n:]; len(p.data) == 0 {
				d.output = d.output[1:]
			}
		}
		d.channel.NeedsDoorbell()
		if d.status != nil && len(d.output) == 0 {
			k.end(d)
		}
	}
	return progress
}

func (k *Kernel) end(d *Domain) {
	k.domains = slices.DeleteFunc(k.domains, func(other *Domain) bool { return other == d })
	k.ended = append(k.ended, *d.status)
	k.held = append(k.held, d.frame)
}

// Running returns the domains that run.
func (k *Kernel) Running() []*Domain { return k.domains }

// Spawn implements agent.Kernel.
func (k *Kernel) Spawn(name string, info []byte, frame uintptr, quota, rights uint64) (native.Domain, error) {
	var header abi.Info
	if _, err := binary.Decode(info, binary.LittleEndian, &header); err != nil || header.Magic != abi.InfoMagic {
		return 0, abi.ErrArgument
	}
	text := func(at uint32) string { return native.Text(info[at:]) }
	step := k.Programs[text(header.Program)]
	if step == nil {
		return 0, &native.CallError{Call: "spawn " + name, Err: abi.ErrMemory}
	}
	if slices.Contains(k.held[max(0, len(k.held)-k.Lingering):], frame) {
		return 0, &native.CallError{Call: "spawn " + name, Err: abi.ErrFault}
	}
	d := &Domain{Number: k.next, Name: name, Quota: quota, Rights: rights, kernel: k, frame: frame, step: step}
	for at := header.Args; len(d.Args) < int(header.NumArgs); at += uint32(bytes.IndexByte(info[at:], 0)) + 1 {
		d.Args = append(d.Args, text(at))
	}
	d.channel.Attach(frame, abi.StdioSize, urpc.B)
	k.next++
	k.domains = append(k.domains, d)
	return d.Number, nil
}

// Kill implements agent.Kernel.
func (k *Kernel) Kill(number native.Domain) error {
	for _, d := range k.domains {
		if d.Number == number {
			d.status = &abi.Status{Domain: uint32(number), Kind: abi.ExitKilled}
			k.end(d)
			return nil
		}
	}
	return abi.ErrNotFound
}

// Reap implements agent.Kernel.
func (k *Kernel) Reap() (abi.Status, bool, error) {
	if len(k.ended) == 0 {
		return abi.Status{}, false, nil
	}
	s := k.ended[0]
	k.ended = k.ended[1:]
	return s, true, nil
}

// Notify implements agent.Kernel.
func (k *Kernel) Notify(d native.Domain) error {
	k.Rung[d]++
	return nil
}

// CoreInfo implements agent.Kernel.
func (k *Kernel) CoreInfo() (abi.CoreInfo, error) {
	info := abi.CoreInfo{Core: k.Core, Cores: 2, BootNs: 12_500_000, NowNs: 100, IdleNs: 40, TotalPages: 1 << 15, FreePages: 1 << 14}
	copy(info.Version[:], "0.1.0")
	copy(info.Go[:], "go1.26.0")
	return info, nil
}

// DomainInfo implements agent.Kernel.
func (k *Kernel) DomainInfo(from native.Domain) (abi.DomainInfo, bool, error) {
	list := slices.Clone(k.domains)
	slices.SortFunc(list, func(a, b *Domain) int { return cmp.Compare(a.Number, b.Number) })
	for _, d := range list {
		if d.Number >= from {
			info := abi.DomainInfo{Domain: uint32(d.Number), Parent: 1, Quota: d.Quota}
			copy(info.Name[:], d.Name)
			return info, true, nil
		}
	}
	return abi.DomainInfo{}, false, nil
}

// Frame implements agent.Kernel.
func (k *Kernel) Frame() (uintptr, error) {
	m := make([]uint64, (abi.StdioSize+abi.PageSize)/8)
	k.memory = append(k.memory, m)
	at := uintptr(unsafe.Pointer(&m[0]))
	return (at + abi.PageSize - 1) &^ (abi.PageSize - 1), nil
}

// Frames returns how many frames have been made.
func (k *Kernel) Frames() int { return len(k.memory) }
