package check

// Libos is what is declared about skerry/libos.
var Libos = Config{
	Entries: []Entry{
		{Symbol: "main.entry", StackIn: "main.stack"},
		{Symbol: "main.linuxEntry", StackIn: "main.stack"},
		{Symbol: "main.spanLinuxEntry", StackIn: "main.stack"},
		{Symbol: "main.runEntry", StackIn: "main.stack"},
		{Symbol: "main.pageFaultEntry", StackIn: "main.stack"},
		{Symbol: "main.trapEntry", StackIn: "main.stack"},
		{Symbol: "main.leaveEnd", StackIn: "main.stack"},
		// A function of the vDSO: called by the program, on whose stack is the way back.
		{Symbol: "main.vdsoYield", StackIn: "main.stack", Pushed: 8},
		{Symbol: "main.nestedFaultEntry", StackIn: "main.nestedStack"},
	},
	Indirect: map[string][]string{
		"main.entry":          {"main.resume"},
		"main.linuxEntry":     {"main.resume"},
		"main.spanLinuxEntry": {"main.resume"},
		"main.runEntry":       {"main.resume"},
		"main.pageFaultEntry": {"main.resume"},
		"main.trapEntry":      {"main.resume"},
		"main.leaveEnd":       {"main.resume"},
		"main.linuxUpcall":    {"@main.calls", "@main.libosCalls"},
		"main.serve":          {"@main.spanCalls", "@main.calls", "@main.libosCalls"},
		// The hooks that the libos gives to package vspace.
		"skerry/libos/vspace.invoke":       {"main.invoke"},
		"skerry/libos/vspace.supply":       {"main.requestRAM"},
		"skerry/libos/vspace.giveBack":     {"main.returnRAM"},
		"skerry/libos/vspace.awaitOthers":  {"main.settleOthers"},
		"skerry/libos/vspace.awaitKernels": {"main.settleKernels"},
		// Into the program's thread.
		"main.resume":    {},
		"main.leave":     {},
		"main.vdsoYield": {},
		// To where the libos faulted.
		"main.nestedFaultEntry": {},
	},
}

// Kernel is what is declared about skerry/kernel: its start before its own Go
// runtime, the calls and faults of that runtime, and the ways in from user
// mode.
var Kernel = Config{
	Entries: []Entry{
		{Symbol: "skerry/kernel/boot.entry", StackIn: "skerry/kernel/boot.startStack", BeforeRuntime: true},
		// An exception pushes five words and an error code, its stub one more.
		{Symbol: "skerry/kernel/amd64.vectors", StackIn: "skerry/kernel/amd64.istStacks", StackCount: 6, Pushed: 6 * 8},
		{Symbol: "skerry/kernel/amd64.syscall", StackIn: "skerry/kernel/amd64.callStack"},
	},
	Indirect: map[string][]string{
		"skerry/kernel/amd64.trap":    {"skerry/kernel/carry.trap"},
		"skerry/kernel/amd64.syscall": {"skerry/kernel/carry.call"},
		// Back to where the user was entered: a goroutine.
		"skerry/kernel/amd64.leaveUser": {},
	},
	Ends: []string{"_rt0_amd64_linux"},
}
