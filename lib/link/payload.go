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
	TotalPages                   uint64 // RAM that the core owns
	FreePages                    uint64
	KernelPages                  uint64 // of these, held by its kernel
	DomainPages                  uint64 // of these, charged to its domains
	Domains                      uint64
}

// CoreOf turns what a CPU driver says into what a Summary says; it knows nothing
// of messages.
func CoreOf(i *abi.CoreInfo) Core {
	return Core{
		Core: int(i.Core), Node: int(i.Node), Version: text(i.Version[:]), Go: text(i.Go[:]),
		BootNs: i.BootNs, UptimeNs: i.NowNs, IdleNs: i.IdleNs,
		ImageBytes: i.ImageBytes, HeapBytes: i.HeapBytes, Mallocs: i.Mallocs, Collections: i.Collections,
		BootMallocs: i.BootMallocs, BootCollections: i.BootCollections,
		Events: i.Events, Dispatches: i.Dispatches, NativeCalls: i.NativeCalls, PageFaults: i.PageFaults,
		Interrupts: i.Interrupts, DoorbellsIn: i.DoorbellsIn, DoorbellsOut: i.DoorbellsOut,
		TotalPages: i.TotalPages, FreePages: i.FreePages, KernelPages: i.KernelPages, DomainPages: i.DomainPages, Domains: i.Domains,
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

// StatusSize is the size of the payload of an Exit frame in bytes.
var StatusSize = binary.Size(abi.Status{})

// AppendStatus appends the payload of an Exit frame: the fields of s in order,
// little endian, without padding.
func AppendStatus(b []byte, s *abi.Status) []byte {
	b, err := binary.Append(b, binary.LittleEndian, s)
	if err != nil {
		panic(err) // a Status is of fixed size
	}
	return b
}

// ParseStatus reads the payload of an Exit frame.
func ParseStatus(p []byte) (s abi.Status, err error) {
	if _, err = binary.Decode(p, binary.LittleEndian, &s); err != nil {
		err = fmt.Errorf("link: exit: %w", err)
	}
	return s, err
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
