package span

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
)

// Home is the dispatcher that has the program's memory, files and timers.
const Home = 0

const slots = abi.SpanThreads

// Frame is a dispatcher's view of the frame. Its zero value must be given one by
// Init.
type Frame struct {
	base        uintptr
	self, count uint32
	version     uint64 // of the actions that ReadActions told last
	toRing      uint64 // a bit for each dispatcher that was posted to
	asked       uint64 // at home: those that were to forget last
}

// Init makes f the view of a dispatcher, one of count, of the frame at base,
// which is zeroed before the first one looks at it.
func (f *Frame) Init(base uintptr, self, count int) {
	*f = Frame{base: base, self: uint32(self), count: uint32(count)}
}

// Self returns the dispatcher whose view it is, Count how many there are.
func (f *Frame) Self() int { return int(f.self) }

// Count returns the number of dispatchers.
func (f *Frame) Count() int { return int(f.count) }

// All returns the set of all dispatchers, a bit for each.
func (f *Frame) All() uint64 { return 1<<(f.count-1)<<1 - 1 }

// control is what the frame begins with. What is said of threads is in arrays by
// slot, so that a few lines tell about all.
type control struct {
	process int32
	used    uint32 // slots below were ever used
	live    int32  // threads
	lastID  int32
	ending  uint32 // set by who ends the domain
	ended   uint32 // set when the words behind are
	kind    uint32
	code    uint64
	text    [lastWords]byte
	length  uint32
	_       uint32
	version uint64 // of the actions; the last bit says which half holds them
	actions [2][linux.NSIG]linux.Sigaction

	ids      [slots]int32  // 0 for a slot in no use
	location [slots]uint32 // the dispatcher that has it, or is to get it
	affinity [slots]uint64 // dispatchers that it may run on
	signals  [slots]uint64 // sent by tgkill, not taken yet
	expired  [slots]uint64 // sent by timers
	waiting  [slots]uint64 // what it waits for, 0 for nothing
	ticket   [slots]uint64 // since when
	bits     [slots]uint32 // with which bits
	manner   [slots]uint32 // how it is to be scheduled
	tickets  uint64

	forget forget
}

// dispatcher is what a dispatcher says of itself, and where it finds its mail.
type dispatcher struct {
	announce uint64 // odd while it must be rung
	rung     uint64 // the announcement for which it was rung
	_        [6]uint64

	mail  uint64 // a bit for each word of posted that is not 0, and mailEnd
	_     [7]uint64
	posts [slots / 64]uint64

	load  uint32 // threads that run or could
	_     uint32
	began int64 // when it started
	idle  int64 // how long it was parked
	since int64 // since when it is, 0 if it is not

	forgot uint64 // the generation of forget that it has done last
}

// Bits of mail: mailEnd tells home that the domain has ended, mailForget a
// satellite that it is to forget.
const (
	mailEnd    = 1 << 63
	mailForget = 1 << 62
	mailOther  = mailEnd | mailForget
)

// lastWords bounds the text that may come with an end, in bytes.
const lastWords = 256

// All fits.
const (
	_ = uint(abi.SpanControl - unsafe.Sizeof(control{}))
	_ = uint(abi.SpanThread - unsafe.Sizeof(Message{}))
	_ = uint(abi.SpanDispatcher - unsafe.Sizeof(dispatcher{}))
	_ = uint(63 - slots/64)
	_ = uint(64 - abi.MaxDispatchers)
)

func pointer(address uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), address) }

func (f *Frame) control() *control { return (*control)(pointer(f.base)) }

func (f *Frame) dispatcher(d uint32) *dispatcher {
	return (*dispatcher)(pointer(f.base + abi.SpanControl + slots*abi.SpanThread + uintptr(d)*abi.SpanDispatcher))
}

// Message is about the thread of its slot. Whoever has the thread may write it.
type Message struct {
	to   uint32 // the dispatcher it is for, plus one; 0 for none
	Kind uint32
	// From is who sent it.
	From uint32
	// Want and Code are a fault's: the access, linux.PROT_…, and what came of it.
	Want uint32
	Code int32
	// Back is the dispatcher, plus one, to which a thread goes back when its call
	// is done.
	Back uint32
	// Address and Length are what a fault is about. Where address spaces are
	// replicated, Map says in the answer what the receiver may map.
	Address, Length uint64
	Map             Map
	// Taken is, in the answer, how often home has taken memory away.
	Taken uint64
	// Thread is one that moves.
	Thread carrier.Thread
}

// Map is memory that a satellite may map: Count pages at Address, which are those
// from number Page on of a frame, with a protection, abi.Prot…. Frame is the number
// of a piece of home's memory, or 0 for the boot archive. Without a Count it is
// none.
type Map struct {
	Address     uint64
	Frame, Page uint32
	Count, Prot uint32
}

