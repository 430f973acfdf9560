package link

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"skerry/abi"
)

// Greeting is the payload of Hello.
type Greeting struct {
	Version string // of the kernel on core 0
	Go      string // version of Go it was built with
	Cores   int    // cores that run
}

// Summary is the payload of Info: the machine when all programs had ended.
type Summary struct {
	Cores []Core
}

// Core is what a Summary says of one core.
type Core struct {
	Core        int
	Node        int
	Version     string
	Go          string
	BootNs      int64  // system time at which its kernel was ready
	UptimeNs    int64  // system time now
	IdleNs      int64  // of it, halted
	ImageBytes  uint64 // kernel image
	HeapBytes   uint64 // kernel's Go heap
	Mallocs     uint64 // kernel heap allocations since its start
	Collections uint64 // kernel garbage collections since its start
	// BootMallocs and BootCollections are what the two were when the kernel
	// was ready.
	BootMallocs, BootCollections uint64
	Events                       uint64
	Dispatches                   uint64
	NativeCalls                  uint64
	PageFaults                   uint64
	Interrupts                   uint64
	MessagesIn                   uint64 // its monitor received from other cores
	MessagesOut                  uint64 // its monitor sent to other cores
	DoorbellsIn                  uint64 // rung by other cores
	DoorbellsOut                 uint64 // of other cores, rung
	Dispatchers                  uint64
	Capabilities                 uint64
	LongestEvent                 uint64 // ticks for which its kernel kept interrupts off at most
	TotalPages                   uint64 // RAM that the core has
	FreePages                    uint64 // of these, with no one
	KernelPages                  uint64 // of these, its kernel's
	DomainPages                  uint64 // of these, programs'
	Memory                       Memory
}

// Memory says where the RAM of a core is, in bytes.
type Memory struct {
	// Total is what the core has: what it was given at boot, less Lent, and
	// Borrowed. Kernel is what its kernel keeps of that. All else is in Types.
	Total, Kernel  uint64
	Lent, Borrowed uint64
	// Types is what the rest was made into, by the names of capability types;
	// RAM: nothing yet.
	Types map[string]uint64
	// Free is the part of it that nobody has, in blocks up to Largest; Given is
	// what programs have, Monitor what the core's monitor has. That is another
	// way to count the same: Total = Kernel + Free + Given + Monitor.
	Free, Largest  uint64
	Given, Monitor uint64
	// Machine is all RAM of the machine and Shared what no core has of that; on
	// core 0 alone.
	Machine, Shared uint64
}

// Missing returns how many bytes of the core's RAM are in no place; it is 0.
func (m *Memory) Missing() int64 {
	missing := int64(m.Total) - int64(m.Kernel)
	for _, n := range m.Types {
		missing -= int64(n)
	}
	return missing
}

// Missing returns how many bytes of the machine's RAM no core has and none share,
// if all cores have answered; it is 0.
func (s *Summary) Missing() (missing int64) {
	for i := range s.Cores {
		m := &s.Cores[i].Memory
		missing += int64(m.Machine) - int64(m.Shared) - int64(m.Total)
	}
	return missing
}

// CoreOf turns what a CPU driver says into what a Summary says; it knows nothing
// of messages, nor of what the memory is used for.
func CoreOf(i *abi.CoreInfo) Core {
	return Core{
		Core: int(i.Core), Node: int(i.Node), Version: text(i.Version[:]), Go: text(i.Go[:]),
		BootNs: i.BootNs, UptimeNs: i.NowNs, IdleNs: i.IdleNs,
		ImageBytes: i.ImageBytes, HeapBytes: i.HeapBytes, Mallocs: i.Mallocs, Collections: i.Collections,
		BootMallocs: i.BootMallocs, BootCollections: i.BootCollections,
		Events: i.Events, Dispatches: i.Dispatches, NativeCalls: i.NativeCalls, PageFaults: i.PageFaults,
		Interrupts: i.Interrupts, DoorbellsIn: i.DoorbellsIn, DoorbellsOut: i.DoorbellsOut,
		Dispatchers: i.Dispatchers, Capabilities: i.Capabilities, LongestEvent: i.LongestEvent,
		TotalPages: i.TotalPages, KernelPages: i.KernelPages,
	}
}

func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// AppendJSON appends the payload of a Hello or Info frame.
func AppendJSON(b []byte, v any) ([]byte, error) {
	j, err := json.Marshal(v)
	if err != nil {
		return b, fmt.Errorf("link: %w", err)
	}
	return append(b, j...), nil
}

// ParseGreeting reads the payload of a Hello frame.
func ParseGreeting(p []byte) (g Greeting, err error) {
	if err = json.Unmarshal(p, &g); err != nil {
		err = fmt.Errorf("link: hello: %w", err)
	}
	return g, err
}

// ParseSummary reads the payload of an Info frame.
func ParseSummary(p []byte) (s Summary, err error) {
	if err = json.Unmarshal(p, &s); err != nil {
		err = fmt.Errorf("link: info: %w", err)
	}
	return s, err
}

// End is the payload of Exit: how a program ended, on which of its cores, and how
// many bytes of memory it held at most.
type End struct {
	abi.Status
	Core uint32
	Peak uint64
}

// EndSize is the size of the payload of an Exit frame in bytes.
var EndSize = binary.Size(End{})

// AppendEnd appends the payload of an Exit frame: the fields of e in order, little
// endian, without padding.
func AppendEnd(b []byte, e *End) []byte {
	b, err := binary.Append(b, binary.LittleEndian, e)
	if err != nil {
		panic(err) // an End is of fixed size
	}
	return b
}

// ParseEnd reads the payload of an Exit frame.
func ParseEnd(p []byte) (e End, err error) {
	if _, err = binary.Decode(p, binary.LittleEndian, &e); err != nil {
		err = fmt.Errorf("link: exit: %w", err)
	}
	return e, err
}

// AppendWindow appends the payload of a Window frame.
func AppendWindow(b []byte, n uint32) []byte { return binary.LittleEndian.AppendUint32(b, n) }

// ParseWindow reads the payload of a Window frame: the bytes granted.
func ParseWindow(p []byte) uint32 { return binary.LittleEndian.Uint32(p) }

// AppendStarted appends the payload of a Started frame.
func AppendStarted(b []byte, domain uint32) []byte {
	return binary.LittleEndian.AppendUint32(b, domain)
}

// ParseStarted reads the payload of a Started frame: the domain's number.
func ParseStarted(p []byte) uint32 { return binary.LittleEndian.Uint32(p) }
