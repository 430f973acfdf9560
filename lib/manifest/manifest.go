// Package manifest describes what the first monitor is to do with a freshly
// booted machine: the file boot/manifest.json of the boot archive. The host
// command writes it, the monitor of core 0 reads it.
//
// The host command and the monitor import it; it imports package abi and the
// standard library alone and must never hold more than data and its checks.
package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// MaxPrograms is the largest number of programs one manifest may start; their
// indices are what package link calls program numbers.
const MaxPrograms = 1024

// Manifest is what to start and how the machine is to end.
type Manifest struct {
	// Programs are started in this order, all without waiting for another.
	// A program's index here is its number on the link.
	Programs []Program
	// Tour prints each program's output to the console, each line marked
	// with its core, rather than as it comes, even if there is a link: how
	// the programs ended still goes there.
	Tour bool `json:",omitempty"`
	// Summary prints a table of the cores to the console when all programs
	// have ended, and sends it over the link if there is one.
	Summary bool `json:",omitempty"`
	// Prompt reads commands from the console when all programs have ended
	// (and the summary is out).
	Prompt bool `json:",omitempty"`
	// Hint is printed before the first prompt: how to go on, and how to leave.
	Hint string `json:",omitempty"`
	// Link says that the host speaks frames of package link on the second
	// serial port. Programs' output then goes there and not to the console
	// (but see Tour).
	Link bool `json:",omitempty"`
	// PowerOff ends the machine when all programs have ended (and the
	// summary is out). Together with Prompt it is refused.
	PowerOff bool `json:",omitempty"`
}

// Program is one program to start.
type Program struct {
	Name string   // for people, at most 31 bytes
	Path string   // of its ELF in the boot archive, without a leading slash
	Args []string // argv, argv[0] included
	Env  []string // KEY=VALUE
	Cwd  string   // working directory, absolute
	Core int      // core to run on, from 0: its home, if it has others
	// Cores are others on which it has a dispatcher besides. Replicated gives each
	// dispatcher page tables of its own for the program's memory.
	Cores      []int  `json:",omitempty"`
	Replicated bool   `json:",omitempty"`
	Quota      uint64 // bytes of memory it may hold; 0: as much as its core has
	Stdin      bool   `json:",omitempty"` // input comes over the link; otherwise it reads end of file
	Trace      bool   `json:",omitempty"` // report unknown Linux calls at exit
	// Capabilities are what it is given besides what every domain has: Log,
	// Inspect, Dispatch, Devices, Messages.
	Capabilities []string `json:",omitempty"`
	// Runs is how often it is run, again as soon as all that it held is back; 0:
	// once. Only the last end is told. RUN in its environment says which run it
	// is, from 0.
	Runs int `json:",omitempty"`
	// Weight is its share of the time that nobody has reserved, among the programs
	// of a core, 1 to MaxWeight; 0 is the usual 100. Reserve is time that is
	// reserved for it; nil: none. Both are so on each of its cores.
	Weight  int          `json:",omitempty"`
	Reserve *Reservation `json:",omitempty"`
	// Kill has each run killed that has not ended after a time that is chosen at
	// random, up to so many microseconds; 0: none.
	Kill int `json:",omitempty"`
}

// What a program may be given; package abi/capability says in which slots.
const (
	// Log lets it write to the kernel's log: the Kernel with right Write.
	Log = "log"
	// Inspect lets it inspect its core: the Kernel with right Read.
	Inspect = "inspect"
	// Dispatch lets it run dispatchers that it makes: its domain number with
	// right Grant.
	Dispatch = "dispatch"
	// Devices gives it what a machine has beside memory, as its core's monitor
	// has it: device registers, interrupts, I/O ports, performance counters. The
	// program must run on core 0, which has all devices, and can do to the
	// machine whatever these can.
	Devices = "devices"
	// Messages lets it export interfaces and bind to those of other programs, on
	// any core: it has a session with its monitor (package lib/session).
	Messages = "messages"
)

// CheckCapabilities reports the first of some capabilities that a program on a
// core cannot be given.
func CheckCapabilities(capabilities []string, core int) error {
	for _, c := range capabilities {
		switch c {
		case Log, Inspect, Dispatch, Messages:
		case Devices:
			if core != 0 {
				return fmt.Errorf("core %d has no devices to give, only core 0", core)
			}
		default:
			return fmt.Errorf("there is no capability %q to give, only %s, %s, %s, %s and %s", c, Log, Inspect, Dispatch, Devices, Messages)
		}
	}
	return nil
}

// Encode returns the manifest as JSON.
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// Decode reads a manifest and checks it. Fields that it does not know are an
// error: they come from a host command of another version.
func Decode(b []byte) (*Manifest, error) {
	m, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}

// Parse is Decode that checks nothing: something may be missing that is added later.
func Parse(b []byte) (*Manifest, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	m := new(Manifest)
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("manifest: more than one value")
	}
	return m, nil
}

// Check reports the first thing in m that no monitor can do.
func (m *Manifest) Check() error {
	if len(m.Programs) > MaxPrograms {
		return fmt.Errorf("manifest: %d programs, at most %d can be started", len(m.Programs), MaxPrograms)
	}
	if m.Prompt && m.PowerOff {
		return fmt.Errorf("manifest: a prompt and a power-off at the end exclude each other")
	}
	for i := range m.Programs {
		if err := m.Programs[i].Check(); err != nil {
			return fmt.Errorf("manifest: program %d: %w", i, err)
		}
		if m.Programs[i].Stdin && !m.Link {
			return fmt.Errorf("manifest: program %d: input without a link to the host", i)
		}
	}
	return nil
}

// Check reports the first thing in p that no monitor can do.
func (p *Program) Check() error {
	switch {
	case p.Name == "" || len(p.Name) > 31:
		return fmt.Errorf("name %q has %d bytes, 1 to 31 can be shown", p.Name, len(p.Name))
	case p.Path == "" || strings.HasPrefix(p.Path, "/"):
		return fmt.Errorf("%s: path %q is no path of the boot archive", p.Name, p.Path)
	case len(p.Args) == 0:
		return fmt.Errorf("%s: no argv[0]", p.Name)
	case !strings.HasPrefix(p.Cwd, "/"):
		return fmt.Errorf("%s: working directory %q is not absolute", p.Name, p.Cwd)
	case p.Runs < 0 || p.Kill < 0:
		return fmt.Errorf("%s: %d runs, killed after %d us", p.Name, p.Runs, p.Kill)
	}
	if p.Weight != 0 {
		if err := CheckWeight(p.Weight); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	if p.Reserve != nil {
		if err := p.Reserve.Check(); err != nil {
			return fmt.Errorf("%s: reserve %+v: %w", p.Name, *p.Reserve, err)
		}
	}
	if err := CheckCores(append([]int{p.Core}, p.Cores...)); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	if err := CheckCapabilities(p.Capabilities, p.Core); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	for _, list := range [][]string{p.Args, p.Env, {p.Cwd}} {
		for _, s := range list {
			if strings.IndexByte(s, 0) >= 0 {
				return fmt.Errorf("%s: NUL byte in %q", p.Name, s)
			}
		}
	}
	for _, e := range p.Env {
		if strings.IndexByte(e, '=') <= 0 {
			return fmt.Errorf("%s: environment entry %q is not KEY=VALUE", p.Name, e)
		}
	}
	return nil
}
