package table

// Spaces lists the spaces in the order of their numbers.
var Spaces = []Space{
	{"Memory", "physical addresses, in bytes"},
	{"Interrupts", "interrupt sources (global system interrupts)"},
	{"Vectors", "interrupt vectors of this core"},
	{"Ports", "I/O ports"},
	{"Cores", "cores, by number"},
	{"Domains", "domain numbers"},
	{"Counters", "hardware performance counters of this core"},
	{"Doorbells", "dispatchers of all cores"},
}

// Rights lists the rights in the order of their bits.
var Rights = []Right{
	{"Read", "read the object, or look capabilities up through it"},
	{"Write", "write the object, or place capabilities in it"},
	{"Execute", "execute from the object"},
	{"Grant", "copy, mint or send the capability"},
	{"Retype", "make other objects of it"},
	{"Revoke", "delete all other copies and everything made of the object"},
	{"Control", "change what the object does"},
	{"Send", "send to the object, or ring it"},
}

// Kinds bounds what an argument of each kind may hold: the words' most.
var Kinds = []struct {
	Kind Kind
	Most uint64
	Doc  string
}{
	{"Reference", 1<<32 - 1, "a reference to a slot of the caller's CSpace"},
	{"Index", 1<<23 - 1, "a slot of a CNode, or an entry of a table"},
	{"Slots", 512<<32 | (1<<23 - 1), "slots of a CNode or entries of a table: the first in the low half, how many in the high half"},
	{"Type", 0, "a capability type"}, // bounded by the number of types
	{"Rights", 1<<8 - 1, "a set of rights"},
	{"Range", 1<<52 - 1, "an offset or a size in the units of the object's space"},
	{"Address", 1<<47 - 1, "an address in the caller's half of its address space"},
	{"Description", 1<<47 - 1, "the address of a Description, which is written"},
	{"Status", 1<<47 - 1, "the address of an abi.Status, which is written"},
	{"CoreInfo", 1<<47 - 1, "the address of an abi.CoreInfo, which is written"},
	{"DomainInfo", 1<<47 - 1, "the address of an abi.DomainInfo, which is written"},
	{"Census", 1<<47 - 1, "the address of CensusMax Descriptions: the first is read, and all are written"},
	{"Input", 1<<47 - 1, "the address of bytes that are read; how many is the next argument"},
	{"Output", 1<<47 - 1, "the address of bytes that are written; how many at most is the next argument"},
	{"Protection", 7, "protection bits as in package abi"},
	{"Number", 1<<64 - 1, "any number"},
}

// Common are the invocations of every type, numbered before its own.
var Common = []Invocation{
	{"Nop", nil, "", "does nothing but find the capability; for measurement", ""},
	{"Identify", []Argument{{"buffer", "Description"}}, "", "writes a Description of the capability to the buffer", ""},
}
