package control

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"skerry/abi"
	"skerry/lib/manifest"
	"skerry/lib/native"
	"skerry/service/monitor/wire"
)

// EndText says in a clause how a program ended: "was ended by SIGSEGV
// (segmentation fault)". It is empty for exit code 0. peak is the most memory
// that it held, in bytes.
func EndText(s *abi.Status, peak uint64) string {
	switch s.Kind {
	case abi.ExitNone:
		return "was lost with its core"
	case abi.ExitCode:
		if s.Code == 0 {
			return ""
		}
		return fmt.Sprintf("exited with code %d", s.Code)
	case abi.ExitSignal:
		signal := syscall.Signal(s.Code)
		if name := unix.SignalName(signal); name != "" {
			return fmt.Sprintf("was ended by %s (%v)", name, signal)
		}
		return fmt.Sprintf("was ended by signal %d", s.Code)
	case abi.ExitFault:
		return fmt.Sprintf("was ended by a fault in its libos: vector %d (%s), error code %#x, address %#x, at %#x",
			s.FaultVector, vectorName(s.FaultVector), s.FaultCode, s.FaultAddress, s.FaultRIP)
	case abi.ExitStuck:
		return fmt.Sprintf("was ended since its libos did not get on for %v, at %#x", time.Duration(abi.DisabledMost), s.FaultRIP)
	case abi.ExitKilled:
		return "was killed"
	case abi.ExitMemory:
		return fmt.Sprintf("ran out of memory at %s: %v", size(peak), abi.Error(s.Code))
	}
	return fmt.Sprintf("ended in an unknown way (%d)", s.Kind)
}

var vectorNames = [...]string{
	0: "divide error", 1: "debug", 2: "NMI", 3: "breakpoint", 4: "overflow", 5: "bound range",
	6: "invalid opcode", 7: "no FPU", 8: "double fault", 10: "invalid TSS", 11: "segment not present",
	12: "stack fault", 13: "general protection", 14: "page fault", 16: "x87 error", 17: "alignment check",
	18: "machine check", 19: "SIMD error", 20: "virtualization", 21: "control protection",
}

func vectorName(v uint64) string {
	if v < uint64(len(vectorNames)) && vectorNames[v] != "" {
		return vectorNames[v]
	}
	return "unknown"
}

// size returns bytes in the unit that suits them.
func size(n uint64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	case n < 10<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// spawnMessage returns what asks a core to run m as p.
func spawnMessage(p *program, m *manifest.Program) (*wire.Spawn, error) {
	info, err := (&native.Program{
		Path: m.Path, Cwd: m.Cwd, Args: m.Args, Env: m.Env, Trace: m.Trace, Replicated: m.Replicated,
	}).Encode()
	if err != nil {
		return nil, err
	}
	spawn := &wire.Spawn{Program: p.number, Name: m.Name, Quota: m.Quota, Info: info}
	spawn.Share.Weight = uint64(m.Weight)
	if r := m.Reserve; r != nil {
		spawn.Share.Period, spawn.Share.Budget, spawn.Share.Deadline = uint64(r.Period), uint64(r.Budget), uint64(r.Deadline)
	}
	for _, core := range p.others {
		spawn.Cores = append(spawn.Cores, uint32(core))
	}
	for _, c := range m.Capabilities {
		switch c {
		case manifest.Log:
			spawn.Grants |= wire.GrantLog
		case manifest.Inspect:
			spawn.Grants |= wire.GrantInspect
		case manifest.Dispatch:
			spawn.Grants |= wire.GrantDispatch
		case manifest.Devices:
			spawn.Grants |= wire.GrantDevices
		case manifest.Messages:
			spawn.Grants |= wire.GrantMessages
		}
	}
	return spawn, nil
}
