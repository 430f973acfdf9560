// Package transfer is the protocol by which capabilities go to programs on other
// cores, and by which they are withdrawn from there.
//
// An object, a frame, belongs to the core whose memory it is: its owner. Other
// cores have imports of it, which programs may copy. A program gives it away on whichever
// core it is (Give), the owner withdraws what it owns from all other cores (Withdraw) so
// that it can be revoked, and imports end by themselves when nothing is left of them on a
// core (Drop), since programs have deleted them or ended.
//
// # Why it is right
//
// After a withdrawal no other core may have an import, nor get one from a message
// that is still on its way. That all cores say that they have none does not show
// it: had an import been sent from the first to the second, the second could have
// said so before it came, and the first after it went. So a core that has an import
// sends it to nobody. It asks the owner, and only the owner sends imports, to whom
// it counts them:
//
//   - The owner's count for a core is above 0 while that core has anything, or anything
//     is on its way there. It rises before Import is sent, and falls when the other core
//     says that it imported nothing, or that nothing is left of what it was sent.
//   - Remove is sent behind every Import, on the same way; so the Removed that
//     answers it comes when all of those have come and been removed. From when a
//     withdrawal begins until it ends, the owner sends no Import of what is
//     withdrawn.
//   - A request on its way holds nothing. Whoever sends one has an import then, and
//     says that it has it no more behind the request, on the same way. So when a
//     request comes its object is still counted, if perhaps withdrawn: it cannot be
//     taken for one of a newer frame in the same place.
//
// While any count is above 0 the owner keeps a copy that its kernel refuses to revoke
// (Kernel.Pin), whatever the programs do that have others. A revocation that fails
// for that withdraws first; somebody may give the object away again in
// between, so it may have to be repeated.
//
// A lost core counts as having nothing, so withdrawals do not wait for it. Imports
// of an object whose owner is lost are removed. Every Give and every Withdraw is
// answered exactly once.
//
// # Doorbells
//
// A doorbell can go to another core too (GiveBell): the core makes one of the same number.
// Whoever has it can wake a dispatcher and do nothing else, so nobody counts who has one,
// and none is withdrawn.
//
// Monitors import it. It must never trust what a program says of a
// capability: its monitor has asked the kernel.
package transfer
