// Package capability is the CPU driver's capability system: slots, CSpaces,
// the mapping database, and the operations on them. It decides who may do what
// with which object; what objects are for is the business of others.
//
// The CPU driver and tests import it. It runs over plain memory, addresses
// plus an offset, with no Go heap: nothing is allocated, and all state lies in
// slots (in CNodes that users retyped from RAM) and in one State (in the KCB).
// It is single-threaded. Every operation is bounded: it touches a number of
// slots that its arguments bound, each at a cost of O(log n) in the number of
// capabilities; what takes longer is put on a list that Step works off. It
// must never hold a Go pointer to its heap, trust a word from a user, or leave
// a tree that is not whole between two calls.
//
// # The order
//
// Every capability is a range of one of the spaces of package table. Ranges
// either nest or are apart, since retype refuses all else. The database is a
// balanced tree, its nodes the slots themselves, ordered by start, then by size
// from large to small, then by type, then by the slot's address. So copies are
// adjacent, an object's ancestors precede it, and its descendants follow it
// without a gap. The greatest end of each subtree is kept in its root, which
// answers questions about ranges.
//
// # What lives how long
//
// Deleting the last copy ends the object. If it holds capabilities (a CNode, a
// dispatcher), its own capability moves into its own slot 0, which is the
// kernel's, and onto the delete list; Step deletes the contents and then the
// object. Being at home in what it names, it is in nobody's way: CNodes that
// hold each other die like any others when what they were made of is revoked.
// If the object was made of nothing that a capability still names, what it was
// made of goes to the reclaim queue, memory as RAM, for the memory server to
// take: whatever the machine has, there is a capability for it.
//
// A large object is cleared by Step too, before it is ready.
//
// # What it costs
//
// All of it is done with interrupts off, so all of it is bounded. A way down the
// tree costs some 25 instructions a level, and a tree of a million capabilities
// has about 25 levels. A unit of Step (step.go) empties one slot, for some
// 4,000 instructions on average in such a tree, or clears ClearUnit bytes; to
// that comes, for a mapping, what it costs to clear up to TableEntries entries. Delete and
// Revoke do two units at once, Retype makes at most MaxRetype objects for some
// 2,500 instructions each, and does one unit of clearing; everything else does
// one thing.
//
// # Mappings
//
// A mapping is part of the order like what is made by retype: it has the range of
// what is mapped, and so goes with it. Of the page table it is in it knows only
// where its entries are; numbers that are given out once (see mapping.go) tell
// whether that table is still there. So tables, frames and mappings can be
// deleted in any order, and no entry is written but in the table it was meant
// for.
//
// # Who stands on it
//
// Whatever the CPU driver keeps for its users is such an object: control blocks
// and save areas lie in Dispatchers, address spaces are PageTables whose entries
// Mappings stand for, and this package's State lies in the KCB. kernel/driver
// does the invocations of all types but CNodes, which are this package's own,
// and writes the entries of page tables. What only some may do, such as writing
// to serial ports, is a right of the Kernel capability.
package capability
