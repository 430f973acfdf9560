package table

// Sizes that the table needs.
const (
	page     = 4096
	slot     = 64
	maxRange = 1 << 52
)

// Types lists the types in the order of their numbers, from 1. A type's
// parents precede it: the order of the mapping database rests on it.
var Types = []Type{
	{
		Name: "PhysicalRange", Space: "Memory", Parents: []string{"PhysicalRange"},
		Doc:   "physical addresses that are not RAM: device registers, or nothing",
		Align: page, Least: page, Most: maxRange,
		Made:   "by the kernel at its start, for what is neither RAM nor a kernel's own device",
		Rights: map[string]string{"Grant": "", "Retype": "", "Revoke": ""},
		Fields: memory,
	},
	{
		Name: "RAM", Space: "Memory", Parents: []string{"RAM"},
		Doc:   "memory not yet used for anything; it can be neither read nor mapped, only made into something",
		Align: page, Least: page, Most: maxRange,
		Made:   "by the kernel, for the memory its core owns: only that may become what the kernel itself uses",
		Rights: map[string]string{"Grant": "", "Retype": "", "Revoke": ""},
		Fields: memory,
	},
	{
		Name: "Frame", Space: "Memory", Parents: []string{"RAM", "Frame"},
		Doc:   "memory that can be mapped into address spaces",
		Align: page, Least: page, Most: maxRange, Zeroed: true,
		Rights: map[string]string{
			"Read": "map it readable", "Write": "map it writable", "Execute": "map it executable",
			"Grant": "", "Retype": "", "Revoke": "",
		},
		Fields: memory,
	},
	{
		Name: "DeviceFrame", Space: "Memory", Parents: []string{"PhysicalRange", "DeviceFrame"},
		Doc:   "device registers that can be mapped, uncached; never executable",
		Align: page, Least: page, Most: maxRange,
		Rights: map[string]string{
			"Read": "map it readable", "Write": "map it writable",
			"Grant": "", "Retype": "", "Revoke": "",
		},
		Fields: memory,
	},
	{
		Name: "L1CNode", Space: "Memory", Parents: []string{"RAM"},
		Doc:   "the first level of a CSpace: slots that hold L2 CNodes; slot 0 is the kernel's",
		Align: page, Least: page, Most: slot << 23, Zeroed: true, Holds: true,
		Rights:      cnodeRights,
		Fields:      memory,
		Invocations: cnode,
	},
	{
		Name: "L2CNode", Space: "Memory", Parents: []string{"RAM"},
		Doc:   "256 slots that hold capabilities of any type; slot 0 is the kernel's",
		Align: 16 << 10, Size: 16 << 10, Zeroed: true, Holds: true,
		Rights:      cnodeRights,
		Fields:      memory,
		Invocations: cnode,
	},
	pageTable("PageTable1", "a page table whose entries are 4 KiB pages"),
	pageTable("PageTable2", "a page directory: its entries are tables of level 1 or 2 MiB pages"),
	pageTable("PageTable3", "its entries are tables of level 2 or 1 GiB pages"),
	pageTable("PageTable4", "its entries are tables of level 3; the top of an address space with 4 levels"),
	pageTable("PageTable5", "its entries are tables of level 4; the top of an address space with 5 levels; declared, not yet mapped by any kernel"),
	{
		Name: "Dispatcher", Space: "Memory", Parents: []string{"RAM"},
		Doc: "a schedulable thread of kernel-to-user upcalls on this core: control block, save areas, " +
			"the pages shared with its user half, and room for endpoints",
		Align: 8 * page, Size: 8 * page, Zeroed: true, Holds: true, SlotsAt: page - 16*slot, Slots: 16, Offers: 5 * page,
		Rights: map[string]string{"Read": "see its state and counters", "Control": "start, stop and set it up", "Grant": "", "Retype": "make endpoints of it", "Revoke": ""},
		Fields: memory,
		Invocations: []Invocation{
			{"Setup", []Argument{{"cspace", "Reference"}, {"vspace", "Reference"}, {"domain", "Reference"}, {"supervisor", "Reference"}, {"entry", "Address"}}, "Control",
				"gives it a CSpace (an L1 CNode), an address space (its top table), a domain (one number, with right Control), a doorbell that is rung when it ends (0 for none), and the address at which it starts; the dispatcher is to be mapped at abi.DispatcherBase there", ""},
			{"SetCSpace", []Argument{{"cspace", "Reference"}}, "Control",
				"replaces its first-level CNode; its user copies the second level into a larger one first, so a CSpace grows in one bounded step", ""},
			{"SetName", []Argument{{"name0", "Number"}, {"name1", "Number"}, {"name2", "Number"}, {"name3", "Number"}}, "Control",
				"gives it a name for people: 32 bytes in four little-endian words, padded with zeros", ""},
			{"Run", nil, "Control", "makes it ready to run", ""},
			{"Stop", nil, "Control", "takes it off the core until it is run again", ""},
			{"State", nil, "Read", "says how it is", "abi.DomainNew and so on"},
			{"Status", []Argument{{"buffer", "Status"}}, "Read", "writes how it ended, an abi.Status, to the buffer", ""},
			{"Number", nil, "Read", "says by which number remote doorbells know it, once it has been set up", "the number, below abi.CoreDispatchers"},
		},
	},
	{
		Name: "Endpoint", Space: "Memory", Parents: []string{"Dispatcher"},
		Doc:   "where a dispatcher gets messages: the native call Message sends to it and receives from it; a buffer for as many messages of 96 bytes as there is room for behind the first 128; it goes with its dispatcher",
		Align: 256, Least: 256, Most: 8192, Dependent: true,
		Rights: map[string]string{"Send": "send to it", "Control": "receive, which its own dispatcher alone can", "Grant": "", "Retype": "make doorbells of it", "Revoke": ""},
		Fields: memory,
		Invocations: []Invocation{
			{"Label", []Argument{{"label", "Number"}}, "Control", "sets the word that comes with every message out of it, 0 until then", ""},
			{"Accept", []Argument{{"slot", "Reference"}}, "Control", "names the empty slot, in the CSpace of its dispatcher, that the next capability sent to it goes to; 0: it takes none, as at first and after each one that came", ""},
			{"Watch", []Argument{{"peer", "Reference"}}, "Control", "has its dispatcher told, by ErrPeer from it, when the dispatcher of another endpoint, with right Send, has ended, or that endpoint; of one at a time; 0: of none", ""},
		},
	},
	{
		Name: "Doorbell", Space: "Memory", Parents: []string{"Endpoint"},
		Doc:   "the right to wake an endpoint's dispatcher, from this core or another; an empty message",
		Align: 256, Least: 256, Most: 8192, Dependent: true,
		Rights:      map[string]string{"Send": "ring it", "Grant": "", "Revoke": ""},
		Fields:      memory,
		Invocations: []Invocation{{"Ring", nil, "Send", "notifies the dispatcher", ""}},
	},
	{
		Name: "KCB", Space: "Memory", Parents: []string{"RAM"},
		Doc:   "a kernel control block: everything a CPU driver keeps for its users",
		Align: page, Size: 32 * page, Zeroed: true,
		Rights: map[string]string{"Read": "read it", "Control": "start or replace a kernel with it", "Grant": "", "Revoke": ""},
		Fields: memory,
	},
	{
		Name: "Mapping", Space: "Memory",
		Doc:   "one mapped region: deleting it unmaps; it goes with the frame or table that is mapped",
		Align: page, Least: page, Most: maxRange, Dependent: true,
		Made: "by Map of a page table",
		Rights: map[string]string{
			"Read": "", "Write": "it was made with a right to map writable", "Execute": "it was made with a right to map executable",
			"Control": "change its protection",
		},
		Fields: append(memory, Field{"entry", "address of its first entry in the page table, and how many there are"}),
		Invocations: []Invocation{
			{"Protect", []Argument{{"first", "Range"}, {"entries", "Range"}, {"protection", "Protection"}, {"address", "Address"}}, "Control",
				"changes the protection of those of its entries that are mapped, at most to what the frame's rights allowed; write and execute together are refused; where the caller has its first entry mapped at the given address, only that part of the address space is flushed", ""},
			{"Unmap", []Argument{{"first", "Range"}, {"entries", "Range"}, {"address", "Address"}}, "",
				"clears some of its entries; if those are all that it was made with, it deletes the capability; the address as for Protect", ""},
		},
	},
	{
		Name: "IRQSource", Space: "Interrupts", Parents: []string{"IRQSource"},
		Doc:   "interrupt sources: lines of the interrupt controllers",
		Align: 1, Least: 1, Most: 1 << 24,
		Made:   "by the kernel at its start, on core 0: some that name all lines but the kernel's own",
		Rights: map[string]string{"Control": "connect, mask and acknowledge them", "Grant": "", "Retype": "", "Revoke": ""},
		Fields: numbers,
		Invocations: []Invocation{
			{"Connect", []Argument{{"destination", "Reference"}}, "Control", "routes the source, one alone, to an IRQ destination, one alone", ""},
			{"Acknowledge", nil, "Control", "lets the source, one alone, interrupt again: after each interrupt it is masked", ""},
		},
	},
	{
		Name: "IRQDestination", Space: "Vectors", Parents: []string{"IRQDestination"},
		Doc:   "interrupt vectors of this core",
		Align: 1, Least: 1, Most: 256,
		Made:        "by the kernel at its start, one that names all that are free",
		Rights:      map[string]string{"Control": "say who is notified", "Grant": "", "Retype": "", "Revoke": ""},
		Fields:      numbers,
		Invocations: []Invocation{{"Bind", []Argument{{"endpoint", "Reference"}}, "Control", "notifies an endpoint of the interrupts of the vector, one alone", ""}},
	},
	{
		Name: "IOPorts", Space: "Ports", Parents: []string{"IOPorts"},
		Doc:   "a range of I/O ports",
		Align: 1, Least: 1, Most: 1 << 16,
		Made:   "by the kernel at its start, on core 0: some that name all ports but the kernel's own",
		Rights: map[string]string{"Read": "read from them", "Write": "write to them", "Grant": "", "Retype": "", "Revoke": ""},
		Fields: numbers,
		Invocations: []Invocation{
			{"In", []Argument{{"port", "Range"}, {"width", "Range"}}, "Read", "reads 1, 2 or 4 bytes from the port at an offset in the range", "these"},
			{"Out", []Argument{{"port", "Range"}, {"width", "Range"}, {"value", "Number"}}, "Write", "writes 1, 2 or 4 bytes to the port at an offset in the range", ""},
		},
	},
	{
		Name: "Kernel", Space: "Cores",
		Doc:   "the CPU driver of this core: what only monitors may ask",
		Align: 1, Size: 1,
		Made:   "by the kernel at its start, one, for the core's monitor",
		Rights: map[string]string{"Read": "inspect the core", "Write": "write to the log", "Control": "use the serial ports, change what is kept about capabilities, end the machine", "Grant": "", "Send": "notify other cores"},
		Fields: numbers,
		Invocations: []Invocation{
			{"Information", []Argument{{"buffer", "CoreInfo"}}, "Read", "writes an abi.CoreInfo to the buffer", ""},
			{"Dispatcher", []Argument{{"from", "Number"}, {"buffer", "DomainInfo"}}, "Read", "writes an abi.DomainInfo to the buffer: of the first dispatcher on the core, in the order of domains and of the numbers that Number of a Dispatcher says, that is not before domain | number<<32; ErrNotFound if there is none", ""},
			{"Next", []Argument{{"buffer", "Census"}}, "Read", "reads a Description from the buffer and writes, over it and behind it, those of the first CensusMax objects that follow it in the order of the database, mappings left out; all zero stands before the first", "how many"},
			{"State", []Argument{{"core", "Number"}}, "Read", "says how a core's kernel is", "abi.CoreAbsent and so on"},
			{"Distance", []Argument{{"core", "Number"}}, "Read", "says how far the memory of another core's node is, as the firmware has it (SLIT)", "the distance; 10 is that of the own node"},
			{"CommandLine", []Argument{{"buffer", "Output"}, {"bytes", "Number"}}, "Read", "writes the machine's boot command line to the buffer", "its length"},
			{"Log", []Argument{{"buffer", "Input"}, {"bytes", "Number"}}, "Write", "appends a line of at most 256 bytes to the kernel's log, which adds the line's end and who said it", ""},
			{"Notify", []Argument{{"core", "Number"}}, "Send", "notifies another core's monitor", ""},
			{"PortWrite", []Argument{{"port", "Number"}, {"buffer", "Input"}, {"bytes", "Number"}}, "Control", "queues bytes to a serial port (abi.PortConsole, abi.PortLink); the console takes all, at most 2048, or none with ErrAgain; the caller is notified when there is room again", "how many it took"},
			{"PortRead", []Argument{{"port", "Number"}, {"buffer", "Output"}, {"bytes", "Number"}}, "Control", "takes bytes that came in at a serial port; the caller is notified when some come", "how many"},
			{"Power", []Argument{{"action", "Number"}, {"code", "Number"}}, "Control", "ends the machine: abi.PowerOff or abi.PowerReset", ""},
			{"Reclaim", []Argument{{"slot", "Reference"}}, "Control", "moves the next capability of the reclaim queue into an empty slot", ""},
			{"Relations", []Argument{{"capability", "Reference"}, {"owner", "Number"}, {"relations", "Number"}}, "Control", "sets a capability's owner core and what other cores hold of it", ""},
			{"Lend", []Argument{{"ram", "Reference"}, {"core", "Number"}}, "Control", "gives RAM in multiples of 2 MiB, of which nothing is made and no copy exists, to another core: its owner changes, and this kernel no longer sees it; ErrInUse also while other cores may still reach what was unmapped", ""},
			{"Adopt", []Argument{{"slot", "Reference"}, {"base", "Range"}, {"size", "Range"}}, "Control", "makes a capability to RAM that another core has lent to this one", ""},
			{"Release", []Argument{{"ram", "Reference"}}, "Control", "undoes Adopt for RAM of which nothing is made and no copy exists: the capability is deleted; ErrInUse also as for Lend", ""},
			{"Regain", []Argument{{"ram", "Reference"}}, "Control", "undoes Lend when the other core has released the memory; ErrInUse: part of it is imported", ""},
			{"Weight", []Argument{{"dispatcher", "Reference"}, {"weight", "Number"}}, "Control", "sets a dispatcher's share of the time that nobody has reserved: 1 to 10000, 100 at first", ""},
			{"Reserve", []Argument{{"dispatcher", "Reference"}, {"period", "Number"}, {"budget", "Number"}, {"deadline", "Number"}}, "Control", "reserves processor time for a dispatcher: budget ns in every period, by deadline ns after its start, 50 us <= budget <= deadline <= period <= 1 s; ErrOverload if the core has not so much left; all 0: ends the reservation", "how much of the core can be reserved for it, as budget per deadline in millionths, also with ErrOverload"},
			{"Import", []Argument{{"slot", "Reference"}, {"type", "Type"}, {"base", "Range"}, {"size", "Range"}, {"from", "Number"}}, "Control", "makes a capability to a Frame or a PageTable3 of another core, whose monitor keeps it in being until this capability and its copies are deleted: it can be mapped, a table only in top tables and once in each, and a frame copied, and nothing else; from is the core, and from bit 32 on the rights (capability.ImportFrom); a frame can be imported again", ""},
			{"Share", []Argument{{"core", "Number"}, {"tables", "Number"}}, "Control", "says how many top tables of another core lead to page tables of this one: while it is not 0, that core is told to forget what is taken away here before anybody relies on it", ""},
			{"Expel", []Argument{{"base", "Range"}, {"size", "Range"}}, "Control", "deletes what is imported within a range of memory, wherever it has been moved; ErrPending if it goes on: ask again; ErrRange: something else is in the range; ErrInUse: other cores may still reach what was unmapped", ""},
		},
	},
	{
		Name: "Domain", Space: "Domains", Parents: []string{"Domain"},
		Doc:   "domain numbers: who a dispatcher runs for",
		Align: 1, Least: 1, Most: 1 << 32,
		Made:   "by the kernel at its start, one that names all",
		Rights: map[string]string{"Control": "give it to a dispatcher", "Grant": "", "Retype": "", "Revoke": ""},
		Fields: numbers,
	},
	{
		Name: "PerformanceCounter", Space: "Counters", Parents: []string{"PerformanceCounter"},
		Doc:   "hardware performance counters of this core",
		Align: 1, Least: 1, Most: 64,
		Made:   "by the kernel at its start, one that names all",
		Rights: map[string]string{"Read": "read them", "Control": "choose what they count, start and stop them", "Grant": "", "Retype": "", "Revoke": ""},
		Fields: numbers,
		Invocations: []Invocation{
			{"Select", []Argument{{"counter", "Range"}, {"event", "Number"}}, "Control", "chooses what the counter at an offset in the range counts and starts it", ""},
			{"Read", []Argument{{"counter", "Range"}}, "Read", "reads the counter at an offset in the range", "the count"},
		},
	},
	{
		Name: "RemoteDoorbell", Space: "Doorbells", Parents: []string{"RemoteDoorbell"},
		Doc:   "the right to wake dispatchers of other cores, by an interrupt: numbers core*abi.CoreDispatchers + the number that Number of a Dispatcher says there",
		Align: 1, Least: 1, Most: 1 << 20,
		Made:        "by the kernel at its start, one that names all",
		Rights:      map[string]string{"Send": "ring it", "Grant": "", "Retype": "", "Revoke": ""},
		Fields:      numbers,
		Invocations: []Invocation{{"Ring", nil, "Send", "notifies the dispatcher, one alone; nothing happens if there is none, or not on another core", ""}},
	},
}

