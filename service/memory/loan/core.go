package loan

import (
	"math/bits"
	"slices"

	"skerry/abi/capability"
	"skerry/service/memory"
)

// Kernel is what a core needs of its CPU driver.
type Kernel interface {
	// Lend gives a block up to another core. When it fails, nothing has
	// happened.
	Lend(b memory.Block, core uint32) error
	// Regain undoes Lend, and leaves nothing made of the block. When it fails,
	// it is tried again.
	Regain(b memory.Block) error
	// Adopt makes RAM that was lent to this core its own.
	Adopt(base, size uint64) (capability.Reference, error)
	// Release undoes Adopt. When it fails, it is tried again.
	Release(ram capability.Reference) error
}

// Core is one core's part.
type Core struct {
	// Reserve is what the core keeps of its own free memory, in bytes.
	Reserve uint64

	pool   *memory.Pool
	kernel Kernel
	send   func(Message)
	answer func(got bool)

	asking bool
	alone  bool
	lent   []lent
}

// lent is a block that another core has.
type lent struct {
	loan     uint32
	block    memory.Block
	returned bool // not regained yet
	lost     bool
}

// NewCore returns a core that lends from a pool and borrows into it. It speaks to
// the broker by send, and calls answer with the answer to each Ask: whether
// memory was got.
func NewCore(pool *memory.Pool, kernel Kernel, send func(Message), answer func(got bool)) *Core {
	return &Core{pool: pool, kernel: kernel, send: send, answer: answer}
}

// Ask asks for about size bytes, unless something has been asked for.
func (c *Core) Ask(size uint64) {
	if c.asking {
		return
	}
	c.asking = true
	if c.alone {
		c.answered(false)
		return
	}
	size = min(max(size, Least), Most)
	c.say(Message{Kind: Borrow, Size: 1 << bits.Len64(size-1)})
}

// Alone takes note that the broker is lost: nothing is lent, borrowed or given
// back any more.
func (c *Core) Alone() {
	c.alone = true
	c.answered(false)
}

// Asking reports whether an answer is to come.
func (c *Core) Asking() bool { return c.asking }

// Lent returns how many bytes of the core's others have, those lost with them
// included.
func (c *Core) Lent() (bytes uint64) {
	for i := range c.lent {
		bytes += c.lent[i].block.Size
	}
	return bytes
}

func (c *Core) say(m Message) {
	m.Free = c.pool.Spare(c.Reserve)
	c.send(m)
}

// Handle takes a message from the broker.
func (c *Core) Handle(m Message) {
	switch m.Kind {
	case Lend:
		if b, ok := c.lend(m.Core, m.Size); ok {
			c.lent = append(c.lent, lent{loan: m.Loan, block: b})
			c.say(Message{Kind: Lent, Loan: m.Loan, Node: b.Root.Node, Base: b.Base, Size: b.Size})
		} else {
			c.say(Message{Kind: Refused, Loan: m.Loan})
		}
	case Lent:
		ram, err := c.kernel.Adopt(m.Base, m.Size)
		if err != nil {
			c.say(Message{Kind: Returned, Loan: m.Loan})
		} else {
			c.pool.Add(memory.Root{Reference: ram, Base: m.Base, Size: m.Size, Node: m.Node, Loan: m.Loan})
		}
		c.answered(err == nil)
	case Refused:
		c.answered(false)
	case Returned:
		for i := range c.lent {
			if c.lent[i].loan == m.Loan {
				c.lent[i].returned = true
			}
		}
		c.regain()
	case Kept:
		c.pool.Keep(m.Loan)
	case Lost:
		for i := range c.lent {
			if c.lent[i].loan == m.Loan {
				c.lent[i].lost = true
			}
		}
	}
}

func (c *Core) answered(got bool) {
	if c.asking {
		c.asking = false
		c.answer(got)
	}
}

// lend lends a block of at most size bytes of the core's own.
func (c *Core) lend(core uint32, size uint64) (memory.Block, bool) {
	for ; size >= Least; size >>= 1 {
		b, ok := c.pool.TakeLendable(size, c.Reserve)
		if !ok {
			continue
		}
		if c.kernel.Lend(b, core) == nil {
			return b, true
		}
		c.pool.Give(b)
		break
	}
	return memory.Block{}, false
}

// Retry does again what the kernel has not done yet, and gives back what is not
// needed. It is called when the kernel may have got on, and when memory has
// become free. It reports whether it did anything.
func (c *Core) Retry() bool {
	progress := c.regain()
	for !c.asking && !c.alone { // else it is wanted
		r, ok := c.pool.Idle()
		if !ok || c.kernel.Release(r.Reference) != nil {
			break
		}
		c.pool.Remove(r.Reference)
		c.say(Message{Kind: Returned, Loan: r.Loan})
		progress = true
	}
	return progress
}

// regain takes back what was returned.
func (c *Core) regain() (progress bool) {
	c.lent = slices.DeleteFunc(c.lent, func(l lent) bool {
		if !l.returned || c.kernel.Regain(l.block) != nil {
			return false
		}
		c.pool.Give(l.block)
		progress = true
		return true
	})
	return progress
}
