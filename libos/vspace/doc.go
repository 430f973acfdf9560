// Package vspace pages a domain from user mode: it makes the address space of
// the domain's program, and the heap of the libos itself, out of the RAM that
// the domain holds, by invocations of capabilities.
//
// The libos imports it. It is freestanding, as package carrier: it runs with no
// Go runtime, allocates nothing, and keeps addresses, not pointers. There is one
// space, and nothing is safe for concurrent use: the dispatcher is disabled
// while any function runs. It reaches the CPU driver and the spawner only
// through the functions of Config, in invoke.go. It must never leave a mapping
// and what it knows of it apart, whatever fails.
//
// # What a libos calls
//
//   - Init once, before the first access to the libos's heap.
//   - NestedFault from the upcall of that name. It touches no memory that could
//     fault, and takes what it needs from a reserve.
//   - Replenish at the start of every upcall that may touch new heap: it refills
//     the reserve.
//   - Fault for page faults of the program, Usable before the libos itself reads
//     or writes the program's memory.
//   - Mmap, Munmap, Mprotect, Madvise, Mincore, Brk for the Linux calls of these
//     names; they return what those return. Regions to look at what is mapped.
//   - MapRegion and Write for the loader, MapFrame, Slot, FreeSlot, CNode, RAM,
//     GiveRAM and Memory for the calls of package abi that a libos serves.
//   - Where the dispatchers of a domain have page tables of their own: Tell and
//     Taken at home, Install and Discard elsewhere (replicated.go).
//
// # How it keeps its books
//
// All RAM comes in pieces (pieces.go), which are divided into blocks of 32 KiB.
// A block is a chunk, one frame of eight pages (chunks.go), or holds page tables
// and CNodes (objects.go); 64 blocks in a row may be the frame of a huge page
// (huge.go). For every 2 MiB of addresses in use there is a node with the page
// table, and a leaf with an entry for each page: its mapping, and which of that
// mapping's pages it is (tables.go, pages.go). For every slot that holds such a
// mapping there is a record that says what is mapped (slots.go). Slots come by
// CNodes of 256, and these of an L1 CNode that grows (cnodes.go).
//
// A mapping is always wholly mapped: what takes a part of it away unmaps it, and
// maps the rest anew. So a mapping that ends never clears an entry that another
// one has written since.
package vspace