// memory and numbers are the fields of ranges of memory and of anything else.
var (
	memory  = []Field{{"base", "physical address of the first byte"}, {"size", "bytes"}}
	numbers = []Field{{"base", "the first number"}, {"size", "how many"}}
)

var cnodeRights = map[string]string{
	"Read": "look capabilities up through it", "Write": "place, move and delete capabilities in it",
	"Grant": "", "Revoke": "",
}

// cnode are the invocations of both CNode types.
var cnode = []Invocation{
	{"Copy", []Argument{{"slot", "Index"}, {"source", "Reference"}}, "Write", "puts a copy of the source, which needs right Grant, into an empty slot", ""},
	{"Mint", []Argument{{"slot", "Index"}, {"source", "Reference"}, {"rights", "Rights"}}, "Write", "puts a copy with only those of the source's rights that are given into an empty slot; the source needs right Grant", ""},
	{"Move", []Argument{{"slot", "Index"}, {"source", "Reference"}}, "Write", "moves the source into an empty slot", ""},
	{"Retype", []Argument{{"slots", "Slots"}, {"source", "Reference"}, {"type", "Type"}, {"offset", "Range"}, {"size", "Range"}}, "Write",
		"makes at most 8 objects of the given type and size, one after the other from an offset into the source, which needs right Retype, and puts them into empty slots; ErrPending: they are made, and get ready when their memory has been cleared; ErrInUse: something is made of that part already, or, of RAM, other cores may still reach what was unmapped (abi.CallSettle)", ""},
	{"Delete", []Argument{{"slot", "Index"}}, "Write", "empties a slot; the last capability to an object ends the object", ""},
	{"Revoke", []Argument{{"slot", "Index"}}, "Write", "deletes all other copies of the slot's capability, which needs right Revoke, and everything made of its object", ""},
}

func pageTable(name, doc string) Type {
	return Type{
		Name: name, Doc: doc, Space: "Memory", Parents: []string{"RAM"},
		Align: page, Size: page, Zeroed: true,
		Rights: map[string]string{"Control": "map into it, unmap from it, and map it into a table above", "Grant": "", "Revoke": ""},
		Fields: memory,
		Invocations: []Invocation{
			{"Map", []Argument{{"entries", "Slots"}, {"source", "Reference"}, {"mapping", "Reference"}, {"offset", "Range"}, {"protection", "Protection"}}, "Control",
				"maps part of a frame, or a table of the level below, into entries, and puts the mapping into an empty slot; write and execute together are refused", ""},
		},
	}
}