// Kinds of messages.
const (
	// Move: the thread is the receiver's, and ready to go on.
	Move = 1 + iota
	// Call: the thread is the receiver's, which is to make the call that it
	// is in and to send it back.
	Call
	// Fault: the receiver, home, is to bring in memory that the thread needs.
	Fault
	// FaultDone answers it.
	FaultDone
)

// Message returns the message of a slot.
func (f *Frame) Message(slot int) *Message {
	return (*Message)(pointer(f.base + abi.SpanControl + uintptr(slot)%slots*abi.SpanThread))
}

// Send sends the message of a slot to a dispatcher.
func (f *Frame) Send(slot int, to int) {
	m := f.Message(slot)
	m.From = f.self
	atomic.StoreUint32(&m.to, uint32(to)+1)
	f.post(slot, uint32(to))
}

// SendThread moves a thread that is set aside to another dispatcher, as the
// message of its slot. The sender has it no more.
func (f *Frame) SendThread(slot, to int, kind, back uint32, th *carrier.Thread) {
	m := f.Message(slot)
	m.Kind, m.Back, m.Thread = kind, back, *th
	atomic.StoreUint32(&f.control().location[slot], uint32(to))
	f.Send(slot, to)
}

// Receive returns the message of a slot if it is for this dispatcher, nil if
// not. It is the receiver's until the slot's next Send.
func (f *Frame) Receive(slot int) *Message {
	m := f.Message(slot)
	if atomic.LoadUint32(&m.to) != f.self+1 {
		return nil
	}
	m.to = 0
	return m
}

// post has a dispatcher look at a slot.
func (f *Frame) post(slot int, to uint32) {
	d := f.dispatcher(to)
	word := uint(slot) / 64 % uint(len(d.posts))
	atomic.OrUint64(&d.posts[word], 1<<(uint(slot)%64))
	atomic.OrUint64(&d.mail, 1<<word)
	if to != f.self {
		f.toRing |= 1 << to
	}
}

// Post has the dispatcher that has a thread look at its slot.
func (f *Frame) Post(slot int) {
	f.post(slot, atomic.LoadUint32(&f.control().location[slot])%f.count)
}

// NextRing returns a dispatcher that must be rung, and for which announcement; -1
// if there is none. Rung must follow when that is done. It is to be asked until it
// says -1 before the dispatcher leaves, and before it waits for anything.
func (f *Frame) NextRing() (to int, announcement uint64) {
	for f.toRing != 0 {
		to := bits.TrailingZeros64(f.toRing)
		f.toRing &= f.toRing - 1
		d := f.dispatcher(uint32(to))
		// The bits of post came before this, by operations that are fences.
		if a := atomic.LoadUint64(&d.announce); a&1 != 0 && atomic.LoadUint64(&d.rung) != a {
			return to, a
		}
	}
	return -1, 0
}

// Rung says that a dispatcher has been rung for an announcement: others need not.
func (f *Frame) Rung(to int, announcement uint64) {
	atomic.StoreUint64(&f.dispatcher(uint32(to)).rung, announcement)
}

// Enter says that this dispatcher looks after its mail until Leave.
func (f *Frame) Enter() {
	d := f.dispatcher(f.self)
	if d.announce&1 != 0 {
		atomic.StoreUint64(&d.announce, d.announce+1)
	}
}

// Leave announces that this dispatcher must be rung from now on. It returns false,
// and has announced nothing, if there is mail.
func (f *Frame) Leave() bool {
	d := f.dispatcher(f.self)
	if d.announce&1 == 0 {
		atomic.StoreUint64(&d.announce, d.announce+1) // a full fence before the look at the mail
	}
	if atomic.LoadUint64(&d.mail) != 0 {
		f.Enter()
		return false
	}
	return true
}

// HasMail says whether there is something to look at.
func (f *Frame) HasMail() bool { return atomic.LoadUint64(&f.dispatcher(f.self).mail) != 0 }

// NextMail takes the next slot to look at, -1 if there is none.
func (f *Frame) NextMail() int {
	d := f.dispatcher(f.self)
	for {
		mail := atomic.LoadUint64(&d.mail) &^ mailOther
		if mail == 0 {
			return -1
		}
		word := bits.TrailingZeros64(mail) % len(d.posts)
		if posts := atomic.LoadUint64(&d.posts[word]); posts != 0 {
			bit := bits.TrailingZeros64(posts)
			atomic.AndUint64(&d.posts[word], ^(uint64(1) << bit))
			return 64*word + bit
		}
		atomic.AndUint64(&d.mail, ^(uint64(1) << word))
		if atomic.LoadUint64(&d.posts[word]) != 0 { // come in between
			atomic.OrUint64(&d.mail, 1<<word)
		}
	}
}
