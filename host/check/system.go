package check

// Libos is what is declared about skerry/libos.
var Libos = Config{
	Entries: []Entry{
		{Symbol: "main.entry", Stack: libosStack},
		{Symbol: "main.linuxEntry", Stack: libosStack},
		{Symbol: "main.runEntry", Stack: libosStack},
		{Symbol: "main.pageFaultEntry", Stack: libosStack},
		{Symbol: "main.trapEntry", Stack: libosStack},
		{Symbol: "main.leaveEnd", Stack: libosStack},
	},
	Indirect: map[string][]string{
		"main.entry":          {"main.resume"},
		"main.linuxEntry":     {"main.resume"},
		"main.runEntry":       {"main.resume"},
		"main.pageFaultEntry": {"main.resume"},
		"main.trapEntry":      {"main.resume"},
		"main.leaveEnd":       {"main.resume"},
		"main.linuxUpcall":    {"@main.calls"},
		// Into the program's thread.
		"main.resume": {},
		"main.leave":  {},
	},
}

// libosStack is stackSize of skerry/libos.
const libosStack = 64 << 10

// Kernel is what is declared about skerry/kernel: its start before its own Go
// runtime, the calls and faults of that runtime, and the ways in from user
// mode.
var Kernel = Config{
	Entries: []Entry{
		{Symbol: "skerry/kernel/boot.entry", Stack: kernelStartStack},
		// An exception pushes five words and an error code, its stub one more.
		{Symbol: "skerry/kernel/amd64.vectors", Stack: kernelTrapStack, Pushed: 6 * 8},
		{Symbol: "skerry/kernel/amd64.syscall", Stack: kernelCallStack},
	},
	Indirect: map[string][]string{
		"skerry/kernel/amd64.trap":    {"skerry/kernel/carry.trap"},
		"skerry/kernel/amd64.syscall": {"skerry/kernel/carry.call"},
		// Back to where the user was entered: a goroutine.
		"skerry/kernel/amd64.leaveUser": {},
	},
	Ends: []string{"_rt0_amd64_linux"},
}

// Stacks of skerry/kernel.
const (
	kernelStartStack = 128 << 10 // boot.startStackSize
	kernelTrapStack  = 16 << 10  // amd64.istSize
	kernelCallStack  = 32 << 10  // amd64.callStackSize
)
