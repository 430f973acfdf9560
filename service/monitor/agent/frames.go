package agent

import (
	"math/bits"
	"slices"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/service/memory"
)

// Frame is memory that the monitor has made for programs to share. It is the
// monitor's, and part of what a program holds while that runs.
type Frame struct {
	Reference  capability.Reference
	Base, Size uint64 // physical, in bytes, whole pages
	slab       *slab
}

// slab is a block of which frames are made; used has a bit for each page that is
// taken. A frame that is larger than the smallest block has one of its own.
type slab struct {
	memory.Block
	used uint64
}

const slabPages = memory.Least / abi.PageSize

// mask has a bit for each of a number of pages that slab.used counts.
func mask(pages uint64) uint64 { return 1<<min(pages, slabPages) - 1 }

// newFrame makes a frame of at least size bytes, for which a program pays.
func (a *Agent) newFrame(c *child, size uint64) (Frame, error) {
	size = (size + abi.PageSize - 1) &^ (abi.PageSize - 1)
	if c.held+size > c.quota {
		return Frame{}, capability.ErrQuota
	}
	f, ok := a.pages(size)
	if !ok {
		return Frame{}, capability.ErrMemory
	}
	var err error
	if f.Reference, err = a.kernel.Frame(f.slab.Block, f.Base, size); err != nil {
		a.freePages(&f)
		return Frame{}, err
	}
	c.held += size
	c.peak = max(c.peak, c.held)
	a.given += size
	a.kept -= size
	return f, nil
}

// pages finds room for a frame.
func (a *Agent) pages(size uint64) (Frame, bool) {
	n := size / abi.PageSize
	for _, s := range a.slabs {
		if s.Size != memory.Least || s.used == mask(slabPages) {
			continue
		}
		for at := uint64(0); at+n <= slabPages; at++ {
			if s.used&(mask(n)<<at) == 0 {
				s.used |= mask(n) << at
				return Frame{Base: s.Base + at*abi.PageSize, Size: size, slab: s}, true
			}
		}
	}
	b, ok := a.pool.Take(max(memory.Least, uint64(1)<<bits.Len64(size-1)), reserve)
	if !ok {
		return Frame{}, false
	}
	s := &slab{b, mask(n)}
	a.slabs = append(a.slabs, s)
	a.kept += b.Size
	return Frame{Base: b.Base, Size: size, slab: s}, true
}

// freePages gives back the room of a frame of which nothing is left.
func (a *Agent) freePages(f *Frame) {
	s := f.slab
	s.used &^= mask(f.Size/abi.PageSize) << ((f.Base - s.Base) / abi.PageSize)
	if s.used == 0 {
		a.slabs = slices.DeleteFunc(a.slabs, func(o *slab) bool { return o == s })
		a.pool.Give(s.Block)
		a.kept -= s.Size
		a.freed = true
	}
}

// disown takes note that a program no longer pays for a frame.
func (a *Agent) disown(c *child, f *Frame) {
	if f.slab != nil {
		c.held -= f.Size
		a.given -= f.Size
		a.kept += f.Size
	}
}

// freeFrame begins to destroy a frame that nobody pays for; buryFrames goes on.
func (a *Agent) freeFrame(f *Frame) {
	if f.slab != nil {
		a.dyingFrames = append(a.dyingFrames, *f)
		*f = Frame{}
	}
	a.buryFrames()
}

// buryFrames goes on with the frames that are being destroyed, and reports whether
// one is gone.
func (a *Agent) buryFrames() (progress bool) {
	a.dyingFrames = slices.DeleteFunc(a.dyingFrames, func(f Frame) bool {
		if a.kernel.DropFrame(f.Reference) != nil {
			return false
		}
		a.freePages(&f)
		progress = true
		return true
	})
	return progress
}
