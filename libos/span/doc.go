// Package span is what the liboses of one domain on several cores say to each
// other: the layout of the frame that they share, at abi.SpanBase, and the
// protocol by which threads move, wait, wake and are signalled across cores.
//
// The libos imports it. It is freestanding, as package carrier: it runs with no
// Go runtime, allocates nothing, keeps addresses, not pointers, and never waits.
// It makes no kernel call: who must be rung it says by NextRing. A Frame is one
// dispatcher's view and not safe for concurrent use; dispatchers may use theirs
// at the same time.
//
// # Messages
//
// Nearly all that dispatchers have to tell each other is about a thread, and a
// thread is in the hands of one dispatcher at a time. So each thread has a slot,
// and the slot is the buffer for the one message that there can be about it
// (Message, Send, Receive): its registers when it moves, a page fault when home
// is to serve one. There is no ring that could be full, so sending never waits
// and nothing needs to be taken back: no number of messages can deadlock.
//
// What may be said to a thread by anybody at any time is kept in words of its
// slot that are changed by atomic operations: the address that it waits for, the
// signals sent to it, the cores it may run on. Whoever changes one posts the slot
// to the dispatcher that has the thread, which looks at all of the words then.
// A slot that is posted to where its thread is no more is posted on; one whose
// thread is on its way is looked at when it arrives.
//
// # Doorbells
//
// A dispatcher is attentive while it runs its libos, from Enter to Leave, and
// looks after its mail before it leaves. A program's thread that runs looks after
// nothing, nor does a core that sleeps: so Leave announces that the dispatcher must
// be rung from now on, unless there is mail; and whoever posts rings if he finds
// an announcement that nobody has rung for. Announcing, then looking for mail, here,
// and posting, then looking for an announcement, there, with full fences between: one of
// the two sees what the other wrote. Two may ring for the same announcement, and
// a bell may be late: both cost an upcall that finds nothing.
//
// # Futexes
//
// A thread that is to wait announces the address in its slot (Wait), then looks at
// the word, and if that has the value says that it sleeps (Sleep). A thread that
// wakes, having changed the word before, looks for waiters in all slots, in the order
// in which they came, and claims each that sleeps by a compare-and-swap (Wake): so it
// knows how many it has woken without waiting for anybody, and none is woken twice.
// One that it finds looking may have seen the word before it was changed, or may be
// about to find that it must not sleep: that one is not claimed, but has to look again
// (Sleep says so). So a wait takes place when Sleep says true, and one that is refused
// takes no wake-up from those that sleep. Who waited no longer for another reason
// takes its announcement back (EndWait), and learns then whether it has been
// claimed.
//
// # Replicated address spaces
//
// Satellites may have page tables of their own for the program's memory, which they
// keep as caches of home's: an answer to a fault says what may be mapped (Map).
// When home takes memory away, or narrows a protection, it asks those that may have
// it mapped to forget (Forget), and waits until they have (Forgotten) before its
// call returns and before it uses the memory again. There is one such request at a
// time. Who is asked does its mail first (ToForget): so an answer that home gave
// before it asked is never mapped after that.
//
// Home waits for nothing else meanwhile and does none of its own mail. It can: who
// is asked to forget waits for its kernel, and for its monitor at most, never for
// home. A satellite that has ended the domain instead has told home so (Ended).
//
// # Why nothing hangs
//
// There is no lock. Each operation is bounded, or repeated only because another
// dispatcher's has succeeded meanwhile. A dispatcher that is starved, or stopped
// anywhere in this code, delays its own threads, and those whose calls or faults
// it is to serve if it is home. A starved satellite delays, in a replicated domain,
// home's taking away of memory. Nobody else finds anything half done that it would
// have to wait for. The table of actions has two halves for that reason (Publish).
package span
