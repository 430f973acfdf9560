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
// # The objects of the CPU driver
//
// The CPU driver does not stand on this package yet: it is tested by itself,
// over plain memory. When it does,
//
//   - kcb.KCB becomes an object of type KCB; it contains this package's State.
//   - kcb.DCB and the dispatcher frame become one object of type Dispatcher:
//     the control block in page 0, with its slots (home, CSpace, VSpace,
//     domain, receive) at the end of that page, the kernel's vector area in
//     page 1, abi.Dispatcher and its two save areas in pages 2 to 4, and
//     endpoints in pages 5 to 7.
//   - The tables of amd64.Space become PageTable1 to PageTable4, the frames it
//     maps Frames, and each entry or run of entries a Mapping.
//   - memory.Pages ends at boot: what it has left becomes RAM capabilities in
//     the first CSpace of the core's monitor.
//   - The boot archive becomes one Frame with rights Read, Execute and Grant;
//     the stdio frame and the monitors' channels become Frames.
//   - abi.RightMonitor, RightInspect and RightPower become the Kernel
//     capability with fewer or more rights; RightConsole becomes IOPorts and
//     IRQSource; RightSpawn becomes having RAM and a Domain to make dispatchers
//     of.
package capability
