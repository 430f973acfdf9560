// Package schedule decides which dispatcher of a core runs next, and until when.
//
// Dispatchers with a reservation (budget C in every period T, by deadline D ≤ T) run
// first, the earliest absolute deadline before the others, which meets all deadlines
// of any set that can be met at all (Liu and Layland, 1973); as no set is admitted
// whose densities C/D sum up to more than Bound, each gets C within D of every
// release. As in RBED (Brandt, Banachowski, Lin and Bisson, 2003), the budget is
// enforced, so that one that runs longer than it said harms itself alone, and what
// nobody reserved or used goes to the others by weight. Those are served by
// start-time fair queueing (Goyal, Guo and Vin, 1996), stride scheduling with
// variable slices: a slice begins with the lowest tag, and adds its length divided by
// the weight to the tag, and one that comes or wakes gets a tag no lower than the
// lowest ready one. This needs no knowledge of how fast the core serves them, which
// the reserved ones change all the time, and over any window in which two entries
// are ready all the while, service per weight differs by no more than one slice of
// each per its weight. So what an entry gets of the time that the fair ones have in
// a window is its share, give or take one slice and its share of one slice of all.
//
// Reserved entries in detail. A job is released every period while the entry stays
// ready, or when it wakes, if a period has passed since the last release. It ends
// when the entry blocks or yields, when its budget is used up, or at its deadline.
// One that wakes with its job unfinished goes on with no more of its budget than its
// density allows up to the deadline, since with more it could make others late.
// After its job an entry that is still ready waits for the next release, and
// meanwhile runs only when the core would be idle otherwise. Time that it had beyond
// its budget because it was stopped too late is taken from its next job, but from
// no later one, so a clock that jumps does not stop anybody for long. A deadline is
// missed if a ready entry has not had the job's budget by then: with an admitted set
// that happens only where the core stood still or was late itself.
//
// The package must never allocate, read a clock, wait, or call out; it knows nothing
// of the machine. All operations take O(log n) steps, and those to whom a time is
// given as many for each release or deadline that has come since. Its state holds
// pointers to entries only. These, and the Scheduler, may lie outside the Go heap.
//
// It is for the CPU driver: kernel/kcb holds a Scheduler in the kernel control block
// and an Entry in each dispatcher, kernel/driver calls it. One user at a time.
//
// The order of calls: Pick says who runs and until when. Once that one has stopped,
// for whatever reason, Ran comes first, then whatever happened (Ready, Block, Yield,
// Donate and the others, in any order), then Pick again. Times are in ns of one
// clock that does not go backwards. Until the time that Pick gave, Pick needs to be
// called again only if anything else was.
package schedule
